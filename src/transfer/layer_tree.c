#include "transfer/layer_tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "transfer/layer_node.h"

#define XATTRS_MEMORY ((size_t)64 << 20)	/* here, and later in the kernel for as long as the image is used */

struct layer_tree *layer_tree_new(const struct tree_options *options, size_t memory_max, struct error *err)
{
	struct layer_tree *t = calloc(1, sizeof(*t));

	if (!t) {
		error_errno(err, "allocate a layer's tree");
		return NULL;
	}
	t->options = *options;
	t->memory_max = memory_max;
	t->arena = arena_new();
	if (getrandom(&t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed))
		t->seed = (uintptr_t)t;
	t->root = layer_inode_new(t, LAYER_DIRECTORY, err);
	if (!t->root) {
		layer_tree_free(t);
		return NULL;
	}
	t->root->mode = 0755;
	t->root->implied = true;
	return t;
}

void layer_tree_free(struct layer_tree *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->table);
	free(t);
}

const struct layer_tree_totals *layer_tree_totals(const struct layer_tree *t)
{
	return &t->totals;
}

int layer_tree_check(const struct layer_tree *t, const struct tree_entry *e, struct error *err)
{
	return tree_check_owner(&t->options, e, err);
}

static void note_owner(struct layer_tree *t, const struct tree_entry *e)
{
	if (e->uid > t->totals.max_uid)
		t->totals.max_uid = e->uid;
	if (e->gid > t->totals.max_gid)
		t->totals.max_gid = e->gid;
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct layer_xattr *)a)->name, ((const struct layer_xattr *)b)->name);
}

static int copy_xattr(struct layer_tree *t, const struct tree_entry *e, const struct tree_xattr *from,
		      struct layer_xattr *ret, struct error *err)
{
	size_t name_size = strlen(from->name) + 1;
	char *copy;

	if (name_size > XATTR_NAME_MAX + 1 || from->size > XATTR_SIZE_MAX)
		return error_set(err, ERROR_INVALID, "an extended attribute of /%s is too large", e->path);
	t->xattrs_size += from->size;
	if (t->xattrs_size > XATTRS_MEMORY)
		return error_set(err, ERROR_INVALID, "the layer's extended attributes take more than %zu MiB", XATTRS_MEMORY >> 20);
	copy = layer_tree_alloc(t, name_size + from->size, err);
	if (!copy)
		return -1;
	memcpy(copy, from->name, name_size);
	if (from->size)
		memcpy(copy + name_size, from->value, from->size);
	*ret = (struct layer_xattr){ copy, copy + name_size, from->size };
	return 0;
}

/* Of two with one name the later counts, as it would on disk. */
static int take_xattrs(struct layer_tree *t, const struct tree_entry *e, struct layer_inode *inode, struct error *err)
{
	size_t n = 0;

	inode->xattrs_n = 0;
	if (!e->xattrs_n)
		return 0;
	inode->xattrs = layer_tree_alloc(t, e->xattrs_n * sizeof(*inode->xattrs), err);
	if (!inode->xattrs)
		return -1;
	for (size_t i = 0; i < e->xattrs_n; i++) {
		size_t at = 0;

		if (!tree_xattr_is_kept(e->xattrs[i].name))
			continue;
		while (at < n && !str_eq(inode->xattrs[at].name, e->xattrs[i].name))
			at++;
		if (copy_xattr(t, e, &e->xattrs[i], &inode->xattrs[at], err) < 0)
			return -1;
		n += at == n;
	}
	qsort(inode->xattrs, n, sizeof(*inode->xattrs), compare_xattrs);
	inode->xattrs_n = n;
	return 0;
}

static void dress(struct layer_tree *t, const struct tree_entry *e, struct layer_inode *inode, uint32_t mode)
{
	inode->mode = mode;
	inode->uid = t->options.squash_owner ? 0 : (uint32_t)e->uid;
	inode->gid = t->options.squash_owner ? 0 : (uint32_t)e->gid;
	inode->mtime = e->mtime;
	note_owner(t, e);
}

/* --- entries */

int layer_tree_directory(struct layer_tree *t, const struct tree_entry *e, struct error *err)
{
	struct layer_inode *directory = t->root;
	struct layer_node *node;

	if (layer_tree_check(t, e, err) < 0)
		return -1;
	if (*e->path) {
		node = layer_node_at(t, e->path, err);
		if (!node)
			return -1;
		directory = node->inode;
		if (!directory || directory->type != LAYER_DIRECTORY)
			directory = layer_node_make_directory(t, node, err);
		if (!directory)
			return -1;
	}
	dress(t, e, directory, e->mode & 07777);
	directory->implied = false;
	return take_xattrs(t, e, directory, err);
}

