#include "oci/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run/run.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define WORDS_MAX 400		/* of what a failed hook said, its end */

/* --- output */

static int open_file(const struct string_map *annotations, const char *name, int *ret, struct error *err)
{
	const char *path = map_get(annotations, name);

	if (str_is_empty(path))
		return 0;
	*ret = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	return *ret < 0 ? error_errno(err, ".annotations[\"%s\"]: %s", name, path) : 0;
}

int hooks_open_output(const struct string_map *annotations, struct hook_output *ret, struct error *err)
{
	*ret = (struct hook_output){ { -1, -1 } };
	if (open_file(annotations, "run.oci.hooks.stdout", &ret->fds[0], err) < 0)
		return -1;
	return open_file(annotations, "run.oci.hooks.stderr", &ret->fds[1], err);
}

void hooks_close_output(struct hook_output *output)
{
	fd_close(&output->fds[0]);
	fd_close(&output->fds[1]);
}

/* --- one hook */

static int state_file(const char *state, struct error *err)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, state, strlen(state)) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		error_errno(err, "write the state for it");
		fd_close(&fd);
	}
	return fd;
}

/* The end of what it said, on one line. */
static char *last_words(struct oci *o, int words)
{
	off_t size = lseek(words, 0, SEEK_END), from = size > WORDS_MAX ? size - WORDS_MAX : 0;
	char text[WORDS_MAX + 1];
	ssize_t n = pread(words, text, WORDS_MAX, from);

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	text[n > 0 ? n : 0] = '\0';
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = ' ';
	return arena_strdup(o->arena, text);
}

static int await(struct oci *o, int pidfd, const int64_t *timeout, int words, struct error *err)
{
	int code, ended = pidfd_wait_exit(pidfd, timeout ? (int)(*timeout * 1000) : -1);
	const char *said;

	if (ended == 0)
		pidfd_signal(pidfd, SIGKILL);
	code = pidfd_reap(pidfd);
	if (ended == 0)
		return error_set(err, ERROR_FAILED, "it did not end within %lld s", (long long)*timeout);
	if (code == 0)
		return 0;
	said = words >= 0 ? last_words(o, words) : "";
	return error_set(err, ERROR_FAILED, "ended with %d%s%s", code, *said ? ": " : "", said);
}

static int run_one(struct oci *o, const struct oci_hook *h, int state, int words, const struct hook_output *output,
		   struct error *err)
{
	int stdio[3] = { state, output->fds[0] >= 0 ? output->fds[0] : words,
			 output->fds[1] >= 0 ? output->fds[1] : words };
	struct strings argv = h->args, env = h->env;
	struct spawn s = { .program = h->path, .stdio = stdio };
	int pidfd, result;

	if (!argv.n)
		strings_add(o->arena, &argv, h->path);
	s.argv = argv.v;
	s.env = env.n ? env.v : environ;	/* as runc and crun have it */
	pidfd = spawn_start(&s, NULL, err);
	if (pidfd < 0)
		return -1;
	result = await(o, pidfd, h->timeout, words, err);
	close(pidfd);
	return result;
}

static int run(struct oci *o, const struct hook_list *hooks, size_t i, const char *state,
	       const struct hook_output *output, struct error *err)
{
	const struct oci_hook *h = &hooks->v[i];
	_cleanup_fd_ int file = -1, words = memfd_create("words", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	file = state_file(state, err);
	if (file < 0 || run_one(o, h, file, words, output, err) < 0)
		return error_frame(err, ".hooks.%s[%zu]: %s", hooks->name, i, h->path);
	return 0;
}

int hooks_run(struct oci *o, const struct hook_list *hooks, const struct json *state, const struct hook_output *output,
	      struct error *err)
{
	const char *text = hooks->n ? json_print(o->arena, state, 0) : NULL;

	for (size_t i = 0; i < hooks->n; i++)
		if (run(o, hooks, i, text, output, err) < 0)
			return -1;
	return 0;
}

void hooks_run_all(struct oci *o, const struct hook_list *hooks, const struct json *state,
		   const struct hook_output *output)
{
	const char *text = hooks->n ? json_print(o->arena, state, 0) : NULL;

	for (size_t i = 0; i < hooks->n; i++) {
		struct error err = { 0 };

		if (run(o, hooks, i, text, output, &err) < 0)
			oci_warn(o, "%s", err.text);
	}
}

int hooks_check(struct oci *o, const struct oci_spec *spec, struct error *err)
{
	const struct hook_list lists[] = { HOOKS(spec, prestart, "prestart"), HOOKS(spec, create_runtime, "createRuntime"),
					   HOOKS(spec, poststart, "poststart"), HOOKS(spec, poststop, "poststop") };

	for (size_t l = 0; l < ELEMENTS(lists); l++)
		for (size_t i = 0; i < lists[l].n; i++)
			if (run_check_hook(&lists[l].v[i], arena_printf(o->arena, ".hooks.%s[%zu]", lists[l].name, i), err) < 0)
				return -1;
	return 0;
}
