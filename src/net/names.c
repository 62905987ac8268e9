#include "net/names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/names_keeper.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#define LOCK NAMES_DIR "/lock"
#define ZONE_MAX ((size_t)4 << 20)

/* Not in anybody's PATH. */
static const char *const places[] = { "/usr/libexec/podman/aardvark-dns", "/usr/lib/podman/aardvark-dns",
				      "/usr/local/libexec/podman/aardvark-dns" };

char *names_program(struct arena *arena)
{
	for (size_t i = 0; i < ELEMENTS(places); i++)
		if (access(places[i], X_OK) == 0)
			return arena_strdup(arena, places[i]);
	return spawn_find(arena, "aardvark-dns");
}

bool names_are_served(const struct network *n)
{
	for (size_t i = 0; n->dns_enabled && strcmp(n->name, NAMES_PID_FILE) != 0 && i < n->subnets.n; i++)
		if (n->subnets.v[i].gateway_ip.family != IP_NONE)
			return true;
	return false;
}

/* --- zones */

static int start(struct arena *arena, const struct rootless *r, struct error *err)
{
	const char *program = names_program(arena);

	return program ? names_keeper_start(arena, r, program, err) : error_set(err, ERROR_FAILED, "could not find aardvark-dns");
}

static int lock(const struct rootless_home *home, struct error *err)
{
	int fd = lock_open(home->run_fd, LOCK, LOCK_EXCLUSIVE, true);

	if (fd < 0 && errno == ENOENT && fd_mkdirs(home->run_fd, NAMES_ZONES, 0700) == 0)
		fd = lock_open(home->run_fd, LOCK, LOCK_EXCLUSIVE, true);
	return fd < 0 ? error_errno(err, "lock %s/" LOCK, home->run_path) : fd;
}

static char *read_zone(struct arena *arena, const struct rootless_home *home, const char *network)
{
	return fd_read_file(arena, home->run_fd, arena_printf(arena, NAMES_ZONES "/%s", network), ZONE_MAX, NULL);
}

/* NULL: nobody is on the network. 1: it is another text than before. aardvark-dns reads whatever lies in the directory, so
 * what is being written lies beside it. */
static int write_zone(struct arena *arena, const struct rootless_home *home, const char *network, const char *old, const char *new,
		      struct error *err)
{
	const char *path = arena_printf(arena, NAMES_ZONES "/%s", network);

	if (str_eq(old, new))
		return 0;
	if (!new)
		return unlinkat(home->run_fd, path, 0) < 0 && errno != ENOENT ? error_errno(err, "forget the names of network %s", network) : 1;
	if (fd_write_file(home->run_fd, NAMES_DIR "/zone", new, strlen(new), 0600, false) < 0 ||
	    renameat(home->run_fd, NAMES_DIR "/zone", home->run_fd, path) < 0)
		return error_errno(err, "write the names of network %s", network);
	return 1;
}

int names_add(struct arena *arena, const struct rootless *r, const struct network *n, const struct names_entry *e, struct error *err)
{
	const struct rootless_home *home = r->home;
	_cleanup_fd_ int alone = lock(home, err);
	const char *old = alone < 0 ? NULL : read_zone(arena, home, n->name);
	const char *new = names_zone(arena, old ? old : "", names_head(arena, n), e->id, names_line(arena, e), home->lives, home->context);
	int changed = alone < 0 ? -1 : write_zone(arena, home, n->name, old, new, err);

	if (changed < 0)
		return -1;
	if (changed ? names_keeper_tell(arena, home) < 0 : !names_keeper_is_running(arena, home))
		return start(arena, r, err);
	return 0;
}

bool names_are_healthy(struct arena *arena, const struct rootless_home *home)
{
	return !names_keeper_has_zones(home->run_fd) || names_keeper_is_running(arena, home);
}

int names_heal(struct arena *arena, const struct rootless *r, struct error *err)
{
	_cleanup_fd_ int alone = names_are_healthy(arena, r->home) ? -1 : lock(r->home, err);

	return alone < 0 || names_are_healthy(arena, r->home) ? 0 : start(arena, r, err);
}

int names_open_namespace(struct arena *arena, const struct rootless_home *home)
{
	return names_keeper_open_namespace(arena, home);
}

static int forget(struct arena *arena, const struct rootless_home *home, const char *network, const char *id)
{
	const char *old = read_zone(arena, home, network);

	if (!old || !strstr(old, id))
		return 0;
	return write_zone(arena, home, network, old, names_zone(arena, old, NULL, id, NULL, home->lives, home->context), NULL);
}

void names_remove(struct arena *arena, const struct rootless_home *home, const char *network, const char *id)
{
	_cleanup_fd_ int alone = faccessat(home->run_fd, NAMES_ZONES, F_OK, 0) < 0 ? -1 : lock(home, NULL);
	_cleanup_dir_ DIR *dir = alone < 0 ? NULL : fd_opendir(home->run_fd, NAMES_ZONES);
	struct dirent *entry;
	bool changed = false;

	while (dir && (entry = fd_next_entry(dir)))
		if (strcmp(entry->d_name, NAMES_PID_FILE) != 0 && (!network || strcmp(entry->d_name, network) == 0))
			changed |= forget(arena, home, entry->d_name, id) > 0;
	/* Without a zone it would end by itself, but who knows when. */
	if (changed && !names_keeper_has_zones(home->run_fd))
		names_keeper_stop(arena, home);
	else if (changed)
		names_keeper_tell(arena, home);
}

int names_change_servers(struct arena *arena, const struct rootless_home *home, const struct network *n, struct error *err)
{
	_cleanup_fd_ int alone = faccessat(home->run_fd, NAMES_ZONES, F_OK, 0) < 0 ? -1 : lock(home, err);
	const char *old = alone < 0 ? NULL : read_zone(arena, home, n->name);
	const char *new = old ? names_zone(arena, old, names_head(arena, n), NULL, NULL, home->lives, home->context) : NULL;
	int changed = old ? write_zone(arena, home, n->name, old, new, err) : 0;

	if (changed > 0)
		names_keeper_tell(arena, home);
	return changed < 0 ? -1 : 0;
}

void names_stop(struct arena *arena, const struct rootless_home *home)
{
	if (faccessat(home->run_fd, NAMES_DIR, F_OK, 0) < 0)
		return;
	names_keeper_stop(arena, home);
	fd_remove_tree(home->run_fd, NAMES_ZONES);
	fd_mkdirs(home->run_fd, NAMES_ZONES, 0700);
}
