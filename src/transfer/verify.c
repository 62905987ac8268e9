/* The operations `verify`, `objects-check` and `recipes-check`: are blobs, or objects, still what their names say, and do
 * recipes make the tars that their layers' diff IDs say?
 *
 * As many processes as there are processors share the list; each tells what it finds through one pipe, in messages that
 * are never half. What cannot be read is told apart from what has other contents: the next time it may be. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/jobs.h"
#include "transfer/objects.h"
#include "transfer/remake.h"
#include "transfer/work.h"

#define PROCESSES_MAX 16

struct damage {			/* crosses a pipe */
	size_t index;		/* in the list */
	int sys;		/* reading failed so; 0: the contents are others */
	char digest[DIGEST_TEXT_MAX];
};
_Static_assert(sizeof(struct damage) <= PIPE_BUF, "a message crosses its pipe in one write");

struct verify {
	struct work *work;
	struct strings list;
	bool objects;		/* names of objects; else digests of blobs */
	const struct transfer_layer *layers;	/* or recipes of these */
	bool listed;		/* the names are those that were there, nobody's wish: one that went meanwhile is no damage */
	pid_t pids[PROCESSES_MAX];
	size_t n;
};

/* Fills ret and answers true when there is something wrong. */
static bool is_damaged_blob(const struct work *w, const char *digest, struct damage *ret)
{
	_cleanup_fd_ int fd = sink_open_blob(&w->places, digest);
	struct error why = { 0 };

	ret->sys = 0;
	ret->digest[0] = '\0';
	if (fd < 0) {
		ret->sys = errno;
		return true;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (hash_file(fd, digest, ret->digest, &why) < 0) {
		ret->sys = why.sys ? why.sys : EIO;
		return true;
	}
	return strcmp(ret->digest, digest) != 0;
}

static bool is_damaged_object(struct objects *o, const char *name, struct damage *ret)
{
	struct error why = { 0 };
	int good = objects_verify(o, name, &why);

	if (good < 0)
		ret->sys = why.sys ? why.sys : EIO;
	return good <= 0;
}

/* ret_digest: of the tar that comes out. */
static int hash_remade(const struct work *w, const struct transfer_layer *layer, char *ret_digest, struct error *err)
{
	enum { BLOCK = 1 << 17 };
	struct inflate *in = remake_open(&w->places, layer->digest, NULL, err);
	char *block = malloc(BLOCK);
	struct hash hash = { 0 };
	ssize_t n = -1;

	if (in && block && hash_init(&hash, layer->diff_id, err) == 0)
		while ((n = inflate_read(in, block, BLOCK, err)) > 0)
			hash_add(&hash, block, (size_t)n);
	if (n == 0)
		hash_final(&hash, ret_digest);
	hash_done(&hash);
	inflate_close(in);
	free(block);
	return (int)n;
}

static bool is_damaged_recipe(const struct work *w, const struct transfer_layer *layer, struct damage *ret)
{
	struct error why = { 0 };

	if (hash_remade(w, layer, ret->digest, &why) == 0)
		return strcmp(ret->digest, layer->diff_id) != 0;
	ret->sys = error_is(&why, ERROR_INVALID) || error_is(&why, ERROR_NOT_FOUND) ? 0 : why.sys ? why.sys : EIO;
	return true;
}

static bool is_damaged(const struct verify *v, struct objects *objects, size_t i, struct damage *ret)
{
	if (v->layers)
		return is_damaged_recipe(v->work, &v->layers[i], ret);
	return v->objects ? is_damaged_object(objects, v->list.v[i], ret) : is_damaged_blob(v->work, v->list.v[i], ret);
}

static _Noreturn void read_share(const struct verify *v, size_t first, size_t step, int pipe)
{
	struct objects objects;

	if (objects_init(&objects, v->work->places.objects, NULL) < 0)
		_exit(1);
	for (size_t i = first; i < v->list.n; i += step) {
		struct damage d = { .index = i };

		if (is_damaged(v, &objects, i, &d) && write(pipe, &d, sizeof(d)) != (ssize_t)sizeof(d))
			_exit(1);
	}
	_exit(0);
}

static int start(struct verify *v, int pipe, struct error *err)
{
	size_t most = jobs_processors(PROCESSES_MAX), n = v->list.n < most ? v->list.n : most;
	pid_t parent = getpid();

	for (size_t i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return error_errno(err, "start a process that reads the store");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(1);
			read_share(v, i, n, pipe);
		}
		v->pids[v->n++] = pid;
	}
	return 0;
}

