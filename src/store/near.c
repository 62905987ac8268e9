#include "store/near.h"

#include <string.h>

#include "base/glob.h"
#include "base/string.h"
#include "store/image.h"
#include "sys/fd.h"

static void add_entry(struct arena *arena, const char *entry, const char *ending, struct strings *names)
{
	size_t n = strlen(entry), e = strlen(ending);

	if (entry[0] != '.' && n > e && strcmp(entry + n - e, ending) == 0)
		strings_add(arena, names, arena_strndup(arena, entry, n - e));
}

static void add_entries(struct arena *arena, const struct store *s, const char *path, const char *ending,
			struct strings *names)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, path);
	struct dirent *entry;

	while (dir && (entry = fd_next_entry(dir)))
		add_entry(arena, entry->d_name, ending, names);
}

/* People write "alpine" or "alpine:3.19" for docker.io/library/alpine:3.19: each is a candidate. */
static void add_images(struct arena *arena, const struct store *s, struct strings *names)
{
	struct string_map all;

	if (image_names(arena, s, &all, NULL) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		const char *slash = strrchr(all.v[i].key, '/'), *last = slash ? slash + 1 : all.v[i].key;

		strings_add(arena, names, all.v[i].key);
		strings_add(arena, names, arena_strndup(arena, all.v[i].key, (size_t)(last - all.v[i].key) + strcspn(last, ":")));
		strings_add(arena, names, last);
		strings_add(arena, names, arena_strndup(arena, last, strcspn(last, ":")));
	}
}

int near_hint(const struct store *s, enum near_kind kind, const char *name, struct error *err)
{
	_cleanup_arena_ struct arena *arena = err ? arena_new() : NULL;
	struct strings names = { 0 };
	const char *close;

	if (!err)
		return -1;
	switch (kind) {
	case NEAR_CONTAINER:
		add_entries(arena, s, "containers/names", "", &names);
		break;
	case NEAR_IMAGE:
		add_images(arena, s, &names);
		break;
	case NEAR_VOLUME:
		add_entries(arena, s, "volumes", "", &names);
		break;
	case NEAR_NETWORK:
		add_entries(arena, s, "networks", ".json", &names);
		break;
	}
	close = names.n ? glob_closest(name, (const char *const *)names.v) : NULL;
	return close ? error_hint(err, "did you mean %s?", close) : -1;
}
