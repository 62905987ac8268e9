#include "transfer/layer_node.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define LINKS_MAX 40		/* as the kernel follows */
#define TABLE_FIRST ((size_t)1 << 10)

/* --- memory */

static bool count(struct layer_tree *t, size_t size, struct error *err)
{
	if (size <= t->memory_max - t->memory) {
		t->memory += size;
		return true;
	}
	error_set(err, ERROR_INVALID, "the layer has too many entries: their list takes more than %zu MiB",
		  t->memory_max >> 20);
	return false;
}

void *layer_tree_alloc(struct layer_tree *t, size_t size, struct error *err)
{
	return count(t, size + 2 * sizeof(void *), err) ? arena_alloc(t->arena, size) : NULL;
}

struct layer_inode *layer_inode_new(struct layer_tree *t, enum layer_entry_type type, struct error *err)
{
	struct layer_inode *inode = layer_tree_alloc(t, sizeof(*inode), err);

	if (inode)
		inode->type = type;
	return inode;
}

/* --- the table */

static uint64_t hash_of(const struct layer_tree *t, const struct layer_inode *directory, const char *name, size_t n)
{
	uint64_t sum = t->seed ^ (uintptr_t)directory;

	for (size_t i = 0; i < n; i++) {
		sum = (sum ^ (unsigned char)name[i]) * 0x9e3779b97f4a7c15u;
		sum ^= sum >> 29;
	}
	return sum ^ sum >> 32;
}

static int grow_table(struct layer_tree *t, struct error *err)
{
	size_t size = t->table_size ? 2 * t->table_size : TABLE_FIRST;
	struct layer_node **table;

	if (!count(t, size * sizeof(*table) / 2, err))		/* the other half was the old one's */
		return -1;
	table = calloc(size, sizeof(*table));
	if (!table)
		return error_errno(err, "allocate a table of names");
	for (size_t i = 0; i < t->table_size; i++)
		for (struct layer_node *node = t->table[i], *next; node; node = next) {
			next = node->chain;
			node->chain = table[node->hash & (size - 1)];
			table[node->hash & (size - 1)] = node;
		}
	free(t->table);
	t->table = table;
	t->table_size = size;
	return 0;
}

static struct layer_node *look(const struct layer_tree *t, const struct layer_inode *directory, const char *name,
			       size_t n, uint64_t hash)
{
	struct layer_node *node = t->table_size ? t->table[hash & (t->table_size - 1)] : NULL;

	for (; node; node = node->chain)
		if (node->hash == hash && node->parent == directory && strncmp(node->name, name, n) == 0 &&
		    !node->name[n])
			return node;
	return NULL;
}

struct layer_node *layer_node_find(const struct layer_tree *t, const struct layer_inode *directory, const char *name,
				   size_t n)
{
	return look(t, directory, name, n, hash_of(t, directory, name, n));
}

struct layer_node *layer_node_need(struct layer_tree *t, struct layer_inode *directory, const char *name, size_t n,
				   struct error *err)
{
	uint64_t hash = hash_of(t, directory, name, n);
	struct layer_node *node = look(t, directory, name, n, hash);

	if (node)
		return node;
	if (n > NAME_MAX) {
		error_set(err, ERROR_INVALID, "a part of the name %.80s... is longer than %d bytes", name, NAME_MAX);
		return NULL;
	}
	if (t->nodes >= t->table_size && grow_table(t, err) < 0)
		return NULL;
	node = layer_tree_alloc(t, sizeof(*node) + n + 1, err);
	if (!node)
		return NULL;
	memcpy(node->name, name, n);
	node->parent = directory;
	node->hash = hash;
	node->chain = t->table[hash & (t->table_size - 1)];
	t->table[hash & (t->table_size - 1)] = node;
	node->next = directory->directory.first;
	directory->directory.first = node;
	t->nodes++;
	return node;
}

/* --- ways */

