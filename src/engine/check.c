#include "engine/check.h"

#include <stdarg.h>

#include "engine/check_part.h"
#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"

/* --- findings */

struct check_finding *check_add(struct check *c, const char *kind, const char *id, const char *name, const char *fmt, ...)
{
	struct check_finding *f = ARRAY_ADD(c->e->arena, &c->report->findings);
	va_list ap;

	va_start(ap, fmt);
	*f = (struct check_finding){ .kind = kind, .id = arena_strdup(c->e->arena, id), .name = arena_strdup(c->e->arena, name) };
	f->problem = arena_vprintf(c->e->arena, fmt, ap);
	va_end(ap);
	return f;
}

void check_cure(struct check *c, struct check_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	f->cure = arena_vprintf(c->e->arena, fmt, ap);
	va_end(ap);
}

void check_mended(struct check *c, struct check_finding *f, int result, const char *done, const struct error *err)
{
	f->repaired = result == 0;
	check_cure(c, f, "%s", result == 0 ? done : arena_printf(c->e->arena, "repair failed: %s", err->text));
}

/* --- what the parts ask */

const struct transfer_image *check_recalled(const struct check *c, const char *image_id)
{
	for (size_t i = 0; i < c->recalled.n; i++)
		if (str_eq(c->recalled.v[i].id, image_id))
			return &c->recalled.v[i];
	return NULL;
}

bool check_has_blob(const struct check *c, const char *digest)
{
	return digest && strings_has(&c->blobs, digest);
}

char *check_image_name(struct check *c, const char *image_id)
{
	for (size_t i = 0; i < c->names.n; i++)
		if (str_eq(c->names.v[i].value, image_id))
			return c->names.v[i].key;
	return arena_printf(c->e->arena, "%.12s", image_id);
}

/* --- what is there */

/* Under every id that a record or a name speaks of. */
static int recall(struct check *c, struct error *err)
{
	struct transfer_request request = { .op = "recall" };
	struct transfer_event result;
	struct strings ids;

	if (image_ids(c->e->arena, &c->e->store, &ids, err) < 0 || image_names(c->e->arena, &c->e->store, &c->names, err) < 0)
		return -1;
	for (size_t i = 0; i < c->names.n; i++)
		if (!strings_has(&ids, c->names.v[i].value))
			strings_add(c->e->arena, &ids, c->names.v[i].value);
	for (size_t i = 0; i < ids.n; i++)
		strings_addf(c->e->arena, &request.digests, "sha256:%s", ids.v[i]);
	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	c->recalled.v = result.images.v;
	c->recalled.n = result.images.n;
	return 0;
}

static int load_containers(struct check *c, struct error *err)
{
	struct strings ids;

	if (container_store_list(c->e->arena, &c->e->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct container_state s;
		struct container one;

		if (container_load(c->e, ids.v[i], &one, NULL) < 0)
			continue;	/* its part says so */
		*ARRAY_ADD(c->e->arena, &c->containers) = one;
		if (container_load_state(c->e, &one, &s, NULL) == 0 && s.status != CONTAINER_CREATED && s.status != CONTAINER_EXITED)
			strings_add_all(c->e->arena, &c->used_layers, &one.layers);
	}
	return 0;
}

static int check_all(struct check *c, struct error *err)
{
	if (recall(c, err) < 0 || image_list(c->e->arena, &c->e->store, &c->images, err) < 0 || load_containers(c, err) < 0)
		return -1;
	if (check_blobs(c, err) < 0 || check_objects(c, err) < 0 || check_recipes(c, err) < 0)
		return -1;
	check_layers(c);
	check_images(c);
	check_containers(c);
	check_volumes(c);
	return 0;
}

/* As a pull does, so that nothing is swept away while it is looked at; on a full disk without the mark. */
static int claim_store(struct check *c, struct store_claim *ret, struct error *err)
{
	if (store_claim(&c->e->store, ret, err) == 0)
		return 0;
	if (!error_is(err, ERROR_NO_SPACE))
		return -1;
	error_clear(err);
	*ret = (struct store_claim){ .mark = -1 };
	ret->lock = store_lock(&c->e->store, LOCK_SHARED, true, err);
	return ret->lock < 0 ? -1 : 0;
}

static int check_claimed(struct check *c, struct error *err)
{
	struct strings needed = { 0 };
	struct store_claim claim;
	int r;

	if (claim_store(c, &claim, err) < 0)
		return -1;
	r = transfer_open(c->e, &c->transfer, err);
	if (r == 0) {
		r = check_all(c, err);
		needed = check_needed_layers(c);
		transfer_close(&c->transfer);
	}
	store_claim_done(&c->e->store, &claim);
	if (r == 0 && c->o->repair)
		store_spare_blobs(c->e->arena, &c->e->store, &needed);
	return r;
}

int system_check(struct engine *e, const struct check_options *o, struct check_report *ret, struct error *err)
{
	struct check c = { .e = e, .o = o, .report = ret };

	*ret = (struct check_report){ 0 };
	e->face.progress = NULL;	/* layers that are unpacked to be compared are no news */
	if (engine_open(e, err) < 0 || check_claimed(&c, err) < 0)
		return -1;
	check_leftovers(&c);
	for (size_t i = 0; i < ret->findings.n; i++)
		ret->unrepaired += !ret->findings.v[i].repaired;
	return 0;
}
