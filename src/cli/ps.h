/* cli/ps - a container's row as people read it */
#ifndef BRYO_CLI_PS_H
#define BRYO_CLI_PS_H

#include "base/json.h"

struct json *ps_view(struct arena *arena, const struct json *row, bool full);
/* "0.0.0.0:8080->80/tcp" from Podman's port object. */
const char *ps_port_text(struct arena *arena, const struct json *port);
/* "Up 2 minutes", "Exited (0) 3 hours ago", "Created". */
const char *ps_status_text(struct arena *arena, const char *state, int64_t started_ns, int64_t ended_ns, long long exit_code);

#endif
