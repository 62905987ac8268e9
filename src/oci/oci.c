#include "oci/oci.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/record.h"
#include "sys/fd.h"

static char *absolute(struct arena *arena, const char *path)
{
	_cleanup_buffer_ struct buffer here = BUFFER(8192);

	if (*path == '/' || buffer_reserve(&here, 4096) < 0 || !getcwd(here.data, 4096))
		return arena_strdup(arena, path);
	return arena_printf(arena, "%s/%s", here.data, path);
}

/* A directory that anybody could have made must be ours alone. */
static int private_directory(struct arena *arena, char **ret, struct error *err)
{
	char *path = arena_printf(arena, "/tmp/bryo-%u", geteuid());
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", path);
	if (lstat(path, &st) < 0)
		return error_errno(err, "look at %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077)) {
		error_set(err, ERROR_DENIED, "%s is not a directory of this user's alone", path);
		return error_hint(err, "set XDG_RUNTIME_DIR, or name a directory by --root");
	}
	*ret = arena_printf(arena, "%s/oci", path);
	return 0;
}

/* Callers give some of the calls nothing but XDG_RUNTIME_DIR: the place may depend on nothing else. */
static int default_root(struct arena *arena, char **ret, struct error *err)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (!str_is_empty(runtime) && *runtime == '/') {
		*ret = arena_printf(arena, "%s/bryo/oci", runtime);
		return 0;
	}
	if (geteuid() != 0)
		return private_directory(arena, ret, err);
	*ret = arena_strdup(arena, "/run/bryo/oci");
	return 0;
}

int oci_open(struct oci *o, struct arena *arena, const struct oci_options *options, struct error *err)
{
	o->arena = arena;
	o->root_fd = -1;
	o->cgroup_manager = str_is_empty(options->cgroup_manager) ? "cgroupfs" : options->cgroup_manager;
	if (str_is_empty(options->root))
		return default_root(arena, &o->root, err);
	o->root = absolute(arena, options->root);
	return 0;
}

void oci_warn(struct oci *o, const char *fmt, ...)
{
	va_list ap;

	if (!o->warn)
		return;
	va_start(ap, fmt);
	o->warn(o->context, arena_vprintf(o->arena, fmt, ap));
	va_end(ap);
}
