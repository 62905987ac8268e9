/* transfer/sandbox_filter - the seccomp part of transfer/sandbox, as hand-made BPF */
#ifndef BRYO_TRANSFER_SANDBOX_FILTER_H
#define BRYO_TRANSFER_SANDBOX_FILTER_H

#include <stdbool.h>

#include "base/error.h"

/* Loads the filter; no_sockets refuses every socket call, else only families other than unix, inet and netlink. */
int sandbox_filter(bool no_sockets, struct error *err);

#endif
