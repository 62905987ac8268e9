#include "net/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "net/helper.h"
#include "net/pid_record.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define RECORD "gateway"	/* in the runtime directory: "PID START-TIME" of the supervisor */
#define READY_TIMEOUT_MS 10000
#define END_TIMEOUT_MS 2000

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define DELIVER "meta mark set " TEXT(GATEWAY_MARK) " accept\n"
#define FIRST_SEGMENT "tcp flags & (fin | syn | rst | ack) == syn"
#define LATER_SEGMENT "tcp flags & (fin | syn | rst | ack) != syn"

/* A first segment that comes from out0 was written there by the gateway, which is ready for the connection: it goes to the
 * listening socket. A first segment from elsewhere goes the usual way, out, even when a socket remembers a connection of
 * these ports. All else that belongs to a transparent socket is delivered. */
const char *gateway_rules(void)
{
	return "table inet bryo_gateway\n"
	       "delete table inet bryo_gateway\n"
	       "table inet bryo_gateway {\n"
	       "	chain prerouting {\n"
	       "		type filter hook prerouting priority mangle; policy accept;\n"
	       "		" LATER_SEGMENT " socket transparent 1 " DELIVER
	       "		iifname \"" GATEWAY_INTERFACE "\" " FIRST_SEGMENT " meta nfproto ipv4 tproxy ip to 127.0.0.1:"
						TEXT(GATEWAY_PORT) " " DELIVER
	       "		iifname \"" GATEWAY_INTERFACE "\" " FIRST_SEGMENT " meta nfproto ipv6 tproxy ip6 to [::1]:"
						TEXT(GATEWAY_PORT) " " DELIVER
	       "		meta l4proto udp socket transparent 1 " DELIVER
	       "	}\n"
	       "}\n";
}

/* --- the record */

static int write_record(const char *runtime_dir, pid_t pid, struct error *err)
{
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir);

	if (dir < 0 || pid_record_write(dir, RECORD, pid) < 0)
		return error_errno(err, "write %s/" RECORD, runtime_dir);
	return 0;
}

/* A pidfd of the recorded process; -1 when it does not run. */
static int open_recorded(const char *runtime_dir, pid_t *ret_pid)
{
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir);

	return dir < 0 ? -1 : pid_record_open(dir, RECORD, ret_pid);
}

bool gateway_is_running(const char *runtime_dir)
{
	_cleanup_fd_ int pidfd = open_recorded(runtime_dir, NULL);

	return pidfd >= 0 && pidfd_wait_exit(pidfd, 0) == 0;
}

/* Among the descriptors of a process, which is still the recorded one when this has found it. */
static int find_namespace(pid_t pid)
{
	char path[64], target[32];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = fd_opendir(AT_FDCWD, path);
	while (dir && (entry = fd_next_entry(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[n < 0 ? 0 : n] = '\0';
		if (str_starts(target, "net:["))	/* what it is when it is opened may be something else, a pipe */
			return openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	}
	return -1;
}

int gateway_open_namespace(const char *runtime_dir)
{
	pid_t pid;
	_cleanup_fd_ int pidfd = open_recorded(runtime_dir, &pid), ns = pidfd < 0 ? -1 : find_namespace(pid);

	return ns < 0 || pidfd_wait_exit(pidfd, 0) != 0 ? -1 : fd_take(&ns);
}

void gateway_stop(const char *runtime_dir)
{
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir), pidfd = open_recorded(runtime_dir, NULL);

	if (pidfd >= 0) {
		pidfd_signal(pidfd, SIGKILL);	/* the worker dies with it */
		pidfd_wait_exit(pidfd, END_TIMEOUT_MS);
	}
	if (dir >= 0)
		unlinkat(dir, RECORD, 0);
}

/* --- starting */

static bool await_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	int n;

	do
		n = poll(&p, 1, READY_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 && read(fd, &byte, 1) == 1;
}

static int start(struct arena *arena, int netns, int ready, const char *runtime_dir, struct helper_process *ret,
		 struct error *err)
{
	const char *program = spawn_own_program(arena, "bryo-gateway", err);
	int pass[] = { netns, ready };
	struct strings argv = { 0 };
	struct helper h = { .program = program, .argv = &argv, .pass = pass, .pass_n = ELEMENTS(pass),
			    .runtime_dir = runtime_dir };

	if (!program)
		return -1;
	strings_add(arena, &argv, "bryo-gateway");
	strings_addf(arena, &argv, "%d", netns);
	strings_addf(arena, &argv, "%d", ready);
	return helper_start(arena, &h, ret, err);
}

/* Without a word it was killed, or had no time: another one may do better. */
static int failed(const char *words, struct error *err)
{
	if (*words)
		return error_set(err, ERROR_FAILED, "start the gateway: %s", words);
	errno = ETIMEDOUT;
	return error_errno(err, "start the gateway");
}

int gateway_start(struct arena *arena, int netns, const char *runtime_dir, struct error *err)
{
	struct helper_process process;
	_cleanup_fd_ int reading = -1;
	int pipe[2], result;

	if (gateway_is_running(runtime_dir))
		return 0;
	if (fd_pipe(pipe) < 0)
		return error_errno(err, "start the gateway");
	reading = pipe[0];
	result = start(arena, netns, pipe[1], runtime_dir, &process, err);
	close(pipe[1]);
	if (result < 0)
		return -1;
	if (await_ready(reading)) {
		result = write_record(runtime_dir, process.pid, err);
		if (result < 0)
			kill(process.pid, SIGKILL);	/* nobody would find it again, and it holds the namespace */
	} else {
		result = failed(helper_words(arena, process.log), err);
	}
	close(process.log);
	return result;
}
