#include "engine/export.h"

#include "engine/bare_root.h"
#include "engine/life.h"
#include "engine/transfer.h"
#include "sys/fd.h"

int container_export(struct engine *e, const struct container *c, int output, struct error *err)
{
	struct transfer_request r = { .op = "pack", .root = arena_strdup(e->arena, "/"), .contents_only = true };
	_cleanup_fd_ int root = bare_root_open(e, c, err);
	struct transfer_event result;
	struct id_maps maps;
	struct transfer t;
	int code;

	if (root < 0 || bare_root_maps(e, c, &maps, &r, err) < 0 || transfer_open(e, &t, err) < 0)
		return -1;
	code = transfer_call(e, &t, &r, (int[]){ root, output }, 2, &result, err);
	transfer_close(&t);
	if (code < 0)
		return error_frame(err, "export container %s", c->name);
	life_event(e, c, "export");
	return 0;
}
