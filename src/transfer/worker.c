#include "transfer/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/layer_maker.h"
#include "transfer/remake.h"
#include "transfer/sandbox.h"
#include "transfer/tree_place.h"
#include "transfer/untar.h"

_Static_assert(sizeof(struct worker_message) <= PIPE_BUF, "a worker's message crosses its pipe in one write");

#define RECIPE_MIN 4096
#define RECIPE_MAX ((size_t)256 << 20)
#define APART_MIN ((int64_t)2 << 20)	/* packed bytes for which a second process is worth its start */

struct teller { int pipe; struct timespec last; };

static void say(int pipe, const struct worker_message *m)
{
	ssize_t n;

	do
		n = write(pipe, m, sizeof(*m));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		_exit(1);		/* the parent is gone */
}

static void tell_progress(void *context, uint64_t consumed)
{
	struct teller *t = context;
	struct worker_message m = { .word = WORKER_PROGRESS, .consumed = (int64_t)consumed };
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if ((now.tv_sec - t->last.tv_sec) * 1000 + (now.tv_nsec - t->last.tv_nsec) / 1000000 < 100)
		return;
	t->last = now;
	say(t->pipe, &m);
}

static int open_stage(const struct work *w, const char *stage, struct error *err)
{
	int dir = tree_open_dir(w->places.tmp, stage, O_RDONLY);

	return dir < 0 ? error_errno(err, "open the stage %s", stage) : dir;
}

