#include "cgroup/systemd.h"

#include <string.h>

#include "hostlib/hostlib.h"

/* --- properties, as bryo-hostlib takes them */

static const char *step_text(struct arena *arena, const struct property_step *s)
{
	uint64_t number = s->number;

	switch (s->what) {
	case 'a': case 'r':	return arena_printf(arena, "%c%s", s->what, s->contents);
	case ')':		return ")";
	case 's': case 'o': case 'g':	return arena_printf(arena, "%c%s", s->what, s->text);
	case 'd':
		memcpy(&number, &s->real, sizeof(number));
	}
	return arena_printf(arena, "%c%llu", s->what, (unsigned long long)number);
}

static void add_property(struct arena *arena, struct hostlib_unit *unit, const struct property *p)
{
	struct hostlib_property *new = ARRAY_ADD(arena, &unit->properties);

	*new = (struct hostlib_property){ .name = p->name, .signature = p->signature, .demanded = p->demanded };
	for (size_t i = 0; i < p->steps.n; i++)
		strings_add(arena, &new->steps, step_text(arena, &p->steps.v[i]));
}

/* What was asked for replaces what is said of every scope. */
static void merge(struct arena *arena, struct properties *list, const struct properties *more)
{
	for (size_t i = 0; i < more->n; i++) {
		size_t at = 0;

		while (at < list->n && !str_eq(list->v[at].name, more->v[i].name))
			at++;
		*(at < list->n ? &list->v[at] : ARRAY_ADD(arena, list)) = more->v[i];
	}
}

static void add_properties(struct arena *arena, struct hostlib_unit *unit, const struct properties *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_property(arena, unit, &list->v[i]);
}

/* --- calls */

static struct properties scope_properties(struct arena *arena, const struct systemd_scope *s)
{
	static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting", "TasksAccounting", "IOAccounting" };
	struct properties list = { 0 };
	struct property *pids;

	property_add_text(arena, &list, "Description", s->description);
	property_add_text(arena, &list, "Slice", s->slice);
	property_add(arena, &list, "Delegate", 'b', true);
	property_add(arena, &list, "DefaultDependencies", 'b', false);
	property_add_text(arena, &list, "CollectMode", "inactive-or-failed");
	for (size_t i = 0; i < ELEMENTS(accounting); i++)
		property_add(arena, &list, accounting[i], 'b', true);
	pids = property_add(arena, &list, "PIDs", 'u', (uint64_t)s->pid);
	pids->signature = "au";
	pids->steps.v[0] = (struct property_step){ .what = 'a', .contents = "u" };
	*ARRAY_ADD(arena, &pids->steps) = (struct property_step){ .what = 'u', .number = (uint64_t)s->pid };
	*ARRAY_ADD(arena, &pids->steps) = (struct property_step){ .what = ')' };
	return list;
}

int systemd_start(struct arena *arena, const struct systemd_scope *s, struct error *err)
{
	struct properties list = scope_properties(arena, s);
	struct hostlib_unit unit = { .user = s->user, .name = (char *)s->name };

	merge(arena, &list, s->properties);
	add_properties(arena, &unit, &list);
	return hostlib_ask(arena, HOSTLIB_START_UNIT, &unit, NULL, NULL, err);
}

int systemd_set(struct arena *arena, bool user, const char *unit, const struct properties *properties, struct error *err)
{
	struct hostlib_unit request = { .user = user, .name = (char *)unit };
	struct properties list = { 0 };

	if (properties->n == 0)
		return 0;
	merge(arena, &list, properties);	/* a name once */
	add_properties(arena, &request, &list);
	return hostlib_ask(arena, HOSTLIB_SET_UNIT, &request, NULL, NULL, err);
}

int systemd_attach(struct arena *arena, bool user, const char *unit, const char *below, pid_t pid, struct error *err)
{
	struct hostlib_unit request = { .user = user, .name = (char *)unit, .below = (char *)below, .pid = (uint64_t)pid };

	return hostlib_ask(arena, HOSTLIB_ATTACH_TO_UNIT, &request, NULL, NULL, err);
}

int systemd_stop(struct arena *arena, bool user, const char *unit, struct error *err)
{
	struct hostlib_unit request = { .user = user, .name = (char *)unit };

	return hostlib_ask(arena, HOSTLIB_STOP_UNIT, &request, NULL, NULL, err);
}
