#include "oci/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define REQUEST_MAX ((size_t)1 << 20)
#define ANSWER_MAX 65536
#define LOG_MAX ((size_t)64 << 20)

/* --- the program */

/* criu calls programs by their names that are in the sbin directories, and callers have poor environments. */
static char **environment(struct arena *arena)
{
	struct strings env = { 0 };
	const char *path = getenv("PATH");

	for (char **at = environ; *at; at++)
		if (!str_starts(*at, "PATH="))
			strings_add(arena, &env, *at);
	strings_addf(arena, &env, "PATH=%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", path ? path : "/usr/local/bin");
	return env.v;
}

static pid_t start(const struct criu *c, const struct criu_call *call, int socket, int *ret_pidfd, struct error *err)
{
	struct arena *arena = c->o->arena;
	int *pass = arena_new_array(arena, int, call->pass_n + 1);
	char *argv[] = { (char *)"criu", (char *)"swrk", arena_printf(arena, "%d", socket), NULL };
	struct spawn s = { .program = c->program, .argv = argv, .env = environment(arena), .pass = pass,
			   .pass_n = call->pass_n + 1, .stdio = call->own_stdio ? NULL : (const int[3]){ -1, -1, -1 } };
	pid_t pid = -1;

	for (size_t i = 0; i < call->pass_n; i++)
		pass[i] = call->pass[i];
	pass[call->pass_n] = socket;
	*ret_pidfd = spawn_start(&s, &pid, err);
	return pid;
}

/* --- the conversation */

static int say(const struct criu_request *r, int socket, struct error *err)
{
	_cleanup_buffer_ struct buffer message = BUFFER(REQUEST_MAX);

	if (criu_request_encode(r, &message) < 0 || send(socket, message.data, message.size, MSG_NOSIGNAL) < 0)
		return error_errno(err, "criu: send it a request");
	return 0;
}

/* A descriptor that comes with it is *ret_fd, else -1. 1: an answer, 0: criu has ended */
static int listen_to(const struct criu *c, int socket, struct criu_answer *ret, int *ret_fd, struct error *err)
{
	char *bytes = arena_alloc(c->o->arena, ANSWER_MAX);
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { bytes, ANSWER_MAX };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control) };
	struct cmsghdr *passed;
	ssize_t n;

	do
		n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 || errno == ECONNRESET ? 0 : error_errno(err, "criu: listen to it");
	passed = CMSG_FIRSTHDR(&header);
	*ret_fd = -1;
	if (passed && passed->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(passed), sizeof(int));
	if (!(header.msg_flags & MSG_TRUNC) && criu_answer_decode(c->o->arena, bytes, (size_t)n, ret) == 0)
		return 1;
	fd_close(ret_fd);
	return error_set(err, ERROR_FAILED, "criu: its answer is not understood");
}

/* Tells the caller, and criu what came of it. After a failure criu takes back what it did and says so. */
static int notify(const struct criu_call *call, int socket, const struct criu_answer *a, int fd, struct error *err)
{
	struct criu_request answer = { .type = CRIU_NOTIFY, .success = true };
	int result = 0;

	if (call->notified)
		result = call->notified(call->context, a->script ? a->script : "", (pid_t)a->pid, fd, err);
	else
		fd_close(&fd);
	answer.success = result == 0;
	return say(&answer, socket, result == 0 ? err : NULL) < 0 ? -1 : result;
}

/* 0 with the last answer; its success may be false. */
static int converse(const struct criu *c, const struct criu_call *call, const struct criu_request *r, int socket,
		    struct criu_answer *ret, struct error *err)
{
	bool told_failure = false;

	*ret = (struct criu_answer){ 0 };
	if (say(r, socket, err) < 0)
		return errno == EPIPE ? 0 : -1;		/* it has ended */
	for (;;) {
		int fd = -1, result = listen_to(c, socket, ret, &fd, told_failure ? NULL : err);

		if (result < 0)
			return -1;
		if (result == 0) {
			*ret = (struct criu_answer){ 0 };
			return told_failure ? -1 : 0;
		}
		if (ret->type != CRIU_NOTIFY) {
			fd_close(&fd);
			return told_failure ? -1 : 0;
		}
		if (notify(call, socket, ret, fd, told_failure ? NULL : err) < 0)
			told_failure = true;
	}
}

static int ask(const struct criu *c, const struct criu_call *call, const struct criu_request *r, struct criu_answer *ret,
	       struct error *err)
{
	int ends[2], pidfd = -1, result = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "criu: make a socket to it");
	pid = start(c, call, ends[1], &pidfd, err);
	close(ends[1]);
	if (pidfd >= 0 && (!call->started || call->started(call->context, pid, err) == 0))
		result = converse(c, call, r, ends[0], ret, err);
	close(ends[0]);
	if (pidfd >= 0)
		pidfd_reap(pidfd);
	fd_close(&pidfd);
	return result;
}

