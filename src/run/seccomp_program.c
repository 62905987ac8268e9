#include "run/seccomp_program.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/seccomp_compile.h"
#include "run/seccomp_profile.h"
#include "run/seccomp_shrink.h"
#include "sys/fd.h"

/* A cached program: this head, then the instructions. It is only good as long as the libseccomp that made it is the
 * one that is installed: a newer one knows more system calls. */
#define CACHE_MAGIC UINT64_C(0x62727962706632)
struct cache_head {
	uint64_t magic;
	uint64_t libseccomp_mtime, libseccomp_size;
	uint32_t flags, n;
	char libseccomp[256];
};

/* What the two kinds of requests have in common. */
struct wanted {
	const struct oci_seccomp *rules;	/* from the specification; or: */
	bool by_default;
	const char *profile;
	const struct strings *bounding;
	const char *cache_dir;
};

static uint64_t mtime_of(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec;
}

static uint64_t bounding_mask(const struct strings *names)
{
	uint64_t mask = 0;

	for (size_t i = 0; names && i < names->n; i++) {
		int number = caps_number(names->v[i]);

		mask |= number >= 0 ? CAPS_BIT(number) : 0;
	}
	return mask;
}

/* FNV-1a; the names are the user's own files in his own directory, so nobody is there to collide on purpose. */
static uint64_t hash(const char *text, uint64_t seed)
{
	uint64_t h = seed;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

/* Everything the program depends on, as a file name. */
static char *key_of_profile(struct arena *arena, const struct wanted *w, const char *path)
{
	struct stat st = { 0 };
	const char *arch = seccomp_target_native(0).arch;

	if (path && stat(path, &st) < 0)
		return NULL;
	return arena_printf(arena, "%s-%s-%s-%llx-%llx-%llx-%llx-%llx.bpf", path ? "file" : "builtin", BRYO_VERSION, arch,
			    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
			    (unsigned long long)mtime_of(&st), (unsigned long long)st.st_size,
			    (unsigned long long)bounding_mask(w->bounding));
}

static char *key_of_rules(struct arena *arena, const struct oci_seccomp *rules)
{
	const char *text = json_print(arena, json_encode(arena, &oci_seccomp_shape, rules), 0);

	return arena_printf(arena, "rules-%s-%s-%zx-%016llx%016llx.bpf", BRYO_VERSION, seccomp_target_native(0).arch,
			    strlen(text), (unsigned long long)hash(text, UINT64_C(0xcbf29ce484222325)),
			    (unsigned long long)hash(text, UINT64_C(0x9ae16a3b2f90404f)));
}

/* --- cache */

static bool is_current(const struct cache_head *head, size_t size)
{
	struct stat st;

	return size >= sizeof(*head) && head->magic == CACHE_MAGIC && head->n > 0 && head->n <= BPF_MAXINSNS &&
	       size == sizeof(*head) + head->n * sizeof(struct sock_filter) &&
	       memchr(head->libseccomp, '\0', sizeof(head->libseccomp)) && stat(head->libseccomp, &st) == 0 &&
	       head->libseccomp_mtime == mtime_of(&st) && head->libseccomp_size == (uint64_t)st.st_size;
}

static bool find_cached(struct arena *arena, const char *dir, const char *key, struct plan_process *process)
{
	size_t size;
	char *data = fd_read_file(arena, AT_FDCWD, arena_printf(arena, "%s/%s", dir, key),
				  sizeof(struct cache_head) + BPF_MAXINSNS * sizeof(struct sock_filter), &size);
	const struct cache_head *head = (const struct cache_head *)(const void *)data;

	if (!data || !is_current(head, size))
		return false;
	process->filter = (const struct sock_filter *)(const void *)(data + sizeof(*head));
	process->filter_n = head->n;
	process->filter_flags = head->flags;
	return true;
}

/* Failing to keep it costs the next start some time, nothing else. */
static void keep(const char *dir, const char *key, const struct seccomp_code *code)
{
	struct cache_head head = { .magic = CACHE_MAGIC, .flags = code->flags, .n = (uint32_t)code->n };
	_cleanup_buffer_ struct buffer b = BUFFER(1 << 20);
	_cleanup_fd_ int dirfd = -1;
	struct stat st;

	if (strlen(code->library) >= sizeof(head.libseccomp) || stat(code->library, &st) < 0)
		return;
	memcpy(head.libseccomp, code->library, strlen(code->library) + 1);
	head.libseccomp_mtime = mtime_of(&st);
	head.libseccomp_size = (uint64_t)st.st_size;
	if (fd_mkdirs(AT_FDCWD, dir, 0700) < 0 || (dirfd = fd_open_dir(AT_FDCWD, dir)) < 0)
		return;
	if (buffer_add(&b, &head, sizeof(head)) == 0 && buffer_add(&b, code->v, code->n * sizeof(*code->v)) == 0)
		fd_write_file(dirfd, key, b.data, b.size, 0600, false);
}

/* --- the program */

static int compile(struct arena *arena, const struct wanted *w, const char *path, const char *key,
		   struct plan_process *process, struct error *err)
{
	const struct oci_seccomp *rules = w->rules;
	static const struct strings no_capabilities;
	struct seccomp_code code = { 0 };

	if (!rules)
		rules = run_default_seccomp(arena, path, w->bounding ? w->bounding : &no_capabilities, &path, err);
	if (!rules || seccomp_compile(arena, rules, &code, err) < 0)
		return -1;
	seccomp_shrink(arena, &code.v, &code.n);
	if (w->cache_dir && key)
		keep(w->cache_dir, key, &code);
	process->filter = code.v;
	process->filter_n = code.n;
	process->filter_flags = code.flags;
	return 0;
}

static int program(struct arena *arena, const struct wanted *w, struct plan_process *process, struct error *err)
{
	const char *path = NULL, *key;

	if (!w->rules && !w->by_default && !w->profile)
		return 0;
	if (w->rules) {
		key = key_of_rules(arena, w->rules);
	} else {
		path = w->profile ? w->profile : seccomp_profile_installed();
		key = key_of_profile(arena, w, path);
	}
	if (w->cache_dir && key && find_cached(arena, w->cache_dir, key, process))
		return 0;
	return compile(arena, w, path, key, process, err);
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
			    .cache_dir = request->cache_dir };

	return program(arena, &w, process, err);
}

int seccomp_program_for_exec(struct arena *arena, const struct run_exec_request *request,
			     struct plan_process *process, struct error *err)
{
	struct wanted w = { .rules = request->spec->linux_ ? request->spec->linux_->seccomp : NULL,
			    .by_default = request->seccomp_default, .profile = request->seccomp_profile,
			    .bounding = bounding_of(request->spec), .cache_dir = request->cache_dir };

	return program(arena, &w, process, err);
}
