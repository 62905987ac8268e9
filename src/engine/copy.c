#include "engine/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/copy_place.h"
#include "engine/events.h"
#include "engine/transfer.h"
#include "engine/user.h"
#include "store/tree.h"
#include "sys/fd.h"
#include "sys/inroot.h"

struct job {
	const struct copy_request *request;
	struct copy_place from, to;
	struct stat source;
	struct tree_copy how;
};

/* --- owners */

/* With --archive files in a container belong to its user, else to its root; the id map of its own translates. */
static int owner_in_container(struct job *j, struct error *err)
{
	struct copy_place *p = &j->to;
	struct engine *e = p->e;
	const char *user = p->container.request.user ? p->container.request.user : p->container.image.user;
	struct userns_user kept = { 0 };
	struct passwd_user who = { 0 };
	struct user_files files;
	static const struct strings none;
	struct id_maps maps = { 0 };

	if (userns_mode_maps(e, &p->container, &maps, &kept, err) < 0)
		return -1;
	if (j->request->archive &&
	    user_resolve(e, p->root, user ? user : "", &none, &kept, &who, &files, err) < 0)
		return -1;
	j->how.set_owner = true;
	j->how.uid = maps.uid.n ? idmap_to_outside(&maps.uid, who.uid) : who.uid;
	j->how.gid = maps.gid.n ? idmap_to_outside(&maps.gid, who.gid) : who.gid;
	return 0;
}

/* What comes to the host is the caller's, who is 0 here. Between containers owners stay as they are. */
static int choose_owner(struct job *j, struct error *err)
{
	if (!j->to.is_container) {
		j->how.set_owner = true;
		return 0;
	}
	if (j->from.is_container && j->request->archive)
		return 0;
	return owner_in_container(j, err);
}

/* --- between trees */

/* Into a directory that exists: below it, or with "/." what is in the source. */
static int copy_into(struct job *j, struct error *err)
{
	_cleanup_fd_ int target = copy_place_directory(&j->to, err), dir = -1;
	const char *name;

	if (target < 0)
		return -1;
	if (S_ISDIR(j->source.st_mode) && j->from.contents) {
		dir = copy_place_directory(&j->from, err);
		j->how.keep_top = true;
		return dir < 0 ? -1 : tree_copy(dir, target, &j->how, err);
	}
	dir = copy_place_parent(&j->from, &name, err);
	return dir < 0 ? -1 : tree_copy_entry(dir, name, target, copy_place_name(&j->from), &j->how, err);
}

/* Under the name that the destination has. */
static int copy_as(struct job *j, struct error *err)
{
	const char *name, *target_name;
	_cleanup_fd_ int dir = copy_place_parent(&j->from, &name, err);
	_cleanup_fd_ int target = dir < 0 ? -1 : copy_place_parent(&j->to, &target_name, err);

	return target < 0 ? -1 : tree_copy_entry(dir, name, target, target_name, &j->how, err);
}

