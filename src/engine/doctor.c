#include "engine/doctor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/spawn.h"
#include "userns/diagnose.h"

/* --- findings */

const char *doctor_state_name(enum doctor_state state)
{
	static const char *const names[] = { "ok", "note", "bad" };

	return names[state];
}

void doctor_good(struct engine *e, struct doctor_report *r, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*ARRAY_ADD(e->arena, &r->checks) = (struct doctor_check){ .name = name, .text = arena_vprintf(e->arena, fmt, ap) };
	va_end(ap);
}

void doctor_found(struct engine *e, struct doctor_report *r, const char *name, enum doctor_state state,
		  const struct error *cause)
{
	*ARRAY_ADD(e->arena, &r->checks) = (struct doctor_check){
		.name = name, .state = state, .text = arena_strdup(e->arena, cause->text), .cause = *cause };
	r->bad = r->bad || state == DOCTOR_BAD;
}

/* --- who the user may be: the parts of a rootless namespace */

static char *say_ranges(struct engine *e, const struct userns_facts *f, const struct subid_file *file)
{
	struct strings ranges = { 0 };

	for (size_t i = 0; i < file->n; i++)
		if (subid_is_owner(&file->v[i], f->user, f->uid))
			strings_addf(e->arena, &ranges, "%u from %u", file->v[i].count, file->v[i].first);
	return strings_join(e->arena, &ranges, " and ");
}

static char *say_part(struct engine *e, const struct userns_facts *f, enum diagnose_part part)
{
	switch (part) {
	case DIAGNOSE_KERNEL:
		return arena_printf(e->arena, "a process of %s may make them (at most %" PRId64 ")", f->user, f->max_user_namespaces);
	case DIAGNOSE_RANGES:
		if (f->uid == 0)
			return arena_strdup(e->arena, "root needs none: the ids of this namespace are used");
		if (f->from_nss)
			return arena_printf(e->arena, "%zu ranges of uids and %zu of gids, from the source that nsswitch.conf names",
					    f->nss_uids, f->nss_gids);
		return arena_printf(e->arena, "uids: %s; gids: %s", say_ranges(e, f, &f->subuid), say_ranges(e, f, &f->subgid));
	case DIAGNOSE_HELPERS:
		if (f->uid == 0)
			return arena_strdup(e->arena, "root needs none");
		return arena_printf(e->arena, "%s and %s, with %s", f->helpers[0].path, f->helpers[1].path,
				    f->helpers[0].setuid_root ? "the setuid bit" : "file capabilities");
	default:
		return arena_strdup(e->arena, "no other user has these ids");
	}
}

static void examine_ids(struct engine *e, const struct userns_facts *f, struct doctor_report *r)
{
	static const char *const names[] = {
		[DIAGNOSE_KERNEL] = "user-namespaces", [DIAGNOSE_RANGES] = "subordinate-ids", [DIAGNOSE_HELPERS] = "id-helpers",
		[DIAGNOSE_OVERLAP] = "ids-unshared",
	};
	bool missing = false;

	for (enum diagnose_part part = 0; part < DIAGNOSE_PARTS; part++) {
		struct error cause = { 0 };

		if (part == DIAGNOSE_OVERLAP && missing)
			continue;
		if (diagnose_part(e->arena, f, part, &cause) == 0)
			doctor_good(e, r, names[part], "%s", say_part(e, f, part));
		else
			doctor_found(e, r, names[part], DOCTOR_BAD, &cause);
		missing = missing || (part == DIAGNOSE_RANGES && cause.kind);
	}
}

/* Few ids, or the own one in the range: it works, and surprises. */
static void examine_range_size(struct engine *e, const struct userns_facts *f, struct doctor_report *r)
{
	char *note = diagnose_note(e->arena, f);
	struct error cause = { 0 };

	if (!note)
		return;
	error_set(&cause, ERROR_STATE, "%s", note);
	error_code(&cause, strstr(note, "own id") ? "subid-own-id" : "image-out-of-range");
	doctor_found(e, r, "subordinate-ids", DOCTOR_NOTE, &cause);
}

static char *say_maps(struct engine *e)
{
	const struct id_map *map = &e->identity.maps.uid;
	struct strings parts = { 0 };

	for (size_t i = 0; i < map->n; i++)
		strings_addf(e->arena, &parts, map->v[i].count == 1 ? "%u is %u" : "%u.. are %u.. (%u)", map->v[i].inside,
			     map->v[i].outside, map->v[i].count);
	return strings_join(e->arena, &parts, ", ");
}

