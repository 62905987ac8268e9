#include "engine/userns_auto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/userns_given.h"
#include "spec/passwd.h"
#include "store/image_files.h"
#include "store/layer.h"
#include "store/stage.h"
#include "sys/errand.h"
#include "sys/fd.h"
#include "sys/inroot.h"

#define CLAIMS "ids"
#define CLAIM_MAX 4096		/* a link's text */
#define SIZE_MIN 1024

/* --- the options */

static int add_forced(struct arena *arena, char kind, const char *text, const struct identity *id, struct id_map *ret,
		      struct error *err)
{
	struct strings one = { 0 };
	struct id_map map;

	if (!text || *text < '0' || *text > '9')
		return error_set(err, ERROR_USAGE, "--userns auto: %cidmapping=%s: it must be CONTAINER_ID:[@]ID[:COUNT]", kind,
				 text ? text : "");
	strings_add(arena, &one, text);
	if (userns_given_map(arena, kind, &one, id, &map, err) < 0)
		return error_frame(err, "--userns auto");
	for (size_t i = 0; i < map.n; i++)
		idmap_add(arena, ret, map.v[i].inside, map.v[i].outside, map.v[i].count);
	return 0;
}

int userns_auto_parse(struct arena *arena, const char *options, const struct identity *id, struct userns_auto *ret,
		      struct error *err)
{
	struct strings parts = { 0 };

	*ret = (struct userns_auto){ 0 };
	if (options)
		parts = strings_split(arena, options, ",");
	for (size_t i = 0; i < parts.n; i++) {
		const char *size = str_after(parts.v[i], "size="), *uid = str_after(parts.v[i], "uidmapping="),
			   *gid = str_after(parts.v[i], "gidmapping=");
		unsigned n;

		if (!size && !uid && !gid)
			return error_set(err, ERROR_USAGE, "--userns auto: \"%s\" is none of size=N, uidmapping=CONTAINER_ID:ID:COUNT, "
					 "gidmapping=CONTAINER_ID:ID:COUNT", parts.v[i]);
		if (size && (str_to_u32(size, &n) < 0 || n == 0 || n == ID_NONE))
			return error_set(err, ERROR_USAGE, "--userns auto: size=%s: a number of ids is needed", size);
		if (size)
			ret->size = n;
		if ((uid && add_forced(arena, 'u', uid, id, &ret->uids, err) < 0) ||
		    (gid && add_forced(arena, 'g', gid, id, &ret->gids, err) < 0))
			return -1;
	}
	return 0;
}

/* --- the choice */

/* The first id from *at on, below end, that none of the extents has, and how many follow: 0 when there is none. */
static uint64_t next_free(const struct id_map *taken, bool outside, uint64_t *at, uint64_t end)
{
	for (;;) {
		uint64_t stop = end;
		bool moved = false;

		for (size_t i = 0; i < taken->n; i++) {
			uint64_t first = outside ? taken->v[i].outside : taken->v[i].inside;

			if (*at >= first && *at - first < taken->v[i].count) {
				*at = first + taken->v[i].count;
				moved = true;
			} else if (first > *at && first < stop) {
				stop = first;
			}
		}
		if (*at >= end)
			return 0;
		if (!moved)
			return stop - *at;
	}
}

static uint64_t count_free(const struct id_map *taken, bool outside, uint64_t first, uint64_t end, uint64_t *ret_longest)
{
	uint64_t n, at = first, sum = 0;

	*ret_longest = 0;
	while ((n = next_free(taken, outside, &at, end))) {
		if (n > *ret_longest)
			*ret_longest = n;
		sum += n;
		at += n;
	}
	return sum;
}

static int by_inside(const void *a, const void *b)
{
	const struct id_extent *x = a, *y = b;

	return (x->inside > y->inside) - (x->inside < y->inside);
}

