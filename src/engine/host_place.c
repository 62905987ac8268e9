#include "engine/host_place.h"

#include <stdlib.h>
#include <sys/stat.h>

static bool is_same(const struct stat *st, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

/* The path, or a directory above it. */
static bool contains(struct engine *e, const struct stat *st, const char *path)
{
	char *at = realpath(path, NULL), *above = at ? arena_strdup(e->arena, at) : NULL;

	free(at);
	while (above && *above) {
		if (is_same(st, above))
			return true;
		*strrchr(above, '/') = '\0';
	}
	return is_same(st, "/");
}

const char *host_place_of_user(struct engine *e, int dir)
{
	const char *own[] = { e->identity.home, e->store.path, e->run_path };
	struct stat st;

	for (size_t i = 0; fstat(dir, &st) == 0 && i < ELEMENTS(own); i++)
		if (own[i] && contains(e, &st, own[i]))
			return own[i];
	return NULL;
}

bool host_place_is_system(int dir)
{
	static const char *const places[] = {
		"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
		"/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/share", "/var",
		"/var/cache", "/var/lib", "/var/log", "/var/run", "/var/spool", "/var/tmp", "/etc/passwd", "/etc/shadow", "/etc/group",
		"/etc/pki", "/etc/ssl", "/etc/ssh",
	};
	struct stat st;

	for (size_t i = 0; fstat(dir, &st) == 0 && i < ELEMENTS(places); i++)
		if (is_same(&st, places[i]))
			return true;
	return false;
}
