/* The operation `unpack`: a tar into a directory of a container. Descriptors: the tar, the root. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/inroot.h"
#include "transfer/untar.h"
#include "transfer/work.h"

int op_unpack(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	const struct tree_options options = { .squash_owner = r->squash_owner, .keep_kind = !r->overwrite,
					      .uids = { r->uid_ranges.v, r->uid_ranges.n },
					      .gids = { r->gid_ranges.v, r->gid_ranges.n } };
	const char *path = str_is_empty(r->root) ? "/" : r->root;
	int tar = w->channel->fds[0], root = w->channel->fds[1], scratch, result;
	char *real = inroot_real_path(w->arena, root, path);
	struct tree tree;
	struct untar u = { .target = &untar_to_plain_tree, .to = &tree };

	if (!real)
		return error_errno(err, "%s", path);
	while (*real == '/')
		real++;
	scratch = sink_scratch(&w->places);
	if (scratch < 0)
		return error_errno(err, "make a scratch file");
	if (tree_init(&tree, root, real, &options, scratch, err) < 0)
		return -1;
	u.in = inflate_open(tar, err);
	result = u.in ? untar(&u, err) : -1;
	inflate_close(u.in);
	*ARRAY_ADD(w->arena, &ret->unpacked) = (struct transfer_unpacked){ NULL, tree.size, tree.max_uid, tree.max_gid };
	tree_done(&tree);
	return result;
}