struct layer_inode *layer_node_make_directory(struct layer_tree *t, struct layer_node *node, struct error *err)
{
	struct layer_inode *directory = layer_inode_new(t, LAYER_DIRECTORY, err);

	if (!directory)
		return NULL;
	directory->mode = 0755;
	directory->opaque = node->inode && node->inode->type == LAYER_WHITEOUT;
	directory->implied = !directory->opaque;
	directory->directory.node = node;
	node->inode = directory;
	return directory;
}

static struct layer_inode *above(const struct layer_tree *t, const struct layer_inode *directory)
{
	return directory == t->root ? t->root : directory->directory.node->parent;
}

static struct layer_inode *resolve(const struct layer_tree *t, struct layer_inode *from, const char *path, size_t n,
				   int *links);

/* One name of what is there, a link followed; NULL with errno. links: followed so far. */
static struct layer_inode *enter(const struct layer_tree *t, struct layer_inode *at, const char *name, size_t n,
				 int *links)
{
	struct layer_node *node = layer_node_find(t, at, name, n);
	struct layer_inode *there = node ? node->inode : NULL;

	if (there && there->type == LAYER_DIRECTORY)
		return there;
	if (there && there->type == LAYER_SYMLINK && (*links)++ < LINKS_MAX)
		return resolve(t, at, there->target, strlen(there->target), links);
	errno = !there || there->type == LAYER_WHITEOUT ? ENOENT : there->type == LAYER_SYMLINK ? ELOOP : ENOTDIR;
	return NULL;
}

/* The directory that n bytes of a path lead to; NULL with errno. */
static struct layer_inode *resolve(const struct layer_tree *t, struct layer_inode *from, const char *path, size_t n,
				   int *links)
{
	struct layer_inode *at = n && *path == '/' ? t->root : from;

	for (size_t begin = 0, end; at && begin < n; begin = end + 1) {
		const char *name = path + begin;

		for (end = begin; end < n && path[end] != '/'; end++)
			;
		if (end == begin || (end - begin == 1 && *name == '.'))
			continue;
		if (end - begin == 2 && name[0] == '.' && name[1] == '.')
			at = above(t, at);
		else
			at = enter(t, at, name, end - begin, links);
	}
	return at;
}

/* One component on the way to path[0..end). */
static struct layer_inode *step_into(struct layer_tree *t, struct layer_inode *at, const char *path, size_t begin,
				     size_t end, int *links, struct error *err)
{
	struct layer_node *node = layer_node_need(t, at, path + begin, end - begin, err);
	struct layer_inode *there = node ? node->inode : NULL;

	if (!node || (there && there->type == LAYER_DIRECTORY))
		return there;
	if (!there || there->type != LAYER_SYMLINK)
		return layer_node_make_directory(t, node, err);
	at = enter(t, at, path + begin, end - begin, links);
	if (!at)
		error_errno(err, "follow the link /%.*s", (int)end, path);
	return at;
}

struct layer_inode *layer_node_directory(struct layer_tree *t, const char *path, size_t n, struct error *err)
{
	struct layer_inode *at = t->root;
	int links = 0;

	for (size_t begin = 0, end; at && begin < n; begin = end + 1) {
		for (end = begin; end < n && path[end] != '/'; end++)
			;
		at = step_into(t, at, path, begin, end, &links, err);
	}
	return at;
}

struct layer_node *layer_node_at(struct layer_tree *t, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct layer_inode *parent = layer_node_directory(t, path, slash ? (size_t)(slash - path) : 0, err);

	return parent ? layer_node_need(t, parent, name, strlen(name), err) : NULL;
}

struct layer_node *layer_node_existing(const struct layer_tree *t, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int links = 0;
	struct layer_inode *parent = resolve(t, t->root, path, slash ? (size_t)(slash - path) : 0, &links);

	return parent ? layer_node_find(t, parent, name, strlen(name)) : NULL;
}
