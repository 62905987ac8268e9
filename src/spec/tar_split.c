#include "spec/tar_split.h"

#include "base/json.h"
#include "spec/base64.h"

enum { TYPE_FILE = 1, TYPE_SEGMENT };

struct line { int64_t type, size; char *payload; };

static const struct json_field line_fields[] = {
	JSON_FIELD(line, type, "type", T_INT, .required = true),
	JSON_FIELD(line, size, "size", T_INT),
	JSON_FIELD(line, payload, "payload", T_STRING),
};
static const struct json_shape line_shape = { "tar-split", sizeof(struct line), line_fields, ELEMENTS(line_fields) };

int tar_split_read(struct arena *arena, const char *text, size_t n, struct tar_split_entry *ret, struct error *err)
{
	struct line line;
	size_t size = 0;

	if (json_decode(arena, &line_shape, &line, text, n, "tar-split", err) < 0)
		return -1;
	*ret = (struct tar_split_entry){ .is_file = line.type == TYPE_FILE, .size = line.size };
	if ((line.type != TYPE_FILE && line.type != TYPE_SEGMENT) || line.size < 0)
		return error_set(err, ERROR_INVALID, "the tar-split has an entry that is neither a segment nor a file");
	if (ret->is_file)
		return 0;
	ret->bytes = base64_decode(arena, line.payload ? line.payload : "", &size);
	ret->size = (int64_t)size;
	return ret->bytes ? 0 : error_set(err, ERROR_INVALID, "a segment of the tar-split is not in base 64");
}
