/* engine/source - how a registry is reached: transport, certificates and credentials put together for bryo-transfer */
#ifndef BRYO_ENGINE_SOURCE_H
#define BRYO_ENGINE_SOURCE_H

#include "engine/engine.h"
#include "spec/registries.h"

struct source_options { const char *authfile, *creds, *cert_dir, *tls_verify; };

/* host and path as registries.conf gave them; credentials are looked for under them. */
int source_make(struct engine *e, const struct registry_source *from, const struct source_options *o,
		struct transfer_source *ret, struct error *err);

#endif
