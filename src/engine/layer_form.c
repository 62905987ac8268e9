#include "engine/layer_form.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "engine/transfer.h"
#include "store/layer.h"
#include "store/stage.h"
#include "sys/fd.h"

static int ask_for_index(struct engine *e, const char *chain_id, const char *place, struct transfer_event *ret,
			 struct error *err)
{
	struct transfer_layer layer = { .digest = (char *)chain_id, .stage = (char *)place };
	struct transfer_request request = { .op = "index", .layers = { &layer, 1 }, .squash_owner = e->identity.single_id };
	_cleanup_fd_ int diff = fd_open_dir(AT_FDCWD, layer_diff_path(e->arena, &e->store, chain_id));

	if (diff < 0)
		return error_errno(err, "open the tree of the layer");
	return transfer_ask(e, &request, &diff, 1, ret, err);
}

/* The record is the one that the layer has. */
static int make_index(struct engine *e, const char *chain_id, struct error *err)
{
	struct transfer_event event;
	struct layer layer;
	char *stage, *place;
	int result, lock = store_stage(e->arena, &e->store, &stage, err);

	if (lock < 0)
		return -1;
	place = arena_printf(e->arena, "%s/layer", stage);
	result = mkdirat(e->store.tmp_fd, place, 0700) < 0 ? error_errno(err, "make a stage") :
		 layer_read(e->arena, &e->store, chain_id, &layer, err);
	if (result == 0)
		result = ask_for_index(e, chain_id, place, &event, err);
	if (result == 0)
		result = layer_commit(e->arena, &e->store, place, &layer, err);
	store_stage_done(&e->store, stage, &lock);
	return result;
}

static int missing(const char *chain_id, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "the image's layer %s is not in the store any more", chain_id);
	return error_hint(err, "pull or load the image again");
}

/* The topmost of layers. */
static int make(struct engine *e, const struct strings *layers, enum layer_form form, struct error *err)
{
	const char *chain_id = layers->v[layers->n - 1];

	if (form == LAYER_DIFF)
		return layer_make_diff(e->arena, &e->store, layers, err);
	return make_index(e, chain_id, err) < 0 ? error_frame(err, "layer %s", chain_id) : 0;
}

/* Objects that no index names yet must outlive this command only as long as it lives: hence the claim. */
int layer_form_need(struct engine *e, const struct strings *layers, struct error *err)
{
	enum layer_form form = layer_form_of(e->store.driver);
	struct store_claim claim;
	size_t lacking = 0;
	int result = 0;

	for (size_t i = 0; i < layers->n; i++)
		if (!layer_exists(&e->store, layers->v[i]))
			return missing(layers->v[i], err);
		else
			lacking += !layer_has(&e->store, layers->v[i], form);
	if (lacking == 0)
		return 0;
	if (store_claim(&e->store, &claim, err) < 0)
		return -1;
	engine_note(e, "Preparing %zu layers for the storage driver %s, once...", lacking,
		    store_driver_name(e->store.driver));
	for (struct strings part = { layers->v, 1 }; part.n <= layers->n && result == 0; part.n++)
		if (!layer_has(&e->store, layers->v[part.n - 1], form))
			result = make(e, &part, form, err);
	if (result == 0 && form == LAYER_INDEX)
		stage_request_sweep(&e->store);		/* the trees may go */
	store_claim_done(&e->store, &claim);
	return result;
}
