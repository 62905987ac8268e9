#include "explain/facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

/* --- the question */
static const struct { const char *name; enum access_op op; } other_words[] = {
	{ "delete", ACCESS_UNLINK }, { "remove", ACCESS_UNLINK }, { "rm", ACCESS_UNLINK }, { "execute", ACCESS_EXEC },
	{ "open", ACCESS_READ }, { "cd", ACCESS_SEARCH }, { "chdir", ACCESS_SEARCH }, { "enter", ACCESS_SEARCH },
	{ "readdir", ACCESS_LIST }, { "ls", ACCESS_LIST }, { "mv", ACCESS_RENAME }, { "move", ACCESS_RENAME },
	{ "utime", ACCESS_UTIMES }, { "mkfifo", ACCESS_MKNOD },
};

static enum access_op find_op(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(other_words); i++)
		if (str_eq(other_words[i].name, name))
			return other_words[i].op;
	return access_op_find(name);
}

static char *known_ops(struct arena *arena)
{
	struct strings names = { 0 };

	for (enum access_op op = 0; op < ACCESS_COUNT; op++)
		strings_add(arena, &names, access_op_name(op));
	return strings_join(arena, &names, " ");
}

/* UID, UID:GID or :GID */
static int parse_owner(struct arena *arena, const char *arg, struct facts_question *q, struct error *err)
{
	struct strings parts = strings_split(arena, arg ? arg : "", ":");
	bool good = parts.n <= 2 && (*parts.v[0] || parts.n == 2);

	if (good && *parts.v[0])
		good = str_to_u32(parts.v[0], &q->new_uid) == 0;
	if (good && parts.n == 2 && *parts.v[1])
		good = str_to_u32(parts.v[1], &q->new_gid) == 0;
	return good ? 0 : error_set(err, ERROR_USAGE, "chown needs the new owner as numbers: --arg UID[:GID], not \"%s\"",
				    arg ? arg : "");
}

static int parse_kind(const char *arg, struct facts_question *q, struct error *err)
{
	static const struct { const char *name; mode_t kind; } kinds[] = {
		{ "c", S_IFCHR }, { "u", S_IFCHR }, { "b", S_IFBLK }, { "p", S_IFIFO }, { NULL, S_IFCHR },
	};
	size_t i = 0;

	while (kinds[i].name && !str_eq(kinds[i].name, arg))
		i++;
	q->new_mode = kinds[i].kind;
	return kinds[i].name || !arg ? 0 : error_set(err, ERROR_USAGE, "mknod makes c, b or p, not \"%s\"", arg);
}

int facts_question_parse(struct arena *arena, const char *op, const char *path, const char *arg, const char *cwd,
			 struct facts_question *ret, struct error *err)
{
	*ret = (struct facts_question){ .op = find_op(op), .new_uid = ID_NONE, .new_gid = ID_NONE };
	if (ret->op == ACCESS_COUNT) {
		error_set(err, ERROR_USAGE, "unknown access \"%s\"", op);
		return error_hint(err, "one of: %s", known_ops(arena));
	}
	if (str_is_empty(path))
		return error_set(err, ERROR_USAGE, "no path was given");
	ret->path = *path == '/' ? arena_strdup(arena, path) : arena_printf(arena, "%s/%s", cwd, path);
	if (ret->op == ACCESS_CHOWN)
		return parse_owner(arena, arg, ret, err);
	if (ret->op == ACCESS_MKNOD)
		return parse_kind(arg, ret, err);
	if (ret->op != ACCESS_RENAME && ret->op != ACCESS_LINK)
		return 0;
	if (str_is_empty(arg))
		return error_set(err, ERROR_USAGE, "%s needs the new name: --arg PATH", op);
	ret->to = *arg == '/' ? arena_strdup(arena, arg) : arena_printf(arena, "%s/%s", cwd, arg);
	return 0;
}

/* --- the host */
static int read_number(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? (int)strtol(text, NULL, 10) : 0;
}

static void take_host(struct engine *e, struct access_facts *f)
{
	const struct identity *id = &e->identity;

	f->user_uid = id->uid;
	f->user_gid = id->gid;
	f->rootless = id->maps;
	for (size_t i = 0; i < id->groups.n; i++)
		if (id->groups.v[i] != id->gid)
			*ARRAY_ADD(e->arena, &f->user_groups) = id->groups.v[i];
	f->protected_hardlinks = read_number("/proc/sys/fs/protected_hardlinks") > 0;
	f->protected_symlinks = read_number("/proc/sys/fs/protected_symlinks") > 0;
	f->protected_regular = read_number("/proc/sys/fs/protected_regular");
	f->protected_fifos = read_number("/proc/sys/fs/protected_fifos");
	f->selinux_enforcing = read_number("/sys/fs/selinux/enforce") > 0;
}

void facts_gather(struct engine *e, struct scene *scene, const struct access_process *p, const struct facts_question *q,
		  struct access_facts *ret)
{
	bool follow = access_op_follows(q->op);

	*ret = (struct access_facts){ .on_host = scene->on_host, .op = q->op, .process = *p, .new_uid = q->new_uid,
				      .new_gid = q->new_gid, .new_mode = q->new_mode };
	take_host(e, ret);
	scene_walk(scene, q->path, follow, &ret->path);
	if (q->to)
		scene_walk(scene, q->to, false, &ret->to);
}

/* --- maps */
static void compose(struct arena *arena, const struct id_extent *x, const struct id_map *outer, struct id_map *ret)
{
	for (uint32_t done = 0; done < x->count;) {
		uint32_t middle = x->outside + done, host = idmap_to_outside(outer, middle), n = 1;

		for (size_t i = 0; i < outer->n; i++)
			if (middle >= outer->v[i].inside && middle - outer->v[i].inside < outer->v[i].count)
				n = outer->v[i].count - (middle - outer->v[i].inside);
		if (n > x->count - done)
			n = x->count - done;
		if (host != ID_NONE)
			idmap_add(arena, ret, x->inside + done, host, n);
		done += n;
	}
}

static struct id_map host_map(struct arena *arena, const struct id_map *own, const struct id_map *rootless)
{
	struct id_map ret = { 0 };

	if (!own->n)
		return *rootless;
	for (size_t i = 0; i < own->n; i++)
		compose(arena, &own->v[i], rootless, &ret);
	return ret;
}

struct id_maps facts_host_maps(struct arena *arena, const struct id_maps *own, const struct id_maps *rootless)
{
	return (struct id_maps){ host_map(arena, &own->uid, &rootless->uid), host_map(arena, &own->gid, &rootless->gid) };
}

/* --- the user himself */
int facts_of_user(struct engine *e, const struct outside *o, struct scene *ret_scene, struct access_process *ret,
		  struct error *err)
{
	const struct identity *id = &e->identity;
	struct access_mount *mount = arena_new_one(e->arena, struct access_mount);
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret_scene = (struct scene){ .arena = e->arena, .outside = o, .rootless = &e->identity.maps, .on_host = true };
	*ret = (struct access_process){ .uid = id->uid, .gid = id->gid, .host_uid = id->uid, .host_gid = id->gid };
	if (root < 0)
		return error_errno(err, "open /");
	scene_add(ret_scene, "/", root, "/", mount);
	for (size_t i = 0; i < id->groups.n; i++) {
		*ARRAY_ADD(e->arena, &ret->host_groups) = id->groups.v[i];
		*ARRAY_ADD(e->arena, &ret->groups) = id->groups.v[i];
	}
	return 0;
}
