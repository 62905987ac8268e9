/* `system check`: blobs by digest, layers by unpacking their blobs again */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/check_part.h"
#include "engine/take.h"
#include "spec/oci_image.h"
#include "store/layer.h"
#include "store/stage.h"
#include "store/tree_compare.h"
#include "sys/fd.h"

/* --- blobs */

/* Whose it is, for a person: the images that name the blob. */
static char *users_of_blob(struct check *c, const char *digest)
{
	struct strings users = { 0 };

	for (size_t i = 0; i < c->images.n; i++) {
		struct strings blobs = { 0 };

		image_blobs(c->e->arena, &c->e->store, &c->images.v[i], &blobs, NULL);
		if (strings_has(&blobs, digest))
			strings_add(c->e->arena, &users, check_image_name(c, c->images.v[i].id));
	}
	return users.n ? strings_join(c->e->arena, &users, ", ") : NULL;
}

static void blob_is_damaged(struct check *c, const char *digest, const char *problem)
{
	char *users = users_of_blob(c, digest);
	struct check_finding *f = check_add(c, "blob", digest, NULL, "%s", problem);
	struct error why = { 0 };

	if (c->o->repair)
		check_mended(c, f, store_discard(&c->e->store, arena_printf(c->e->arena, "blobs/sha256/%s", digest_hex(digest)), true, &why),
			     "removed", &why);
	else
		check_cure(c, f, "--repair removes it");
	if (users && (f->repaired || !c->o->repair))
		check_cure(c, f, "%s; pull again: %s", f->cure, users);
}

static void list_blobs(struct check *c, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->store.blobs_fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *digest = arena_printf(c->e->arena, "sha256:%s", entry->d_name);

		if (stage_is_dot(entry->d_name))
			continue;
		if (digest_is_valid(digest))
			strings_add(c->e->arena, ret, digest);
		else
			check_cure(c, check_add(c, "leftover", arena_printf(c->e->arena, "blobs/sha256/%s", entry->d_name), NULL,
						"it is no blob"), "remove it by hand");
	}
}

