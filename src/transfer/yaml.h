/* transfer/yaml - a YAML document as a JSON value (libyaml)
 *
 * For settings written by hand: one document; mappings with text keys, each once; lists; scalars, of which the plain
 * ones true, false, null and integers are what they say. No anchors, aliases and merges: a file of a few lines that
 * means gigabytes is not read. Errors have line and column. */
#ifndef BRYO_TRANSFER_YAML_H
#define BRYO_TRANSFER_YAML_H

#include "base/json.h"
#include "transfer/work.h"

struct json *yaml_parse(struct arena *arena, const char *text, size_t len, struct error *err);

work_op op_yaml;

#endif
