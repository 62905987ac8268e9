/* The part of engine/list.h that shows: a list of the store, else what a registry has under the name. */
#include "engine/list.h"

#include "store/blob.h"

static struct json *parse(struct engine *e, const char *text, size_t n, struct error *err)
{
	return json_parse(e->arena, text, n, "manifest", err);
}

static int show_stored(struct engine *e, const struct image *list, struct json **ret, struct error *err)
{
	size_t n;
	char *text = blob_read(e->arena, &e->store, list->manifest_digest, IMAGE_MANIFEST_MAX, &n, err);

	*ret = text ? parse(e, text, n, err) : NULL;
	return *ret ? 0 : -1;
}

static int look(struct engine *e, const struct target *target, struct json **ret, struct error *err)
{
	struct transfer_request request = { .op = "look", .source = (struct transfer_source *)(uintptr_t)&target->source };
	struct transfer_event result;
	int code;

	request.reference = target_reference(target);
	code = transfer_ask(e, &request, NULL, 0, &result, err);
	if (code < 0)
		return -1;
	if (!result.document)
		return error_set(err, ERROR_FAILED, "bryo-transfer found no manifest");
	*ret = parse(e, result.document, strlen(result.document), err);
	return *ret ? 0 : -1;
}

int list_inspect(struct engine *e, const char *name, const struct source_options *access, struct json **ret,
		 struct error *err)
{
	struct target target;
	struct image list;

	if (engine_open(e, err) < 0)
		return -1;
	if (!str_starts(name, "docker://") && list_find(e, name, &list, err) == 0)
		return show_stored(e, &list, ret, err);
	error_clear(err);
	if (target_find(e, access, name, &target, err) < 0)
		return -1;
	return look(e, &target, ret, err);
}