bool userns_auto_build(struct arena *arena, const struct id_map *forced, uint64_t size, const struct id_map *rootless,
		       const struct id_map *used, struct id_map *ret, uint64_t *ret_free)
{
	uint64_t end = idmap_size(rootless), inside = 0, outside = 1, longest, ignored, n;
	uint64_t needed = count_free(forced, false, 0, size, &ignored);
	struct id_map taken = { 0 };

	*ret = (struct id_map){ 0 };
	for (size_t i = 0; i < used->n; i++)
		*ARRAY_ADD(arena, &taken) = used->v[i];
	for (size_t i = 0; i < forced->n; i++)
		*ARRAY_ADD(arena, ret) = *ARRAY_ADD(arena, &taken) = forced->v[i];
	*ret_free = count_free(&taken, true, 1, end, &longest);
	if (*ret_free < needed)
		return false;
	while ((n = next_free(forced, false, &inside, size))) {
		uint64_t room = next_free(&taken, true, &outside, end);

		if (longest >= needed && room < needed) {
			outside += room;
			continue;
		}
		longest = 0;		/* from here on it fits */
		n = n < room ? n : room;
		idmap_add(arena, ret, (uint32_t)inside, (uint32_t)outside, (uint32_t)n);
		inside += n;
		outside += n;
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_inside);
	return true;
}

/* --- what others have */

static void add_ranges(struct arena *arena, const char *text, struct id_map *ret)
{
	struct strings parts = strings_split(arena, text, ",");

	for (size_t i = 0; i < parts.n; i++) {
		char *dash = strchr(parts.v[i], '-');
		uint32_t first, count;

		if (!dash)
			continue;
		*dash = '\0';
		if (str_to_u32(parts.v[i], &first) == 0 && str_to_u32(dash + 1, &count) == 0)
			idmap_add(arena, ret, 0, first, count);
	}
}

/* With the lock held, a claim without its container was left by a creation that came to nothing, or by a removed one. */
static void list_used(struct engine *e, struct id_map *ret, size_t *ret_owners)
{
	_cleanup_dir_ DIR *dir = fd_opendir(e->store.root_fd, CLAIMS);
	struct dirent *entry;
	char text[CLAIM_MAX];

	*ret_owners = 0;
	while (dir && (entry = readdir(dir))) {
		ssize_t n = stage_is_dot(entry->d_name) ? -1 : readlinkat(dirfd(dir), entry->d_name, text, sizeof(text) - 1);

		if (n < 0)
			continue;
		text[n] = '\0';
		if (faccessat(e->store.root_fd, arena_printf(e->arena, "containers/%s", entry->d_name), F_OK, 0) < 0 &&
		    errno == ENOENT) {
			unlinkat(dirfd(dir), entry->d_name, 0);
			continue;
		}
		add_ranges(e->arena, text, ret);
		++*ret_owners;
	}
}

/* --- how many the image needs */

struct look { struct engine *e; const struct container *c; };

static void raise(uint64_t *size, uint64_t id)
{
	if (id + 1 > *size)
		*size = id + 1;
}

