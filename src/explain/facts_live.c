/* The facts of a running container: its process and its mounts as they are */
#include "explain/facts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "run/run.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/inroot.h"

#define STATUS_MAX (64 << 10)

/* --- the process */
static const char *status_of(const char *text, const char *name)
{
	const char *at = str_starts(text, name) ? text : strstr(text, name);

	return at ? at + strlen(name) : "";
}

/* The second number of "Uid:\t1\t2\t3\t4": the effective one. */
static uint32_t effective(const char *text)
{
	char *end;

	strtoul(text, &end, 10);
	return (uint32_t)strtoul(end, NULL, 10);
}

static void take_groups(struct engine *e, const char *text, struct access_process *p)
{
	char *end;

	for (;; text = end) {
		uint32_t id = (uint32_t)strtoul(text, &end, 10), host;

		if (end == text || (*end != ' ' && *end != '\n'))
			return;
		host = id == 65534 ? ID_NONE : idmap_to_outside(&e->identity.maps.gid, id);
		*ARRAY_ADD(e->arena, &p->host_groups) = host;
		if (idmap_to_inside(&p->maps.gid, host) != ID_NONE)
			*ARRAY_ADD(e->arena, &p->groups) = idmap_to_inside(&p->maps.gid, host);
		if (*end == '\n' || end[1] == '\n')
			return;
	}
}

static int take_process(struct engine *e, const struct container *c, pid_t pid, const struct id_maps *own,
			struct access_process *ret, struct error *err)
{
	_cleanup_fd_ int fd = open(arena_printf(e->arena, "/proc/%d/status", pid), O_RDONLY | O_CLOEXEC);
	size_t size;
	char *text = fd < 0 ? NULL : fd_read_regular(e->arena, fd, STATUS_MAX, &size);

	if (!text)
		return error_errno(err, "read the state of process %d of container %s", pid, c->name);
	*ret = (struct access_process){ .maps = facts_host_maps(e->arena, own, &e->identity.maps) };
	ret->host_uid = idmap_to_outside(&e->identity.maps.uid, effective(status_of(text, "\nUid:")));
	ret->host_gid = idmap_to_outside(&e->identity.maps.gid, effective(status_of(text, "\nGid:")));
	ret->uid = idmap_to_inside(&ret->maps.uid, ret->host_uid);
	ret->gid = idmap_to_inside(&ret->maps.gid, ret->host_gid);
	ret->capabilities = strtoull(status_of(text, "\nCapEff:"), NULL, 16);
	ret->no_new_privileges = strtoul(status_of(text, "\nNoNewPrivs:"), NULL, 10) != 0;
	ret->selinux_label = c->process_label;
	take_groups(e, status_of(text, "\nGroups:"), ret);
	return 0;
}

/* --- mounts */
static bool is_listed(const char *const *paths, const char *path)
{
	while (*paths && strcmp(*paths, path) != 0)
		paths++;
	return *paths != NULL;
}

static const struct container_mount *asked_for(const struct container *c, const char *point)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (str_eq(c->mounts.v[i].destination, point))
			return &c->mounts.v[i];
	return NULL;
}

static bool is_made_inside(const struct mount_info *info)
{
	static const char *const types[] = { "tmpfs", "mqueue", "devpts", NULL };

	return is_listed(types, info->fstype);
}

static bool is_read_only(const char *host)
{
	struct statfs st;

	return host && statfs(host, &st) == 0 && (st.f_flags & ST_RDONLY);
}

static bool is_no_exec(const char *host)
{
	struct statfs st;

	return host && statfs(host, &st) == 0 && (st.f_flags & ST_NOEXEC);
}

static enum access_cause cause_of(const struct container *c, const char *point, const char *host)
{
	if (strcmp(point, "/") == 0)
		return CAUSE_ROOT;
	if (is_listed(run_readonly_paths, point))
		return CAUSE_READONLY_PATH;
	if (is_listed(run_masked_paths, point))
		return CAUSE_MASKED;
	return is_read_only(host) ? CAUSE_LOCKED : CAUSE_REQUEST;
}

static void add_mount(struct scene *s, const struct container *c, int root, const struct mount_info *info)
{
	const struct container_mount *m = asked_for(c, info->point);
	struct access_mount *mount = arena_new_one(s->arena, struct access_mount);
	bool is_root = strcmp(info->point, "/") == 0;
	char *host = is_root ? c->rootfs : m && str_eq(m->source, "tmpfs") ? NULL : m ? m->source : NULL;
	int fd = inroot_open(root, info->point, O_PATH, 0);
	struct scene_place *p;

	if (fd < 0)
		return;
	mount->fstype = info->fstype;
	mount->own_ids = mount->in_user_namespace = (is_root && !c->rootfs) || (!m && is_made_inside(info)) ||
						    (m && strcmp(m->type, "tmpfs") == 0);
	p = scene_add(s, info->point, fd, host, mount);
	mount->read_only_cause = cause_of(c, info->point, host);
	mount->no_exec_cause = is_no_exec(host) ? CAUSE_LOCKED : CAUSE_REQUEST;
	p->settings = str_starts(info->point, "/proc/sys");
}

/* Its own map; empty when it lives in the rootless namespace itself, whose map the kernel shows in ids of the host. */
static int read_own_maps(struct engine *e, pid_t pid, struct id_maps *ret, struct error *err)
{
	struct stat its, ours;

	*ret = (struct id_maps){ 0 };
	if (stat(arena_printf(e->arena, "/proc/%d/ns/user", pid), &its) < 0 || stat("/proc/self/ns/user", &ours) < 0)
		return error_errno(err, "look at the user namespace of process %d", pid);
	return its.st_ino == ours.st_ino ? 0 : idmap_read(e->arena, pid, ret, err);
}

int facts_of_running(struct engine *e, const struct outside *o, const struct container *c, const struct container_state *state,
		     struct scene *ret_scene, struct access_process *ret, struct error *err)
{
	pid_t pid = (pid_t)state->pid;
	_cleanup_fd_ int root = open(arena_printf(e->arena, "/proc/%d/root", pid), O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct mount_table table;
	struct id_maps own;

	if (root < 0)
		return error_errno(err, "look into container %s", c->name);
	if (read_own_maps(e, pid, &own, err) < 0 || take_process(e, c, pid, &own, ret, err) < 0 ||
	    mount_read_table(e->arena, arena_printf(e->arena, "/proc/%d/mountinfo", pid), &table, err) < 0)
		return -1;
	*ret_scene = (struct scene){ .arena = e->arena, .outside = o, .rootless = &e->identity.maps, .own = own,
				     .chown_uid = ret->host_uid, .chown_gid = ret->host_gid, .table = table,
				     .table_is_read = true, .net_admin = ret->capabilities & CAPS_BIT(CAP_NET_ADMIN) };
	for (size_t i = 0; i < table.n; i++)
		add_mount(ret_scene, c, root, &table.v[i]);
	return 0;
}
