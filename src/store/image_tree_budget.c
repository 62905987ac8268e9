#include "store/image_tree_budget.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "store/container.h"
#include "store/image_tree.h"
#include "store/layer.h"
#include "store/stage.h"
#include "sys/fd.h"

#define IDLE_MAX ((uint64_t)128 << 20)
#define FRESH_S 2		/* whoever opened a tree mounts it soon */
#define NAME_BYTES 1536		/* what a name with its attributes takes in the kernel's memory */

struct tree {
	const char *chain_id;
	uint64_t size;
	struct timespec used;
};

struct trees { struct tree *v; size_t n; };

/* What is mounted at the name; false when nothing is. */
static bool look(struct arena *arena, const struct store *s, int trees, const char *name, struct tree *ret)
{
	_cleanup_fd_ int fd = fd_open_dir(trees, name);
	struct stat st, own;
	struct statfs fs;

	if (fd < 0 || fstat(fd, &st) < 0 || fstat(s->run_fd, &own) < 0 || fstatfs(fd, &fs) < 0 || st.st_dev == own.st_dev)
		return false;
	*ret = (struct tree){ layer_chain_id(arena, name), (uint64_t)(fs.f_files - fs.f_ffree) * NAME_BYTES +
			      (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize, st.st_mtim };
	return true;
}

static struct trees list(struct arena *arena, const struct store *s)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->run_fd, "trees");
	struct trees trees = { 0 };
	struct dirent *entry;
	struct tree tree;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && look(arena, s, dirfd(dir), entry->d_name, &tree))
			*ARRAY_ADD(arena, &trees) = tree;
	return trees;
}

/* The chain IDs of the images that running containers stand on. */
static struct strings in_use(struct arena *arena, const struct store *s)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->run_fd, "containers");
	struct strings used = { 0 }, layers;
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		snprintf(name, sizeof(name), "%s/monitor.lock", entry->d_name);
		if (!stage_is_dot(entry->d_name) && lock_is_held(dirfd(dir), name) &&
		    container_store_layers(arena, s, entry->d_name, &layers, NULL) == 0 && layers.n)
			strings_add(arena, &used, layers.v[layers.n - 1]);
	}
	return used;
}

static int compare(const void *a, const void *b)
{
	const struct timespec *x = &((const struct tree *)a)->used, *y = &((const struct tree *)b)->used;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static uint64_t sum(const struct trees *trees)
{
	uint64_t size = 0;

	for (size_t i = 0; i < trees->n; i++)
		size += trees->v[i].size;
	return size;
}

bool image_tree_is_over_budget(struct arena *arena, const struct store *s)
{
	struct trees trees = list(arena, s);

	return sum(&trees) > IDLE_MAX;
}

/* Only idle trees stay in the list, the longest unused first. */
static void leave_out_used(struct trees *trees, const struct strings *used)
{
	time_t fresh = time(NULL) - FRESH_S;
	size_t n = 0;

	for (size_t i = 0; i < trees->n; i++)
		if (trees->v[i].used.tv_sec < fresh && !strings_has(used, trees->v[i].chain_id))
			trees->v[n++] = trees->v[i];
	trees->n = n;
	if (n > 1)
		qsort(trees->v, n, sizeof(*trees->v), compare);
}

void image_tree_trim(struct arena *arena, const struct store *s)
{
	struct trees trees = s->run_fd < 0 ? (struct trees){ 0 } : list(arena, s);
	struct strings used = { 0 };
	uint64_t size;

	if (trees.n == 0)
		return;
	used = in_use(arena, s);
	leave_out_used(&trees, &used);
	size = sum(&trees);
	for (size_t i = 0; i < trees.n; i++) {
		if (size <= IDLE_MAX && layer_has(s, trees.v[i].chain_id, LAYER_INDEX))
			continue;
		image_tree_drop(s, trees.v[i].chain_id);
		size -= trees.v[i].size;
	}
}
