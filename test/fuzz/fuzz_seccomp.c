/* The rules of a filter: a profile file, as --security-opt seccomp=FILE names it, or the seccomp section of a bundle, up to
 * the program, which must answer as libseccomp's own; or, behind a "=", a program as an annotation brings it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostlib/filter.h"
#include "run/seccomp_compile.h"
#include "run/seccomp_key.h"
#include "run/seccomp_machine.h"
#include "run/seccomp_profile.h"
#include "run/seccomp_shrink.h"
#include "spec/base64.h"

/* Of sections that are compiled: libseccomp's time, exponential for some, is not what is looked for. */
#define NAMES_MAX 64
#define CONDITIONS_MAX 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* A number, architecture or argument that the program looks at, or is close to one, or anything. */
static uint32_t interesting(const struct sock_filter *v, size_t n, uint32_t *seed)
{
	return next(seed) % 8 ? v[next(seed) % n].k + next(seed) % 3 - 1 : next(seed);
}

static void compare(const struct sock_filter *old, size_t old_n, const struct sock_filter *new, size_t new_n)
{
	uint32_t seed = (uint32_t)old_n;

	for (int i = 0; i < 300 && old_n > 1; i++) {
		struct seccomp_data call = { .nr = (int)interesting(old, old_n, &seed), .arch = interesting(old, old_n, &seed) };

		for (size_t j = 0; j < 6; j++)
			call.args[j] = (uint64_t)interesting(old, old_n, &seed) << 32 | interesting(old, old_n, &seed);
		if (i % 2)
			call.arch = old[1].k;	/* the first that is compared with */
		if (seccomp_machine_answer(old, old_n, &call) != seccomp_machine_answer(new, new_n, &call))
			abort();
	}
}

static bool is_small(const struct oci_seccomp *rules)
{
	size_t names = rules->architectures.n, conditions = 0;

	for (size_t i = 0; i < rules->syscalls.n; i++) {
		names += rules->syscalls.v[i].names.n;
		conditions += rules->syscalls.v[i].names.n * rules->syscalls.v[i].args.n;
	}
	return names <= NAMES_MAX && conditions <= CONDITIONS_MAX;
}

static void compile(struct arena *arena, const struct seccomp_source *source)
{
	struct hostlib_rules rules = { .rules = (struct oci_seccomp *)source->rules, .name = (char *)source->name,
				       .where = (char *)source->where };
	struct hostlib_filter filter = { 0 };
	struct seccomp_key key;
	struct error err = { 0 };
	struct sock_filter *old, *new;
	size_t n;

	seccomp_key_of_rules(arena, source, &key);
	if (!is_small(source->rules))
		return;
	if (filter_compile(arena, &rules, &filter, &err) < 0) {
		if (!strstr(err.text, source->name))
			abort();
		return;
	}
	old = new = (struct sock_filter *)(void *)filter.instructions.v;
	n = filter.instructions.n;
	seccomp_shrink(arena, &new, &n);
	if (n <= BPF_MAXINSNS && seccomp_machine_check(arena, new, n, &err) < 0)
		abort();
	compare(old, filter.instructions.n, new, n);
}

/* What is let through is followed, and the check's promises (no load from elsewhere, an end) are the sanitizer's to see. */
static void bring(struct arena *arena, const char *text)
{
	size_t size;
	char *bytes = base64_decode(arena, text, &size);
	struct sock_filter *v = (struct sock_filter *)(void *)bytes;
	size_t n = size / sizeof(*v);
	struct error err = { 0 };

	if (!bytes)
		return;
	if (n <= BPF_MAXINSNS && seccomp_machine_check(arena, v, n, &err) == 0) {
		struct sock_filter *new = v;
		size_t new_n = n;

		seccomp_machine_notifies(v, n);
		seccomp_shrink(arena, &new, &new_n);
		compare(v, n, new, new_n);
	} else if (n) {
		seccomp_machine_action(v, n, 1, (const uint64_t[3]){ 1, 2, 3 });
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_target target = { .bounding = 0x800405fb, .arch = "amd64", .scmp_arch = "SCMP_ARCH_X86_64",
					 .kernel_major = 5, .kernel_minor = 11 };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct seccomp_source source = { 0 };
	struct oci_seccomp section;
	struct error err = { 0 };
	char *text = arena_strndup(arena, (const char *)data, size);

	if (*text == '=') {
		bring(arena, text + 1);
		return 0;
	}
	if (seccomp_profile_parse(arena, text, size, "profile", &target, &source, &err) == 0)
		compile(arena, &source);
	source = (struct seccomp_source){ .rules = &section, .name = ".linux.seccomp", .where = ".linux.seccomp" };
	if (json_decode(arena, &oci_seccomp_shape, &section, text, size, "config.json", &err) == 0)
		compile(arena, &source);
	return 0;
}
