#include "run/seccomp_apart.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What both processes see. */
struct outcome {
	bool done, good;
	struct error err;
	unsigned flags;
	size_t n;
	char library[256];
	struct sock_filter code[SECCOMP_CODE_MAX];
};

static _Noreturn void compile(struct arena *arena, const struct seccomp_source *source, unsigned seconds,
			      struct outcome *o)
{
	const struct rlimit time = { .rlim_cur = seconds, .rlim_max = seconds + 1 }, none = { 0 };
	struct seccomp_code code = { 0 };

	signal(SIGXCPU, SIG_DFL);
	setrlimit(RLIMIT_CPU, &time);
	setrlimit(RLIMIT_CORE, &none);
	o->good = seccomp_compile(arena, source, &code, &o->err) == 0;
	if (o->good) {
		o->flags = code.flags;
		o->n = code.n;
		memcpy(o->code, code.v, code.n * sizeof(*code.v));
		if (strlen(code.library) < sizeof(o->library))
			memcpy(o->library, code.library, strlen(code.library) + 1);
	}
	o->done = true;
	_exit(0);
}

static int gone_error(const struct seccomp_source *source, unsigned seconds, int status, struct error *err)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (number == SIGXCPU)
		return error_set(err, ERROR_INVALID, "%s: libseccomp needs more than %u seconds for these rules",
				 source->name, seconds);
	return error_set(err, ERROR_FAILED, "%s: libseccomp did not survive these rules: %s", source->name,
			 number ? strsignal(number) : "it ended");
}

static int take(struct arena *arena, const struct outcome *o, struct seccomp_code *ret, struct error *err)
{
	if (!o->good) {
		if (err)
			*err = o->err;
		return -1;
	}
	*ret = (struct seccomp_code){ .v = arena_memdup(arena, o->code, o->n * sizeof(*o->code)), .n = o->n,
				      .flags = o->flags, .library = arena_strdup(arena, o->library) };
	return 0;
}

static int compile_with(struct arena *arena, const struct seccomp_source *source, unsigned seconds, struct outcome *o,
			struct seccomp_code *ret, struct error *err)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		compile(arena, source, seconds, o);
	if (pid < 0)
		return error_errno(err, "%s: start a process that compiles the filter", source->name);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return o->done ? take(arena, o, ret, err) : gone_error(source, seconds, status, err);
}

int seccomp_apart_compile(struct arena *arena, const struct seccomp_source *source, unsigned seconds,
			  struct seccomp_code *ret, struct error *err)
{
	struct outcome *o = mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int result;

	if (o == MAP_FAILED)
		return error_errno(err, "%s: memory for the filter", source->name);
	result = compile_with(arena, source, seconds, o, ret, err);
	munmap(o, sizeof(*o));
	return result;
}
