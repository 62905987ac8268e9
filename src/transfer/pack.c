/* The operation `pack`: a tar of a file or directory of a container. Descriptors: the root, the output. */
#include "sys/fd.h"
#include "sys/inroot.h"
#include "transfer/packer.h"
#include "transfer/work.h"

static int write_out(void *context, const void *p, size_t n, struct error *err)
{
	return fd_write_all(*(int *)context, p, n) == 0 ? 0 : error_errno(err, "write the archive");
}

int op_pack(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct packer *p = arena_new_one(w->arena, struct packer);
	const char *path = str_is_empty(r->root) ? "/" : r->root, *name, *as;
	_cleanup_fd_ int parent = inroot_parent(w->arena, w->channel->fds[0], path, false, &name);
	int result;

	if (parent < 0)
		return error_errno(err, "%s", path);
	as = r->contents_only ? "" : r->rename_to ? r->rename_to : strcmp(name, ".") == 0 ? "" : name;
	p->ids = r;
	result = packer_open(p, write_out, &w->channel->fds[1], err);
	if (result == 0)
		result = packer_add_tree(p, parent, name, as, err);
	if (result == 0)
		result = packer_finish(p, err);
	packer_done(p);
	return result;
}
