#include "net/rootless.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "net/ability.h"
#include "net/firewall.h"
#include "net/gateway.h"
#include "net/lease.h"
#include "net/names.h"
#include "net/rootless_linger.h"
#include "sys/errand.h"
#include "sys/fd.h"
#include "sys/netlink.h"
#include "sys/ns.h"

#define MOUNT ROOTLESS_DIR "/rootless"
#define SEARCH_SOME 16

static char *path_of(struct arena *arena, const struct rootless_home *home, const char *name)
{
	return arena_printf(arena, "%s/%s", home->run_path, name);
}

/* --- finding it */

/* The file below the mount is an ordinary one. */
static int open_namespace(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct statfs fs;

	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

struct visit {
	struct arena *arena;
	const char *path;
	int holder;			/* pidfd; -1: the caller sees the holder's mounts */
	int ns;				/* of keep_there */
	int (*work)(const struct visit *v, struct error *err);
};

/* In a child: to where the mount is. */
static int visit(void *context, struct error *err)
{
	const struct visit *v = context;

	if (v->holder >= 0 && setns(v->holder, CLONE_NEWNS) < 0)
		return error_errno(err, "look at the mounts of the rootless namespace");
	return v->work(v, err);
}

/* errand: errand_fd or errand_run, as work answers. */
static int visit_holder(struct arena *arena, const struct rootless_home *home,
			int (*errand)(int (*work)(void *context, struct error *err), void *context, struct error *err),
			int (*work)(const struct visit *v, struct error *err), int ns, struct error *err)
{
	_cleanup_fd_ int holder = home->open_holder ? home->open_holder(home->context) : -1;
	struct visit v = { .arena = arena, .path = path_of(arena, home, MOUNT), .holder = holder, .ns = ns, .work = work };

	if (home->open_holder && holder < 0)
		return error_set(err, ERROR_FAILED, "the holder of the rootless namespace is gone");
	return errand(visit, &v, err);
}

static int open_there(const struct visit *v, struct error *err)
{
	int fd = open_namespace(v->path);

	return fd < 0 ? error_errno(err, "open %s", v->path) : fd;
}

static int find(struct arena *arena, const struct rootless_home *home)
{
	int fd = open_namespace(path_of(arena, home, MOUNT));

	if (fd < 0 && home->open_holder)
		fd = visit_holder(arena, home, errand_fd, open_there, -1, NULL);
	return fd;
}

/* --- making it */

/* In the namespace. Best effort: what the kernel has not got needs no setting. */
static void set_sysctls(void)
{
	static const struct { const char *path, *value; } settings[] = {
		{ "/proc/sys/net/ipv4/ip_forward", "1" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
		{ "/proc/sys/net/ipv4/conf/all/rp_filter", "0" },
		{ "/proc/sys/net/ipv4/conf/default/rp_filter", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_dad", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_ra", "0" },
		{ "/proc/sys/net/bridge/bridge-nf-call-iptables", "0" },	/* within a bridge nothing is filtered */
		{ "/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0" },
	};

	for (size_t i = 0; i < ELEMENTS(settings); i++) {
		_cleanup_fd_ int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0 && write(fd, settings[i].value, 1) < 0)
			continue;
	}
}

static int keep(const char *path, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) < 0)
		return error_errno(err, "keep the network namespace at %s", path);
	return 0;
}

/* In a child. The mount is last: whatever fails before, the namespace ends with this process. */
static int make_there(const struct visit *v, struct error *err)
{
	int fd = open_namespace(v->path);

	if (fd >= 0)
		return fd;
	if (unshare(CLONE_NEWNET) < 0) {
		bool limit = errno == ENOSPC;

		error_errno(err, "make a network namespace");
		return limit ? error_hint(err, "there are too many; as root: sysctl user.max_net_namespaces=15000") : -1;
	}
	set_sysctls();
	if (ns_loopback_up() < 0)
		return error_errno(err, "set up the loopback of the network namespace");
	if (ability_check_links(err) < 0 ||
	    firewall_load(v->arena, arena_printf(v->arena, "%s%s", firewall_table(), gateway_rules()), err) < 0 ||
	    keep(v->path, err) < 0)
		return -1;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "open the network namespace") : fd;
}

static int keep_there(const struct visit *v, struct error *err)
{
	if (setns(v->ns, CLONE_NEWNET) < 0)
		return error_errno(err, "enter the network namespace");
	return keep(v->path, err);
}

