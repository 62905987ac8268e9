#include "engine/volume_archive.h"

#include <errno.h>
#include <fcntl.h>

#include "engine/events.h"
#include "engine/take.h"
#include "engine/transfer.h"
#include "store/volume.h"
#include "sys/fd.h"

static int open_volume(struct engine *e, const char *name, struct error *err)
{
	struct volume v;
	int fd;

	if (volume_read(e->arena, &e->store, name, &v, err) < 0) {
		if (!error_is(err, ERROR_NOT_FOUND))
			return -1;
		error_clear(err);
		error_set(err, ERROR_NOT_FOUND, "no such volume %s", name);
		return error_code(err, "no-such-volume");
	}
	fd = open(v.mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "open the volume's directory %s", v.mountpoint) : fd;
}

static int call(struct engine *e, const struct transfer_request *r, const int fds[2], struct error *err)
{
	struct transfer_event result;

	return transfer_ask(e, r, fds, 2, &result, err);
}

int volume_export(struct engine *e, const char *name, int output, struct error *err)
{
	const struct transfer_request r = { .op = "pack", .contents_only = true };
	_cleanup_fd_ int data = open_volume(e, name, err);

	if (data < 0)
		return -1;
	if (call(e, &r, (int[]){ data, output }, err) < 0)
		return error_frame(err, "export volume %s", name);
	event_add(e, "volume", "export", name, name, NULL, NULL);
	return 0;
}

int volume_import(struct engine *e, const char *name, int input, struct error *err)
{
	struct transfer_request r = { .op = "unpack", .squash_owner = e->store.single_id, .overwrite = true };
	_cleanup_fd_ int data = open_volume(e, name, err);

	if (data < 0)
		return -1;
	take_ranges(e, &r);
	if (call(e, &r, (int[]){ input, data }, err) < 0)
		return error_frame(err, "import into volume %s", name);
	event_add(e, "volume", "import", name, name, NULL, NULL);
	return 0;
}
