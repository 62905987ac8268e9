/* cli/search - repositories and tags at registries */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "engine/search.h"

#define DESCRIPTION_MAX 44

struct search_command_request { struct search_request search; char *format; bool compatible, no_trunc; };

static const struct option search_options[] = {
	OPT_AUTHFILE(search_command_request, search.authfile),
	OPT_STRING(0, "cert-dir", search_command_request, search.cert_dir, "DIR", "Certificates and keys for the registry",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_FLAG(0, "compatible", search_command_request, compatible, "Stars, official and automated too"),
	OPT_STRING(0, "creds", search_command_request, search.creds, "USER[:PASSWORD]", "Credentials for the registry"),
	OPT_STRINGS('f', "filter", search_command_request, search.filters, "KEY=VALUE", "Only those that match",
		    .words = "stars=|is-official=true|is-automated=true"),
	OPT_STRING(0, "format", search_command_request, format, "FORMAT", "json, table TEMPLATE, or a Go template", .words = "json|table"),
	OPT_INT(0, "limit", search_command_request, search.limit, "N", "At most so many from each registry (default 25)"),
	OPT_FLAG(0, "list-tags", search_command_request, search.list_tags, "The tags of a repository"),
	OPT_FLAG(0, "no-trunc", search_command_request, no_trunc, "Whole descriptions"),
	OPT_TLS_VERIFY(search_command_request, search.tls_verify),
	OPT_END
};

/* Whole characters of UTF-8. */
static struct json *shortened(struct arena *arena, const char *text)
{
	size_t n = DESCRIPTION_MAX;

	if (strlen(text) <= n)
		return json_new_string(arena, text);
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return json_new_string(arena, arena_printf(arena, "%.*s...", (int)n, text));
}

static struct json *repository_views(struct cli *cli, const struct json *rows, bool full)
{
	struct json *views = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++) {
		struct json *view = view_of(cli->arena, rows->list.v[i]);

		if (!full)
			json_set(cli->arena, view, "Description", shortened(cli->arena, json_get_string(view, "Description")));
		json_append(cli->arena, views, view);
	}
	return views;
}

/* One line a tag. */
static struct json *tag_views(struct cli *cli, const struct json *rows)
{
	struct json *views = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++) {
		const struct json *tags = json_get(rows->list.v[i], "Tags");

		for (size_t t = 0; t < tags->list.n; t++) {
			struct json *view = view_of(cli->arena, rows->list.v[i]);

			json_set(cli->arena, view, "Tag", tags->list.v[t]);
			json_append(cli->arena, views, view);
		}
	}
	return views;
}

static int run_search(struct cli *cli, const struct args *args, struct error *err)
{
	struct search_command_request *r = args->request;
	struct listing listing = { .format = r->format, .table = "{{.Name}}\t{{.Description}}" };
	struct engine *e;
	struct json *rows;

	if (r->search.list_tags)
		listing.table = "{{.Name}}\t{{.Tag}}";
	else if (r->compatible)
		listing.table = "{{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{.Automated}}";
	r->search.term = args->operands.v[0];
	e = cli_engine(cli, err);
	if (!e || search_registries(e, &r->search, &rows, err) < 0)
		return -1;
	if (rows->list.n == 0 && !r->format)
		return 0;
	return output_listing(cli, &listing, rows,
			      r->search.list_tags ? tag_views(cli, rows) : repository_views(cli, rows, r->no_trunc), err);
}

static const struct command_example search_examples[] = {
	{ "bryo search docker.io/alpine", NULL },
	{ "bryo search --filter is-official --limit 5 postgres", "in all search registries" },
	{ "bryo search --list-tags quay.io/podman/stable", "the tags of a repository" },
	{ NULL, NULL }
};

const struct command search_command = {
	.names = "search|image search",
	.synopsis = "[options] TERM",
	.summary = "Search registries for images",
	.description = "TERM may begin with a registry; otherwise the search registries of registries.conf are asked. A registry that offers "
		       "no search is asked for its catalog, and TERM is looked for in the names.",
	.examples = search_examples,
	.options = { search_options },
	.request_size = sizeof(struct search_command_request),
	.operands_min = 1, .operands_max = 1,
	.topic = TOPIC_IMAGES,
	.run = run_search,
};
