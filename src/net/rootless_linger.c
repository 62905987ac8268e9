#include "net/rootless_linger.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/lease.h"
#include "sys/fd.h"

#define IDLE ROOTLESS_DIR "/idle"

enum { RUN_FD = 3, IDLE_FD, OTHERS };

bool rootless_linger_is_pending(const struct rootless_home *home)
{
	return lock_is_held(home->run_fd, IDLE);
}

/* --- the process that stays */

/* Nothing of the caller's is kept, above all no lock. */
static int let_go(int run_fd, int idle)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), run, lock;

	run = fcntl(run_fd, F_DUPFD_CLOEXEC, OTHERS);
	lock = fcntl(idle, F_DUPFD_CLOEXEC, OTHERS);
	if (null < 0 || run < 0 || lock < 0 || dup3(run, RUN_FD, O_CLOEXEC) < 0 || dup3(lock, IDLE_FD, O_CLOEXEC) < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	close_range(OTHERS, ~0U, 0);
	setsid();
	prctl(PR_SET_NAME, "bryo-linger");
	return chdir("/");
}

/* How long nobody has been there; more than can be when the clock was set back. */
static int64_t idle_ms(void)
{
	struct timespec now;
	struct stat st;
	int64_t ms;

	if (fstat(IDLE_FD, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return ROOTLESS_LINGER_MS;
	ms = (now.tv_sec - st.st_mtim.tv_sec) * 1000 + (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
	return ms < 0 ? ROOTLESS_LINGER_MS : ms;
}

static bool is_alive(void *context, const char *id)
{
	(void)context;
	(void)id;
	return true;	/* which leases are of the dead others find out */
}

/* True when it is over: taken away, or somebody has come. */
static bool decide(struct arena *arena, const struct rootless_home *home,
		   void (*end)(struct arena *arena, const struct rootless_home *home))
{
	_cleanup_fd_ int alone = lock_open(home->run_fd, ROOTLESS_LOCK, LOCK_EXCLUSIVE, true);
	bool over = true;

	if (alone < 0 || lease_count(home->run_fd, &(struct lease_search){ .lives = is_alive, .enough = 1 }).living == 0) {
		over = alone < 0 || idle_ms() >= ROOTLESS_LINGER_MS;
		if (over)
			end(arena, home);
	}
	if (over)
		close(IDLE_FD);		/* before the lock is free: whoever comes next sees that nobody waits */
	return over;
}

static _Noreturn void stay(struct arena *arena, const struct rootless_home *home, int idle,
			   void (*end)(struct arena *arena, const struct rootless_home *home))
{
	struct rootless_home own = *home;
	int64_t left;

	if (let_go(home->run_fd, idle) < 0)
		_exit(1);
	own.run_fd = RUN_FD;
	do {
		left = ROOTLESS_LINGER_MS - idle_ms();
		usleep((useconds_t)(left > 0 ? left : 1) * 1000);
	} while (!decide(arena, &own, end));
	_exit(0);
}

int rootless_linger(struct arena *arena, const struct rootless_home *home,
		    void (*end)(struct arena *arena, const struct rootless_home *home))
{
	_cleanup_fd_ int idle = lock_open(home->run_fd, IDLE, LOCK_EXCLUSIVE, false);
	bool pending = idle < 0 && errno == EWOULDBLOCK;	/* one waits already */
	pid_t pid;

	if (utimensat(home->run_fd, IDLE, NULL, AT_SYMLINK_NOFOLLOW) < 0 || (idle < 0 && !pending))
		return -1;
	pid = pending ? 1 : fork();
	if (pid == 0)
		stay(arena, home, idle, end);
	return pid < 0 ? -1 : 0;
}
