#include "transfer/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "transfer/sandbox_filter.h"

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define DIRECTORY_RIGHTS                                                                              \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |  \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |     \
	 LANDLOCK_ACCESS_FS_REFER)
#define OBJECTS_RIGHTS                                                                                \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |               \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REFER)
#define HANDLED                                                                                       \
	(DIRECTORY_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_SOCK |               \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK)
#define FILE_SIZE_MAX ((rlim_t)1 << 41)
#define MEMORY_MAX ((rlim_t)2 << 30)

static void limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(what, &r) < 0)
		return;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
		r.rlim_max = most;
	if (r.rlim_cur == RLIM_INFINITY || r.rlim_cur > r.rlim_max)
		r.rlim_cur = r.rlim_max;
	setrlimit(what, &r);
}

static void set_limits(size_t memory)
{
	struct rlimit files;

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, FILE_SIZE_MAX);
	signal(SIGXFSZ, SIG_IGN);
#ifndef __SANITIZE_ADDRESS__
	limit(RLIMIT_DATA, memory ? memory : MEMORY_MAX);
#endif
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int allow(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

static void allow_path(int ruleset, const char *path)
{
	_cleanup_fd_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		allow(ruleset, fd, S_ISDIR(st.st_mode) ? READ_RIGHTS : LANDLOCK_ACCESS_FS_READ_FILE);
}

static int add_rules(int ruleset, const struct sandbox *s, uint64_t extra)
{
	/* Certificates, name service and its plug-ins, locales; the resolver's file lies in /run at times. */
	static const char *const system[] = { "/etc", "/usr", "/lib", "/lib64", "/run", "/var/lib/sss", "/nix/store",
					      "/gnu/store", "/dev/null", "/dev/urandom" };

	for (size_t i = 0; i < s->writable_n; i++)
		if (allow(ruleset, s->writable[i], DIRECTORY_RIGHTS | extra) < 0)
			return -1;
	for (size_t i = 0; i < s->readable_n; i++)
		if (allow(ruleset, s->readable[i], READ_RIGHTS) < 0)
			return -1;
	if (s->objects && allow(ruleset, *s->objects, OBJECTS_RIGHTS | extra) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(system); i++)
		allow_path(ruleset, system[i]);
	if (s->readable_path)
		allow_path(ruleset, s->readable_path);
	return 0;
}

static int restrict_files(const struct sandbox *s, struct error *err)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = HANDLED };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	_cleanup_fd_ int ruleset = -1;
	uint64_t extra = abi >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;

	if (abi < 2)
		return 0;
	attr.handled_access_fs |= extra;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return error_errno(err, "make landlock rules");
	if (add_rules(ruleset, s, extra) < 0)
		return error_errno(err, "add a landlock rule");
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_errno(err, "apply landlock rules");
	return 0;
}

int sandbox_enter(const struct sandbox *s, struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "give up new privileges");
	set_limits(s->memory);
	if (restrict_files(s, err) < 0)
		return -1;
	return sandbox_filter(false, err);
}

int sandbox_no_network(struct error *err)
{
	return sandbox_filter(true, err);
}
