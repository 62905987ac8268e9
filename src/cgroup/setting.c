#include "cgroup/setting.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "sys/fd.h"

/* Open directories of the places, and what the unified one offers. */
struct writer {
	struct arena *arena;
	const struct cgroup *c;
	int *fds;
	struct strings controllers;
	struct strings *missing;
};

static int place_of(const struct writer *w, const struct setting *s)
{
	for (size_t i = 0; i < w->c->places.n; i++) {
		const char *controllers = w->c->places.v[i].controllers;

		if (s->v1 ? hierarchy_has(controllers, s->controller) : hierarchy_is_unified(controllers))
			return (int)i;
	}
	return -1;
}

static int open_place(struct writer *w, int i)
{
	if (w->fds[i] < 0) {
		w->fds[i] = control_open_dir(w->c->places.v[i].path);
		if (w->fds[i] >= 0 && hierarchy_is_unified(w->c->places.v[i].controllers))
			control_read_words(w->arena, w->fds[i], "cgroup.controllers", &w->controllers);
	}
	return w->fds[i];
}

static int missing(struct writer *w, const struct setting *s, const char *what, struct error *err)
{
	const char *name = *s->controller ? s->controller : s->file;

	if (!w->missing) {
		error_set(err, ERROR_UNSUPPORTED, "%s: %s", s->position, what);
		return error_hint(err, "leave the limit out, or have the controller %s enabled for the cgroup in which the container's is made",
				  name);
	}
	if (!strings_has(w->missing, name))
		strings_add(w->arena, w->missing, name);
	return 0;
}

static int refused(const struct setting *s, const char *file, const char *value, struct error *err)
{
	bool busy = errno == EBUSY;

	error_errno(err, "%s: write %s to %s", s->position, value, file);
	return busy ? error_hint(err, "the container uses more than that, or its cgroup has others below it") : -1;
}

/* 1: refused for now, to be tried again. */
static int write_one(struct writer *w, const struct setting *s, bool last, struct error *err)
{
	int i = place_of(w, s), dirfd = i < 0 ? -1 : open_place(w, i);
	const char *file = s->file, *value = s->value;
	bool present;

	if (i >= 0 && dirfd < 0)
		return error_errno(err, "open the cgroup %s", w->c->places.v[i].path);
	present = i >= 0 && (s->v1 || !*s->controller || strings_has(&w->controllers, s->controller));
	if (!present)
		return s->optional ? 0 : missing(w, s, arena_printf(w->arena, "there is no cgroup controller %s here",
								    s->controller), err);
	if (s->other_file && faccessat(dirfd, file, F_OK, 0) < 0) {
		file = s->other_file;
		value = s->other_value;
	}
	if (control_write(dirfd, file, value) == 0)
		return 0;
	if (errno == ENOENT)
		return s->optional ? 0 : missing(w, s, arena_printf(w->arena, "this kernel has no %s", file), err);
	if (s->again && !last && errno == EINVAL)
		return 1;
	return refused(s, file, value, err);
}

static int write_all(struct writer *w, const struct settings *list, struct error *err)
{
	bool *again = arena_new_array(w->arena, bool, list->n);

	for (size_t i = 0; i < list->n; i++) {
		int result = write_one(w, &list->v[i], false, err);

		if (result < 0)
			return -1;
		again[i] = result > 0;
	}
	for (size_t i = 0; i < list->n; i++)
		if (again[i] && write_one(w, &list->v[i], true, err) < 0)
			return -1;
	return 0;
}

int settings_write(struct arena *arena, const struct cgroup *c, const struct settings *list, struct strings *ret_missing,
		   struct error *err)
{
	struct writer w = { .arena = arena, .c = c, .missing = ret_missing };
	int result;

	w.fds = arena_new_array(arena, int, c->places.n);
	for (size_t i = 0; i < c->places.n; i++)
		w.fds[i] = -1;
	result = write_all(&w, list, err);
	for (size_t i = 0; i < c->places.n; i++)
		fd_close(&w.fds[i]);
	return result;
}
