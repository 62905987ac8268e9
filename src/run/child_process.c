#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "run/bypass_filter.h"
#include "run/seccomp_load.h"

#define SYS_ADMIN_BIT CAPS_BIT(CAP_SYS_ADMIN)
#define INTERPRETERS_MAX 5

/* --- working directory */

/* Through no magic link, and afterwards somewhere below the root: /proc/self/fd/N may lead to a directory of the host. */
static int change_directory(const struct op *op, const char **ret_what)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	char here[4097];
	int result, fd = (int)syscall(SYS_openat2, AT_FDCWD, op->target, &how, sizeof(how));

	if (fd < 0)
		return -1;
	result = fchdir(fd);
	close(fd);
	if (result < 0)
		return -1;
	*ret_what = "outside of the root";
	if (syscall(SYS_getcwd, here, sizeof(here) - 1) < 0)
		return errno == ERANGE ? 0 : -1;
	if (here[0] != '/') {
		errno = EXDEV;
		return -1;
	}
	return 0;
}

/* --- user */

static int set_groups(const struct plan_process *p)
{
	if (p->keep_groups)
		return 0;
	if (setgroups(p->groups_n, p->groups) == 0)
		return 0;
	/* With a single mapped id the kernel denies setgroups altogether; then there is nothing to drop either. */
	return errno == EPERM && p->groups_n == 0 ? 0 : -1;
}

/* The process keeps CAP_SYS_ADMIN when it needs it to load the filter (no_new_privs is not set). */
static uint64_t needed_later(const struct child *c)
{
	const struct plan_process *p = &c->plan->process;

	return (p->filter_n || c->plan->bypass_socket >= 0) && !p->no_new_privileges ? SYS_ADMIN_BIT : 0;
}

static int become_user(const struct child *c, const char **ret_what)
{
	const struct plan_process *p = &c->plan->process;
	uint64_t later = needed_later(c), effective, permitted, inheritable;

	*ret_what = "capget";
	if (caps_get(&effective, &permitted, &inheritable) < 0)
		return -1;
	*ret_what = "bounding set";
	if (caps_limit_bounding(p->caps.bounding) < 0)
		return -1;
	*ret_what = "PR_SET_KEEPCAPS";
	if (p->uid && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -1;
	*ret_what = "setgroups";
	if (set_groups(p) < 0)
		return -1;
	*ret_what = "setgid";
	if (setresgid(p->gid, p->gid, p->gid) < 0)
		return -1;
	*ret_what = "setuid";
	if (setresuid(p->uid, p->uid, p->uid) < 0)
		return -1;
	/* What this process does not have itself (in another container) it cannot give. */
	*ret_what = "capset";
	if (caps_set((p->caps.effective | later) & permitted, (p->caps.permitted | later) & permitted,
		     p->caps.inheritable & permitted) < 0)
		return -1;
	*ret_what = "ambient set";
	if (caps_set_ambient(p->caps.ambient & permitted) < 0)
		return -1;
	*ret_what = "PR_SET_NO_NEW_PRIVS";
	return p->no_new_privileges ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) : 0;
}

/* --- command */

/* Opens an executable of the container through no magic link: /proc/self/exe is this very program. */
static int open_program(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* Reads the interpreter of a script; 0 when it is not one (or may not be read), 1 with its path. */
static int read_interpreter(int fd, char path[256])
{
	char line[256], *start = line + 2, *end;
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return 0;
	line[n] = '\0';
	start += strspn(start, " \t");
	end = start + strcspn(start, " \t\n");
	*end = '\0';
	memcpy(path, start, (size_t)(end - start) + 1);
	return 1;
}

/* A script whose interpreter is /proc/self/exe would run this program inside the container. */
static int check_interpreters(const char *path)
{
	char interpreter[256];

	for (int depth = 0; depth < INTERPRETERS_MAX; depth++) {
		int is_script, fd = open_program(path, O_RDONLY | O_NONBLOCK);

		if (fd < 0)
			return errno == ELOOP ? -1 : 0;	/* unreadable, or missing: exec tells */
		is_script = read_interpreter(fd, interpreter);
		close(fd);
		if (!is_script)
			return 0;
		path = interpreter;
	}
	return 0;
}

int child_check_executable(const char *path, enum error_kind *ret_kind, const char **ret_what)
{
	struct stat st;
	int fd = open_program(path, O_PATH);

	*ret_kind = ERROR_NOT_EXECUTABLE;
	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			*ret_kind = ERROR_NO_COMMAND;
		return -1;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		*ret_what = "not a regular file";
		errno = EACCES;		/* as execve(2) has it */
		return -1;
	}
	close(fd);
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -1;
	return check_interpreters(path);
}

