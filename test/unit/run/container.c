#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/pidfd.h"

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

bool container_enter_namespace(const char **ret_why)
{
	char map[64], group_map[64];

	snprintf(map, sizeof(map), "0 %u 1\n", getuid());
	snprintf(group_map, sizeof(group_map), "0 %u 1\n", getgid());
	*ret_why = "user namespaces are refused here";
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return false;
	*ret_why = "the id maps of a user namespace are refused here";
	return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", map) &&
	       write_text("/proc/self/gid_map", group_map);
}

static bool copy_file(const char *from, const char *to)
{
	char block[65536];
	ssize_t n = -1;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

	while (in >= 0 && out >= 0 && (n = read(in, block, sizeof(block))) > 0)
		if (write(out, block, (size_t)n) != n)
			break;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return n == 0;
}

char *container_make_tree(void)
{
	static const char *const applets[] = { "sh", "cat", "ls", "true", "echo", "id", "grep", "stat", "sleep", "touch",
					       "mount", "tty", "stty", "pwd", "readlink", "env", "hostname", "kill" };
	char path[] = "/tmp/bryo-run-XXXXXX", name[128];

	if (!mkdtemp(path))
		return NULL;
	chmod(path, 0755);
	for (const char *const *d = (const char *const[]){ "bin", "etc", "home", NULL }; *d; d++) {
		snprintf(name, sizeof(name), "%s/%s", path, *d);
		mkdir(name, 0755);
	}
	snprintf(name, sizeof(name), "%s/bin/busybox", path);
	if (!copy_file("/bin/busybox", name)) {
		container_remove_tree(path);
		return NULL;
	}
	for (size_t i = 0; i < ELEMENTS(applets); i++) {
		snprintf(name, sizeof(name), "%s/bin/%s", path, applets[i]);
		if (symlink("busybox", name) < 0)
			return NULL;
	}
	return strdup(path);
}

void container_remove_tree(const char *path)
{
	fd_remove_tree(AT_FDCWD, path);
}

static void add_mount(struct arena *arena, struct oci_spec *spec, const char *type, const char *target,
		      const char *options)
{
	struct oci_mount *m = ARRAY_ADD(arena, &spec->mounts);

	m->type = arena_strdup(arena, type);
	m->source = m->type;
	m->destination = arena_strdup(arena, target);
	m->options = strings_split(arena, options, ",");
}

static void add_process(struct arena *arena, struct oci_spec *spec, const char *const *argv)
{
	struct oci_process *p = spec->process = arena_new_one(arena, struct oci_process);

	for (; *argv; argv++)
		strings_add(arena, &p->args, *argv);
	strings_add(arena, &p->env, "PATH=/usr/bin:/bin");
	p->cwd = arena_strdup(arena, "/");
	p->capabilities = arena_new_one(arena, struct oci_capabilities);
	run_capabilities(arena, &(struct strings){ 0 }, &(struct strings){ 0 }, false, &p->capabilities->bounding, NULL);
	p->capabilities->effective = p->capabilities->permitted = p->capabilities->bounding;
}

struct oci_spec *container_spec(struct arena *arena, const char *const *argv)
{
	static const char *const namespaces[] = { "pid", "network", "ipc", "uts", "mount", "cgroup" };
	struct oci_spec *spec = arena_new_one(arena, struct oci_spec);

	add_process(arena, spec, argv);
	spec->root = arena_new_one(arena, struct oci_root);
	spec->linux_ = arena_new_one(arena, struct oci_linux);
	spec->hostname = arena_strdup(arena, "moss");
	for (size_t i = 0; i < ELEMENTS(namespaces); i++)
		ARRAY_ADD(arena, &spec->linux_->namespaces)->type = arena_strdup(arena, namespaces[i]);
	add_mount(arena, spec, "proc", "/proc", "nosuid,noexec,nodev");
	add_mount(arena, spec, "tmpfs", "/dev", "nosuid,strictatime,mode=755,size=65536k");
	add_mount(arena, spec, "sysfs", "/sys", "nosuid,noexec,nodev,ro");
	add_mount(arena, spec, "devpts", "/dev/pts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	add_mount(arena, spec, "mqueue", "/dev/mqueue", "nosuid,noexec,nodev");
	add_mount(arena, spec, "tmpfs", "/dev/shm", "nosuid,noexec,nodev,mode=1777,size=64000k");
	add_mount(arena, spec, "cgroup", "/sys/fs/cgroup", "rprivate,nosuid,noexec,nodev,relatime,ro");
	for (size_t i = 0; run_masked_paths[i]; i++)
		strings_add(arena, &spec->linux_->masked_paths, run_masked_paths[i]);
	for (size_t i = 0; run_readonly_paths[i]; i++)
		strings_add(arena, &spec->linux_->readonly_paths, run_readonly_paths[i]);
	return spec;
}

void container_drop_namespace(struct oci_spec *spec, const char *type)
{
	for (size_t i = 0; i < spec->linux_->namespaces.n; i++)
		if (str_eq(spec->linux_->namespaces.v[i].type, type))
			spec->linux_->namespaces.v[i] = spec->linux_->namespaces.v[--spec->linux_->namespaces.n];
}

int container_run_plan(struct arena *arena, const struct run_plan *plan, int output, char **ret_out,
		       struct error *err)
{
	struct run_process p;
	struct buffer out = BUFFER(65536);
	int code;

	if (run_spawn(plan, &p, err) < 0)
		return -1;
	if (run_release(&p, err) < 0)
		return -1;
	for (;;) {
		ssize_t n;

		buffer_reserve(&out, 4096);
		n = read(output >= 0 ? output : p.console, out.data + out.size, 4096);
		if (n <= 0)
			break;
		out.size += (size_t)n;
	}
	*ret_out = arena_strndup(arena, out.data, out.size);
	buffer_done(&out);
	code = pidfd_reap(p.pidfd);
	close(p.pidfd);
	fd_close(&p.console);
	return code;
}

int container_run(struct arena *arena, const struct oci_spec *spec, const struct rootfs *rootfs, char **ret_out,
		  struct error *err)
{
	int ends[2], code = -1;
	struct run_plan *plan;

	if (fd_pipe(ends) < 0)
		return error_errno(err, "pipe");
	struct run_request request = { .spec = spec, .id = "test", .rootfs = rootfs, .root_mount = -1, .cgroup_fd = -1,
				       .stdio = { -1, ends[1], ends[1] } };
	plan = run_plan_new(arena, &request, err);
	if (plan) {
		/* Only the container may hold the writing end, or reading never ends. */
		struct run_process p;

		if (run_spawn(plan, &p, err) == 0) {
			close(ends[1]);
			ends[1] = -1;
			if (run_release(&p, err) == 0) {
				struct buffer out = BUFFER(65536);

				fd_read_buffer(ends[0], &out);
				*ret_out = arena_strndup(arena, out.data ? out.data : "", out.size);
				buffer_done(&out);
				code = pidfd_reap(p.pidfd);
				close(p.pidfd);
			}
		}
	}
	close(ends[0]);
	fd_close(&ends[1]);
	return code;
}