/* In a child, whose mounts go with it. Answers a file with the number. */
static int look_into_image(void *context, struct error *err)
{
	const struct look *l = context;
	struct image_files files = { .root = -1, .lock = -1 };
	int root = -1, fd = memfd_create("size", MFD_CLOEXEC);
	uint64_t size = 0;

	if (fd < 0)
		return error_errno(err, "make a file in memory");
	if (l->c->rootfs)
		root = open(l->c->rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	else if (image_files_open(l->e->arena, &l->e->store, &l->c->layers, &files, err) == 0)
		root = files.root;
	else
		return -1;
	if (root >= 0)
		raise(&size, passwd_largest_id(inroot_read_file(l->e->arena, root, "/etc/passwd", PASSWD_FILE_MAX, NULL),
					       inroot_read_file(l->e->arena, root, "/etc/group", PASSWD_FILE_MAX, NULL)));
	if (files.root >= 0)
		image_files_close(&l->e->store, &files);
	return write(fd, &size, sizeof(size)) == sizeof(size) ? fd : error_errno(err, "write to memory");
}

static void raise_to_numbers(struct arena *arena, const char *text, uint64_t *size)
{
	struct strings parts = strings_split(arena, text ? text : "", ":");
	unsigned n;

	for (size_t i = 0; i < parts.n; i++)
		if (str_to_u32(parts.v[i], &n) == 0 && n != ID_NONE)
			raise(size, n);
}

/* As Podman counts: who owns files, who is in passwd and group, and who is asked for. */
static int size_of_image(struct engine *e, const struct container *c, uint64_t *ret, struct error *err)
{
	const char *user = c->request.user ? c->request.user : c->image.user;
	struct look look = { e, c };
	uint64_t size = SIZE_MIN, found = 0;
	_cleanup_fd_ int fd = -1;
	struct layer layer;

	for (size_t i = 0; i < c->layers.n; i++) {
		if (layer_read(e->arena, &e->store, c->layers.v[i], &layer, err) < 0)
			return -1;
		raise(&size, layer.max_uid);
		raise(&size, layer.max_gid);
	}
	if (c->layers.n || c->rootfs) {
		fd = errand_fd(look_into_image, &look, err);
		if (fd < 0)
			return error_frame(err, "--userns auto: look for the ids that the image needs");
		if (pread(fd, &found, sizeof(found), 0) == sizeof(found) && found)
			raise(&size, found - 1);
	}
	raise_to_numbers(e->arena, user, &size);
	for (size_t i = 0; i < c->request.group_add.n; i++)
		raise_to_numbers(e->arena, c->request.group_add.v[i], &size);
	*ret = size;
	return 0;
}

/* --- the interface */

static int exhausted(struct engine *e, uint64_t size, uint64_t free, uint64_t all, size_t owners, struct error *err)
{
	if (owners == 0 || size > all)
		error_set(err, ERROR_DENIED, "--userns auto: %llu ids are needed, and %s has %llu subordinate ids",
			  (unsigned long long)size, e->identity.user, (unsigned long long)all);
	else
		error_set(err, ERROR_DENIED, "--userns auto: %llu ids are needed, and of %s's %llu subordinate ids %llu are free: %zu other "
			  "container%s the rest", (unsigned long long)size, e->identity.user, (unsigned long long)all,
			  (unsigned long long)free, owners, owners == 1 ? " has" : "s have");
	error_code(err, "ids-exhausted");
	error_hint(err, "ask for fewer (--userns auto:size=%llu), %shave the administrator give more", (unsigned long long)(free ? free : 1),
		   owners && size <= all ? "remove containers that were made so, or " : "or ");
	return userns_grant(e->arena, &e->identity, size > free ? size - free : size, err);
}

int userns_auto_maps(struct engine *e, const struct container *c, const char *options, struct id_maps *ret,
		     struct error *err)
{
	const struct id_maps *rootless = &e->identity.maps;
	struct userns_auto a;
	struct id_map used = { 0 };
	uint64_t size, free;
	size_t owners;

	if (userns_auto_parse(e->arena, options, &e->identity, &a, err) < 0)
		return -1;
	size = a.size;
	if (!size && size_of_image(e, c, &size, err) < 0)
		return -1;
	list_used(e, &used, &owners);
	if (!userns_auto_build(e->arena, &a.uids, size, &rootless->uid, &used, &ret->uid, &free))
		return exhausted(e, size, free, idmap_size(&rootless->uid) - 1, owners, err);
	if (!userns_auto_build(e->arena, &a.gids, size, &rootless->gid, &used, &ret->gid, &free))
		return exhausted(e, size, free, idmap_size(&rootless->gid) - 1, owners, err);
	return 0;
}

int userns_auto_lock(struct engine *e, struct error *err)
{
	int fd;

	if (mkdirat(e->store.root_fd, CLAIMS, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s/" CLAIMS, e->store.path);
	fd = fd_open_dir(e->store.root_fd, CLAIMS);
	if (fd < 0)
		return error_errno(err, "open %s/" CLAIMS, e->store.path);
	while (flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

int userns_auto_claim(struct engine *e, const struct container *c, const struct id_maps *maps, struct error *err)
{
	const struct id_map *both[] = { &maps->uid, &maps->gid };
	struct strings ranges = { 0 };

	for (size_t k = 0; k < ELEMENTS(both); k++)
		for (size_t i = 0; i < both[k]->n; i++) {
			char *range = arena_printf(e->arena, "%u-%u", both[k]->v[i].outside, both[k]->v[i].count);

			if (!strings_has(&ranges, range))
				strings_add(e->arena, &ranges, range);
		}
	return store_link(&e->store, strings_join(e->arena, &ranges, ","), arena_printf(e->arena, CLAIMS "/%s", c->id), err);
}
