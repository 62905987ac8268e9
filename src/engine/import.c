/* `import`: the tar of a root file system becomes an image of one layer. */
#include "engine/change.h"
#include "engine/image.h"
#include "engine/take.h"
#include "engine/trust.h"
#include "spec/reference.h"
#include "sys/fd.h"

static char *platform_of(struct engine *e, const struct import_request *r)
{
	struct strings parts;

	if (!r->os && !r->arch && !r->variant)
		return NULL;
	parts = strings_split(e->arena, image_host_platform(e->arena), "/");
	return arena_printf(e->arena, "%s/%s%s%s", r->os ? r->os : parts.v[0], r->arch ? r->arch : parts.v[1],
			    r->variant ? "/" : "", r->variant ? r->variant : "");
}

/* The instructions as members of the configuration's `config`. */
static int take_changes(struct engine *e, const struct import_request *r, struct string_map *ret, struct error *err)
{
	struct image_container_config config = { 0 };
	struct json *object;

	for (size_t i = 0; i < r->changes.n; i++)
		if (change_apply(e->arena, &config, r->changes.v[i], err) < 0)
			return -1;
	object = json_encode(e->arena, &image_container_config_shape, &config);
	for (size_t i = 0; i < object->object.n; i++)
		map_set(e->arena, ret, object->object.v[i].name, json_print(e->arena, object->object.v[i].value, 0));
	return 0;
}

static int take_name(struct engine *e, const char *text, struct strings *ret, struct error *err)
{
	struct reference r;

	if (str_is_empty(text))
		return 0;
	if (reference_parse(e->arena, text, &r, err) < 0)
		return -1;
	if (!r.registry)
		r.registry = arena_strdup(e->arena, "localhost");
	if (r.digest)
		return error_set(err, ERROR_USAGE, "%s: an imported image cannot be given a digest", text);
	strings_add(e->arena, ret, reference_print(e->arena, &r));
	return 0;
}

static int import_with(struct engine *e, struct transfer *t, int input, const struct transfer_request *request,
		       const struct take *take, struct image *ret, struct error *err)
{
	struct transfer_event result;

	if (transfer_call(e, t, request, &input, 1, &result, err) < 0)
		return -1;
	if (result.images.n != 1)
		return error_set(err, ERROR_FAILED, "bryo-transfer made %zu images", result.images.n);
	return image_take(e, t, take, &result.images.v[0], ret, err);
}

int image_import(struct engine *e, int input, const struct import_request *r, char **ret_id, struct error *err)
{
	struct transfer_request request = { .op = "import", .message = r->message };
	struct take take = { .event = "import" };
	struct store_claim claim;
	struct transfer t;
	struct image image;
	int result;

	request.platform = platform_of(e, r);
	if (trust_check_file(e, "tarball", NULL, err) < 0)
		return -1;
	if (take_changes(e, r, &request.changes, err) < 0 || take_name(e, r->reference, &take.names, err) < 0 ||
	    engine_open(e, err) < 0 || store_claim(&e->store, &claim, err) < 0)
		return -1;
	result = transfer_open(e, &t, err);
	if (result == 0) {
		result = import_with(e, &t, input, &request, &take, &image, err);
		transfer_close(&t);
	}
	store_claim_done(&e->store, &claim);
	if (result < 0) {
		image_take_failed(e, err);
		return -1;
	}
	image_take_done(e, &image);
	*ret_id = image.id;
	return 0;
}
