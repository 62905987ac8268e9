/* cli/yaml - JSON values as the YAML that `info` prints; control characters are escaped */
#ifndef BRYO_CLI_YAML_H
#define BRYO_CLI_YAML_H

#include "base/buffer.h"
#include "base/json.h"

int yaml_print(struct arena *arena, const struct json *value, struct buffer *out);

#endif
