#include "explain/scene.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

#define LINKS_MAX 40

struct walk {
	struct scene *s;
	struct access_path *ret;
	bool follow;
	char *done, *rest;		/* "/a/b" without links, "" is the root; what is still to be resolved */
	struct access_node dir;		/* what done is */
	int links;
	char *absolute;			/* a link to an absolute path was followed: "/data/x -> /srv/x" */
};

static int look_at(struct walk *w, const char *path, struct access_node *n, int *ret_fd)
{
	const char *rest;
	const struct scene_place *p = scene_place_of(w->s, path, &rest);

	*ret_fd = -1;
	return p ? scene_look(w->s, p, rest, path, n, ret_fd) : (errno = ENOENT, -1);
}

/* Directories on the way to a mount, which the image does not have, are made at the start. */
static bool leads_to_a_place(const struct walk *w, const char *path)
{
	for (size_t i = 0; i < w->s->places.n; i++) {
		const char *rest = scene_below(w->s->places.v[i].at, path);

		if (rest && *rest)
			return true;
	}
	return false;
}

static void break_off(struct walk *w, enum reason reason, const char *at)
{
	w->ret->broken = reason == REASON_MISSING && w->absolute ? REASON_ABSOLUTE_LINK : reason;
	w->ret->broken_at = arena_strdup(w->s->arena, at);
	w->ret->broken_text = w->absolute;
}

static char *next_name(struct walk *w)
{
	char *from = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(from, "/");

	w->rest = from + n;
	return n ? arena_strndup(w->s->arena, from, n) : NULL;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static bool go_to(struct walk *w, char *path)
{
	int fd;
	int r = look_at(w, path, &w->dir, &fd);

	fd_close(&fd);
	w->done = path;
	return r == 0;
}

static bool follow_link(struct walk *w, int fd, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

	if (n <= 0 || ++w->links > LINKS_MAX) {
		break_off(w, n <= 0 ? REASON_CANNOT_TELL : REASON_LINK_LOOP, path);
		return false;
	}
	target[n] = '\0';
	w->rest = arena_printf(w->s->arena, "%s%s", target, w->rest);
	if (*target != '/')
		return true;
	w->absolute = arena_printf(w->s->arena, "%s -> %s", path, target);
	return go_to(w, "");
}

/* For who removes or renames, a mount point is what is under the mount. */
static void uncover(struct walk *w, struct access_node *n)
{
	const char *rest, *path = n->container ? n->container : n->host;
	const struct scene_place *top = path ? scene_place_of(w->s, path, &rest) : NULL, *under;
	struct access_node below_it = { 0 };
	int fd = -1;

	if (!top || *rest || !*top->at)
		return;
	under = scene_place_under(w->s, top, path, &rest);
	if (under && scene_look(w->s, under, rest, path, &below_it, &fd) == 0)
		*n = below_it;
	else
		n->uid = n->gid = 0;
	fd_close(&fd);
	n->covered = true;
	n->mount = w->dir.mount;
}

static void arrive(struct walk *w, const struct access_node *n)
{
	w->ret->target = *n;
	if (!w->follow)
		uncover(w, &w->ret->target);
}

static bool is_unseen(int sys)
{
	return sys == EACCES || sys == EPERM || sys == EIO;
}

/* Nothing there, or nothing that can be looked at. false: the walk is over. */
static bool take_absent(struct walk *w, char *path, struct access_node *n, int sys)
{
	if (sys == ENOENT && leads_to_a_place(w, path)) {
		n->mode = S_IFDIR | 0755;
		n->uid = n->gid = 0;
		return true;
	}
	n->unseen = is_unseen(sys);
	n->mount = w->dir.mount;
	if (is_last(w) || n->unseen)
		w->ret->target = *n;
	else
		break_off(w, sys == ENOTDIR ? REASON_NOT_A_DIRECTORY : sys == ELOOP ? REASON_LINK_LOOP : REASON_MISSING, path);
	w->ret->lost_link = w->absolute;
	return false;
}

/* One component further; false: the walk is over. */
static bool step(struct walk *w, const char *name)
{
	struct access_node n, parent = w->dir;
	char *path;
	int fd, r;
	bool more;

	*ARRAY_ADD(w->s->arena, &w->ret->searched) = w->dir;
	if (!S_ISDIR(w->dir.mode)) {
		break_off(w, REASON_NOT_A_DIRECTORY, *w->done ? w->done : "/");
		return false;
	}
	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		char *slash = strrchr(w->done, '/');

		return go_to(w, slash ? arena_strndup(w->s->arena, w->done, (size_t)(slash - w->done)) : "");
	}
	path = arena_printf(w->s->arena, "%s/%s", w->done, name);
	r = look_at(w, path, &n, &fd);
	if (r < 0 && !take_absent(w, path, &n, errno)) {
		fd_close(&fd);
		return false;
	}
	if (r == 0 && S_ISLNK(n.mode) && (!is_last(w) || w->follow || *w->rest)) {
		if (is_last(w)) {
			w->ret->link = arena_memdup(w->s->arena, &n, sizeof(n));
			w->ret->link_parent = arena_memdup(w->s->arena, &parent, sizeof(parent));
		}
		more = follow_link(w, fd, path);
		fd_close(&fd);
		return more;
	}
	fd_close(&fd);
	if (is_last(w)) {
		arrive(w, &n);
		return false;
	}
	w->dir = n;
	w->done = path;
	return true;
}

void scene_walk(struct scene *s, const char *path, bool follow, struct access_path *ret)
{
	struct walk w = { .s = s, .ret = ret, .follow = follow, .rest = arena_strdup(s->arena, path) };
	char *name;

	*ret = (struct access_path){ .text = arena_strdup(s->arena, path) };
	if (!go_to(&w, "")) {
		break_off(&w, REASON_MISSING, "/");
		return;
	}
	while ((name = next_name(&w)))
		if (!step(&w, name))
			return;
	ret->target = w.dir;	/* the root, or what ".." leads to */
}
