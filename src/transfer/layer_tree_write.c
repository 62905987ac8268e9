/* The tree of a layer as its index: every directory sorted, what has several names written once, under the first. */
#include <errno.h>
#include <stdlib.h>

#include "transfer/layer_node.h"

static int compare_nodes(const void *a, const void *b)
{
	return strcmp((*(struct layer_node *const *)a)->name, (*(struct layer_node *const *)b)->name);
}

struct sorter { struct layer_node **v; size_t room; };

static int make_room(struct sorter *s, size_t n, struct error *err)
{
	struct layer_node **v;

	if (n <= s->room)
		return 0;
	v = realloc(s->v, 2 * n * sizeof(*v));
	if (!v)
		return error_errno(err, "sort a directory");
	s->v = v;
	s->room = 2 * n;
	return 0;
}

/* Leaves out names that are free again. */
static int sort(struct sorter *s, struct layer_inode *directory, struct error *err)
{
	struct layer_node **end = &directory->directory.first;
	size_t n = 0;

	for (struct layer_node *node = directory->directory.first; node; node = node->next) {
		if (!node->inode)
			continue;
		if (make_room(s, n + 1, err) < 0)
			return -1;
		s->v[n++] = node;
		node->inode->names++;
	}
	if (n > 1)
		qsort(s->v, n, sizeof(*s->v), compare_nodes);
	for (size_t i = 0; i < n; i++) {
		*end = s->v[i];
		end = &s->v[i]->next;
	}
	*end = NULL;
	return 0;
}

static void enter(struct buffer *path, const char *name)
{
	if (path->size)
		buffer_adds(path, "/");
	buffer_adds(path, name);
}

static void leave(struct buffer *path)
{
	while (path->size && path->data[--path->size] != '/')
		;
}

/* The next node in the order of the index: down, along, or up and along; NULL at the end. path is kept beside it. */
static struct layer_node *step(const struct layer_tree *t, struct layer_node *node, struct buffer *path)
{
	if (node->inode->type == LAYER_DIRECTORY && node->inode->directory.first) {
		node = node->inode->directory.first;
		enter(path, node->name);
		return node;
	}
	leave(path);
	while (!node->next) {
		if (node->parent == t->root)
			return NULL;
		node = node->parent->directory.node;
		leave(path);
	}
	enter(path, node->next->name);
	return node->next;
}

static struct layer_node *first(const struct layer_tree *t, struct buffer *path)
{
	struct layer_node *node = t->root->directory.first;

	path->size = 0;
	if (node)
		enter(path, node->name);
	return node;
}

static int sort_all(struct layer_tree *t, struct error *err)
{
	struct buffer path = BUFFER(LAYER_PATH_MAX);
	struct sorter s = { 0 };
	int r = sort(&s, t->root, err);

	for (struct layer_node *node = first(t, &path); r == 0 && node; node = step(t, node, &path)) {
		if (path.failed)
			r = error_set(err, ERROR_INVALID, "a name in the layer is longer than %zu bytes", path.limit);
		else if (node->inode->type == LAYER_DIRECTORY)
			r = sort(&s, node->inode, err);
	}
	buffer_done(&path);
	free(s.v);
	return r;
}

/* Its path from the root, in the buffer. */
static const char *path_of(const struct layer_tree *t, const struct layer_node *node, struct buffer *b)
{
	size_t size = 0;

	for (const struct layer_node *at = node; at; at = at->parent == t->root ? NULL : at->parent->directory.node)
		size += strlen(at->name) + 1;
	b->size = 0;
	if (buffer_reserve(b, size) < 0)
		return NULL;
	b->size = size;
	for (const struct layer_node *at = node; at; at = at->parent == t->root ? NULL : at->parent->directory.node) {
		size_t n = strlen(at->name);

		b->data[--size] = at == node ? '\0' : '/';
		size -= n;
		memcpy(b->data + size, at->name, n);
	}
	return b->data;
}

static struct layer_entry entry_of(const struct layer_inode *inode, const char *path)
{
	struct layer_entry e = { .type = inode->type, .path = path, .mode = inode->mode, .uid = inode->uid,
				 .gid = inode->gid, .mtime = inode->mtime, .opaque = inode->opaque,
				 .implied = inode->implied, .xattrs = inode->xattrs, .xattrs_n = inode->xattrs_n };

	if (inode->type == LAYER_FILE) {
		e.size = inode->file.size;
		memcpy(e.digest, inode->file.digest, sizeof(e.digest));
	} else if (inode->type == LAYER_SYMLINK) {
		e.target = inode->target;
	} else if (inode->type == LAYER_DEVICE) {
		e.device = inode->device;
	}
	e.linked = inode->names > 1 && inode->type != LAYER_DEVICE && inode->type != LAYER_DIRECTORY;
	return e;
}

static int write_node(const struct layer_tree *t, struct layer_index_writer *w, const struct layer_node *node,
		      const char *path, struct buffer *target, struct error *err)
{
	struct layer_inode *inode = node->inode;
	struct layer_entry e = entry_of(inode, path);

	if (!inode->written || inode->type == LAYER_DEVICE) {	/* nobody links devices that are not made */
		inode->written = node;
		return layer_index_add(w, &e, err);
	}
	e = (struct layer_entry){ .type = LAYER_HARDLINK, .path = path, .target = path_of(t, inode->written, target) };
	return e.target ? layer_index_add(w, &e, err) : error_errno(err, "the target of /%s", path);
}

int layer_tree_write(struct layer_tree *t, struct layer_index_writer *w, struct error *err)
{
	struct buffer path = BUFFER(LAYER_PATH_MAX), target = BUFFER(LAYER_PATH_MAX);
	struct layer_entry root = entry_of(t->root, "");
	int r = sort_all(t, err);

	if (r == 0 && (!root.implied || root.opaque))
		r = layer_index_add(w, &root, err);
	for (struct layer_node *node = first(t, &path); r == 0 && node; node = step(t, node, &path))
		r = write_node(t, w, node, path.data, &target, err);
	buffer_done(&path);
	buffer_done(&target);
	return r;
}