/* A terminal, a pipe or /dev/stdout of the host gets the bytes. */
static int copy_to_device(struct job *j, struct error *err)
{
	_cleanup_fd_ int in = inroot_open(j->from.root, j->from.path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	/* Opening /dev/stdout anew asks for permissions that whoever made the pipe may not have given. */
	_cleanup_fd_ int out = strcmp(j->to.path, "/dev/stdout") == 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
			       open(j->to.path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[65536];
	ssize_t n;

	if (in < 0)
		return error_errno(err, "open %s", j->from.path);
	if (out < 0)
		return error_errno(err, "open %s", j->to.path);
	while ((n = read(in, chunk, sizeof(chunk))) > 0)
		if (fd_write_all(out, chunk, (size_t)n) < 0)
			return error_errno(err, "write %s", j->to.path);
	return n < 0 ? error_errno(err, "read %s", j->from.path) : 0;
}

static bool is_host_device(struct job *j)
{
	struct stat st;

	return !j->to.is_container && S_ISREG(j->source.st_mode) && stat(j->to.path, &st) == 0 &&
	       !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode);
}

static int copy_tree(struct job *j, struct error *err)
{
	bool is_directory = S_ISDIR(j->source.st_mode);
	struct stat target;
	int there;

	if (is_host_device(j))
		return copy_to_device(j, err);
	there = copy_place_stat(&j->to, &target, err);
	if (there < 0)
		return -1;
	if (there && S_ISDIR(target.st_mode))
		return copy_into(j, err);
	if (there && is_directory && !j->request->overwrite)
		return error_set(err, ERROR_FAILED, "destination must be a directory when copying a directory");
	if (!is_directory && j->to.wants_directory)
		return error_set(err, ERROR_FAILED, "destination directory %s must exist", j->to.path);
	return copy_as(j, err);
}

/* --- streams */

static int call(struct engine *e, const struct transfer_request *r, const int fds[2], struct error *err)
{
	struct transfer_event result;

	return transfer_ask(e, r, fds, 2, &result, err);
}

static int copy_to_stream(struct job *j, struct error *err)
{
	struct transfer_request r = {
		.op = "pack", .root = j->from.path, .contents_only = j->from.contents && S_ISDIR(j->source.st_mode),
		.rename_to = j->from.contents ? NULL : (char *)copy_place_name(&j->from),
	};

	if (isatty(STDOUT_FILENO))
		return error_set(err, ERROR_USAGE, "refusing to write a tar archive to a terminal: redirect the output");
	return call(j->from.e, &r, (int[]){ j->from.root, STDOUT_FILENO }, err);
}

static int copy_from_stream(struct job *j, struct error *err)
{
	struct transfer_request r = { .op = "unpack", .root = j->to.path, .overwrite = j->request->overwrite };
	struct engine *e = j->to.e;
	struct stat st;
	int there = copy_place_stat(&j->to, &st, err);

	if (there <= 0)
		return there < 0 ? -1 : copy_place_missing(&j->to, err);
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERROR_FAILED, "destination must be a directory when copying from stdin");
	r.squash_owner = e->store.single_id || !j->request->archive;
	for (size_t i = 0; i < e->identity.maps.uid.n; i++) {
		*ARRAY_ADD(e->arena, &r.uid_ranges) = e->identity.maps.uid.v[i].inside;
		*ARRAY_ADD(e->arena, &r.uid_ranges) = e->identity.maps.uid.v[i].count;
	}
	for (size_t i = 0; i < e->identity.maps.gid.n; i++) {
		*ARRAY_ADD(e->arena, &r.gid_ranges) = e->identity.maps.gid.v[i].inside;
		*ARRAY_ADD(e->arena, &r.gid_ranges) = e->identity.maps.gid.v[i].count;
	}
	return call(e, &r, (int[]){ STDIN_FILENO, j->to.root }, err);
}

/* --- */

static int need_source(struct job *j, struct error *err)
{
	int there = copy_place_stat(&j->from, &j->source, err);

	if (there <= 0)
		return there < 0 ? -1 : copy_place_missing(&j->from, err);
	if (!S_ISDIR(j->source.st_mode) && j->from.wants_directory)
		return error_set(err, ERROR_FAILED, "%s is not a directory", j->from.path);
	return 0;
}

static int run(struct job *j, struct error *err)
{
	if (copy_place_open(&j->from, err) < 0 || copy_place_open(&j->to, err) < 0)
		return -1;
	if (!j->from.is_stream && need_source(j, err) < 0)
		return -1;
	if (j->to.read_only)
		return error_set(err, ERROR_DENIED, "%s: the volume is mounted read-only", j->to.path);
	if (j->to.is_stream)
		return copy_to_stream(j, err);
	if (j->from.is_stream)
		return copy_from_stream(j, err);
	return choose_owner(j, err) < 0 ? -1 : copy_tree(j, err);
}

int container_copy(struct engine *e, const struct copy_request *r, struct error *err)
{
	struct job j = { .request = r, .how.replace = r->overwrite };
	int result;

	if (copy_place_parse(e, r->source, &j.from, err) < 0 || copy_place_parse(e, r->destination, &j.to, err) < 0)
		return -1;
	if (!j.from.is_container && !j.to.is_container)
		return error_set(err, ERROR_USAGE, "at least one of the two paths must be in a container: CONTAINER:PATH");
	result = run(&j, err);
	copy_place_close(&j.from);
	copy_place_close(&j.to);
	if (result == 0) {
		const struct container *c = j.to.is_container ? &j.to.container : &j.from.container;

		event_add(e, "container", "copy", c->id, c->name, c->image_name, &c->labels);
	}
	return result;
}