/* Something new under the entry's name, in place of what is there. */
static struct layer_inode *put(struct layer_tree *t, const struct tree_entry *e, enum layer_entry_type type,
			       uint32_t mode, struct error *err)
{
	struct layer_inode *inode;
	struct layer_node *node;

	if (layer_tree_check(t, e, err) < 0)
		return NULL;
	if (!*e->path) {
		error_set(err, ERROR_INVALID, "the root of the archive is not a directory");
		return NULL;
	}
	node = layer_node_at(t, e->path, err);
	inode = node ? layer_inode_new(t, type, err) : NULL;
	if (!inode)
		return NULL;
	dress(t, e, inode, mode);
	node->inode = inode;
	return inode;
}

int layer_tree_file(struct layer_tree *t, const struct tree_entry *e, int64_t size, const unsigned char *digest,
		    struct error *err)
{
	struct layer_inode *file = put(t, e, LAYER_FILE, e->mode & 07777, err);

	if (!file)
		return -1;
	file->file.size = size;
	if (size)
		memcpy(file->file.digest, digest, sizeof(file->file.digest));
	t->totals.size += size;
	return take_xattrs(t, e, file, err);
}

int layer_tree_symlink(struct layer_tree *t, const struct tree_entry *e, const char *target, struct error *err)
{
	size_t size = strlen(target) + 1;
	struct layer_inode *link;
	char *copy;

	if (size == 1)
		return error_set(err, ERROR_INVALID, "the link /%s points to nothing", e->path);
	if (size > PATH_MAX)
		return error_set(err, ERROR_INVALID, "the link /%s has a target of %zu bytes: too long", e->path,
				 size - 1);
	copy = layer_tree_alloc(t, size, err);
	link = copy ? put(t, e, LAYER_SYMLINK, 0777, err) : NULL;
	if (!link)
		return -1;
	link->target = memcpy(copy, target, size);
	return 0;
}

int layer_tree_fifo(struct layer_tree *t, const struct tree_entry *e, struct error *err)
{
	return put(t, e, LAYER_FIFO, e->mode & 0777, err) ? 0 : -1;
}

int layer_tree_device(struct layer_tree *t, const struct tree_entry *e, mode_t type, dev_t device, struct error *err)
{
	struct layer_inode *inode = put(t, e, LAYER_DEVICE, type | (e->mode & 0777), err);

	if (!inode)
		return -1;
	inode->device = device;
	return 0;
}

int layer_tree_hardlink(struct layer_tree *t, const struct tree_entry *e, const char *target, struct error *err)
{
	struct layer_node *node;
	struct layer_inode *inode;

	if (!*e->path)
		return error_set(err, ERROR_INVALID, "the root of the archive is not a directory");
	if (!*target)
		return error_set(err, ERROR_INVALID, "the hard link /%s points to the root", e->path);
	node = layer_node_existing(t, target);
	inode = node ? node->inode : NULL;
	if (!inode || inode->type == LAYER_WHITEOUT)
		return error_set(err, ERROR_INVALID, "the hard link /%s points to /%s, which is not in the same archive",
				 e->path, target);
	if (inode->type == LAYER_DIRECTORY)
		return error_set(err, ERROR_INVALID, "the hard link /%s points to the directory /%s", e->path,
				 target);
	node = layer_node_at(t, e->path, err);
	if (!node)
		return -1;
	node->inode = inode;
	return 0;
}

int layer_tree_whiteout(struct layer_tree *t, const char *path, struct error *err)
{
	struct layer_node *node = layer_node_at(t, path, err);

	if (!node)
		return -1;
	if (!node->inode) {
		node->inode = layer_inode_new(t, LAYER_WHITEOUT, err);
	} else if (node->inode->type == LAYER_DIRECTORY) {
		node->inode->opaque = true;
		node->inode->implied = false;		/* the lower layers' directory is gone, attributes and all */
	}
	return node->inode ? 0 : -1;
}

int layer_tree_opaque(struct layer_tree *t, const char *path, struct error *err)
{
	struct layer_inode *directory = layer_node_directory(t, path, strlen(path), err);

	if (!directory)
		return -1;
	directory->opaque = true;
	return 0;
}

int layer_tree_mark(struct layer_tree *t, const char *path, enum tree_mark mark, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *meant = strdup(path);
	int r;

	if (!meant)
		return error_errno(err, "allocate a name");
	if (mark == MARK_OPAQUE) {
		meant[slash ? slash - path : 0] = '\0';
		r = layer_tree_opaque(t, meant, err);
	} else {
		name += strlen(".wh.");
		memmove(meant + (slash ? slash + 1 - path : 0), name, strlen(name) + 1);
		r = layer_tree_whiteout(t, meant, err);
	}
	free(meant);
	return r;
}
