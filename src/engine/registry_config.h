/* engine/registry_config - registries.conf and certs.d where they lie on this machine */
#ifndef BRYO_ENGINE_REGISTRY_CONFIG_H
#define BRYO_ENGINE_REGISTRY_CONFIG_H

#include "engine/engine.h"
#include "spec/registries.h"

/* $CONTAINERS_REGISTRIES_CONF, or the user's registries.conf, or /etc/containers/registries.conf; then the .d directories
 * of system and user, and the user's short-name aliases. */
int registry_config_read(struct engine *e, struct registries *ret, struct error *err);
/* The directory of certificates for a host, or NULL. */
char *registry_config_certs(struct engine *e, const char *host);
/* 127.0.0.0/8, ::1 and localhost, whatever the port: reached without TLS when they have none. */
bool registry_config_is_loopback(const char *host);

#endif
