/* cli/images - the list of images */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/image.h"

struct images_request {
	struct image_filter filter;
	bool quiet, digests, no_trunc, no_heading, history;
	char *format, *sort;
};

static const struct option images_options[] = {
	OPT_FLAG('a', "all", images_request, filter.all, "Intermediate images too"),
	OPT_FLAG('q', "quiet", images_request, quiet, "IDs only"),
	OPT_FLAG(0, "digests", images_request, digests, "Digests too"),
	OPT_FLAG(0, "no-trunc", images_request, no_trunc, "Whole IDs"),
	OPT_STRINGS('f', "filter", images_request, filter.filters, "KEY=VALUE", "Only those that match",
		    .words = "before=|since=|label=|dangling=true|dangling=false|reference=|id=|digest=|until=|containers=true|"
			     "containers=false|intermediate=true|readonly=false"),
	OPT_STRING(0, "format", images_request, format, "FORMAT", "json, table TEMPLATE, or a Go template",
		   .words = "json|table|{{.ID}}|{{.Repository}}:{{.Tag}}"),
	OPT_STRING(0, "sort", images_request, sort, "KEY", "Order of the rows (default created)",
		   .words = "created|id|repository|size|tag"),
	OPT_FLAG('n', "noheading", images_request, no_heading, "No headings"),
	OPT_FLAG(0, "history", images_request, history, "Names that it had"),
	OPT_END
};

static void set(struct arena *arena, struct json *row, const char *name, const char *text)
{
	json_set(arena, row, name, json_new_string(arena, text));
}

/* "repository" and ":tag" of a name; a digest is no tag. */
static void split_name(struct arena *arena, const char *name, const char **ret_repository, const char **ret_tag)
{
	const char *slash = strrchr(name, '/'), *at = strchr(name, '@');
	const char *colon = strrchr(slash ? slash : name, ':');

	if (at) {
		*ret_repository = arena_strndup(arena, name, (size_t)(at - name));
		*ret_tag = "<none>";
	} else if (colon) {
		*ret_repository = arena_strndup(arena, name, (size_t)(colon - name));
		*ret_tag = colon + 1;
	} else {
		*ret_repository = name;
		*ret_tag = "<none>";
	}
}

static struct json *image_view(struct arena *arena, const struct json *row, const char *name, bool full)
{
	struct json *view = view_of(arena, row);
	const char *id = json_get_string(row, "Id"), *repository = "<none>", *tag = "<none>", *ago;
	int64_t created = view_time(row, "Created");

	if (name)
		split_name(arena, name, &repository, &tag);
	if (id && full && !str_starts(id, "sha256:"))
		id = arena_printf(arena, "sha256:%s", id);
	ago = created ? view_ago(arena, created) : "N/A";
	set(arena, view, "Repository", repository);
	set(arena, view, "Tag", tag);
	set(arena, view, "ID", view_short_id(arena, id ? id : "", full));
	set(arena, view, "Created", ago);
	set(arena, view, "CreatedSince", ago);
	set(arena, view, "CreatedAt", units_format_time_local(arena, created));
	set(arena, view, "Size", units_format_size(arena, (uint64_t)view_int(row, "Size")));
	set(arena, view, "History", view_text(arena, row, "History", ", "));
	set(arena, view, "SizeKey", arena_printf(arena, "%020lld", (long long)view_int(row, "Size")));
	if (!json_get_string(row, "Digest"))
		set(arena, view, "Digest", "<none>");
	return view;
}

/* One row a name; an image without names has one row. */
static void add_views(struct arena *arena, struct json *views, const struct json *row, bool full)
{
	const struct json *names = json_get(row, "Names");

	if (!names || names->kind != JSON_LIST || !names->list.n)
		names = json_get(row, "RepoTags");
	if (!names || names->kind != JSON_LIST || !names->list.n) {
		json_append(arena, views, image_view(arena, row, NULL, full));
		return;
	}
	for (size_t i = 0; i < names->list.n; i++)
		if (names->list.v[i]->kind == JSON_STRING)
			json_append(arena, views, image_view(arena, row, names->list.v[i]->string, full));
}

