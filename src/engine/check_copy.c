/* `system check`: an image's copies with shifted owners, by making them again */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/check_part.h"
#include "store/layer.h"
#include "store/shifted.h"
#include "store/tree_compare.h"
#include "sys/fd.h"

/* The layers up to this one, as whatever stands on it names them. */
static bool find_layers(const struct strings *layers, const char *chain_id, struct strings *ret)
{
	for (size_t i = 0; i < layers->n; i++) {
		if (!str_eq(layers->v[i], chain_id))
			continue;
		*ret = (struct strings){ layers->v, i + 1 };
		return true;
	}
	return false;
}

static bool know_layers(const struct check *c, const char *chain_id, struct strings *ret)
{
	for (size_t i = 0; i < c->recalled.n; i++)
		if (find_layers(&c->recalled.v[i].chain_ids, chain_id, ret))
			return true;
	for (size_t i = 0; i < c->images.n; i++)
		if (find_layers(&c->images.v[i].layers, chain_id, ret))
			return true;
	for (size_t i = 0; i < c->containers.n; i++)
		if (find_layers(&c->containers.v[i].layers, chain_id, ret))
			return true;
	return false;
}

/* A copy of what is damaged itself, or is a tree no more, proves nothing. */
static bool can_copy(const struct check *c, const struct strings *layers)
{
	for (size_t i = 0; i < layers->n; i++)
		if (strings_has(&c->unsound_layers, layers->v[i]) || !layer_has(&c->e->store, layers->v[i], LAYER_DIFF))
			return false;
	return true;
}

static char *compare(struct check *c, const struct strings *layers, const struct id_maps *maps, const char *path,
		     const char *place, struct error *err)
{
	_cleanup_fd_ int is = fd_open_dir(c->e->store.root_fd, path);
	_cleanup_fd_ int ought = mkdirat(c->e->store.tmp_fd, place, 0755) < 0 ? -1 : fd_open_dir(c->e->store.tmp_fd, place);
	struct tree_difference d;

	if (is < 0)
		return "it is no directory";
	if (ought < 0) {
		error_errno(err, "make a stage");
		return NULL;
	}
	if (shifted_copy(&c->e->store, layers, maps, ought, err) < 0)
		return NULL;
	return tree_compare(c->e->arena, is, ought, &d, err) == 1 ? arena_printf(c->e->arena, "%s: %s", d.path, d.what) : NULL;
}

/* A container that needs it gets it anew when its own turn comes, and a new one when it is made. */
static void discard(struct check *c, const char *chain_id, const char *path, struct check_finding *f)
{
	struct error why = { 0 };
	int r;

	if (!c->o->repair) {
		check_cure(c, f, "--repair makes it anew");
	} else if (strings_has(&c->used_layers, chain_id)) {
		check_cure(c, f, "a container that runs may use it: stop it, then --repair makes it anew");
	} else {
		r = store_discard(&c->e->store, path, true, &why);
		if (r == 0)
			r = store_discard(&c->e->store, arena_printf(c->e->arena, "%s.json", path), true, &why);
		check_mended(c, f, r, "removed; it is made anew where it is needed", &why);
	}
}

static void check_copy(struct check *c, const char *chain_id, const struct strings *layers, const char *name,
		       const char *place)
{
	char *path = shifted_path(c->e->arena, chain_id, name), *problem = NULL;
	struct id_maps maps = { 0 };
	struct error why = { 0 };

	if (shifted_maps(c->e->arena, &c->e->store, chain_id, name, &maps, &why) < 0) {
		problem = arena_printf(c->e->arena, "its record is missing or damaged: %s", why.text);
		error_clear(&why);
	} else if (place && !c->o->quick && can_copy(c, layers)) {
		problem = compare(c, layers, &maps, path, place, &why);
		fd_remove_tree(c->e->store.tmp_fd, place);
	}
	if (why.kind)
		check_cure(c, check_add(c, "layer", chain_id, NULL, "its copy maps/%s cannot be verified", name),
			   "making it again failed: %s", why.text);
	else if (problem)
		discard(c, chain_id, path, check_add(c, "layer", chain_id, NULL, "its copy maps/%s: %s", name, problem));
}

void check_copies(struct check *c, const char *chain_id, const char *place)
{
	struct strings names = shifted_list(c->e->arena, &c->e->store, chain_id), layers;

	if (!names.n || !know_layers(c, chain_id, &layers))
		return;
	for (size_t i = 0; i < names.n; i++)
		check_copy(c, chain_id, &layers, names.v[i], place);
}
