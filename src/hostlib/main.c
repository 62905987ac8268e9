/* bryo-hostlib: one call of a library of this host, on behalf of bryo (see hostlib/hostlib.h).
 *
 * Linked dynamically, so that it may load what is installed. A host that lacks a library has all other calls. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "hostlib/account.h"
#include "hostlib/filter.h"
#include "hostlib/libseccomp.h"
#include "hostlib/subordinate.h"
#include "hostlib/unit.h"
#include "sys/fd.h"

#define REQUEST_MAX ((size_t)64 << 20)

typedef int call_do(struct arena *arena, const void *request, void *ret_answer, struct error *err);

/* A second more, and the kernel kills. */
static int compile_filter(struct arena *arena, const void *request, void *ret_answer, struct error *err)
{
	const struct hostlib_rules *rules = request;
	const struct rlimit time = { .rlim_cur = rules->seconds, .rlim_max = rules->seconds + 1 }, none = { 0 };

	setrlimit(RLIMIT_CPU, &time);
	setrlimit(RLIMIT_CORE, &none);
	return filter_compile(arena, request, ret_answer, err);
}

static call_do *const calls[HOSTLIB_CALLS] = {
	[HOSTLIB_COMPILE_FILTER] = compile_filter,
	[HOSTLIB_DESCRIBE_SECCOMP] = libseccomp_describe,
	[HOSTLIB_START_UNIT] = unit_start,
	[HOSTLIB_SET_UNIT] = unit_set,
	[HOSTLIB_ATTACH_TO_UNIT] = unit_attach,
	[HOSTLIB_STOP_UNIT] = unit_stop,
	[HOSTLIB_ACCOUNT] = account_find,
	[HOSTLIB_SUBORDINATE_IDS] = subordinate_ids,
};

static int find(const char *name)
{
	for (int i = 0; i < HOSTLIB_CALLS; i++)
		if (str_eq(hostlib_forms[i].name, name))
			return i;
	return -1;
}

static void *room_for(struct arena *arena, const struct json_shape *shape)
{
	return shape ? arena_alloc(arena, shape->size) : NULL;
}

/* The answer as a text, NULL with an error. */
static char *serve(struct arena *arena, int call, struct error *err)
{
	const struct hostlib_form *form = &hostlib_forms[call];
	void *request = room_for(arena, form->request), *answer = room_for(arena, form->answer);
	struct buffer text = BUFFER(REQUEST_MAX);

	if (fd_read_buffer(STDIN_FILENO, &text) < 0) {
		error_errno(err, "read the request");
		return NULL;
	}
	if (request && json_decode(arena, form->request, request, text.data ? text.data : "", text.size, "request", err) < 0)
		return NULL;
	if (calls[call](arena, request, answer, err) < 0)
		return NULL;
	return answer ? json_print(arena, json_encode(arena, form->answer, answer), 0) : arena_strdup(arena, "{}");
}

/* Libraries may print: standard output becomes standard error, the answer's way gets another number. */
static int take_output(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	dup2(STDERR_FILENO, STDOUT_FILENO);
	return fd;
}

int main(int argc, char **argv)
{
	int call = argc == 2 ? find(argv[1]) : -1, output;
	struct arena *arena = arena_new();
	struct error err = { 0 };
	char *answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (call < 0) {
		fprintf(stderr, "bryo-hostlib is started by bryo and is of no use alone\n");
		return 125;
	}
	output = take_output();
	answer = serve(arena, call, &err);
	if (error_send(output, &err) == 0 && answer && fd_write_all(output, answer, strlen(answer)) == 0)
		_exit(0);
	_exit(err.kind ? 0 : 125);
}