/* What a row is sorted by, as text that compares right. */
static const char *sort_key(struct arena *arena, const struct json *view, const char *key)
{
	static const char *const names[] = { "id", "ID", "repository", "Repository", "tag", "Tag", "size", "SizeKey" };

	for (size_t i = 0; i < ELEMENTS(names); i += 2)
		if (strcmp(names[i], key) == 0)
			return view_text(arena, view, names[i + 1], "");
	return "";
}

static int check_sort(const char *key, struct error *err)
{
	static const char *const keys[] = { "created", "id", "repository", "size", "tag" };

	for (size_t i = 0; i < ELEMENTS(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return 0;
	return error_set(err, ERROR_USAGE, "invalid argument \"%s\" for \"--sort\" flag: must be one of created, id, repository, "
			 "size, tag", key);
}

struct sorted { const char *key; struct json *view; };

static int compare_sorted(const void *a, const void *b)
{
	return strcmp(((const struct sorted *)a)->key, ((const struct sorted *)b)->key);
}

static void sort_views(struct arena *arena, struct json *views, const char *key)
{
	struct sorted *s;

	if (!key || strcmp(key, "created") == 0)
		return;
	s = arena_new_array(arena, struct sorted, views->list.n + 1);
	for (size_t i = 0; i < views->list.n; i++) {
		s[i].view = views->list.v[i];
		s[i].key = sort_key(arena, s[i].view, key);
	}
	qsort(s, views->list.n, sizeof(*s), compare_sorted);
	for (size_t i = 0; i < views->list.n; i++)
		views->list.v[i] = s[i].view;
}

static int print_ids(struct cli *cli, const struct json *rows, bool full)
{
	for (size_t i = 0; i < rows->list.n; i++) {
		const char *id = json_get_string(rows->list.v[i], "Id");

		if (id)
			printf("%s%s\n", full && !str_starts(id, "sha256:") ? "sha256:" : "", view_short_id(cli->arena, id, full));
	}
	return 0;
}

static int run_images(struct cli *cli, const struct args *args, struct error *err)
{
	static const char *const headers[] = { "ID", "IMAGE ID", "CreatedSince", "CREATED", "CreatedAt", "CREATED AT", NULL };
	struct images_request *r = args->request;
	struct listing listing = { .format = r->format, .headers = headers, .no_heading = r->no_heading };
	struct json *rows, *views = json_new_list(cli->arena);
	struct engine *e;

	listing.table = arena_printf(cli->arena, "{{.Repository}}\t{{.Tag}}\t%s{{.ID}}\t{{.Created}}\t{{.Size}}%s",
				     r->digests ? "{{.Digest}}\t" : "", r->history ? "\t{{.History}}" : "");
	if (args->operands.n)
		r->filter.reference = args->operands.v[0];
	if (r->sort && check_sort(r->sort, err) < 0)
		return -1;
	e = cli_engine(cli, err);
	if (!e || image_rows(e, &r->filter, &rows, err) < 0)
		return -1;
	if (r->quiet && !r->format)
		return print_ids(cli, rows, r->no_trunc);
	for (size_t i = 0; i < rows->list.n; i++)
		add_views(cli->arena, views, rows->list.v[i], r->no_trunc);
	sort_views(cli->arena, views, r->sort);
	return output_listing(cli, &listing, rows, views, err);
}

static const struct command_example images_examples[] = {
	{ "bryo images", NULL },
	{ "bryo images --filter dangling=true -q", "what has no name" },
	{ "bryo images --format '{{.Repository}}:{{.Tag}} {{.Size}}'", NULL },
	{ NULL, NULL }
};

const struct command images_command = {
	.names = "images|image ls|image list",
	.synopsis = "[options] [IMAGE]",
	.summary = "List images",
	.examples = images_examples,
	.options = { images_options },
	.request_size = sizeof(struct images_request),
	.operands_max = 1,
	.complete = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_images,
};