/* The file was deleted, or the mount is gone, but containers are in it: those who live in it still know the way. */
static int recover(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int ns = gateway_open_namespace(path_of(arena, home, ROOTLESS_DIR));

	if (ns < 0)
		ns = names_open_namespace(arena, home);
	if (ns < 0 || visit_holder(arena, home, errand_run, keep_there, ns, NULL) < 0)
		return -1;
	return fd_take(&ns);
}

static int make_anew(struct arena *arena, struct rootless *r, struct error *err)
{
	const char *dir = path_of(arena, r->home, ROOTLESS_DIR);

	names_stop(arena, r->home);	/* of a namespace that was lost */
	gateway_stop(dir);
	r->ns = visit_holder(arena, r->home, errand_fd, make_there, -1, err);
	return r->ns < 0 ? error_frame(err, "make the rootless network namespace") : gateway_start(arena, r->ns, dir, err);
}

/* With the lock held alone: the namespace, if there is none, and its way out. */
static int make(struct arena *arena, struct rootless *r, struct error *err)
{
	struct error failure = { 0 };

	if (r->ns < 0)
		r->ns = recover(arena, r->home);
	if (r->ns >= 0)
		return gateway_start(arena, r->ns, path_of(arena, r->home, ROOTLESS_DIR), err);
	if (make_anew(arena, r, &failure) == 0) {
		ability_learn(arena, r->home, NULL);
		return 0;
	}
	ability_learn(arena, r->home, &failure);
	if (err)
		*err = failure;
	return -1;
}

/* --- taking it away */

static int unmount_there(const struct visit *v, struct error *err)
{
	return umount2(v->path, MNT_DETACH) < 0 ? error_errno(err, "unmount %s", v->path) : 0;
}

/* With the lock held alone. */
static void take_away(struct arena *arena, const struct rootless_home *home)
{
	const char *path = path_of(arena, home, MOUNT);

	names_stop(arena, home);
	gateway_stop(path_of(arena, home, ROOTLESS_DIR));
	if (umount2(path, MNT_DETACH) < 0 && home->open_holder)
		visit_holder(arena, home, errand_run, unmount_there, -1, NULL);
	unlink(path);
}

