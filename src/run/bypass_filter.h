/* run/bypass_filter - the second filter of a container whose connections may be made by its monitor
 *
 * It notifies of connect(2) where the address could be one of the internet's, by its length, of listen(2), and of a few
 * options being set (sys/bypass_options), and lets everything else through; the container's own profile stays what it is.
 * What the listener does: monitor/bypass. That no call escapes it is promised for listen(2) alone
 * (doc/design/socket-bypass.md). Legal between clone and exec. */
#ifndef BRYO_RUN_BYPASS_FILTER_H
#define BRYO_RUN_BYPASS_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/* published: it notifies of accept(2), too, by which a client of a published port may be handed over. */
const struct sock_filter *bypass_filter(bool published, size_t *ret_n);

/* Whether this kernel can do all that is needed. */
bool bypass_filter_is_possible(void);
/* Loads it into the calling process and sends the listener, with one byte, over the socket. Where it cannot be loaded, or
 * the other end is closed, nothing happens, and all goes on without. -1 with errno: it is loaded and nobody took the listener. */
int bypass_filter_load(int socket, bool published);

#endif
