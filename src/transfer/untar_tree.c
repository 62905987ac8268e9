/* Entries of an archive for transfer/tree. */
#include <errno.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/untar.h"

static int put_directory(void *to, const struct tree_entry *e, struct error *err)
{
	return tree_directory(to, e, err);
}

static int open_file(void *to, const struct tree_entry *e, int64_t size, struct error *err)
{
	struct tree *t = to;

	fd_close(&t->file);		/* of an entry that failed */
	t->file = tree_open_file(t, e, err);
	t->file_end = 0;
	return t->file < 0 ? -1 : 0;
}

static int write_file(void *to, const void *p, size_t n, int64_t offset, struct error *err)
{
	struct tree *t = to;
	const char *at = p;

	while (n) {
		ssize_t done = pwrite(t->file, at, n, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_errno(err, "write");
		at += done;
		n -= (size_t)done;
		offset += done;
	}
	t->file_end = offset;
	return 0;
}

static int close_file(void *to, const struct tree_entry *e, int64_t size, struct error *err)
{
	struct tree *t = to;

	if (t->file_end < size && ftruncate(t->file, size) < 0)
		return error_errno(err, "write /%s", e->path);
	return tree_close_file(t, e, fd_take(&t->file), size, err);
}

static int put_symlink(void *to, const struct tree_entry *e, const char *target, struct error *err)
{
	return tree_symlink(to, e, target, err);
}

static int put_hardlink(void *to, const struct tree_entry *e, const char *target, struct error *err)
{
	return tree_hardlink(to, e, target, err);
}

static int put_fifo(void *to, const struct tree_entry *e, struct error *err)
{
	return tree_fifo(to, e, err);
}

/* Nobody without privilege can make them. */
static int skip_device(void *to, const struct tree_entry *e, mode_t type, dev_t device, struct error *err)
{
	struct tree *t = to;

	t->skipped_devices++;
	return 0;
}

static int put_mark(void *to, const char *path, enum tree_mark mark, struct error *err)
{
	return mark == MARK_OPAQUE ? tree_opaque(to, path, err) : tree_whiteout(to, path, err);
}

static int finish(void *to, struct error *err)
{
	return tree_finish(to, err);
}

static int room(void *to)
{
	return ((struct tree *)to)->root;
}

#define EVERYTHING                                                                                            \
	.directory = put_directory, .open_file = open_file, .write = write_file, .close_file = close_file,    \
	.symlink = put_symlink, .hardlink = put_hardlink, .fifo = put_fifo, .device = skip_device,            \
	.finish = finish, .room = room

const struct untar_target untar_to_tree = { EVERYTHING, .mark = put_mark };
const struct untar_target untar_to_plain_tree = { EVERYTHING };