static bool is_there(const struct rootless_home *home, const char *file)
{
	return faccessat(home->run_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- the lock */

static int lock(const struct rootless_home *home, enum lock_mode mode, struct error *err)
{
	int fd = lock_open(home->run_fd, ROOTLESS_LOCK, mode, true);

	if (fd < 0 && errno == ENOENT && fd_mkdirs(home->run_fd, ROOTLESS_DIR, 0700) == 0)
		fd = lock_open(home->run_fd, ROOTLESS_LOCK, mode, true);
	return fd < 0 ? error_errno(err, "lock %s/" ROOTLESS_LOCK, home->run_path) : fd;
}

/* Whoever finds it incomplete gets the lock alone in place of shared. */
static int open_locked(struct arena *arena, enum lock_mode mode, struct rootless *r, struct error *err)
{
	bool complete;

	r->lock = lock(r->home, mode, err);
	if (r->lock < 0)
		return -1;
	r->ns = find(arena, r->home);
	complete = r->ns >= 0 && gateway_is_running(path_of(arena, r->home, ROOTLESS_DIR));
	if (!complete && mode == LOCK_SHARED) {
		rootless_close(r);
		return open_locked(arena, LOCK_EXCLUSIVE, r, err);
	}
	return complete ? 0 : make(arena, r, err);
}

int rootless_open(struct arena *arena, const struct rootless_home *home, enum lock_mode mode, struct rootless *ret,
		  struct error *err)
{
	*ret = (struct rootless){ .home = home, .ns = -1, .socket = -1, .lock = -1 };
	if (open_locked(arena, mode, ret, err) == 0)
		return 0;
	rootless_close(ret);
	/* Nobody is left who would take it away. */
	rootless_release(arena, home, NULL);
	return -1;
}

int rootless_alone(struct arena *arena, struct rootless *r, struct error *err)
{
	const struct rootless_home *home = r->home;

	rootless_close(r);
	return rootless_open(arena, home, LOCK_EXCLUSIVE, r, err);
}

static bool is_inhabited(const struct rootless_home *home)
{
	return lease_count(home->run_fd, &(struct lease_search){ .lives = home->lives, .context = home->context, .enough = 1 }).living > 0;
}

int rootless_find(struct arena *arena, const struct rootless_home *home, enum lock_mode mode, struct rootless *ret,
		  struct error *err)
{
	*ret = (struct rootless){ .home = home, .ns = -1, .socket = -1, .lock = -1 };
	if (!is_there(home, ROOTLESS_DIR))
		return -1;
	ret->lock = lock(home, mode, err);
	if (ret->lock < 0)
		return -1;
	if (is_there(home, MOUNT) && (ret->ns = find(arena, home)) >= 0)
		return 0;
	rootless_close(ret);
	return is_inhabited(home) ? rootless_open(arena, home, LOCK_EXCLUSIVE, ret, err) : -1;
}

int rootless_socket(struct rootless *r, struct error *err)
{
	return r->socket >= 0 ? 0 : netlink_open_in(&r->ns, 1, &r->socket, err);
}

void rootless_unlock(struct rootless *r)
{
	fd_close(&r->lock);
}

void rootless_close(struct rootless *r)
{
	fd_close(&r->ns);
	fd_close(&r->socket);
	fd_close(&r->lock);
}

/* The time of the lock's file says when somebody looked at all leases. */
static bool was_searched(const struct rootless_home *home)
{
	struct timespec now;
	struct stat st;

	if (fstatat(home->run_fd, ROOTLESS_LOCK, &st, AT_SYMLINK_NOFOLLOW) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return false;
	return st.st_mtim.tv_sec == now.tv_sec;
}

bool rootless_is_littered(const struct rootless_home *home, bool thorough)
{
	struct lease_search search = { .lives = home->lives, .context = home->context, .enough = thorough ? 0 : SEARCH_SOME };
	struct lease_census c;

	if (!is_there(home, ROOTLESS_DIR))
		return false;
	c = lease_count(home->run_fd, &search);
	if (search.enough && c.living >= search.enough && !was_searched(home)) {
		search.enough = 0;
		c = lease_count(home->run_fd, &search);
		utimensat(home->run_fd, ROOTLESS_LOCK, NULL, AT_SYMLINK_NOFOLLOW);
	}
	return c.dead > 0 || (c.living == 0 && is_there(home, MOUNT) && !rootless_linger_is_pending(home));
}

void rootless_heal(struct arena *arena, const struct rootless_home *home)
{
	struct rootless r = { .home = home, .ns = -1, .socket = -1, .lock = -1 };
	bool whole;

	if (!is_there(home, ROOTLESS_DIR) || !is_inhabited(home))
		return;
	r.ns = find(arena, home);
	whole = r.ns >= 0 && gateway_is_running(path_of(arena, home, ROOTLESS_DIR)) && names_are_healthy(arena, home);
	rootless_close(&r);
	if (whole || rootless_open(arena, home, LOCK_EXCLUSIVE, &r, NULL) < 0)
		return;
	rootless_unlock(&r);
	names_heal(arena, &r, NULL);
	rootless_close(&r);
}

void rootless_release(struct arena *arena, const struct rootless_home *home, const char *id)
{
	const struct lease_search search = { .id = id, .lives = home->lives, .context = home->context };
	_cleanup_fd_ int alone = -1;
	struct lease_census c;

	if (!is_there(home, ROOTLESS_DIR))		/* not MOUNT: somebody may have deleted that */
		return;
	alone = lock(home, LOCK_EXCLUSIVE, NULL);
	if (alone < 0)
		return;
	c = lease_collect(home->run_fd, &search);
	if (c.living > 0 || (!c.dead && rootless_linger_is_pending(home)))
		return;
	/* Who took nothing back but finds nobody waiting comes after an accident. */
	if (!c.dead || rootless_linger(arena, home, take_away) < 0)
		take_away(arena, home);
}

void rootless_settle(struct arena *arena, const struct rootless_home *home)
{
	const struct lease_search search = { .lives = home->lives, .context = home->context, .enough = 1 };
	_cleanup_fd_ int alone = is_there(home, ROOTLESS_DIR) ? lock(home, LOCK_EXCLUSIVE, NULL) : -1;

	if (alone >= 0 && lease_collect(home->run_fd, &search).living == 0 && rootless_linger(arena, home, take_away) < 0)
		take_away(arena, home);
}

static bool nobody_lives(void *context, const char *id)
{
	(void)context;
	(void)id;
	return false;
}

void rootless_end(struct arena *arena, const struct rootless_home *home)
{
	_cleanup_fd_ int alone = is_there(home, ROOTLESS_DIR) ? lock(home, LOCK_EXCLUSIVE, NULL) : -1;

	if (alone < 0)
		return;
	lease_collect(home->run_fd, &(struct lease_search){ .lives = nobody_lives });
	take_away(arena, home);
	ability_learn(arena, home, NULL);
}
