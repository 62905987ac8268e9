/* A template of any text, run on one value. */
#include <stdint.h>
#include <stdlib.h>

#include "base/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char document[] =
	"[{\"Id\":\"abcdef\",\"Name\":\"web\",\"Count\":3,\"Big\":18446744073709551615,\"Ratio\":1.5,\"Up\":true,\"Nothing\":null,"
	"\"State\":{\"Status\":\"running\",\"Pid\":42},\"Names\":[\"a\",\"b\"],\"Labels\":{\"z\":\"26\"},"
	"\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}]}}]";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 16), table = BUFFER(1 << 16);
	const struct json *rows = json_parse(arena, document, strlen(document), "fuzz", NULL);
	const char *text = arena_memdup(arena, data, size);
	struct error err = { 0 };
	struct template *t = template_parse(arena, text, &err);

	if (!t)
		return err.kind == ERROR_USAGE ? 0 : (abort(), 0);
	if (template_run(arena, t, rows->list.v[0], &out, &err) < 0 && err.kind != ERROR_USAGE)
		abort();
	template_rows(arena, arena_printf(arena, "table %s", text), rows, NULL, true, &table, &err);
	return 0;
}