/* The first executable candidate in PATH order. As execvp does, one that may not be executed is remembered. */
static void find_command(struct child *c)
{
	const struct strings *candidates = &c->plan->process.candidates;
	enum error_kind kind, worst = ERROR_NO_COMMAND;
	const char *what = NULL;
	int number = ENOENT;

	for (size_t i = 0; i < candidates->n; i++) {
		if (child_check_executable(candidates->v[i], &kind, &what) == 0) {
			c->command = candidates->v[i];
			return;
		}
		if (kind == ERROR_NOT_EXECUTABLE && (worst != kind || candidates->n == 1)) {
			worst = kind;
			number = errno;
		} else if (candidates->n == 1) {
			number = errno;
		}
	}
	errno = number;
	child_fail(c, worst == ERROR_NOT_EXECUTABLE ? what : NULL, worst);
}

/* --- the last steps */

/* In the helper of seccomp_load, who still may speak. */
static void report_listener(void *context, const char *what)
{
	const struct child *c = context;
	struct message m = { .kind = MESSAGE_FAILED, .step = (int)c->step, .sys = errno };

	memcpy(m.what, what, strnlen(what, sizeof(m.what) - 1));
	child_send(c->sync, &m, NULL, 0);
}

/* Nothing is done between the filter and exec: a permitted set that was kept to load it (needed_later) is no part of
 * what exec gives the command (capabilities(7)). */
static int load_filter(struct child *c, const struct op *op, const char **ret_what)
{
	const struct plan_process *p = &c->plan->process;
	const struct seccomp_load load = {
		.v = p->filter, .n = p->filter_n, .flags = p->filter_flags, .listener = p->listener,
		.receiver = p->listener ? c->fds[op->slot] : -1, .pid = c->outer_pid, .report = report_listener, .context = c,
	};
	const uint64_t of_exec[3] = { (uintptr_t)c->command, (uintptr_t)p->argv, (uintptr_t)p->envp };

	if (seccomp_load_forbids(&load, SYS_execve, of_exec)) {
		*ret_what = "the seccomp filter forbids execve, which starts the command";
		errno = EPERM;
		return -1;
	}
	return seccomp_load(&load, ret_what);
}

/* Below the filter: exec alone, and where that fails what tells it. */
static _Noreturn void execute(struct child *c)
{
	const struct plan_process *p = &c->plan->process;

	execve(c->command, p->argv, p->envp);
	child_fail(c, c->command, errno == ENOENT ? ERROR_NO_COMMAND : ERROR_NOT_EXECUTABLE);
}

int child_process_op(struct child *c, const struct op *op, const char **ret_what)
{
	struct rlimit limit = { .rlim_cur = op->value, .rlim_max = op->value2 };

	switch (op->kind) {
	case OP_RLIMIT:
		return setrlimit((__rlimit_resource_t)op->flags, &limit);
	case OP_UMASK:
		umask((mode_t)op->value);
		return 0;
	case OP_CHDIR:
		if (change_directory(op, ret_what) < 0)
			child_fail(c, *ret_what, errno == ENOENT || errno == ENOTDIR ? ERROR_NO_COMMAND :
				   errno == EACCES ? ERROR_NOT_EXECUTABLE : ERROR_NONE);
		return 0;
	case OP_USER:
		return become_user(c, ret_what);
	case OP_FIND_COMMAND:
		find_command(c);
		return 0;
	case OP_READY: case OP_START:
		return child_start_op(c, op);
	case OP_LABEL_OPEN: case OP_LABEL:
		return child_label_op(c, op, ret_what);
	case OP_BYPASS:
		*ret_what = "hand over its listener";
		return bypass_filter_load(c->plan->bypass_socket, c->plan->bypass_published);
	case OP_SECCOMP:
		return load_filter(c, op, ret_what);
	default:
		execute(c);
	}
}
