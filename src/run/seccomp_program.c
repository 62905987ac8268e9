#include "run/seccomp_program.h"

#include <linux/seccomp.h>
#include <string.h>

#include "run/seccomp_cache.h"
#include "run/seccomp_listener.h"
#include "run/seccomp_machine.h"
#include "run/seccomp_newer.h"
#include "run/seccomp_profile.h"
#include "run/seccomp_shrink.h"
#include "spec/base64.h"

#define SECTION ".linux.seccomp"
#define COMPILE_SECONDS 5		/* a usual profile takes a fiftieth of one */
#define RAW_ANNOTATION "run.oci.seccomp_bpf_data"
#define KNOWN_ANNOTATION "run.oci.seccomp_fail_unknown_syscall"

/* What the two kinds of requests have in common. */
struct wanted {
	const struct oci_seccomp *rules;	/* from the specification; or: */
	bool by_default;
	const char *profile;
	const struct strings *bounding;
	const char *cache_dir;
	struct seccomp_container container;
};

static uint64_t bounding_mask(const struct strings *names)
{
	uint64_t mask = 0;

	for (size_t i = 0; names && i < names->n; i++) {
		int number = caps_number(names->v[i]);

		mask |= number >= 0 ? CAPS_BIT(number) : 0;
	}
	return mask;
}

static const char *annotation(const struct wanted *w, const char *name)
{
	return w->container.annotations ? map_get(w->container.annotations, name) : NULL;
}

/* --- compiled, or found */

/* Where the rules come from and what they depend on. A profile is not read yet: source->rules stays NULL. */
static bool find_source(struct arena *arena, const struct wanted *w, const char **ret_path,
			struct seccomp_source *source, struct seccomp_key *key)
{
	const char *known = annotation(w, KNOWN_ANNOTATION);
	struct stat st;

	if (w->rules) {
		*source = (struct seccomp_source){ .rules = w->rules, .name = SECTION, .where = SECTION,
						   .known_only = known && !str_eq(known, "0") };
		return seccomp_key_of_rules(arena, source, key);
	}
	*ret_path = w->profile ? w->profile : seccomp_profile_installed();
	if (*ret_path && stat(*ret_path, &st) < 0)
		return false;
	return seccomp_key_of_profile(arena, *ret_path ? &st : NULL, bounding_mask(w->bounding), key);
}

static int compile(struct arena *arena, const struct wanted *w, const char *path, struct seccomp_source *source,
		   struct seccomp_code *ret, struct error *err)
{
	if (!source->rules && seccomp_profile_read(arena, path, bounding_mask(w->bounding), source, err) < 0)
		return -1;
	if (seccomp_compile(arena, source, COMPILE_SECONDS, ret, err) < 0)
		return -1;
	seccomp_shrink(arena, &ret->v, &ret->n);
	seccomp_newer_answer(arena, ret);
	if (ret->n <= BPF_MAXINSNS)
		return 0;
	return error_set(err, ERROR_INVALID, "%s: the filter has %zu instructions, and the kernel takes %d",
			 source->name, ret->n, BPF_MAXINSNS);
}

/* A profile with a receiver of its own is always read: its program does not tell him. */
static bool may_be_kept(const struct wanted *w, const struct seccomp_code *code)
{
	return w->rules || !seccomp_machine_notifies(code->v, code->n);
}

static int make_code(struct arena *arena, const struct wanted *w, struct seccomp_source *source,
		     struct seccomp_code *ret, struct error *err)
{
	struct seccomp_key key;
	const char *path = NULL;
	bool cached = find_source(arena, w, &path, source, &key) && w->cache_dir;

	if (cached && seccomp_cache_find(arena, w->cache_dir, &key, ret))
		return 0;
	if (compile(arena, w, path, source, ret, err) < 0)
		return -1;
	if (cached && may_be_kept(w, ret))
		seccomp_cache_keep(w->cache_dir, &key, ret);
	return 0;
}

