/* `system check`: layers, their indexes by checksum and objects, their trees by unpacking their blobs again, or what their
 * recipes make */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/check_part.h"
#include "engine/take.h"
#include "spec/object_name.h"
#include "spec/oci_image.h"
#include "store/layer.h"
#include "store/layer_indexes.h"
#include "store/tree_compare.h"
#include "sys/fd.h"

/* What a layer is made of, from its own record or from an image that has it. */
struct ware { struct layer layer; bool known, recorded, fetched; };

static void know_layer(struct check *c, const char *chain_id, struct ware *ret)
{
	*ret = (struct ware){ 0 };
	if (layer_read(c->e->arena, &c->e->store, chain_id, &ret->layer, NULL) == 0 && str_eq(ret->layer.chain_id, chain_id))
		ret->known = ret->recorded = true;
	else
		ret->layer.elsewhere = layer_has_recipe(&c->e->store, chain_id);
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
	return w->known && w->layer.diff_id &&
	       (check_has_blob(c, w->layer.blob_digest) || check_has_recipe(c, w->layer.chain_id));
}

/* Unpacks its blob, or what its recipe makes, into tmp/<place>/diff or tmp/<place>/index; what the store has not is
 * fetched. */
static int unpack(struct check *c, struct ware *w, const char *place, enum layer_form form, struct error *err)
{
	struct transfer_layer layer = { .digest = w->layer.blob_digest, .media_type = w->layer.blob_media_type,
					.size = w->layer.blob_size, .diff_id = w->layer.diff_id, .stage = (char *)(uintptr_t)place,
					.recipe = form == LAYER_INDEX && w->layer.elsewhere };
	struct transfer_request request = { .op = "layers", .objects = form == LAYER_INDEX };
	struct transfer_source source;
	struct transfer_event result;

	if (check_has_recipe(c, w->layer.chain_id))
		layer.chain_id = w->layer.chain_id;
	if (!can_unpack(c, w) && check_source(c, w->layer.chain_id, &source))
		request.source = &source;
	*ARRAY_ADD(c->e->arena, &request.layers) = layer;
	take_ranges(c->e, &request);
	if (mkdirat(c->e->store.tmp_fd, place, 0700) < 0)
		return error_errno(err, "make a stage");
	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	if (result.unpacked.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer unpacked %zu layers, not one", result.unpacked.n);
	w->fetched = request.source;
	if (w->fetched)
		strings_add(c->e->arena, &c->blobs, w->layer.blob_digest);
	w->layer.size = result.unpacked.v[0].size;
	w->layer.max_uid = (uint64_t)result.unpacked.v[0].max_uid;
	w->layer.max_gid = (uint64_t)result.unpacked.v[0].max_gid;
	w->layer.elsewhere &= result.unpacked.v[0].recipe || check_has_recipe(c, w->layer.chain_id);
	return 0;
}

static int open_tree(int dir, const char *path)
{
	return openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* --- what is wrong with it */

static bool is_there(struct check *c, const char *chain_id, const char *name)
{
	char *path = arena_printf(c->e->arena, "layers/%s%s", digest_hex(chain_id), name);

	return faccessat(c->e->store.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Files that are in the same plight: how many, and one of them. */
struct plight { size_t n; char *first; };

static void add_file(struct check *c, struct plight *p, const char *path)
{
	if (!p->n++)
		p->first = arena_strdup(c->e->arena, path);
}

static char *plight_text(struct check *c, const struct plight *p, const char *what)
{
	if (p->n <= 1)
		return p->n ? arena_printf(c->e->arena, "/%s: its contents are %s", p->first, what) : NULL;
	return arena_printf(c->e->arena, "/%s and %zu more: their contents are %s", p->first, p->n - 1, what);
}

/* Files of an open index whose contents are missing or damaged; NULL when all are there. What was damaged is gone when it
 * is to be mended, and perhaps there again with another layer. */
static char *lacking_contents(struct check *c, struct layer_index *index)
{
	struct plight missing = { 0 }, damaged = { 0 };
	const struct layer_entry *e;
	char name[OBJECT_NAME_SIZE], *a, *b;
	bool bad;

	while (layer_index_next(index, &e, NULL) > 0) {
		if (e->type != LAYER_FILE || !e->size)
			continue;
		object_name(e->digest, name);
		bad = strings_has(&c->bad_objects, name);
		if (faccessat(c->e->store.objects_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 || (bad && !c->o->repair))
			add_file(c, bad ? &damaged : &missing, e->path);
	}
	a = plight_text(c, &missing, "missing");
	b = plight_text(c, &damaged, "damaged");
	return a && b ? arena_printf(c->e->arena, "%s; %s", a, b) : a ? a : b;
}

static char *index_problem(struct check *c, const char *chain_id)
{
	const struct strings one = { .v = (char *[]){ (char *)(uintptr_t)chain_id, NULL }, .n = 1 };
	struct layer_indexes x;
	struct error why = { 0 };
	char *problem = NULL;

	if (layer_indexes_open(c->e->arena, &c->e->store, &one, &x, &why) < 0)
		return arena_printf(c->e->arena, "its index cannot be read: %s", why.text);
	if (!c->o->quick)
		problem = lacking_contents(c, x.v[0]);
	layer_indexes_close(&x);
	return problem;
}

/* The layer's problem, or NULL; and the form in which it is to be unpacked again. */
static char *surface_problem(struct check *c, const char *chain_id, const struct ware *w, enum layer_form *ret_form)
{
	bool index = is_there(c, chain_id, "/index"), diff = is_there(c, chain_id, "/diff/.");
	char *problem;

	*ret_form = index ? LAYER_INDEX : diff ? LAYER_DIFF : layer_form_of(c->e->store.driver);
	if (!index && !diff)
		return is_there(c, chain_id, "") ? "its files are missing" : "it is missing";
	problem = index ? index_problem(c, chain_id) : NULL;
	if (!problem && !w->recorded)
		problem = "its record layer.json is missing or damaged";
	return problem ? problem : (char *)(uintptr_t)map_get(&c->bad_recipes, chain_id);
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

/* --- what is done about it */

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

/* Without a whole blob it is at least marked, so that the next pull brings it. Without its recipe it runs. */
static void give_up(struct check *c, const char *chain_id, bool runs, struct check_finding *f)
{
	char *users = users_of_layer(c, chain_id);
	struct error why = { 0 };

	if (!runs)
		strings_add(c->e->arena, &c->bad_layers, chain_id);
	if (c->o->repair && runs)
		layer_drop_recipe(&c->e->store, chain_id, &why);
	else if (c->o->repair)
		layer_disown(&c->e->store, chain_id, &why);
	if (runs)
		check_cure(c, f, "the image runs, but cannot be pushed or saved: pull again: %s", users ? users : "its image");
	else if (users)
		check_cure(c, f, "its blob is not there to unpack it again: pull again: %s", users);
	else
		check_cure(c, f, "its blob is not there to unpack it again, and no image has it");
}

/* Where from it is unpacked again. */
static const char *origin_of(struct check *c, const struct ware *w)
{
	struct transfer_source source;

	if (w->fetched || !can_unpack(c, w))
		return arena_printf(c->e->arena, "from %s, where it came from", check_source(c, w->layer.chain_id, &source));
	return check_has_blob(c, w->layer.blob_digest) ? "from its blob" : "by its recipe";
}

static void mend(struct check *c, const char *chain_id, struct ware *w, const char *place, enum layer_form form,
		 struct check_finding *f)
{
	char *users = users_of_layer(c, chain_id);
	struct error why = { 0 };

	if (!c->o->repair) {
		check_cure(c, f, "--repair unpacks it again %s; it belongs to %s", origin_of(c, w), users ? users : "no image");
	} else if (form == LAYER_DIFF && strings_has(&c->used_layers, chain_id)) {
		check_cure(c, f, "a container that runs uses it: stop it, then --repair unpacks the layer again");
	} else {
		check_mended(c, f, layer_replace(c->e->arena, &c->e->store, place, &w->layer, form, &why),
			     arena_printf(c->e->arena, "unpacked again %s", origin_of(c, w)), &why);
		if (!f->repaired)
			strings_add(c->e->arena, &c->bad_layers, chain_id);
	}
}

/* From what is here, or by the network. */
static bool can_mend(struct check *c, const struct ware *w)
{
	struct transfer_source source;

	return can_unpack(c, w) || (w->known && w->layer.diff_id && w->layer.blob_digest &&
				    check_source(c, w->layer.chain_id, &source));
}

/* Unpacks it when that is needed: to compare a tree with it, or to take the damaged one's place. */
static char *look_at(struct check *c, const char *chain_id, const char *place, struct ware *w, enum layer_form *ret_form,
		     struct error *err)
{
	char *problem = surface_problem(c, chain_id, w, ret_form);
	bool compare = !problem && !c->o->quick && is_there(c, chain_id, "/diff/.");

	if (!place || !(problem ? can_mend(c, w) : can_unpack(c, w)) || !(problem ? c->o->repair : compare))
		return problem;
	if (compare)
		*ret_form = LAYER_DIFF;
	if (unpack(c, w, place, *ret_form, err) < 0)
		return problem;
	return compare ? depth_problem(c, chain_id, place, err) : problem;
}

static bool is_recipe_alone(const struct check *c, const char *chain_id, const char *problem)
{
	return problem && problem == map_get(&c->bad_recipes, chain_id);
}

static void could_not_fetch(struct check *c, const char *chain_id, const char *problem, const struct error *why)
{
	struct check_finding *f = check_add(c, "layer", chain_id, NULL, "%s", problem);

	give_up(c, chain_id, is_recipe_alone(c, chain_id, problem), f);
	check_cure(c, f, "fetching it again failed: %s; %s", why->text, f->cure);
}

static void check_layer(struct check *c, const char *chain_id, const char *place)
{
	enum layer_form form;
	const size_t before = c->report->findings.n;
	struct ware w;
	struct error why = { 0 };
	char *problem;

	know_layer(c, chain_id, &w);
	problem = look_at(c, chain_id, place, &w, &form, &why);
	if (why.kind && problem && !can_unpack(c, &w))
		could_not_fetch(c, chain_id, problem, &why);
	else if (why.kind)
		check_cure(c, check_add(c, "layer", chain_id, NULL, "%s", problem ? problem : "it cannot be verified"),
			   "unpacking it again failed: %s", why.text);
	else if (problem && can_mend(c, &w) && (place || !c->o->repair))
		mend(c, chain_id, &w, place, form, check_add(c, "layer", chain_id, NULL, "%s", problem));
	else if (problem)
		give_up(c, chain_id, is_recipe_alone(c, chain_id, problem), check_add(c, "layer", chain_id, NULL, "%s", problem));
	if (c->report->findings.n > before && !c->report->findings.v[before].repaired)
		strings_add(c->e->arena, &c->unsound_layers, chain_id);
	if (place)
		fd_remove_tree(c->e->store.tmp_fd, place);
}

/* A place to unpack layers to; NULL when nothing is to be unpacked, or cannot be: then that is a finding. */
static char *make_stage(struct check *c, int *ret_lock)
{
	struct error why = { 0 };
	char *stage;

	*ret_lock = -1;
	if (c->o->quick && !c->o->repair)
		return NULL;
	*ret_lock = store_stage(c->e->arena, &c->e->store, &stage, &why);
	if (*ret_lock >= 0)
		return stage;
	check_cure(c, check_add(c, "layer", "all", NULL, "there is no room to unpack them again: %s", why.text),
		   "remove what is not needed, or look at the records only: --quick");
	return NULL;
}

void check_layers(struct check *c)
{
	struct strings layers = check_needed_layers(c);
	int lock;
	char *stage = make_stage(c, &lock);

	c->report->layers = layers.n;
	for (size_t i = 0; i < layers.n; i++) {
		const char *place = stage ? arena_printf(c->e->arena, "%s/%zu", stage, i) : NULL;

		check_layer(c, layers.v[i], place);
		check_copies(c, layers.v[i], place);
	}
	if (stage)
		store_stage_done(&c->e->store, stage, &lock);
}
