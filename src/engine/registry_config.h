/* engine/registry_config - registries.conf and certs.d where they lie on this machine */
#ifndef BRYO_ENGINE_REGISTRY_CONFIG_H
#define BRYO_ENGINE_REGISTRY_CONFIG_H

#include "engine/engine.h"
#include "spec/registries.h"

/* $CONTAINERS_REGISTRIES_CONF, or the user's registries.conf, or /etc/containers/registries.conf; then the .d
 * directories of the system (not beside the user's own file) and of the user, and the short-name aliases that were
 * chosen at a prompt. Read once an engine; NULL with err. */
const struct registries *registry_config(struct engine *e, struct error *err);
/* The file of the aliases that were chosen. */
char *registry_config_aliases(struct engine *e);
/* The directory of certificates for a host, or NULL. */
char *registry_config_certs(struct engine *e, const char *host);
/* 127.0.0.0/8, ::1 and localhost, whatever the port: reached without TLS when they have none. */
bool registry_config_is_loopback(const char *host);

#endif
