#include "engine/userns_join.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/state.h"
#include "engine/userns_mode.h"
#include "sys/fd.h"

bool userns_join_is(const char *mode)
{
	return mode && (str_starts(mode, "container:") || str_starts(mode, "ns:"));
}

static bool is_own(int fd)
{
	struct stat own, st;

	return stat("/proc/self/ns/user", &own) == 0 && fstat(fd, &st) == 0 && own.st_ino == st.st_ino && own.st_dev == st.st_dev;
}

static int read_maps(struct engine *e, const char *mode, const char *path, struct id_maps *ret, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	*ret = (struct id_maps){ 0 };
	if (fd < 0)
		return error_errno(err, "--userns %s: open %s", mode, path);
	if (is_own(fd) || idmap_read_namespace(e->arena, fd, ret, err) == 0)
		return 0;
	if (errno == EINVAL)
		return error_set(err, ERROR_USAGE, "--userns %s: %s is not a user namespace", mode, path);
	if (errno == EPERM)
		return error_set(err, ERROR_DENIED, "--userns %s: this user namespace is not one of %s's: only those made inside of the "
				 "rootless namespace can be joined", mode, e->identity.user);
	return error_frame(err, "--userns %s", mode);
}

static int find_container(struct engine *e, const char *mode, const char *name, struct container *ret, struct error *err)
{
	if (container_load(e, name, ret, err) < 0)
		return error_frame(err, "--userns %s", mode);
	if (userns_join_is(ret->request.userns) && !ret->uid_map)
		return error_set(err, ERROR_STATE, "--userns %s: this container joins a namespace itself", mode);
	return 0;
}

static char *path_of(struct engine *e, const char *mode, struct error *err)
{
	const char *name = str_after(mode, "container:");
	struct container other;
	struct container_state state;

	if (!name)
		return arena_strdup(e->arena, str_after(mode, "ns:"));
	if (find_container(e, mode, name, &other, err) < 0)
		return NULL;
	if (container_load_state(e, &other, &state, err) < 0 ||
	    state_need_running(&other, &state, "join the user namespace of", err) < 0) {
		error_frame(err, "--userns %s", mode);
		return NULL;
	}
	return arena_printf(e->arena, "/proc/%lld/ns/user", (long long)state.pid);
}

int userns_join_maps(struct engine *e, const char *mode, struct id_maps *ret, struct error *err)
{
	const char *name = str_after(mode, "container:");
	struct container other;

	if (!name)
		return read_maps(e, mode, str_after(mode, "ns:"), ret, err);
	if (find_container(e, mode, name, &other, err) < 0)
		return -1;
	return userns_mode_maps(e, &other, ret, NULL, err);
}

int userns_join_path(struct engine *e, const char *mode, const struct id_maps *maps, char **ret, struct error *err)
{
	struct id_maps now;
	char *path;

	*ret = NULL;
	if (!userns_join_is(mode))
		return 0;
	path = path_of(e, mode, err);
	if (!path || read_maps(e, mode, path, &now, err) < 0)
		return -1;
	if (!idmap_equal(&now.uid, &maps->uid) || !idmap_equal(&now.gid, &maps->gid)) {
		error_set(err, ERROR_STATE, "--userns %s: the namespace has another id map now than when the container was created", mode);
		return error_hint(err, "create the container anew; its files have the owners of the old map");
	}
	if (maps->uid.n)
		*ret = path;
	return 0;
}
