#include "oci/checkpoint_options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/spawn.h"

/* --- directories */

static int open_directory(struct arena *arena, const char *path, bool make, char **ret_path, struct error *err)
{
	char real[PATH_MAX];
	int fd;

	if (make && fd_mkdirs(AT_FDCWD, path, 0700) < 0)
		return error_errno(err, "make %s", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || !realpath(path, real)) {
		error_errno(err, "%s", path);
		fd_close(&fd);
		return -1;
	}
	*ret_path = arena_strdup(arena, real);
	return fd;
}

int checkpoint_paths_open(struct arena *arena, const char *images, const char *work, bool make, const char *log,
			  struct checkpoint_paths *ret, struct error *err)
{
	*ret = (struct checkpoint_paths){ .images_fd = -1 };
	ret->images_fd = open_directory(arena, images ? images : "checkpoint", make, &ret->images, err);
	if (ret->images_fd < 0)
		return error_frame(err, "image path");
	if (!str_is_empty(work) && (ret->work_fd = open_directory(arena, work, true, &ret->work, err)) < 0) {
		checkpoint_paths_close(ret);
		return error_frame(err, "work path");
	}
	ret->log = arena_printf(arena, "%s/%s", ret->work ? ret->work : ret->images, log);
	return 0;
}

int checkpoint_paths_reopen(struct checkpoint_paths *p, struct error *err)
{
	checkpoint_paths_close(p);
	p->images_fd = open(p->images, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->images_fd < 0)
		return error_errno(err, "%s", p->images);
	if (p->work && (p->work_fd = open(p->work, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return error_errno(err, "%s", p->work);
	return 0;
}

void checkpoint_paths_close(struct checkpoint_paths *p)
{
	fd_close(&p->images_fd);
	if (p->work_fd > 0)
		close(p->work_fd);
	p->work_fd = 0;
}

/* --- words */

struct word { const char *word; int value; };

static int look_up(const struct word *words, const char *word, int *ret, const char *what, struct error *err)
{
	for (const struct word *at = words; at->word; at++)
		if (str_eq(at->word, word)) {
			*ret = at->value;
			return 0;
		}
	return error_set(err, ERROR_USAGE, "%s: \"%.64s\" is not known", what, word);
}

int checkpoint_cgroup_mode(const char *word, int *ret, struct error *err)
{
	static const struct word words[] = { { "soft", CRIU_CGROUP_SOFT }, { "full", CRIU_CGROUP_FULL },
					     { "strict", CRIU_CGROUP_STRICT }, { "ignore", CRIU_CGROUP_IGNORE }, { NULL, 0 } };

	return look_up(words, str_is_empty(word) ? "soft" : word, ret, "--manage-cgroups-mode (soft, full, strict, ignore)", err);
}

int checkpoint_network_lock(const struct criu *c, const char *word, int *ret, struct error *err)
{
	static const struct word words[] = { { "iptables", CRIU_LOCK_IPTABLES }, { "nftables", CRIU_LOCK_NFTABLES },
					     { "skip", CRIU_LOCK_SKIP }, { NULL, 0 } };

	if (!str_is_empty(word))
		return look_up(words, word, ret, "--network-lock (iptables, nftables, skip)", err);
	*ret = 0;
	if (c->version >= 31700 && !spawn_find(c->o->arena, "iptables-restore"))
		*ret = CRIU_LOCK_NFTABLES;
	return 0;
}

int checkpoint_empty_namespaces(const struct oci_spec *spec, const struct strings *asked, int *ret, struct error *err)
{
	const struct oci_hooks *hooks = spec->hooks;

	*ret = hooks && (hooks->prestart.n || hooks->create_runtime.n) ? CLONE_NEWNET : 0;
	for (size_t i = 0; i < asked->n; i++) {
		if (!str_eq(asked->v[i], "network"))
			return error_set(err, ERROR_USAGE, "--empty-ns: \"%.64s\" is not possible: network is", asked->v[i]);
		*ret = CLONE_NEWNET;
	}
	return 0;
}

char *checkpoint_config_file(struct arena *arena, const struct string_map *annotations)
{
	static const char *const files[] = { "/etc/criu/bryo.conf", "/etc/criu/runc.conf" };
	const char *given = map_get(annotations, "org.criu.config");

	if (given)
		return *given ? arena_strdup(arena, given) : NULL;
	for (size_t i = 0; i < ELEMENTS(files); i++)
		if (access(files[i], R_OK) == 0)
			return arena_strdup(arena, files[i]);
	return NULL;
}

const struct oci_namespace *checkpoint_namespace(const struct oci_spec *spec, const char *type)
{
	const struct oci_linux *l = spec->linux_;

	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, type) && !str_is_empty(l->namespaces.v[i].path))
			return &l->namespaces.v[i];
	return NULL;
}