static void add(const struct verify *v, const struct damage *d, struct transfer_event *ret)
{
	struct arena *arena = v->work->arena;
	char *name = v->list.v[d->index];
	char *text = d->sys == ENOENT ? arena_strdup(arena, "it is missing") :
		     d->sys ? arena_printf(arena, "it cannot be read: %s", strerror(d->sys)) :
		     v->objects ? "its contents are not what its name says" : arena_printf(arena, "its contents are %s", d->digest);

	if ((v->listed && d->sys == ENOENT) || (v->objects && ret->damaged.n >= TRANSFER_DAMAGED_MAX))
		return;
	*ARRAY_ADD(arena, &ret->damaged) = (struct transfer_damage){ name, text, error_is_unread(d->sys) };
}

static int hear(const struct verify *v, int pipe, struct transfer_event *ret, struct error *err)
{
	struct damage d;
	ssize_t n;

	while ((n = fd_read_all(pipe, &d, sizeof(d))) == (ssize_t)sizeof(d))
		if (d.index < v->list.n)
			add(v, &d, ret);
	return n < 0 ? error_errno(err, "hear the processes that read the store") : 0;
}

static int reap(const struct verify *v, bool end, struct error *err)
{
	int result = 0;

	for (size_t i = 0; i < v->n; i++) {
		int status = 0;

		if (end)
			kill(v->pids[i], SIGKILL);
		while (waitpid(v->pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (status && !end && result == 0)
			result = error_set(err, ERROR_FAILED, "a process that read the store ended before it was done");
	}
	return result;
}

static int verify(struct verify *v, struct transfer_event *ret, struct error *err)
{
	int ends[2], result;

	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	result = start(v, ends[1], err);
	close(ends[1]);
	if (result == 0)
		result = hear(v, ends[0], ret, err);
	close(ends[0]);
	return reap(v, result < 0, err) < 0 ? -1 : result;
}

int op_verify(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct verify v = { .work = w, .list = r->digests };

	for (size_t i = 0; i < v.list.n; i++)
		if (!digest_is_valid(v.list.v[i]))
			return error_set(err, ERROR_INVALID, "\"%s\" is not a digest", v.list.v[i]);
	return verify(&v, ret, err);
}

int op_objects_check(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct verify v = { .work = w, .list = r->names, .objects = true };

	if (w->places.objects < 0)
		return error_set(err, ERROR_USAGE, "the store has no directory for objects");
	for (size_t i = 0; i < v.list.n; i++)
		if (!object_name_is_valid(v.list.v[i]))
			return error_set(err, ERROR_INVALID, "\"%s\" is not the name of an object", v.list.v[i]);
	v.listed = !v.list.n;
	if (v.listed && objects_list(w->arena, w->places.objects, &v.list, err) < 0)
		return -1;
	ret->checked = (int64_t)v.list.n;
	return verify(&v, ret, err);
}

int op_recipes_check(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct verify v = { .work = w, .layers = r->layers.v };

	for (size_t i = 0; i < r->layers.n; i++) {
		const struct transfer_layer *layer = &r->layers.v[i];

		if (!layer->diff_id || !digest_is_valid(layer->digest) || !digest_is_valid(layer->diff_id))
			return error_set(err, ERROR_INVALID, "a layer has no valid digest");
		strings_add(w->arena, &v.list, layer->digest);
	}
	ret->checked = (int64_t)v.list.n;
	return verify(&v, ret, err);
}