/* After the engine was opened: what is really mapped now. */
static void examine_namespace(struct engine *e, struct doctor_report *r)
{
	struct error cause = { 0 };

	if (e->identity.stale_why) {
		error_set(&cause, ERROR_STATE, "%s", e->identity.stale_why);
		error_code(&cause, "subid-stale");
		error_fix(&cause, "bryo system migrate");
		doctor_found(e, r, "namespace", DOCTOR_BAD, &cause);
	} else if (e->identity.single_id) {
		error_set(&cause, ERROR_STATE, "only one id is mapped: images with files of several owners lose them");
		error_code(&cause, "no-subids");
		doctor_found(e, r, "namespace", DOCTOR_NOTE, &cause);
	} else {
		doctor_good(e, r, "namespace", "uids of containers: %s", say_maps(e));
	}
}

/* --- places */

static void examine_runtime_dir(struct engine *e, struct doctor_report *r)
{
	struct error cause = { 0 };

	if (!e->identity.runtime_dir_is_fallback) {
		doctor_good(e, r, "runtime-directory", "%s", engine_runtime_path(e));
		return;
	}
	error_set(&cause, ERROR_STATE, "XDG_RUNTIME_DIR is not set or not usable: %s is used", engine_runtime_path(e));
	error_code(&cause, "wrong-state");
	error_hint(&cause, "a login through systemd makes one; without it limits of resources may be missing, too");
	if (e->identity.uid)
		error_fix_admin(&cause, "loginctl enable-linger %s", e->identity.user);
	doctor_found(e, r, "runtime-directory", DOCTOR_NOTE, &cause);
}

static void examine_storage(struct engine *e, struct doctor_report *r)
{
	struct error cause = { 0 };
	enum store_driver driver = e->store.driver;

	if (driver == DRIVER_OBJECTS || driver == DRIVER_OVERLAY) {
		doctor_good(e, r, "storage", "%s below %s: %s", store_driver_name(driver), engine_store_path(e), e->store.driver_why);
		return;
	}
	error_set(&cause, ERROR_UNSUPPORTED, "%s below %s, which is slow: %s", store_driver_name(driver), engine_store_path(e),
		  e->store.driver_why);
	doctor_found(e, r, "storage", DOCTOR_NOTE, &cause);
}

static void examine_cgroup(struct engine *e, struct doctor_report *r)
{
	struct error cause = { 0 };

	if (engine_cgroup(e, &cause) < 0) {
		doctor_found(e, r, "cgroup", DOCTOR_BAD, &cause);
	} else if (e->cgroup.why) {
		error_set(&cause, ERROR_UNSUPPORTED, "no limits of memory, processor and processes: %s", e->cgroup.why);
		if (e->identity.uid && e->cgroup.unified)
			error_fix_admin(&cause, "loginctl enable-linger %s    (and log in anew)", e->identity.user);
		doctor_found(e, r, "cgroup", DOCTOR_NOTE, &cause);
	} else {
		doctor_good(e, r, "cgroup", "v%d by %s, controllers: %s", e->cgroup.unified ? 2 : 1, cgroup_manager_names[e->cgroup.manager],
			    strings_join(e->arena, &e->cgroup.controllers, " "));
	}
}

static void examine_programs(struct engine *e, struct doctor_report *r)
{
	static const char *const programs[] = { "bryo-monitor", "bryo-transfer", "bryo-gateway", "bryo-init", "bryo-hostlib" };
	struct error cause = { 0 };

	for (size_t i = 0; i < ELEMENTS(programs); i++)
		if (!spawn_own_program(e->arena, programs[i], &cause)) {
			doctor_found(e, r, "bryo", DOCTOR_BAD, &cause);
			return;
		}
	doctor_good(e, r, "bryo", "version %s, with all its programs", BRYO_VERSION);
}

/* --- all of it */

static void be_silent(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static void examine_open(struct engine *e, struct doctor_report *r)
{
	struct engine_face face = e->face;
	struct error cause = { 0 };
	int result;

	e->face.warn = e->face.note = be_silent;	/* its warnings are findings here */
	result = engine_open(e, &cause);
	e->face = face;
	if (e->identity.joined)
		examine_namespace(e, r);
	if (result < 0)
		doctor_found(e, r, e->identity.joined ? "storage" : "namespace", DOCTOR_BAD, &cause);
	else
		examine_storage(e, r);
}

int doctor_examine(struct engine *e, struct doctor_report *ret, struct error *err)
{
	struct userns_facts facts;

	*ret = (struct doctor_report){ 0 };
	if (diagnose_collect(e->arena, &e->identity, &facts, err) < 0)
		return -1;
	examine_programs(e, ret);
	examine_ids(e, &facts, ret);
	examine_range_size(e, &facts, ret);
	examine_runtime_dir(e, ret);
	examine_cgroup(e, ret);
	doctor_examine_host(e, ret);
	examine_open(e, ret);
	return 0;
}
