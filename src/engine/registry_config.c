#include "engine/registry_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

#define FILE_MAX ((size_t)4 << 20)

static int add_file(struct engine *e, struct registries *r, const char *path, bool required, struct error *err)
{
	size_t size;
	char *text = fd_read_file(e->arena, AT_FDCWD, path, FILE_MAX, &size);

	if (!text && !required && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (!text)
		return error_errno(err, "read %s", path);
	return registries_add(e->arena, r, text, size, path, err);
}

static int is_conf(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(d->d_name, ".conf");
}

static int add_directory(struct engine *e, struct registries *r, const char *path, struct error *err)
{
	struct dirent **list;
	int n = scandir(path, &list, is_conf, alphasort), result = 0;

	for (int i = 0; i < n; i++) {
		if (result == 0)
			result = add_file(e, r, arena_printf(e->arena, "%s/%s", path, list[i]->d_name), false, err);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return result;
}

char *registry_config_aliases(struct engine *e)
{
	const char *cache = getenv("XDG_CACHE_HOME");

	if (e->identity.uid == 0)
		return arena_strdup(e->arena, "/var/cache/containers/short-name-aliases.conf");
	if (!str_is_empty(cache))
		return arena_printf(e->arena, "%s/containers/short-name-aliases.conf", cache);
	return arena_printf(e->arena, "%s/.cache/containers/short-name-aliases.conf", e->identity.home);
}

/* The user's own file stands for all of the system's. */
static int add_files(struct engine *e, struct registries *r, struct error *err)
{
	const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
	char *own = arena_printf(e->arena, "%s/containers/registries.conf", e->identity.config_dir);
	bool given = !str_is_empty(named), is_own = !given && access(own, F_OK) == 0;

	if (add_file(e, r, given ? named : is_own ? own : "/etc/containers/registries.conf", given, err) < 0)
		return -1;
	if (!is_own && add_directory(e, r, "/etc/containers/registries.conf.d", err) < 0)
		return -1;
	if (add_directory(e, r, arena_printf(e->arena, "%s.d", own), err) < 0)
		return -1;
	return add_file(e, r, registry_config_aliases(e), false, err);
}

const struct registries *registry_config(struct engine *e, struct error *err)
{
	struct registries *r = arena_new_one(e->arena, struct registries);

	if (e->registries)
		return e->registries;
	if (add_files(e, r, err) < 0)
		return NULL;
	e->registries = r;
	return r;
}

char *registry_config_certs(struct engine *e, const char *host)
{
	const char *const roots[] = { e->identity.config_dir, "/etc", "/etc" };
	static const char *const folders[] = { "containers/certs.d", "containers/certs.d", "docker/certs.d" };
	struct stat st;

	for (size_t i = 0; i < ELEMENTS(roots); i++) {
		char *path = arena_printf(e->arena, "%s/%s/%s", roots[i], folders[i], host);

		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return path;
	}
	return NULL;
}

bool registry_config_is_loopback(const char *host)
{
	const char *rest = str_after(host, "localhost");

	if (!rest)
		rest = str_after(host, "[::1]");
	if (rest)
		return !*rest || *rest == ':';
	return str_starts(host, "127.") && strspn(host, "0123456789.") == strcspn(host, ":");
}
