#include "engine/list.h"

#include "base/units.h"
#include "engine/events.h"
#include "engine/list_entry.h"
#include "spec/manifest_edit.h"
#include "store/blob.h"
#include "sys/fd.h"

/* --- finding */

int list_find(struct engine *e, const char *name, struct image *ret, struct error *err)
{
	if (image_find(e->arena, &e->store, name, ret, NULL, err) < 0)
		return -1;
	if (!ret->list)
		return error_set(err, ERROR_NOT_FOUND, "%s: this is an image, no manifest list", name);
	return 0;
}

int list_read_index(struct engine *e, const struct image *list, struct image_index *ret, struct error *err)
{
	struct image_manifest manifest = { 0 };
	enum manifest_kind kind;
	size_t n;
	char *text = blob_read(e->arena, &e->store, list->manifest_digest, IMAGE_MANIFEST_MAX, &n, err);

	*ret = (struct image_index){ 0 };
	if (!text || image_manifest_decode(e->arena, text, n, NULL, &kind, &manifest, ret, err) < 0)
		return error_frame(err, "manifest list %.12s", list->id);
	if (kind != MANIFEST_INDEX)
		return error_set(err, ERROR_INVALID, "manifest list %.12s: it is no list", list->id);
	return 0;
}

int list_image_of(struct engine *e, const char *manifest_digest, struct image *ret, struct error *err)
{
	struct images images;

	if (image_list(e->arena, &e->store, &images, err) < 0)
		return -1;
	for (size_t i = 0; i < images.n; i++)
		if (!images.v[i].list && str_eq(images.v[i].manifest_digest, manifest_digest)) {
			*ret = images.v[i];
			return 1;
		}
	return 0;
}

int list_choose(struct engine *e, const struct image *list, const char *platform, struct image *ret, struct error *err)
{
	const struct image_descriptor *d;
	struct image_index index;
	int found;

	if (list_read_index(e, list, &index, err) < 0 || !(d = image_index_choose(e->arena, &index, platform, err)))
		return -1;
	found = list_image_of(e, d->digest, ret, err);
	if (found == 0)
		return error_set(err, ERROR_NOT_FOUND, "manifest list %.12s: its image %.19s for this platform is not in the store",
				 list->id, d->digest);
	return found < 0 ? -1 : 0;
}

/* --- changing */

typedef int change(struct engine *e, void *context, struct image *list, struct image_index *index, struct error *err);

static int keep_index(struct engine *e, struct transfer *t, struct image *list, const struct image_index *index,
		      struct error *err)
{
	struct transfer_request request = { .op = "keep", .media_type = index->media_type };
	struct transfer_event result;

