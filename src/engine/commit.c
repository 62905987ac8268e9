#include "engine/commit.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/bare_root.h"
#include "engine/idfile.h"
#include "engine/layer_form.h"
#include "engine/life.h"
#include "engine/take.h"
#include "spec/reference.h"
#include "store/container_changes.h"
#include "store/layer.h"
#include "sys/fd.h"

static const int interrupts[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

struct commit {
	struct engine *e;
	struct container *c;
	const struct commit_request *request;
	struct transfer transfer;
	struct image_config base;
	struct take take;
	struct transfer_request layer;	/* owners, format */
	struct id_maps maps;
	int root, list;			/* what becomes the layer: a tree, and the file that names its entries */
};

/* --- what was asked for */

static int check_format(const struct commit_request *r, struct error *err)
{
	bool docker = str_eq(r->format, "docker");

	if (r->format && !docker && strcmp(r->format, "oci") != 0)
		return error_set(err, ERROR_USAGE, "unrecognized image format \"%s\"", r->format);
	if (!str_is_empty(r->message) && !docker)
		return error_set(err, ERROR_USAGE, "messages are only compatible with the docker image format (-f docker)");
	return 0;
}

static int take_name(struct commit *m, struct error *err)
{
	struct reference name;

	if (str_is_empty(m->request->name))
		return 0;
	if (reference_parse(m->e->arena, m->request->name, &name, err) < 0)
		return -1;
	if (name.digest)
		return error_set(err, ERROR_USAGE, "%s: a committed image cannot be given a digest", m->request->name);
	if (!name.registry)
		name.registry = arena_strdup(m->e->arena, "localhost");
	strings_add(m->e->arena, &m->take.names, reference_print(m->e->arena, &name));
	return 0;
}

static int read_base(struct commit *m, struct error *err)
{
	struct image image;

	if (m->c->rootfs)
		return error_set(err, ERROR_UNSUPPORTED, "cannot commit a container that uses an exploded rootfs");
	if (image_read(m->e->arena, &m->e->store, m->c->image_id, &image, err) < 0 ||
	    image_read_config(m->e, &image, &m->base, err) < 0)
		return error_frame(err, "the image of container %s", m->c->name);
	return 0;
}

/* Wrong instructions are found before anything is done. */
static int check(struct commit *m, struct error *err)
{
	char *ignored;

	if (check_format(m->request, err) < 0 || take_name(m, err) < 0 || read_base(m, err) < 0)
		return -1;
	return commit_config(m->e->arena, m->c, &m->base, m->request, "", "", &ignored, err);
}

/* --- the layer */

/* Where the engine mounts its own files: what it made there is not the container's. */
static bool is_own_file(const struct change *change)
{
	static const char *const files[] = {
		"/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/run/.containerenv",
	};

	for (size_t i = 0; change->kind == CHANGE_ADDED && i < ELEMENTS(files); i++)
		if (strcmp(files[i], change->path) == 0)
			return true;
	return false;
}

static int write_list(struct commit *m, const struct changes *changes, struct error *err)
{
	_cleanup_buffer_ struct buffer b = BUFFER(1 << 30);

	for (size_t i = 0; i < changes->n; i++)
		if (!is_own_file(&changes->v[i]) &&
		    (buffer_printf(&b, "%c%s", changes->v[i].kind, changes->v[i].path) < 0 || buffer_add(&b, "", 1) < 0))
			return error_errno(err, "list the changes");
	m->list = memfd_create("changes", MFD_CLOEXEC);
	if (m->list < 0 || fd_write_all(m->list, b.data, b.size) < 0)
		return error_errno(err, "list the changes");
	return 0;
}

static int find_entries(struct commit *m, struct error *err)
{
	struct changes changes = { 0 };

	if (m->request->squash) {
		m->root = bare_root_open(m->e, m->c, err);
		*ARRAY_ADD(m->e->arena, &changes) = (struct change){ (enum change_kind)'T', arena_strdup(m->e->arena, "/") };
		return m->root < 0 ? -1 : write_list(m, &changes, err);
	}
	if (layer_form_need(m->e, &m->c->layers, err) < 0 ||
	    container_store_changes(m->e->arena, &m->e->store, m->c->id, &m->maps, &changes, &m->root, err) < 0)
		return -1;
	return write_list(m, &changes, err);
}

static int make_layer(struct commit *m, struct transfer_event *ret, struct error *err)
{
	if (find_entries(m, err) < 0)
		return -1;
	m->layer.op = "layer";
	if (transfer_call(m->e, &m->transfer, &m->layer, (int[]){ m->root, m->list }, 2, ret, err) < 0)
		return error_frame(err, "write the layer");
	if (ret->manifests.n != 1 || ret->unpacked.n != 1 || !digest_is_valid(ret->unpacked.v[0].diff_id))
		return error_set(err, ERROR_FAILED, "bryo-transfer made no layer");
	return 0;
}

static bool must_pause(struct commit *m)
{
	struct container_state s;

	return m->request->pause && container_load_state(m->e, m->c, &s, NULL) == 0 && s.status == CONTAINER_RUNNING;
}

/* Whoever interrupts the command does not mean to leave the container standing still: his signal waits. */
static int make_layer_paused(struct commit *m, struct transfer_event *ret, struct error *err)
{
	struct error own = { 0 };
	sigset_t waiting, before;
	int result;

	if (!must_pause(m))
		return make_layer(m, ret, err);
	sigemptyset(&waiting);
	for (size_t i = 0; i < ELEMENTS(interrupts); i++)
		sigaddset(&waiting, interrupts[i]);
	sigprocmask(SIG_BLOCK, &waiting, &before);
	result = container_pause(m->e, m->c, true, err);
	if (result == 0) {
		result = make_layer(m, ret, err);
		if (container_pause(m->e, m->c, false, &own) < 0)
			engine_warn(m->e, "%s", own.text);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* --- the image */

static int add_layers(struct commit *m, const struct image_descriptor *top, struct transfer_request *ret,
		      struct error *err)
{
	struct layer layer;

	for (size_t i = 0; !m->request->squash && i < m->c->layers.n; i++) {
		if (layer_read(m->e->arena, &m->e->store, m->c->layers.v[i], &layer, err) < 0)
			return -1;
		*ARRAY_ADD(m->e->arena, &ret->layers) = (struct transfer_layer){
			.digest = layer.blob_digest, .media_type = layer.blob_media_type, .size = layer.blob_size,
		};
	}
	*ARRAY_ADD(m->e->arena, &ret->layers) = (struct transfer_layer){
		.digest = top->digest, .media_type = top->media_type, .size = top->size,
	};
	return 0;
}

static int make_image(struct commit *m, const struct transfer_event *layer, char **ret_id, struct error *err)
{
	struct transfer_request r = { .op = "compose", .format = m->layer.format };
	char *now = units_format_time(m->e->arena, units_now());
	struct transfer_event result;
	struct image image;

	if (commit_config(m->e->arena, m->c, &m->base, m->request, layer->unpacked.v[0].diff_id, now, &r.document, err) < 0 ||
	    add_layers(m, &layer->manifests.v[0], &r, err) < 0 ||
	    transfer_call(m->e, &m->transfer, &r, NULL, 0, &result, err) < 0)
		return -1;
	if (result.images.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer made %zu images", result.images.n);
	if (image_take(m->e, &m->transfer, &m->take, &result.images.v[0], &image, err) < 0)
		return -1;
	*ret_id = image.id;
	return 0;
}

static int run(struct commit *m, char **ret_id, struct error *err)
{
	struct transfer_event layer;
	int result;

	if (check(m, err) < 0 || bare_root_maps(m->e, m->c, &m->maps, &m->layer, err) < 0 ||
	    transfer_open(m->e, &m->transfer, err) < 0)
		return -1;
	m->layer.format = m->request->format;
	result = make_layer_paused(m, &layer, err);
	if (result == 0)
		result = make_image(m, &layer, ret_id, err);
	transfer_close(&m->transfer);
	return result;
}

int container_commit(struct engine *e, struct container *c, const struct commit_request *r, char **ret_id,
		     struct error *err)
{
	struct commit m = { .e = e, .c = c, .request = r, .take.event = "commit", .root = -1, .list = -1 };
	struct store_claim claim;
	int result;

	if (store_claim(&e->store, &claim, err) < 0)
		return -1;
	result = run(&m, ret_id, err);
	store_claim_done(&e->store, &claim);
	fd_close(&m.root);
	fd_close(&m.list);
	if (result < 0) {
		image_take_failed(e, err);
		return -1;
	}
	life_event(e, c, "commit");
	return r->iidfile ? idfile_write(r->iidfile, *ret_id, false, err) : 0;
}
