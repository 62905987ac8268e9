#include "cgroup/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/fd.h"

static bool has_new_namespace(const struct oci_linux *l, const char *type)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, type))
			return str_is_empty(l->namespaces.v[i].path);
	return false;
}

static bool has_namespace(const struct oci_linux *l, const char *type)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, type))
			return true;
	return false;
}

static bool is_mounted_writable(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct oci_mount *m = &spec->mounts.v[i];

		if (str_eq(m->source, "cgroup") && str_eq(m->destination, "/sys/fs/cgroup"))
			return !strings_has(&m->options, "ro");
	}
	return false;
}

bool owner_wanted(const struct oci_spec *spec, uid_t *ret)
{
	uint64_t uid = spec->process ? spec->process->user.uid : 0;
	const struct oci_linux *l = spec->linux_;

	if (!l || !has_new_namespace(l, "cgroup") || !is_mounted_writable(spec))
		return false;
	*ret = (uid_t)uid;
	for (size_t i = 0; i < l->uid_mappings.n; i++) {
		const struct oci_id_mapping *m = &l->uid_mappings.v[i];

		if (uid >= m->container_id && uid - m->container_id < m->size) {
			*ret = (uid_t)(m->host_id + (uid - m->container_id));
			return true;
		}
	}
	return l->uid_mappings.n == 0 && !has_namespace(l, "user");
}

int owner_give(struct arena *arena, int cgroup_fd, uid_t owner)
{
	static const char fallback[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	const char *files = fd_read_file(arena, AT_FDCWD, "/sys/kernel/cgroup/delegate", 65536, NULL);
	struct strings names = strings_split(arena, files ? files : fallback, "\n");

	if (fchown(cgroup_fd, owner, (gid_t)-1) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (*names.v[i] && !strchr(names.v[i], '/') &&
		    fchownat(cgroup_fd, names.v[i], owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return -1;
	return 0;
}