	request.document = index_print(e->arena, index);
	if (transfer_call(e, t, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.manifests.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer kept %zu documents", result.manifests.n);
	list->manifest_digest = result.manifests.v[0].digest;
	list->manifest_media_type = index->media_type;
	list->size = result.manifests.v[0].size;
	return 0;
}

static int change_list(struct engine *e, struct transfer *t, const char *name, change *apply, void *context,
		       char **ret_id, struct error *err)
{
	_cleanup_fd_ int lock = lock_open(e->store.root_fd, "lists.lock", LOCK_EXCLUSIVE, true);
	struct image_index index;
	struct image list;

	if (lock < 0)
		return error_errno(err, "lock the store's lists");
	if (list_find(e, name, &list, err) < 0 || list_read_index(e, &list, &index, err) < 0 ||
	    apply(e, context, &list, &index, err) < 0 || keep_index(e, t, &list, &index, err) < 0)
		return -1;
	*ret_id = list.id;
	return image_commit(e->arena, &e->store, &list, NULL, NULL, err);
}

/* One command's work on one list. */
struct job {
	const char *name, *entry;
	const struct strings *images;
	const struct list_request *r;
	char **ret_id;
};
typedef int action(struct engine *e, struct transfer *t, const struct job *job, struct error *err);

/* What is written and fetched is nobody's until the record names it; the index that was before is nobody's then. */
static int perform(struct engine *e, action *act, const struct job *job, struct error *err)
{
	struct store_claim claim;
	struct transfer t;
	int result;

	if (engine_open(e, err) < 0 || store_claim(&e->store, &claim, err) < 0)
		return -1;
	result = transfer_open(e, &t, err);
	if (result == 0) {
		result = act(e, &t, job, err);
		transfer_close(&t);
	}
	store_claim_done(&e->store, &claim);
	store_sweep(e->arena, &e->store, NULL, NULL);
	return result;
}

/* --- adding */

static int apply_entries(struct engine *e, void *context, struct image *list, struct image_index *index,
			 struct error *err)
{
	const struct list_entries *entries = context;

	for (size_t i = 0; i < entries->n; i++) {
		*index_entry(e->arena, index, entries->v[i].descriptor.digest) = entries->v[i].descriptor;
		if (entries->v[i].source)
			map_set(e->arena, &list->sources, entries->v[i].descriptor.digest, entries->v[i].source);
	}
	return 0;
}

static int add(struct engine *e, struct transfer *t, const struct job *job, struct error *err)
{
	struct list_entries entries = { 0 };
	struct image list;

	if (list_find(e, job->name, &list, err) < 0)
		return -1;
	*job->ret_id = list.id;
	for (size_t i = 0; i < job->images->n; i++)
		if (list_entries_find(e, t, job->images->v[i], job->r, &entries, err) < 0)
			return error_frame(err, "add %s", job->images->v[i]);
	for (size_t i = 0; i < entries.n; i++)
		if (list_entry_set(e, &entries.v[i].descriptor, job->r, err) < 0)
			return -1;
	return entries.n ? change_list(e, t, job->name, apply_entries, &entries, job->ret_id, err) : 0;
}

int list_add(struct engine *e, const char *name, const struct strings *images, const struct list_request *r,
	     char **ret_id, struct error *err)
{
	return perform(e, add, &(struct job){ .name = name, .images = images, .r = r, .ret_id = ret_id }, err);
}

/* --- creating */

static char *full_name(struct engine *e, const char *text, struct error *err)
{
	struct reference r;

	if (reference_parse(e->arena, text, &r, err) < 0)
		return NULL;
	if (!r.registry)
		r.registry = arena_strdup(e->arena, "localhost");
	if (!r.digest)
		return reference_print(e->arena, &r);
	error_set(err, ERROR_USAGE, "%s: a manifest list cannot be given a digest", text);
	return NULL;
}

static int make(struct engine *e, struct transfer *t, const char *name, char **ret_id, struct error *err)
{
	struct image_index index = { .schema_version = 2 };
	struct image list = { .list = true };
	char id[65];

	if (fd_random_hex(id, 32) < 0)
		return error_errno(err, "make an id");
	list.id = *ret_id = arena_strdup(e->arena, id);
	list.created = units_format_time(e->arena, units_now());
	if (index_convert(e->arena, &index, false, err) < 0 || keep_index(e, t, &list, &index, err) < 0 ||
	    image_commit(e->arena, &e->store, &list, name, NULL, err) < 0)
		return -1;
	event_add(e, "image", "manifest-create", list.id, name, NULL, NULL);
	return 0;
}

static int annotate_whole(struct engine *e, void *context, struct image *list, struct image_index *index,
			  struct error *err)
{
	const struct list_request *r = context;

	return list_annotations_add(e, &index->annotations, &r->annotations, err);
}

/* The list exists from here on, as with Podman, even when an image cannot be added. */
static int create(struct engine *e, struct transfer *t, const struct job *job, struct error *err)
{
	struct list_request entries = *job->r;
	struct job adding = *job;
	char *name = full_name(e, job->name, err), *taken;

	if (!name)
		return -1;
	taken = image_name_lookup(e->arena, &e->store, name);
	if (taken && !job->r->amend) {
		error_set(err, ERROR_EXISTS, "image name \"%s\" is already associated with image \"%s\": that name is "
			  "already in use", name, taken);
		return error_code(err, "name-taken");
	}
	if (!taken && make(e, t, name, job->ret_id, err) < 0)
		return -1;
	entries.annotations = (struct strings){ 0 };
	adding.name = name;
	adding.r = &entries;
	if (add(e, t, &adding, err) < 0)
		return -1;
	return job->r->annotations.n ? change_list(e, t, name, annotate_whole, (void *)(uintptr_t)job->r, job->ret_id, err) :
	       0;
}

int list_create(struct engine *e, const char *name, const struct strings *images, const struct list_request *r,
		char **ret_id, struct error *err)
{
	return perform(e, create, &(struct job){ .name = name, .images = images, .r = r, .ret_id = ret_id }, err);
}

/* --- annotating, removing */

/* A digest, or an image's name. */
static struct image_descriptor *entry_of(struct engine *e, const char *text, const struct image_index *index,
					 struct error *err)
{
	struct image_descriptor *d = index_find(index, text);
	struct image image;

	if (!d && !digest_is_valid(text) && image_find(e->arena, &e->store, text, &image, NULL, NULL) == 0 &&
	    image.manifest_digest)
		d = index_find(index, image.manifest_digest);
	if (!d)
		error_set(err, ERROR_NOT_FOUND, "%s: there is no such image in the list", text);
	return d;
}

static int apply_annotate(struct engine *e, void *context, struct image *list, struct image_index *index,
			  struct error *err)
{
	const struct job *job = context;
	struct image_descriptor *d;

	if (job->r->index)
		return list_annotations_add(e, &index->annotations, &job->r->annotations, err);
	d = entry_of(e, job->entry, index, err);
	return d ? list_entry_set(e, d, job->r, err) : -1;
}

static int apply_remove(struct engine *e, void *context, struct image *list, struct image_index *index,
			struct error *err)
{
	const struct job *job = context;
	struct image_descriptor *d = entry_of(e, job->entry, index, err);

	if (!d)
		return -1;
	map_unset(&list->sources, d->digest);
	index_remove(index, d->digest);
	return 0;
}

static int annotate(struct engine *e, struct transfer *t, const struct job *job, struct error *err)
{
	return change_list(e, t, job->name, apply_annotate, (void *)(uintptr_t)job, job->ret_id, err);
}

int list_annotate(struct engine *e, const char *name, const char *entry, const struct list_request *r, char **ret_id,
		  struct error *err)
{
	return perform(e, annotate, &(struct job){ .name = name, .entry = entry, .r = r, .ret_id = ret_id }, err);
}

static int take_out(struct engine *e, struct transfer *t, const struct job *job, struct error *err)
{
	return change_list(e, t, job->name, apply_remove, (void *)(uintptr_t)job, job->ret_id, err);
}

int list_remove(struct engine *e, const char *name, const char *entry, char **ret_id, struct error *err)
{
	return perform(e, take_out, &(struct job){ .name = name, .entry = entry, .ret_id = ret_id }, err);
}
