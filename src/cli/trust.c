/* cli/trust - image trust show, set: what is demanded of images before they are used */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/trust_set.h"

const struct command image_trust_command = {
	.names = "image trust",
	.synopsis = "COMMAND",
	.summary = "Show and change which images are trusted",
	.flags = COMMAND_GROUP,
	.operands_max = COMMAND_ANY_NUMBER,
};

/* --- show */

struct trust_show_request { bool json, no_heading, raw; };

static const struct option trust_show_options[] = {
	OPT_FLAG('j', "json", trust_show_request, json, "As JSON"),
	OPT_FLAG('n', "noheading", trust_show_request, no_heading, "No headings"),
	OPT_FLAG(0, "raw", trust_show_request, raw, "The policy file as it is"),
	OPT_END
};

static int print_table(struct cli *cli, const struct trust_show_request *r, const struct json *rows, struct error *err)
{
	static const char *const headers[] = { "gpg_id", "ID", "repo_name", "NAME", "sigstore", "STORE", "transport",
					       "TRANSPORT", "type", "TYPE", NULL };
	static const char *const columns[] = { "repo_name", "gpg_id", "sigstore" };
	struct listing listing = { .table = "{{.transport}}\t{{.repo_name}}\t{{.type}}\t{{.gpg_id}}\t{{.sigstore}}",
				   .headers = headers, .no_heading = r->no_heading };
	struct json *view = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++) {
		struct json *row = view_of(cli->arena, rows->list.v[i]);

		for (size_t j = 0; j < ELEMENTS(columns); j++)
			if (!json_get(row, columns[j]))
				json_set(cli->arena, row, columns[j], json_new_string(cli->arena, ""));
		json_append(cli->arena, view, row);
	}
	return output_listing(cli, &listing, rows, view, err);
}

static int run_trust_show(struct cli *cli, const struct args *args, struct error *err)
{
	const struct trust_show_request *r = args->request;
	struct engine *e = cli_engine_identity(cli, err);
	struct json *rows;
	char *text;

	if (!e)
		return -1;
	if (r->raw) {
		if (trust_text(e, &text, err) < 0)
			return -1;
		fputs(text, stdout);
		return 0;
	}
	if (trust_rows(e, args->operands.n ? args->operands.v[0] : NULL, &rows, err) < 0)
		return -1;
	if (!r->json)
		return print_table(cli, r, rows, err);
	output_json(cli, rows);
	return 0;
}

static const struct command_example trust_show_examples[] = {
	{ "bryo image trust show", NULL },
	{ "bryo image trust show quay.io", "what is said of one registry" },
	{ NULL, NULL }
};

const struct command image_trust_show_command = {
	.names = "image trust show",
	.synopsis = "[options] [REGISTRY[/REPOSITORY]]",
	.summary = "Show what is demanded of images",
	.description = "A line for each requirement of the policy: ~/.config/containers/policy.json, or "
		       "/etc/containers/policy.json. Where there is neither, every image is accepted.",
	.examples = trust_show_examples,
	.options = { trust_show_options },
	.request_size = sizeof(struct trust_show_request),
	.operands_max = 1,
	.run = run_trust_show,
};

/* --- set */

static const struct option trust_set_options[] = {
	OPT_STRINGS('f', "pubkeysfile", trust_set_request, keys, "FILE",
		    "Public key that must have signed; several: all of them", .complete = COMPLETE_FILES),
	OPT_STRING('t', "type", trust_set_request, type, "TYPE",
		   "accept, reject, signedBy or sigstoreSigned (default signedBy)",
		   .words = "accept|reject|signedBy|sigstoreSigned"),
	OPT_END
};

static int run_trust_set(struct cli *cli, const struct args *args, struct error *err)
{
	struct trust_set_request *r = args->request;
	struct engine *e = cli_engine_identity(cli, err);

	r->scope = args->operands.v[0];
	return e ? trust_set(e, r, err) : -1;
}

static const struct command_example trust_set_examples[] = {
	{ "bryo image trust set -t reject default", "nothing that is not said to be trusted" },
	{ "bryo image trust set -t accept docker.io/library", NULL },
	{ "bryo image trust set -f maker.asc registry.example.org", "only what this key signed" },
	{ NULL, NULL }
};

const struct command image_trust_set_command = {
	.names = "image trust set",
	.synopsis = "[options] default|REGISTRY[/REPOSITORY]",
	.summary = "Change what is demanded of images",
	.description = "Writes the user's policy, ~/.config/containers/policy.json, which then stands for the "
		       "system's; root changes the system's.",
	.examples = trust_set_examples,
	.options = { trust_set_options },
	.request_size = sizeof(struct trust_set_request),
	.operands_min = 1, .operands_max = 1,
	.run = run_trust_set,
};
