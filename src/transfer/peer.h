/* transfer/peer - which addresses a registry may send us to
 *
 * Redirects, uploads and token servers lead where the registry says, and some addresses answer this machine alone: those of
 * the link (169.254.0.0/16, fe80::/10), where clouds hand out the machine's own credentials. They are refused when the
 * socket is made, so that no name and no second look-up leads there; the registry that the user named may be anywhere. */
#ifndef BRYO_TRANSFER_PEER_H
#define BRYO_TRANSFER_PEER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

bool peer_is_on_link(const struct sockaddr *address);
/* own_host: the registry itself. *refused becomes true when an address was. */
void peer_setup(CURL *easy, bool own_host, bool *refused);

#endif