/* --- failures */

/* Without what criu's log has before it: "(00.012) Error (criu/x.c:12): ". */
static char *plain(const char *line)
{
	const char *error = strstr(line, "Error ("), *end = error ? strstr(error, "): ") : NULL;

	return (char *)(end ? end + strlen("): ") : line);
}

static char *one_line(struct arena *arena, const char *text)
{
	return str_printable(arena, arena_strndup(arena, plain(text), strcspn(plain(text), "\n")), 300);
}

static char *first_error(struct arena *arena, const char *log)
{
	char *text = log ? fd_read_file(arena, AT_FDCWD, log, LOG_MAX, NULL) : NULL, *error;

	error = text ? strstr(text, "Error (") : NULL;
	return error ? one_line(arena, error) : NULL;
}

static char *version_text(const struct criu *c)
{
	return arena_printf(c->o->arena, "%d.%d.%d", c->version / 10000, c->version / 100 % 100, c->version % 100);
}

/* Does criu work on this machine? Its own check knows: then *ret_why is NULL. */
static void check(const struct criu *c, char **ret_why)
{
	char *argv[] = { (char *)"criu", (char *)"check", NULL }, *out = NULL, *words = NULL;
	struct spawn s = { .program = c->program, .argv = argv, .env = environment(c->o->arena) };
	int code = spawn_run(c->o->arena, &s, &out, &words, NULL);

	*ret_why = NULL;
	if (code != 0)
		*ret_why = str_is_empty(words) ? arena_printf(c->o->arena, "criu check ended with %d", code) :
						 one_line(c->o->arena, words);
}

static int failed(const struct criu *c, const struct criu_call *call, const struct criu_answer *a, struct error *err)
{
	char *words = first_error(c->o->arena, call->log), *why;

	check(c, &why);
	if (why) {
		error_set(err, ERROR_UNSUPPORTED, "criu %s does not work on this machine: %s", version_text(c), why);
		return error_hint(err, "a newer criu may work; `criu check` tells");
	}
	if (!words && !str_is_empty(a->message))
		words = one_line(c->o->arena, a->message);
	error_set(err, ERROR_FAILED, "criu: %s", words ? words : a->type ? "it failed" : "it ended without an answer");
	return call->log ? error_hint(err, "all that criu says is in %s", call->log) : -1;
}

int criu_do(const struct criu *c, const struct criu_call *call, pid_t *ret_pid, struct error *err)
{
	struct criu_request r = { .type = call->type, .options = call->options };
	struct criu_answer answer = { 0 };

	if (ask(c, call, &r, &answer, err) < 0)
		return -1;
	if (!answer.success)
		return failed(c, call, &answer, err);
	if (ret_pid)
		*ret_pid = (pid_t)answer.pid;
	return 0;
}

bool criu_has(const struct criu *c, const char *feature)
{
	bool mem_track = str_eq(feature, "mem_track");
	struct criu_options none = { .images_fd = -1 };
	struct criu_request r = { .type = CRIU_FEATURE_CHECK, .options = &none, .mem_track = mem_track, .lazy_pages = !mem_track };
	struct criu_answer answer = { 0 };

	return ask(c, &(struct criu_call){ 0 }, &r, &answer, NULL) == 0 && answer.success &&
	       (mem_track ? answer.mem_track : answer.lazy_pages);
}

/* --- finding it */

static int ask_version(struct criu *c, struct error *err)
{
	struct criu_request r = { .type = CRIU_VERSION };
	struct criu_answer a = { 0 };

	if (ask(c, &(struct criu_call){ 0 }, &r, &a, err) < 0)
		return -1;
	if (!a.success)
		return error_set(err, ERROR_UNSUPPORTED, "%s does not tell its version", c->program);
	c->version = a.major * 10000 + a.minor * 100 + a.sublevel;
	return 0;
}

int criu_find(struct oci *o, const char *what, struct criu *ret, struct error *err)
{
	*ret = (struct criu){ .o = o };
	if (geteuid() != 0)
		return error_set(err, ERROR_UNSUPPORTED, "%s needs root: criu does not work for other users", what);
	ret->program = spawn_find(o->arena, "criu");
	if (!ret->program) {
		error_set(err, ERROR_UNSUPPORTED, "%s needs criu, which is not installed", what);
		return error_hint(err, "install criu");
	}
	if (ask_version(ret, err) < 0)
		return -1;
	if (ret->version >= CRIU_VERSION_MIN)
		return 0;
	return error_set(err, ERROR_UNSUPPORTED, "%s needs criu 3.15 or newer: %s is %s", what, ret->program, version_text(ret));
}
