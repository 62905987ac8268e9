#include "explain/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "explain/acl.h"
#include "sys/fd.h"

#define OVERFLOW_ID 65534

enum question_kind { QUESTION_LOOK, QUESTION_TRY };
struct question {
	enum question_kind kind;
	struct try_request what;	/* of QUESTION_LOOK: its path */
};
struct reply {
	int sys;
	uint64_t dev, ino;
	uint32_t uid, gid;
	size_t acl_size;
	char acl[ACL_VALUE_MAX];
};

/* --- the child */
static uint32_t known(uint32_t id, bool overflows)
{
	return overflows && id == OVERFLOW_ID ? ID_NONE : id;
}

/* The user lives in a user namespace of somebody else's, which has no number 65534. */
static void find_overflow(bool *ret_uids, bool *ret_gids)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct id_maps maps;

	*ret_uids = *ret_gids = false;
	if (idmap_read(arena, 0, &maps, NULL) < 0)
		return;
	*ret_uids = idmap_to_outside(&maps.uid, OVERFLOW_ID) == ID_NONE;
	*ret_gids = idmap_to_outside(&maps.gid, OVERFLOW_ID) == ID_NONE;
}

static void look(const char *path, bool uids, bool gids, struct reply *r)
{
	struct stat st;
	ssize_t n;

	if (lstat(path, &st) < 0) {
		r->sys = errno;
		return;
	}
	r->dev = st.st_dev;
	r->ino = st.st_ino;
	r->uid = known(st.st_uid, uids);
	r->gid = known(st.st_gid, gids);
	n = S_ISLNK(st.st_mode) ? -1 : lgetxattr(path, "system.posix_acl_access", r->acl, sizeof(r->acl));
	r->acl_size = n > 0 ? (size_t)n : 0;
}

_Noreturn static void serve(int fd)
{
	struct question q;
	bool uids, gids;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	find_overflow(&uids, &gids);
	while (recv(fd, &q, sizeof(q), 0) == sizeof(q)) {
		struct reply r = { 0 };

		q.what.path[PATH_MAX - 1] = q.what.to[PATH_MAX - 1] = '\0';
		if (q.kind == QUESTION_TRY)
			r.sys = try_access(&q.what);
		else
			look(q.what.path, uids, gids, &r);
		if (send(fd, &r, sizeof(r), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* --- who asks */
int outside_start(struct outside *ret, struct error *err)
{
	int ends[2];

	*ret = (struct outside){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_errno(err, "make a socket pair");
	ret->pid = fork();
	if (ret->pid == 0) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
	if (ret->pid < 0) {
		error_errno(err, "start a process");
		close(ends[0]);
		return -1;
	}
	ret->fd = ends[0];
	return 0;
}

void outside_done(struct outside *o)
{
	if (o->fd <= 0)
		return;
	fd_close(&o->fd);
	waitpid(o->pid, NULL, 0);
}

static int ask(const struct outside *o, const struct question *q, struct reply *r)
{
	if (o->fd <= 0 || send(o->fd, q, sizeof(*q), MSG_NOSIGNAL) < 0 || recv(o->fd, r, sizeof(*r), 0) != sizeof(*r)) {
		errno = ENOTCONN;
		return -1;
	}
	return 0;
}

void outside_look(const struct outside *o, struct arena *arena, const char *path, struct outside_view *ret)
{
	struct question q = { .kind = QUESTION_LOOK };
	struct reply r;

	*ret = (struct outside_view){ .sys = ENOTCONN };
	if (try_request_fill(&q.what, ACCESS_READ, path, NULL, NULL) < 0 || ask(o, &q, &r) < 0)
		return;
	*ret = (struct outside_view){ r.sys, r.dev, r.ino, r.uid, r.gid, acl_parse(arena, r.acl, r.acl_size) };
}

int outside_try(const struct outside *o, const struct try_request *request)
{
	struct question q = { .kind = QUESTION_TRY, .what = *request };
	struct reply r;

	return ask(o, &q, &r) < 0 ? ENOTCONN : r.sys;
}
