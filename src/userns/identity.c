#include "userns/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/string.h"
#include "hostlib/hostlib.h"
#include "sys/fd.h"
#include "userns/nsswitch.h"

/* Our line of /etc/passwd: name and home. */
static bool find_in_file(struct arena *arena, uid_t uid, char **ret_name, char **ret_home)
{
	char *text = fd_read_file(arena, AT_FDCWD, "/etc/passwd", 1 << 20, NULL);
	char *line, *rest = text, *field[7];
	unsigned number;

	while (rest && *rest) {
		line = strsep(&rest, "\n");
		for (int i = 0; i < 7; i++)
			field[i] = line ? strsep(&line, ":") : NULL;
		if (!field[5] || !*field[0] || str_to_u32(field[2], &number) < 0 || number != uid)
			continue;
		*ret_name = field[0];
		*ret_home = field[5];
		return true;
	}
	return false;
}

/* What other sources there are; asking one costs more than joining the namespace. */
static bool find_elsewhere(struct arena *arena, uid_t uid, char **ret_name, char **ret_home)
{
	struct hostlib_who who = { .uid = uid };
	struct hostlib_account account;

	if (!nsswitch_has_other_accounts(arena) ||
	    hostlib_ask(arena, HOSTLIB_ACCOUNT, &who, &account, NULL, NULL) < 0 || str_is_empty(account.name))
		return false;
	*ret_name = account.name;
	*ret_home = account.home;
	return true;
}

static void find_user(struct arena *arena, struct identity *id)
{
	const char *env_home = getenv("HOME");
	char *home = NULL;

	if (!find_in_file(arena, id->uid, &id->user, &home) && !find_elsewhere(arena, id->uid, &id->user, &home))
		id->user = arena_printf(arena, "%u", id->uid);
	if (env_home && env_home[0] == '/')
		home = arena_strdup(arena, env_home);
	id->home = str_is_empty(home) ? (char *)"/" : home;
}

static char *xdg_directory(struct arena *arena, const struct identity *id, const char *variable, const char *below_home)
{
	const char *value = getenv(variable);

	if (value && value[0] == '/')	/* the specification wants relative ones ignored */
		return arena_strdup(arena, value);
	return arena_printf(arena, "%s/%s", str_eq(id->home, "/") ? "" : id->home, below_home);
}

/* 1: it is; 0: it is not. What cannot be told now (-1, err) must not be answered with no: in another directory nothing would
 * be known of what runs. */
static int is_ours(const char *path, uid_t uid, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (!S_ISDIR(st.st_mode) || st.st_uid != uid)
			return 0;
		if (access(path, W_OK) == 0)
			return 1;
	}
	return error_passes(errno) ? error_errno(err, "look at the runtime directory %s", path) : 0;
}

/* Makes our directory, or checks the one that is there: in /tmp anybody could have put it. */
static int private_directory(const char *path, uid_t uid, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make the runtime directory %s", path);
	if (lstat(path, &st) == 0 && st.st_uid != uid) {
		error_set(err, ERROR_DENIED, "the runtime directory %s belongs to user %u", path, st.st_uid);
		return error_hint(err, "export XDG_RUNTIME_DIR=DIR, a directory of yours with mode 0700");
	}
	fd = fd_open_dir(AT_FDCWD, path);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != uid) {
		error_errno(err, "open the runtime directory %s", path);
		return error_hint(err, "export XDG_RUNTIME_DIR=DIR, a directory of yours with mode 0700");
	}
	if (st.st_mode & 022) {
		error_set(err, ERROR_DENIED, "others can write to the runtime directory %s (mode %04o)", path,
			  st.st_mode & 07777);
		return error_hint(err, "chmod 700 %s, if nobody has put anything there", path);
	}
	if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
		return error_errno(err, "close the runtime directory %s to others", path);
	return 0;
}

/* The number in the names of our directories. Inside of a rootless namespace (`unshare`) root still is the user who
 * made it, and finds the same places. */
static uint32_t uid_outside(struct arena *arena, uid_t uid)
{
	struct id_maps own;
	uint32_t outside;

	if (uid != 0 || idmap_read(arena, 0, &own, NULL) < 0)
		return uid;
	outside = idmap_to_outside(&own.uid, 0);
	return outside == ID_NONE ? uid : outside;
}

static int find_runtime_dir(struct arena *arena, struct identity *id, struct error *err)
{
	const char *value = getenv("XDG_RUNTIME_DIR");
	uint32_t number = uid_outside(arena, id->uid);
	char *usual = arena_printf(arena, "/run/user/%u", number);	/* su, cron and batch systems forget the variable */
	const char *chosen = value;
	int ours = value && value[0] == '/' ? is_ours(value, id->uid, err) : 0;

	if (ours == 0)
		ours = is_ours(chosen = usual, id->uid, err);
	if (ours < 0)
		return -1;
	id->runtime_dir_is_fallback = !ours;
	id->runtime_dir = ours ? arena_printf(arena, "%s/bryo", chosen) : arena_printf(arena, "/tmp/bryo-%u", number);
	return private_directory(id->runtime_dir, id->uid, err);
}

static int read_groups(struct arena *arena, struct identity *id, struct error *err)
{
	int n = getgroups(0, NULL);

	if (n < 0)
		return error_errno(err, "read the supplementary groups");
	id->groups.v = arena_new_array(arena, gid_t, (size_t)n + 1);
	n = getgroups(n, id->groups.v);
	if (n < 0)
		return error_errno(err, "read the supplementary groups");
	id->groups.n = (size_t)n;
	return 0;
}

#define INITIAL_USER_NS 0xEFFFFFFDu	/* the inode is fixed: PROC_USER_INIT_INO */

/* Someone who entered another user namespace, and shares the runtime directory, has a holder of his own. */
static int find_record_name(struct arena *arena, struct identity *id, struct error *err)
{
	struct stat ns = { .st_ino = INITIAL_USER_NS };		/* that of a machine without /proc */

	if (stat("/proc/self/ns/user", &ns) < 0 && error_passes(errno))
		return error_errno(err, "look at the user namespace");
	id->record = ns.st_ino == INITIAL_USER_NS ? arena_strdup(arena, "holder") :
		     arena_printf(arena, "holder-%ju", (uintmax_t)ns.st_ino);
	return 0;
}

int userns_identify(struct arena *arena, struct identity *ret, struct error *err)
{
	struct identity id = { .uid = getuid(), .gid = getgid() };
	char cwd[4096];

	find_user(arena, &id);
	id.data_dir = arena_printf(arena, "%s/bryo", xdg_directory(arena, &id, "XDG_DATA_HOME", ".local/share"));
	id.config_dir = xdg_directory(arena, &id, "XDG_CONFIG_HOME", ".config");
	id.cwd = arena_strdup(arena, getcwd(cwd, sizeof(cwd)) && cwd[0] == '/' ? cwd : "/");
	if (find_record_name(arena, &id, err) < 0 || find_runtime_dir(arena, &id, err) < 0 || read_groups(arena, &id, err) < 0)
		return -1;
	*ret = id;
	return 0;
}
