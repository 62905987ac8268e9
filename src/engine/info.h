/* engine/info - the parts of `info`: the machine, and what bryo uses on it */
#ifndef BRYO_ENGINE_INFO_H
#define BRYO_ENGINE_INFO_H

#include "engine/engine.h"
#include "base/json.h"

/* Adds the members that describe the machine: kernel, memory, distribution, load, uptime. */
void info_add_machine(struct engine *e, struct json *host);
/* Those of networks: how a container gets one, and by what it reaches the world. */
void info_add_network(struct engine *e, struct json *host);
const char *info_architecture(void);		/* Go's word: "amd64", "arm64" */

/* Small setters: a text (NULL becomes ""), a number, a truth. */
void info_text(struct engine *e, struct json *object, const char *name, const char *text);
void info_number(struct engine *e, struct json *object, const char *name, int64_t n);
void info_flag(struct engine *e, struct json *object, const char *name, bool b);
struct json *info_object(struct engine *e, struct json *parent, const char *name);
struct json *info_list(struct engine *e, struct json *parent, const char *name, const char *const *words);

#endif
