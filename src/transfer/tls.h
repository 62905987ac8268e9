/* transfer/tls - certificates: the system's, those of a registry's certs.d directory, and none for insecure ones */
#ifndef BRYO_TRANSFER_TLS_H
#define BRYO_TRANSFER_TLS_H

#include <curl/curl.h>

#include "transfer/registry.h"

/* Finds NAME.cert with NAME.key in the directory, for registries that ask for a client's certificate. One without the
 * other is an error. */
int tls_find_client(struct registry *r, struct error *err);
/* own_host: the URL is on the registry's own host; only there its certificates and `insecure` count. */
void tls_setup(CURL *easy, struct registry *r, bool own_host);

#endif