/* tmp/<stage>/diff, without the default ACL that a home directory may hand down. */
static int make_root(const struct work *w, const char *stage, struct error *err)
{
	_cleanup_fd_ int dir = open_stage(w, stage, err);
	int root;

	if (dir < 0)
		return -1;
	if (mkdirat(dir, "diff", 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make the stage's diff");
	root = fd_open_dir(dir, "diff");
	if (root < 0)
		return error_errno(err, "open the stage's diff");
	fremovexattr(root, "system.posix_acl_default");
	fremovexattr(root, "system.posix_acl_access");
	fchmod(root, 0755);
	return root;
}

static int check_packing(const struct transfer_layer *layer, enum inflate_kind kind, struct error *err)
{
	enum layer_compression said;

	if (image_layer_compression(layer->media_type, &said) < 0)
		return error_set(err, ERROR_UNSUPPORTED, "the layer's media type %s is unknown", layer->media_type);
	if (kind > INFLATE_ZSTD)
		return error_set(err, ERROR_UNSUPPORTED, "the layer is packed with %s, its media type is %s",
				 inflate_kind_name(kind), layer->media_type);
	return 0;
}

static struct tree_options options_of(const struct transfer_request *r)
{
	return (struct tree_options){ .squash_owner = r->squash_owner, .uids = { r->uid_ranges.v, r->uid_ranges.n },
				      .gids = { r->gid_ranges.v, r->gid_ranges.n }, .user = r->user, .free_id = r->free_id };
}

static int unpack_to_diff(const struct work *w, const struct transfer_request *r, const struct transfer_layer *layer,
			  struct untar *u, struct worker_result *ret, struct error *err)
{
	const struct tree_options options = options_of(r);
	_cleanup_fd_ int root = make_root(w, layer->stage, err);
	int scratch = root < 0 ? -1 : sink_scratch(&w->places), result;
	struct tree tree;

	if (scratch < 0)
		return root < 0 ? -1 : error_errno(err, "make a scratch file");
	if (tree_init(&tree, root, "", &options, scratch, err) < 0)
		return -1;
	u->target = &untar_to_tree;
	u->to = &tree;
	result = untar(u, err);
	ret->size = tree.size;
	ret->max_uid = tree.max_uid;
	ret->max_gid = tree.max_gid;
	tree_done(&tree);
	return result;
}

/* It must be smaller than the blob that it takes the place of: well below a plain one, which a push compresses. What fits
 * into a block of the file system costs nothing. */
static size_t recipe_limit(const struct transfer_layer *layer)
{
	enum layer_compression packing;
	int64_t most = image_layer_compression(layer->media_type, &packing) == 0 && packing == LAYER_PLAIN ?
		       layer->size / 2 : layer->size;

	return most < RECIPE_MIN ? RECIPE_MIN : (uint64_t)most > RECIPE_MAX ? RECIPE_MAX : (size_t)most;
}

static int untar_with_recipe(const struct transfer_layer *layer, struct untar *u, struct untar_layer *l, int stage,
			     bool *ret_made, struct error *err)
{
	struct recipe_maker recipe;
	int made = -1;

	if (recipe_maker_init(&recipe, recipe_limit(layer), err) < 0)
		return -1;
	u->recipe = l->recipe = &recipe;
	if (untar(u, err) == 0)
		made = recipe_maker_finish(&recipe, stage, err);
	recipe_maker_done(&recipe);
	*ret_made = made > 0;
	return made < 0 ? -1 : 0;
}

static int unpack_to_index(const struct work *w, const struct transfer_request *r, const struct transfer_layer *layer,
			   struct untar *u, struct worker_result *ret, struct error *err)
{
	const struct tree_options options = options_of(r);
	_cleanup_fd_ int stage = open_stage(w, layer->stage, err);
	struct layer_maker maker;
	struct untar_layer to;
	int result;

	if (stage < 0 || layer_maker_init(&maker, &w->places, &options, err) < 0)
		return -1;
	u->target = &untar_to_layer;
	to = (struct untar_layer){ .tree = maker.tree, .objects = &maker.objects };
	u->to = &to;
	result = layer->recipe ? untar_with_recipe(layer, u, &to, stage, &ret->recipe, err) : untar(u, err);
	if (result == 0)
		result = layer_maker_finish(&maker, stage, err);
	ret->size = layer_tree_totals(maker.tree)->size;
	ret->max_uid = layer_tree_totals(maker.tree)->max_uid;
	ret->max_gid = layer_tree_totals(maker.tree)->max_gid;
	layer_maker_done(&maker);
	return result;
}

static int unpack_stream(const struct work *w, const struct transfer_request *r, const struct transfer_layer *layer,
			 struct inflate *in, struct teller *teller, struct worker_result *ret, struct error *err)
{
	bool apart = w->processors > 1 && layer->size >= APART_MIN;
	struct hash hash;
	struct untar u = { .in = in, .hash = apart ? NULL : &hash, .progress = tell_progress, .context = teller };
	int result;

	if (apart)
		result = inflate_apart(in, layer->diff_id, err);
	else
		result = hash_init(&hash, layer->diff_id, err);
	if (result < 0)
		return -1;
	result = (r->objects ? unpack_to_index : unpack_to_diff)(w, r, layer, &u, ret, err);
	if (result == 0 && apart)
		snprintf(ret->diff_id, sizeof(ret->diff_id), "%s", inflate_apart_digest(in));
	else if (result == 0)
		hash_final(&hash, ret->diff_id);
	if (!apart)
		hash_done(&hash);
	return result;
}

static struct inflate *open_layer(const struct work *w, const struct transfer_layer *layer, int *ret_fd, struct error *err)
{
	*ret_fd = sink_open_blob(&w->places, layer->digest);
	if (*ret_fd < 0 && errno == ENOENT && remake_can(&w->places, layer->chain_id))
		return remake_open(&w->places, layer->chain_id, NULL, err);
	if (*ret_fd < 0) {
		error_errno(err, "open the blob %s", layer->digest);
		return NULL;
	}
	posix_fadvise(*ret_fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	return inflate_open(*ret_fd, err);
}

static int unpack(const struct work *w, const struct transfer_request *r, const struct transfer_layer *layer,
		  struct chunked *chunked, struct teller *teller, struct worker_result *ret, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	struct inflate *in = chunked ? chunked_open(chunked, err) : open_layer(w, layer, &fd, err);
	int result;

	if (!in)
		return -1;
	result = check_packing(layer, inflate_kind(in), err);
	if (result == 0)
		result = unpack_stream(w, r, layer, in, teller, ret, err);
	inflate_close(in);
	if (result == 0 && !str_is_empty(layer->diff_id) && !str_eq(layer->diff_id, ret->diff_id))
		return error_set(err, ERROR_INVALID, "the layer's content is %s, the image's configuration says %s",
				 ret->diff_id, layer->diff_id);
	return result;
}

static void run(const struct work *w, const struct transfer_request *r, const struct transfer_layer *layer,
		struct chunked *chunked, int pipe)
{
	struct worker_message m = { .word = WORKER_DONE };
	struct teller teller = { .pipe = pipe };
	struct error error = { 0 };

	if (sandbox_no_network(&error) < 0 || unpack(w, r, layer, chunked, &teller, &m.result, &error) < 0) {
		m.word = WORKER_FAILED;
		m.error = error;
	}
	say(pipe, &m);
}

int worker_start(struct worker *worker, const struct work *w, const struct transfer_request *r,
		 const struct transfer_layer *layer, struct chunked *chunked, struct error *err)
{
	pid_t parent = getpid();
	int ends[2];

	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	worker->pid = fork();
	if (worker->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			run(w, r, layer, chunked, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	worker->pipe = ends[0];
	if (worker->pid > 0 && fd_set_nonblock(ends[0], true) == 0)
		return 0;
	error_errno(err, "start an unpacking process");
	worker_kill(worker);
	return -1;
}

static int reap(struct worker *worker)
{
	int status = 0;

	while (worker->pid > 0 && waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	worker->pid = 0;
	fd_close(&worker->pipe);
	return status;
}

void worker_kill(struct worker *worker)
{
	if (worker->pid > 0)
		kill(worker->pid, SIGKILL);
	reap(worker);
}

/* The pipe ended without a result. */
static void died(struct worker *worker, struct worker_message *ret)
{
	int status = reap(worker);

	ret->word = WORKER_FAILED;
	error_clear(&ret->error);
	if (WIFSIGNALED(status))
		error_set(&ret->error, ERROR_FAILED, "the unpacking process was ended by signal %d", WTERMSIG(status));
	else
		error_set(&ret->error, ERROR_FAILED, "the unpacking process ended with status %d", WEXITSTATUS(status));
}

int worker_read(struct worker *worker, struct worker_message *ret)
{
	ssize_t n;

	do
		n = read(worker->pipe, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n != (ssize_t)sizeof(*ret))
		died(worker, ret);
	else if (ret->word != WORKER_PROGRESS)
		reap(worker);
	return 1;
}
