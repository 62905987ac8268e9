#include "net/ability.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/netlink_link.h"
#include "sys/spawn.h"

#define MEMORY ROOTLESS_DIR "/unable"		/* its text: the nft of the attempt, or nothing */
#define LASTS_S 60
#define PATH_SIZE ((size_t)4096)

/* --- the last attempt */

static char *nft(struct arena *arena)
{
	char *path = spawn_find(arena, "nft");

	return path ? path : "";
}

bool ability_is_denied(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int fd = openat(home->run_fd, MEMORY, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char then[PATH_SIZE] = "";
	struct timespec now;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0 ||
	    fd_read_all(fd, then, sizeof(then) - 1) < 0)
		return false;
	return st.st_mtim.tv_sec <= now.tv_sec && now.tv_sec - st.st_mtim.tv_sec < LASTS_S && str_eq(then, nft(arena));
}

static bool is_final(const struct error *failure)
{
	return !error_passes(failure->sys) && failure->sys != ETIMEDOUT && failure->kind != ERROR_INTERRUPTED;
}

void ability_learn(struct arena *arena, const struct rootless_home *home, struct error *failure)
{
	const char *path = nft(arena);

	if (!failure) {
		unlinkat(home->run_fd, MEMORY, 0);
		return;
	}
	if (!is_final(failure))
		return;
	failure->kind = ERROR_UNSUPPORTED;
	fd_write_file(home->run_fd, MEMORY, path, strlen(path), 0600, false);	/* else the next one tries, too */
}

/* --- what it takes of the kernel */

int ability_check_links(struct error *err)
{
	static const char *const kinds[] = { "bridge", "veth" };
	_cleanup_fd_ int socket = netlink_open();

	if (socket < 0)
		return error_errno(err, "open a netlink socket");
	for (size_t i = 0; i < ELEMENTS(kinds); i++) {
		if (netlink_link_check_kind(socket, kinds[i], err) == 0)
			continue;
		error_frame(err, "the kernel has no interfaces of the kind \"%s\"", kinds[i]);
		return error_hint(err, "as root: modprobe %s; or use --network slirp4netns, pasta, host or none", kinds[i]);
	}
	return 0;
}
