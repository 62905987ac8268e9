/* engine/attach_keys - the key sequence that leaves a container running: "ctrl-p,ctrl-q", "a", "ctrl-@,x" */
#ifndef BRYO_ENGINE_ATTACH_KEYS_H
#define BRYO_ENGINE_ATTACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define ATTACH_KEYS_MAX 16

struct attach_keys {
	unsigned char v[ATTACH_KEYS_MAX];
	size_t n;		/* 0: none */
	size_t matched;		/* how many have been typed */
};

/* NULL gives the default, "" none. */
int attach_keys_parse(const char *text, struct attach_keys *ret, struct error *err);
/* Takes what was typed and writes what goes on to the container (at most n + ATTACH_KEYS_MAX bytes) to out. True when
 * the sequence is complete: the rest is dropped. Keys of a sequence that breaks off go on, as if nothing had been. */
bool attach_keys_filter(struct attach_keys *k, const unsigned char *in, size_t n, unsigned char *out, size_t *ret_n);

#endif
