/* `system check`: the records of images, what they need, and the names that point to them */
#include "engine/check_part.h"
#include "engine/take.h"
#include "spec/reference.h"

/* --- records */

/* By which digests it was pulled is not known any more, except for what its names say. */
static void guess_digests(struct check *c, const struct transfer_image *found, struct strings *ret)
{
	for (size_t i = 0; i < c->names.n; i++) {
		struct reference r;

		if (str_eq(c->names.v[i].value, found->id) && reference_parse(c->e->arena, c->names.v[i].key, &r, NULL) == 0 &&
		    !str_eq(r.registry, "localhost"))
			strings_addf(c->e->arena, ret, "%s@%s", reference_repository(c->e->arena, &r), found->manifest_digest);
	}
}

static void mend_record(struct check *c, struct check_finding *f, const char *id)
{
	const struct transfer_image *found = check_recalled(c, id);
	struct take take = { .event = NULL };
	struct image image;
	struct error why = { 0 };

	if (!found) {
		check_cure(c, f, "its manifest is not in the store: `bryo rmi --force %.12s`, and pull or load it again", id);
		return;
	}
	if (!c->o->repair) {
		check_cure(c, f, "--repair writes it anew from its manifest");
		return;
	}
	guess_digests(c, found, &take.digests);
	check_mended(c, f, image_take(c->e, &c->transfer, &take, found, &image, &why), "written anew from its manifest", &why);
}

static bool has_record(const struct check *c, const char *id)
{
	for (size_t i = 0; i < c->images.n; i++)
		if (str_eq(c->images.v[i].id, id))
			return true;
	return strings_has(&c->images.broken, id);
}

static void check_records(struct check *c)
{
	for (size_t i = 0; i < c->images.broken.n; i++) {
		const char *id = c->images.broken.v[i];
		struct error why = { 0 };
		struct image image;

		image_read(c->e->arena, &c->e->store, id, &image, &why);
		mend_record(c, check_add(c, "image", id, check_image_name(c, id), "%s", why.text), id);
	}
}

/* --- names */

static bool is_first_of_its_id(const struct check *c, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(c->names.v[i].value, c->names.v[at].value))
			return false;
	return true;
}

static void remove_name(struct check *c, size_t at)
{
	const char *name = c->names.v[at].key;
	struct check_finding *f = check_add(c, "name", name, NULL, "it points to image %.12s, which is not there",
					    c->names.v[at].value);
	struct error why = { 0 };

	if (c->o->repair)
		check_mended(c, f, image_untag(&c->e->store, name, &why), "removed", &why);
	else
		check_cure(c, f, "--repair removes it");
	if (!c->o->repair || f->repaired)
		check_cure(c, f, "%s; pull or load it again", f->cure);
}

static void check_names(struct check *c)
{
	struct strings garbled;

	for (size_t i = 0; i < c->names.n; i++) {
		const char *id = c->names.v[i].value;

		if (has_record(c, id))
			continue;
		if (!check_recalled(c, id))
			remove_name(c, i);
		else if (is_first_of_its_id(c, i))
			mend_record(c, check_add(c, "image", id, c->names.v[i].key, "its record is missing"), id);
	}
	image_names_garbled(c->e->arena, &c->e->store, &garbled);
	for (size_t i = 0; i < garbled.n; i++) {
		struct check_finding *f = check_add(c, "name", garbled.v[i], NULL, "it points to no image");
		struct error why = { 0 };

		if (c->o->repair)
			check_mended(c, f, image_name_discard(&c->e->store, garbled.v[i], &why), "removed", &why);
		else
			check_cure(c, f, "--repair removes it");
	}
}

/* --- what an image needs */

static char *problem_of(struct check *c, const struct image *image)
{
	struct arena *a = c->e->arena;

	if (!image->list && !check_has_blob(c, image->config_digest))
		return arena_printf(a, "its configuration %.19s is missing or damaged", image->config_digest);
	if (image->manifest_digest && !check_has_blob(c, image->manifest_digest))
		return arena_printf(a, "its manifest %.19s is missing or damaged", image->manifest_digest);
	for (size_t i = 0; i < image->layers.n; i++)
		if (strings_has(&c->bad_layers, image->layers.v[i]))
			return arena_printf(a, "its layer %.19s is missing or damaged", image->layers.v[i]);
	return NULL;
}

/* Layers run without their blobs; a push needs them, or recipes, whose damage is told with their layers. */
static char *missing_blob(struct check *c, const struct image *image)
{
	const struct transfer_image *found = check_recalled(c, image->id);

	for (size_t i = 0; found && i < found->layers.n; i++)
		if (!check_has_blob(c, found->layers.v[i].digest) && !check_has_recipe(c, found->chain_ids.v[i]) &&
		    !map_get(&c->bad_recipes, found->chain_ids.v[i]))
			return arena_printf(c->e->arena, "its blob %.19s is missing or damaged: it runs, but cannot be pushed or saved",
					    found->layers.v[i].digest);
	return NULL;
}

/* With the containers that stand on it. */
static int remove_by_force(struct check *c, const struct image *image, struct error *err)
{
	const struct rmi_options force = { .force = true };
	struct strings untagged = { 0 }, deleted = { 0 };

	return image_rmi(c->e, image->id, &force, &untagged, &deleted, err);
}

static size_t count_users(const struct check *c, const struct image *image)
{
	size_t n = 0;

	for (size_t i = 0; i < c->containers.n; i++)
		n += str_eq(c->containers.v[i].image_id, image->id);
	return n;
}

static void judge(struct check *c, const struct image *image, char *problem)
{
	char *name = check_image_name(c, image->id);
	size_t users = count_users(c, image);
	struct check_finding *f = check_add(c, "image", image->id, name, "%s", problem);
	struct error why = { 0 };

	if (c->o->force)
		check_mended(c, f, remove_by_force(c, image, &why), "removed; pull or load it again", &why);
	else if (users)
		check_cure(c, f, "pull or load it again; --repair --force removes it and %zu container%s", users, users == 1 ? "" : "s");
	else
		check_cure(c, f, "pull or load it again; --repair --force removes it");
}

void check_images(struct check *c)
{
	c->report->images = c->images.n + c->images.broken.n;
	check_records(c);
	check_names(c);
	for (size_t i = 0; i < c->images.n; i++) {
		const struct image *image = &c->images.v[i];
		char *problem = problem_of(c, image);

		if (problem) {
			judge(c, image, problem);
			continue;
		}
		problem = missing_blob(c, image);
		if (problem)
			check_cure(c, check_add(c, "image", image->id, check_image_name(c, image->id), "%s", problem),
				   "pull or load it again");
	}
}
