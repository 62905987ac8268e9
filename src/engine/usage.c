#include "engine/usage.h"

#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/layer.h"

/* Never follows a link: the tree belongs to the container. */
int64_t usage_tree(const char *path)
{
	FTS *walk = fts_open((char *[]){ (char *)path, NULL }, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	int64_t size = 0;
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_info == FTS_F)
			size += entry->fts_statp->st_size;
	if (walk)
		fts_close(walk);
	return size;
}

void usage_size(struct engine *e, const struct container *c, int64_t *ret_rw, int64_t *ret_root)
{
	const char *path = arena_printf(e->arena, "%s/containers/%s/rootfs", e->store.path, c->id);
	bool copied = access(path, F_OK) == 0;	/* by vfs: the image's files lie beside the container's own */
	int64_t own = usage_tree(copied ? path : arena_printf(e->arena, "%s/containers/%s/upper", e->store.path, c->id));
	int64_t image = 0;
	struct layer layer;

	for (size_t i = 0; i < c->layers.n; i++)
		if (layer_read(e->arena, &e->store, c->layers.v[i], &layer, NULL) == 0)
			image += layer.size;
	*ret_rw = copied ? (own > image ? own - image : 0) : own;
	*ret_root = image + *ret_rw;
}

struct json *usage_namespaces(struct arena *arena, int64_t pid)
{
	static const char *const names[] = { "cgroup", "Cgroup", "ipc", "Ipc", "mnt", "Mnt", "net", "Net", "pid", "Pidns",
					     "user", "User", "uts", "Uts" };
	struct json *j = json_new_object(arena);

	for (size_t i = 0; i < ELEMENTS(names); i += 2) {
		char link[64], *end;
		ssize_t n = pid > 0 ? readlink(arena_printf(arena, "/proc/%lld/ns/%s", (long long)pid, names[i]), link,
					       sizeof(link) - 1) : -1;

		link[n > 0 ? n : 0] = '\0';
		end = strchr(link, ']');
		if (end)
			*end = '\0';
		json_set(arena, j, names[i + 1], json_new_string(arena, strchr(link, '[') ? strchr(link, '[') + 1 : ""));
	}
	return j;
}
