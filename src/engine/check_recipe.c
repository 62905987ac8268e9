/* `system check`: recipes of layers by checksum, their objects, and the tars that they make; and what of that layers need */
#include "engine/check_part.h"

#include "engine/target.h"
#include "spec/object_name.h"
#include "store/layer.h"
#include "store/layer_indexes.h"

static void add_once(struct check *c, struct strings *list, const struct strings *more)
{
	for (size_t i = 0; i < more->n; i++)
		if (!strings_has(list, more->v[i]))
			strings_add(c->e->arena, list, more->v[i]);
}

/* What nothing needs is a leftover. */
struct strings check_needed_layers(struct check *c)
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

bool check_has_recipe(const struct check *c, const char *chain_id)
{
	return chain_id && layer_has_recipe(&c->e->store, chain_id) && !map_get(&c->bad_recipes, chain_id);
}

char *check_source(struct check *c, const char *chain_id, struct transfer_source *ret)
{
	static const struct source_options none;
	struct target from;

	for (size_t i = 0; i < c->images.n; i++) {
		char *repository = image_repository(c->e->arena, &c->images.v[i]);

		if (!repository || !strings_has(&c->images.v[i].layers, chain_id) ||
		    target_find(c->e, &none, repository, &from, NULL) < 0)
			continue;
		*ret = from.source;
		return repository;
	}
	return NULL;
}

/* --- what is wrong */

static void is_bad(struct check *c, const char *chain_id, const char *problem)
{
	map_set(c->e->arena, &c->bad_recipes, chain_id, problem);
}

static void is_unread(struct check *c, const char *chain_id, const char *why)
{
	check_cure(c, check_add(c, "layer", chain_id, NULL, "its recipe cannot be verified: %s", why),
		   "it stays: try again, and look at the disk");
}

/* NULL: as far as the file itself tells it is whole, or there need be none. layer: its record; NULL. */
static char *file_problem(struct check *c, const char *chain_id, const struct layer *layer)
{
	struct layer_recipe x;
	struct error why = { 0 };

	if (!layer_has_recipe(&c->e->store, chain_id))
		return layer && layer->elsewhere && !check_has_blob(c, layer->blob_digest) ?
			       "its recipe is missing" : NULL;
	if (layer_recipe_open(c->e->arena, &c->e->store, chain_id, &x, &why) == 0) {
		layer_recipe_close(&x);
		return NULL;
	}
	if (error_is(&why, ERROR_INVALID) || error_is(&why, ERROR_NOT_FOUND))
		return arena_printf(c->e->arena, "its recipe cannot be read: %s", why.text);
	is_unread(c, chain_id, why.text);
	return NULL;
}

/* The tars that those make which are whole by themselves: all objects are there and right. */
static int check_tars(struct check *c, struct transfer_request *request, struct error *err)
{
	struct transfer_event result;

	if (transfer_call(c->e, &c->transfer, request, NULL, 0, &result, err) < 0)
		return -1;
	for (size_t i = 0; i < result.damaged.n; i++)
		if (result.damaged.v[i].unread)
			is_unread(c, result.damaged.v[i].name, result.damaged.v[i].text);
		else
			is_bad(c, result.damaged.v[i].name, "its recipe does not make the tar that it was unpacked from");
	return 0;
}

int check_recipes(struct check *c, struct error *err)
{
	struct transfer_request request = { .op = "recipes-check" };
	struct strings layers = check_needed_layers(c);
	struct layer layer;

	for (size_t i = 0; i < layers.n; i++) {
		bool known = layer_read(c->e->arena, &c->e->store, layers.v[i], &layer, NULL) == 0;
		char *problem = file_problem(c, layers.v[i], known ? &layer : NULL);

		if (problem)
			is_bad(c, layers.v[i], problem);
		else if (known && layer.diff_id && layer_has_recipe(&c->e->store, layers.v[i]))
			*ARRAY_ADD(c->e->arena, &request.layers) = (struct transfer_layer){ .digest = layers.v[i],
											    .diff_id = layer.diff_id };
	}
	return c->o->quick || !request.layers.n ? 0 : check_tars(c, &request, err);
}