static bool is_file(struct check *c, const char *digest)
{
	struct stat st;

	return fstatat(c->e->store.blobs_fd, digest_hex(digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size > 0;
}

/* What the descriptors say of sizes costs nothing to compare. */
static void check_sizes(struct check *c, const struct strings *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (is_file(c, all->v[i]))
			strings_add(c->e->arena, &c->blobs, all->v[i]);
		else
			blob_is_damaged(c, all->v[i], "it is empty, or no file");
	}
}

static int check_contents(struct check *c, const struct strings *all, struct error *err)
{
	struct transfer_request request = { .op = "verify", .digests = *all };
	struct transfer_event result;
	struct strings bad = { 0 };

	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	for (size_t i = 0; i < result.damaged.n; i++) {
		strings_add(c->e->arena, &bad, result.damaged.v[i].digest);
		blob_is_damaged(c, result.damaged.v[i].digest, result.damaged.v[i].text);
	}
	for (size_t i = 0; i < all->n; i++)
		if (!strings_has(&bad, all->v[i]))
			strings_add(c->e->arena, &c->blobs, all->v[i]);
	return 0;
}

int check_blobs(struct check *c, struct error *err)
{
	struct strings all = { 0 };

	list_blobs(c, &all);
	c->report->blobs = all.n;
	if (!c->o->quick && all.n > 0)
		return check_contents(c, &all, err);
	check_sizes(c, &all);
	return 0;
}

/* --- layers */

/* What a layer is made of, from its own record or from an image that has it. */
struct ware { struct layer layer; bool known, recorded; };

static void know_layer(struct check *c, const char *chain_id, struct ware *ret)
{
	*ret = (struct ware){ 0 };
	if (layer_read(c->e->arena, &c->e->store, chain_id, &ret->layer, NULL) == 0 && str_eq(ret->layer.chain_id, chain_id))
		ret->known = ret->recorded = true;
	for (size_t i = 0; i < c->recalled.n; i++) {
		const struct transfer_image *image = &c->recalled.v[i];

		for (size_t j = 0; j < image->chain_ids.n; j++) {
			if (!str_eq(image->chain_ids.v[j], chain_id))
				continue;
			ret->layer.chain_id = image->chain_ids.v[j];
			ret->layer.diff_id = image->diff_ids.v[j];
			ret->layer.blob_digest = image->layers.v[j].digest;
			ret->layer.blob_media_type = image->layers.v[j].media_type;
			ret->layer.blob_size = image->layers.v[j].size;
			ret->known = true;
			return;
		}
	}
}

static bool can_unpack(const struct check *c, const struct ware *w)
{
	return w->known && w->layer.diff_id && check_has_blob(c, w->layer.blob_digest);
}

/* Unpacks its blob into tmp/<place>/diff, or into objects and tmp/<place>/index. */
static int unpack(struct check *c, struct ware *w, const char *place, struct error *err)
{
	struct transfer_layer layer = { .digest = w->layer.blob_digest, .media_type = w->layer.blob_media_type,
					.size = w->layer.blob_size, .diff_id = w->layer.diff_id, .stage = (char *)(uintptr_t)place };
	struct transfer_request request = { .op = "layers", .objects = check_is_list(c, w->layer.chain_id) };
	struct transfer_event result;

	*ARRAY_ADD(c->e->arena, &request.layers) = layer;
	take_ranges(c->e, &request);
	if (mkdirat(c->e->store.tmp_fd, place, 0700) < 0)
		return error_errno(err, "make a stage");
	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.unpacked.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer unpacked %zu layers, not one", result.unpacked.n);
	w->layer.size = result.unpacked.v[0].size;
	w->layer.max_uid = (uint64_t)result.unpacked.v[0].max_uid;
	w->layer.max_gid = (uint64_t)result.unpacked.v[0].max_gid;
	return 0;
}

static int open_tree(int dir, const char *path)
{
	return openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The layer's problem, or NULL: what its directory and record show. */
static char *surface_problem(struct check *c, const char *chain_id, const struct ware *w)
{
	char *path = arena_printf(c->e->arena, "layers/%s/diff", digest_hex(chain_id));
	bool list = check_is_list(c, chain_id);
	_cleanup_fd_ int tree = list ? -1 : open_tree(c->e->store.root_fd, path);

	if (tree >= 0 || (list && layer_has_place(&c->e->store, chain_id)))
		return !w->recorded ? "its record layer.json is missing or damaged" : list ? check_list_problem(c, chain_id) : NULL;
	*strrchr(path, '/') = '\0';
	return faccessat(c->e->store.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? "it is missing" : "its files are missing";
}

static char *depth_problem(struct check *c, const char *chain_id, const char *place, struct error *err)
{
	_cleanup_fd_ int is = open_tree(c->e->store.root_fd, arena_printf(c->e->arena, "layers/%s/diff", digest_hex(chain_id)));
	_cleanup_fd_ int ought = open_tree(c->e->store.tmp_fd, arena_printf(c->e->arena, "%s/diff", place));
	struct tree_difference d;

	if (is < 0 || ought < 0) {
		error_errno(err, "open the trees");
		return NULL;
	}
	return tree_compare(c->e->arena, is, ought, &d, err) == 1 ? arena_printf(c->e->arena, "%s: %s", d.path, d.what) : NULL;
}

static char *users_of_layer(struct check *c, const char *chain_id)
{
	struct strings users = { 0 };

	for (size_t i = 0; i < c->recalled.n; i++)
		if (strings_has(&c->recalled.v[i].chain_ids, chain_id))
			strings_add(c->e->arena, &users, check_image_name(c, c->recalled.v[i].id));
	for (size_t i = 0; i < c->images.n; i++)
		if (!check_recalled(c, c->images.v[i].id) && strings_has(&c->images.v[i].layers, chain_id))
			strings_add(c->e->arena, &users, check_image_name(c, c->images.v[i].id));
	return users.n ? strings_join(c->e->arena, &users, ", ") : NULL;
}

/* Without a whole blob it is at least marked, so that the next pull brings it. */
static void give_up(struct check *c, const char *chain_id, struct check_finding *f)
{
	char *users = users_of_layer(c, chain_id);
	struct error why = { 0 };

	strings_add(c->e->arena, &c->bad_layers, chain_id);
	if (c->o->repair)
		layer_disown(&c->e->store, chain_id, &why);
	if (users)
		check_cure(c, f, "its blob is not there to unpack it again: pull again: %s", users);
	else
		check_cure(c, f, "its blob is not there to unpack it again, and no image has it");
}

static void mend(struct check *c, const char *chain_id, struct ware *w, const char *place, struct check_finding *f)
{
	char *users = users_of_layer(c, chain_id);
	struct error why = { 0 };

	if (!c->o->repair) {
		check_cure(c, f, "--repair unpacks it again from its blob; it belongs to %s", users ? users : "no image");
	} else if (strings_has(&c->used_layers, chain_id) && !check_is_list(c, chain_id)) {
		check_cure(c, f, "a container that runs uses it: stop it, then --repair unpacks the layer again");
	} else {
		check_mended(c, f, layer_replace(c->e->arena, &c->e->store, place, &w->layer, &why), "unpacked again from its blob", &why);
		if (!f->repaired)
			strings_add(c->e->arena, &c->bad_layers, chain_id);
	}
}

static void check_layer(struct check *c, const char *chain_id, const char *place)
{
	struct ware w;
	struct error why = { 0 };
	char *problem;
	bool unpacked = false;

	know_layer(c, chain_id, &w);
	problem = surface_problem(c, chain_id, &w);
	if (can_unpack(c, &w) && (problem ? c->o->repair : !c->o->quick && !check_is_list(c, chain_id))) {
		unpacked = unpack(c, &w, place, &why) == 0;
		if (unpacked && !problem)
			problem = depth_problem(c, chain_id, place, &why);
	}
	if (why.kind)
		check_cure(c, check_add(c, "layer", chain_id, NULL, "%s", problem ? problem : "it cannot be verified"),
			   "unpacking it again failed: %s", why.text);
	else if (problem && can_unpack(c, &w))
		mend(c, chain_id, &w, place, check_add(c, "layer", chain_id, NULL, "%s", problem));
	else if (problem)
		give_up(c, chain_id, check_add(c, "layer", chain_id, NULL, "%s", problem));
	fd_remove_tree(c->e->store.tmp_fd, place);
}

static void add_once(struct check *c, struct strings *list, const struct strings *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (!strings_has(list, more->v[i]))
			strings_add(c->e->arena, list, more->v[i]);
}

/* All that something needs, there or not. What nothing needs is a leftover. */
static struct strings needed_layers(struct check *c)
{
	struct strings list = { 0 };

	for (size_t i = 0; i < c->recalled.n; i++)
		add_once(c, &list, &c->recalled.v[i].chain_ids);
	for (size_t i = 0; i < c->images.n; i++)
		add_once(c, &list, &c->images.v[i].layers);
	for (size_t i = 0; i < c->containers.n; i++)
		add_once(c, &list, &c->containers.v[i].layers);
	return list;
}

int check_layers(struct check *c, struct error *err)
{
	struct strings layers = needed_layers(c);
	char *stage;
	int lock = store_stage(c->e->arena, &c->e->store, &stage, err);

	if (lock < 0)
		return -1;
	c->report->layers = layers.n;
	for (size_t i = 0; i < layers.n; i++)
		check_layer(c, layers.v[i], arena_printf(c->e->arena, "%s/%zu", stage, i));
	store_stage_done(&c->e->store, stage, &lock);
	return 0;
}
