#include "engine/user.h"

#include <errno.h>

#include "sys/inroot.h"

static char *read_text(struct engine *e, int root_fd, const char *path, struct error *err)
{
	size_t size;
	char *text = inroot_read_file(e->arena, root_fd, path, PASSWD_FILE_MAX, &size);

	if (!text && errno != ENOENT && errno != ENOTDIR)
		error_errno(err, "read the image's %s", path);
	return text;
}

static void add_group(struct arena *arena, struct passwd_user *user, uint32_t gid)
{
	for (size_t i = 0; i < user->groups.n; i++)
		if (user->groups.v[i] == gid)
			return;
	*ARRAY_ADD(arena, &user->groups) = gid;
}

/* "0..999, 1001..65536" */
static char *ranges_text(struct arena *arena, const struct id_map *map)
{
	struct strings list = { 0 };

	for (size_t i = 0; i < map->n && i < 8; i++)
		strings_addf(arena, &list, "%u..%llu", map->v[i].inside, (unsigned long long)map->v[i].inside + map->v[i].count - 1);
	if (map->n > list.n)
		strings_add(arena, &list, "...");
	return strings_join(arena, &list, ", ");
}

/* An id that no map has would end in the kernel's "Invalid argument". */
static int check_mapped(struct engine *e, const char *kind, uint32_t id, const struct id_map *own, const struct id_map *outer,
			struct error *err)
{
	const struct id_map *map = own->n ? own : outer;
	uint64_t size = idmap_size(outer);

	if (idmap_to_outside(map, id) != ID_NONE)
		return 0;
	if (own->n) {
		error_set(err, ERROR_DENIED, "%s %u is not mapped: the container's id map leaves it out", kind, id);
		error_code(err, "user-out-of-range");
		return error_hint(err, "the container has the ids %s: choose one of them, or another map (a larger size=, --uidmap)",
				  ranges_text(e->arena, own));
	}
	error_set(err, ERROR_DENIED, "%s %u is not mapped: %s has the ids 0..%llu, and %llu more would be needed", kind, id,
		  e->identity.user, (unsigned long long)size - 1, (unsigned long long)id - size + 1);
	error_code(err, "user-out-of-range");
	error_hint(err, "choose a smaller id, or have the administrator give more");
	return userns_grant(e->arena, &e->identity, (uint64_t)id - size + 1, err);
}

int user_check(struct engine *e, const struct passwd_user *u, const struct id_maps *own, struct error *err)
{
	if (check_mapped(e, "user", u->uid, &own->uid, &e->identity.maps.uid, err) < 0 ||
	    check_mapped(e, "group", u->gid, &own->gid, &e->identity.maps.gid, err) < 0)
		return -1;
	for (size_t i = 0; i < u->groups.n; i++)
		if (check_mapped(e, "group", u->groups.v[i], &own->gid, &e->identity.maps.gid, err) < 0)
			return -1;
	return 0;
}

int user_resolve(struct engine *e, int root_fd, const char *user, const struct strings *group_add,
		 const struct userns_user *kept, struct passwd_user *ret, struct user_files *ret_files, struct error *err)
{
	struct error bad = { 0 };

	*ret_files = (struct user_files){ 0 };
	ret_files->passwd = read_text(e, root_fd, "/etc/passwd", &bad);
	ret_files->group = read_text(e, root_fd, "/etc/group", &bad);
	if (bad.kind)		/* a FIFO or a huge file instead of a text: as if there were none */
		engine_warn(e, "%s: it is not used", bad.text);
	if (str_is_empty(user) && kept->set)
		user = arena_printf(e->arena, "%u:%u", kept->uid, kept->gid);
	if (passwd_resolve(e->arena, user ? user : "", ret_files->passwd, ret_files->group, ret, err) < 0)
		return -1;
	for (size_t i = 0; i < group_add->n; i++) {
		uint32_t gid;

		if (strcmp(group_add->v[i], "keep-groups") == 0)
			continue;
		if (passwd_group(group_add->v[i], ret_files->group, &gid, err) < 0)
			return error_frame(err, "--group-add %s", group_add->v[i]);
		add_group(e->arena, ret, gid);
	}
	/* The main group too, as login does it: a set-group-ID program still has it to look at. */
	add_group(e->arena, ret, ret->gid);
	if (e->identity.single_id) {	/* no group but 0 is mapped, and the kernel denies setgroups */
		if (group_add->n && ret->groups.n > 1)
			engine_warn(e, "--group-add has no effect: %s", e->identity.single_id_why);
		ret->groups.n = 0;
	}
	return 0;
}