/* --- brought along */

/* The flags and the receiver are still the section's. */
static int take_raw(struct arena *arena, const struct wanted *w, const char *text, struct seccomp_source *source,
		    struct seccomp_code *ret, struct error *err)
{
	static const struct oci_seccomp nothing;
	size_t size = 0;
	char *bytes = base64_decode(arena, text, &size);

	*source = (struct seccomp_source){ .rules = w->rules ? w->rules : &nothing, .name = SECTION, .where = SECTION };
	if (seccomp_compile_flags(arena, source, &ret->flags, err) < 0)
		return -1;
	if (!bytes)
		error_set(err, ERROR_INVALID, "no base64");
	else if (size % sizeof(*ret->v))
		error_set(err, ERROR_INVALID, "%zu bytes are no whole instructions of %zu", size, sizeof(*ret->v));
	if (!bytes || size % sizeof(*ret->v))
		return error_frame(err, ".annotations[\"%s\"]", RAW_ANNOTATION);
	ret->v = (struct sock_filter *)(void *)bytes;
	ret->n = size / sizeof(*ret->v);
	if (seccomp_machine_check(arena, ret->v, ret->n, err) < 0)
		return error_frame(err, ".annotations[\"%s\"]", RAW_ANNOTATION);
	return 0;
}

/* --- the program */

/* A filter that notifies nobody loads without a listener, whatever receiver is named: so the specification has it. */
static int add_listener(struct arena *arena, const struct wanted *w, const struct seccomp_source *source,
			struct seccomp_code *code, struct plan_process *process, struct error *err)
{
	struct seccomp_container container = w->container;
	const struct oci_seccomp *rules = source->rules;

	if (!seccomp_machine_notifies(code->v, code->n)) {
		code->flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		return 0;
	}
	container.metadata = rules->listener_metadata;
	code->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	process->listener = seccomp_listener_new(arena, rules->listener_path, source->where, &container, err);
	return process->listener ? 0 : -1;
}

static int program(struct arena *arena, const struct wanted *w, struct plan_process *process, struct error *err)
{
	const char *raw = annotation(w, RAW_ANNOTATION);
	struct seccomp_source source = { 0 };
	struct seccomp_code code = { 0 };
	int result;

	if (!raw && !w->rules && !w->by_default && !w->profile)
		return 0;
	result = raw ? take_raw(arena, w, raw, &source, &code, err) : make_code(arena, w, &source, &code, err);
	if (result < 0 || add_listener(arena, w, &source, &code, process, err) < 0)
		return -1;
	process->filter = code.v;
	process->filter_n = code.n;
	process->filter_flags = code.flags;
	return 0;
}

static const struct strings *bounding_of(const struct oci_spec *spec)
{
	return spec->process && spec->process->capabilities ? &spec->process->capabilities->bounding : NULL;
}

int seccomp_program_for_container(struct arena *arena, const struct run_request *request, struct plan_process *process,
				  struct error *err)
{
	struct wanted w = { .rules = request->spec->linux_->seccomp, .by_default = request->seccomp_default,
			    .profile = request->seccomp_profile, .bounding = bounding_of(request->spec),
			    .cache_dir = request->cache_dir,
			    .container = { .id = request->id, .bundle = request->bundle,
					   .annotations = &request->spec->annotations } };

	return program(arena, &w, process, err);
}

int seccomp_program_for_exec(struct arena *arena, const struct run_exec_request *request,
			     struct plan_process *process, struct error *err)
{
	struct wanted w = { .rules = request->spec->linux_ ? request->spec->linux_->seccomp : NULL,
			    .by_default = request->seccomp_default, .profile = request->seccomp_profile,
			    .bounding = bounding_of(request->spec), .cache_dir = request->cache_dir,
			    .container = { .id = request->id, .bundle = request->bundle, .first = request->target,
					   .annotations = &request->spec->annotations } };

	return program(arena, &w, process, err);
}
