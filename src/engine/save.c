/* `save`, and `push` to files: which images under which names; bryo-transfer writes. */
#include "engine/save.h"

#include "engine/events.h"
#include "engine/list.h"
#include "engine/refetch.h"
#include "engine/take.h"
#include "spec/reference.h"
#include "store/image.h"
#include "sys/fd.h"

static const struct save_format {
	const char *name, *word;		/* the user's, bryo-transfer's */
	bool directory, one;
} formats[] = {
	{ "docker-archive",	"docker-archive",	false,	false },
	{ "oci-archive",	"oci",			false,	false },
	{ "oci-dir",		"oci",			true,	false },
	{ "docker-dir",		"docker-dir",		true,	true },
};

static const struct save_format *format_of(const struct save_request *r)
{
	for (size_t i = 0; i < ELEMENTS(formats); i++)
		if (str_eq(r->format ? r->format : "docker-archive", formats[i].name))
			return &formats[i];
	return NULL;
}

int image_save_check(const struct save_request *r, struct error *err)
{
	const struct save_format *f = format_of(r);

	if (!f)
		return error_set(err, ERROR_USAGE, "unknown format \"%s\": docker-archive, oci-archive, oci-dir or docker-dir",
				 r->format);
	if (f->directory && str_is_empty(r->output)) {
		error_set(err, ERROR_USAGE, "format %s is a directory", f->name);
		return error_hint(err, "name it: --output DIR");
	}
	if (f->one && r->names.n > 1)
		return error_set(err, ERROR_USAGE, "format %s has one image: save each to a directory of its own", f->name);
	if (r->compress && !str_eq(f->name, "docker-dir"))
		return error_set(err, ERROR_USAGE, "--compress can only be set when --format is 'docker-dir'");
	return 0;
}

int image_save_open(struct arena *arena, const struct save_request *r, struct save_target *ret, struct error *err)
{
	const struct save_format *f = format_of(r);

	return f && f->directory ? save_target_directory(arena, r->output, ret, err) :
				   save_target_file(arena, str_is_empty(r->output) ? NULL : r->output, ret, err);
}

/* --- which images */

static struct transfer_image *add_image(struct engine *e, struct transfer_request *t, const struct image *image,
					struct error *err)
{
	struct transfer_image *wanted;

	for (size_t i = 0; i < t->images.n; i++)
		if (str_eq(t->images.v[i].id, image->id))
			return &t->images.v[i];
	if (!image->manifest_digest) {
		error_set(err, ERROR_INVALID, "image %.12s has no manifest", image->id);
		return NULL;
	}
	wanted = ARRAY_ADD(e->arena, &t->images);
	*wanted = (struct transfer_image){ .id = image->id, .manifest_digest = image->manifest_digest,
					   .manifest_media_type = image->manifest_media_type,
					   .config_digest = image->config_digest };
	return wanted;
}

static void add_name(struct engine *e, struct transfer_image *image, const char *name)
{
	if (!strings_has(&image->names, name))
		strings_add(e->arena, &image->names, name);
}

/* Podman's way: what is no image is a further name of the first one. */
static int add_as_name(struct engine *e, struct transfer_request *t, const char *text, struct error *err)
{
	struct reference r;

	if (reference_parse(e->arena, text, &r, err) < 0)
		return -1;
	if (r.digest)
		return image_unknown(text, err);
	if (!r.registry)
		r.registry = (char *)(uintptr_t)"localhost";
	engine_note(e, "%s is no image here: it becomes a further name of the first one", text);
	add_name(e, &t->images.v[0], reference_print(e->arena, &r));
	return 0;
}

/* A manifest list means its image for this machine. */
static int find_image(struct engine *e, const char *text, struct image *ret, char **ret_name, struct error *err)
{
	struct transport t;
	struct image list;

	if (transport_parse(e->arena, text, &t, err) < 0)
		return -1;
	if (t.kind == TRANSPORT_STORAGE)
		text = t.name;
	if (image_find(e->arena, &e->store, text, ret, ret_name, err) < 0)
		return -1;
	list = *ret;
	return list.list ? list_choose(e, &list, NULL, ret, err) : 0;
}

