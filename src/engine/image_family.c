#include "engine/image_family.h"

#include "store/layer.h"

bool image_family_stands_on(const struct image *image, const struct image *base)
{
	if (base->layers.n == 0 || base->layers.n >= image->layers.n)
		return false;
	/* A chain ID stands for all layers below it. */
	return strcmp(image->layers.v[base->layers.n - 1], base->layers.v[base->layers.n - 1]) == 0;
}

bool image_family_has_children(const struct images *all, const struct image *image)
{
	for (size_t i = 0; i < all->n; i++)
		if (image_family_stands_on(&all->v[i], image))
			return true;
	return false;
}

/* --- parents */

static bool same_step(const struct image_history *a, const struct image_history *b)
{
	return a->empty_layer == b->empty_layer && str_eq(a->created, b->created) && str_eq(a->created_by, b->created_by);
}

static bool begins_with(const struct image_config *config, const struct image_config *base)
{
	if (base->history.n > config->history.n)
		return false;
	for (size_t i = 0; i < base->history.n; i++)
		if (!same_step(&config->history.v[i], &base->history.v[i]))
			return false;
	return true;
}

const struct image *image_family_parent(struct engine *e, const struct images *all, const struct image *image,
					const struct image_config *config)
{
	const struct image *nearest = NULL;
	struct image_config base;

	for (size_t i = 0; i < all->n; i++) {
		const struct image *other = &all->v[i];

		if (!image_family_stands_on(image, other) || (nearest && nearest->layers.n >= other->layers.n))
			continue;
		if (image_read_config(e, other, &base, NULL) == 0 && begins_with(config, &base))
			nearest = other;
	}
	return nearest;
}

/* --- the tree */

static struct image_tree_layer *add_layer(struct engine *e, const struct images *all, struct image_tree *tree,
					  char *chain_id)
{
	struct image_tree_layer *l = ARRAY_ADD(e->arena, &tree->layers);
	struct layer layer;

	l->chain_id = chain_id;
	if (layer_read(e->arena, &e->store, chain_id, &layer, NULL) == 0)
		l->size = layer.size;
	for (size_t i = 0; i < all->n; i++) {
		const struct strings *layers = &all->v[i].layers;

		if (layers->n && strcmp(layers->v[layers->n - 1], chain_id) == 0)
			strings_add_all(e->arena, &l->tops, &all->v[i].names);
	}
	return l;
}

static bool is_in(const struct image_tree *tree, const char *chain_id)
{
	for (size_t i = 0; i < tree->layers.n; i++)
		if (strcmp(tree->layers.v[i].chain_id, chain_id) == 0)
			return true;
	return false;
}

/* Each layer comes right after those below it, whichever image has it first. */
static void add_children(struct engine *e, const struct images *all, struct image_tree *tree)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct strings *layers = &all->v[i].layers;

		if (!image_family_stands_on(&all->v[i], &tree->image))
			continue;
		for (size_t l = tree->image.layers.n; l < layers->n; l++)
			if (!is_in(tree, layers->v[l]))
				add_layer(e, all, tree, layers->v[l]);
	}
}

int image_family_tree(struct engine *e, const char *name, bool children, struct image_tree *ret, struct error *err)
{
	struct images all;
	size_t first;

	*ret = (struct image_tree){ 0 };
	if (image_find(e->arena, &e->store, name, &ret->image, NULL, err) < 0 ||
	    image_list(e->arena, &e->store, &all, err) < 0)
		return -1;
	first = children && ret->image.layers.n ? ret->image.layers.n - 1 : 0;
	for (size_t i = first; i < ret->image.layers.n; i++)
		add_layer(e, &all, ret, ret->image.layers.v[i]);
	if (children)
		add_children(e, &all, ret);
	return 0;
}