static int add_operand(struct engine *e, struct transfer_request *t, const char *text, bool may_be_name,
		       struct error *err)
{
	struct transfer_image *wanted;
	struct error local = { 0 };
	struct image image;
	char *name = NULL;

	if (find_image(e, text, &image, &name, &local) < 0) {
		if (may_be_name && t->images.n && error_is(&local, ERROR_NOT_FOUND))
			return add_as_name(e, t, text, err);
		if (err)
			*err = local;
		return -1;
	}
	wanted = add_image(e, t, &image, err);
	if (wanted && name)
		add_name(e, wanted, name);
	return wanted ? 0 : -1;
}

/* --- */

/* Layers of one image that are wanted as they came and are not here: from where they came, else anew. */
static int bring(struct engine *e, struct transfer_request *r, const struct transfer_event *missing, struct error *err)
{
	const struct refetch how = { .retries = 3 };
	struct error why = { 0 };
	struct transfer t;
	struct image image;
	int result;

	if (missing->images.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer does not say whose layers are missing");
	if (image_read(e->arena, &e->store, missing->images.v[0].id, &image, err) < 0 || transfer_open(e, &t, err) < 0)
		return -1;
	result = image_refetch(e, &t, &how, &image, missing, &why);
	transfer_close(&t);
	r->remake = result < 0 && refetch_may_remake(e, &image, &why);
	if (result == 0 || r->remake)
		return 0;
	error_set(err, why.kind, "image %.12s: the layer %.19s is not in the store: %s", image.id, missing->missing.v[0].digest,
		  why.text);
	return error_hint(err, "pull or load the image again");
}

/* Nothing is written before everything is there. */
static int write_images(struct engine *e, struct transfer_request *r, struct save_target *target, struct transfer_event *ret,
			struct error *err)
{
	for (size_t tries = 0; tries <= r->images.n + 1; tries++) {
		if (transfer_ask(e, r, &target->fd, 1, ret, err) < 0)
			return -1;
		if (!ret->missing.n)
			return 0;
		if (r->remake || tries > r->images.n)
			break;
		if (bring(e, r, ret, err) < 0)
			return -1;
	}
	error_set(err, ERROR_NOT_FOUND, "the layer %.19s is not in the store any more", ret->missing.v[0].digest);
	return error_hint(err, "pull or load the image again");
}

static int call(struct engine *e, struct transfer_request *r, struct save_target *target, char **ret_digest,
		struct error *err)
{
	struct transfer_event result;

	if (write_images(e, r, target, &result, err) < 0 || save_target_commit(target, err) < 0)
		return -1;
	for (size_t i = 0; i < r->images.n; i++)
		event_add(e, "image", "save", r->images.v[i].id, r->images.v[i].names.n ? r->images.v[i].names.v[0] : "", NULL,
			  NULL);
	if (ret_digest)
		*ret_digest = result.manifests.n ? result.manifests.v[0].digest : r->images.v[0].manifest_digest;
	return 0;
}

static int save_named(struct engine *e, const struct save_request *r, struct transfer_request *t, struct save_target *target,
		      struct error *err)
{
	const struct save_format *f = format_of(r);
	bool may_be_name = !r->several && str_eq(f->name, "docker-archive");

	t->format = (char *)(uintptr_t)f->word;
	if (r->compress || (str_eq(f->word, "oci") && !r->uncompressed))
		t->compression = (char *)(uintptr_t)"gzip";
	for (size_t i = 0; i < r->names.n; i++)
		if (add_operand(e, t, r->names.v[i], may_be_name, err) < 0)
			return -1;
	return call(e, t, target, NULL, err);
}

/* What was fetched for it alone. */
static void let_go(struct engine *e, const struct transfer_request *r)
{
	struct image image;

	for (size_t i = 0; i < r->images.n; i++)
		if (image_read(e->arena, &e->store, r->images.v[i].id, &image, NULL) == 0)
			image_take_done(e, &image);
}

/* Blobs must not be removed while they are read. */
int image_save(struct engine *e, const struct save_request *r, struct save_target *target, struct error *err)
{
	struct transfer_request t = { .op = "save" };
	int lock, result;

	if (image_save_check(r, err) < 0 || engine_open(e, err) < 0)
		return -1;
	lock = store_lock(&e->store, LOCK_SHARED, true, err);
	result = lock < 0 ? -1 : save_named(e, r, &t, target, err);
	fd_close(&lock);
	let_go(e, &t);
	return result;
}

/* --- push to a file or directory */

static int word_of(const struct transport *to, const char *family, char **ret, struct error *err)
{
	bool docker = family && strcmp(family, "docker") == 0;
	const char *word = to->kind == TRANSPORT_DOCKER_ARCHIVE ? "docker-archive" : to->kind != TRANSPORT_DIR ? "oci" :
			   !family ? "dir" : docker ? "docker-dir" : "oci-in-dir";

	if (to->kind != TRANSPORT_DIR && family && docker != (to->kind == TRANSPORT_DOCKER_ARCHIVE))
		return error_set(err, ERROR_USAGE, "%s holds manifests of its own kind: --format cannot change it",
				 transport_word(to->kind));
	*ret = (char *)(uintptr_t)word;
	return 0;
}

static int open_transport(struct engine *e, const struct transport *to, struct save_target *ret, struct error *err)
{
	const char *path = *to->path == '/' ? to->path : arena_printf(e->arena, "%s/%s", e->identity.cwd, to->path);

	if (to->index >= 0)
		return error_set(err, ERROR_USAGE, "a place in an archive (@%lld) can be read, not written",
				 (long long)to->index);
	return to->kind == TRANSPORT_DIR || to->kind == TRANSPORT_OCI_DIR ? save_target_directory(e->arena, path, ret, err) :
									    save_target_file(e->arena, path, ret, err);
}

/* The name that the destination gives; docker-archive's are whole names. */
static int name_for(struct engine *e, const struct transport *to, struct transfer_image *image, struct error *err)
{
	struct reference r;

	if (!to->name)
		return 0;
	if (to->kind != TRANSPORT_DOCKER_ARCHIVE) {
		add_name(e, image, to->name);
		return 0;
	}
	if (reference_parse(e->arena, to->name, &r, err) < 0)
		return -1;
	if (!r.registry && reference_parse(e->arena, arena_printf(e->arena, "docker.io/%s", to->name), &r, err) < 0)
		return -1;
	add_name(e, image, reference_print(e->arena, &r));
	return 0;
}

static int save_to(struct engine *e, const char *name, const struct transport *to, struct transfer_request *t,
		   struct save_target *target, char **ret_digest, struct error *err)
{
	_cleanup_fd_ int lock = store_lock(&e->store, LOCK_SHARED, true, err);
	struct transfer_image *wanted;
	struct image image;

	if (str_eq(t->format, "oci"))
		t->compression = (char *)(uintptr_t)"gzip";
	if (lock < 0 || find_image(e, name, &image, NULL, err) < 0)
		return -1;
	wanted = add_image(e, t, &image, err);
	return !wanted || name_for(e, to, wanted, err) < 0 ? -1 : call(e, t, target, ret_digest, err);
}

int image_save_to(struct engine *e, const char *name, const struct transport *to, const char *family, char **ret_digest,
		  struct error *err)
{
	struct transfer_request t = { .op = "save" };
	struct save_target target;
	int r;

	if (word_of(to, family, &t.format, err) < 0 || engine_open(e, err) < 0 || open_transport(e, to, &target, err) < 0)
		return -1;
	r = save_to(e, name, to, &t, &target, ret_digest, err);
	let_go(e, &t);
	save_target_done(&target);
	return r;
}
