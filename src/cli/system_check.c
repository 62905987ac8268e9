/* cli/system_check - what is damaged in the store, and its repair */
#include <stdio.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "engine/check.h"

#define MAX_AGE_NS ((int64_t)24 * 3600 * 1000000000)	/* a pull that failed may be tried again */

struct system_check_request { bool quick, repair, force; char *max, *format; };

static const struct option system_check_options[] = {
	OPT_FLAG('q', "quick", system_check_request, quick, "Look at the records only: no contents are read"),
	OPT_FLAG('r', "repair", system_check_request, repair, "Mend what can be mended"),
	OPT_FLAG('f', "force", system_check_request, force, "Also remove images and containers that cannot be mended"),
	OPT_STRING('m', "max", system_check_request, max, "DURATION",
		   "Leave alone layers and blobs that nothing needs and that are younger (default 24h)"),
	OPT_STRING(0, "format", system_check_request, format, "FORMAT", "json, or a Go template for each finding",
		   .words = "json|{{.Kind}} {{.ID}}"),
	OPT_END
};

static struct json *finding_json(struct arena *arena, const struct check_finding *f)
{
	struct json *j = json_new_object(arena);

	json_set(arena, j, "Kind", json_new_string(arena, f->kind));
	json_set(arena, j, "ID", json_new_string(arena, f->id));
	json_set(arena, j, "Name", json_new_string(arena, f->name ? f->name : ""));
	json_set(arena, j, "Problem", json_new_string(arena, f->problem));
	json_set(arena, j, "Cure", json_new_string(arena, f->cure ? f->cure : ""));
	json_set(arena, j, "Repaired", json_new_bool(arena, f->repaired));
	return j;
}

static struct json *findings_json(struct arena *arena, const struct check_report *report)
{
	struct json *list = json_new_list(arena);

	for (size_t i = 0; i < report->findings.n; i++)
		json_append(arena, list, finding_json(arena, &report->findings.v[i]));
	return list;
}

static struct json *report_json(struct arena *arena, const struct check_report *r)
{
	const struct { const char *name; size_t n; } counts[] = {
		{ "Blobs", r->blobs }, { "Objects", r->objects }, { "Layers", r->layers }, { "Images", r->images }, { "Containers", r->containers },
		{ "Volumes", r->volumes },
	};
	struct json *j = json_new_object(arena), *checked = json_new_object(arena);

	for (size_t i = 0; i < ELEMENTS(counts); i++)
		json_set(arena, checked, counts[i].name, json_new_int(arena, (int64_t)counts[i].n));
	json_set(arena, j, "Errors", json_new_bool(arena, r->unrepaired > 0));
	json_set(arena, j, "Checked", checked);
	json_set(arena, j, "Findings", findings_json(arena, r));
	return j;
}

static void print_finding(struct arena *arena, const struct check_finding *f)
{
	const char *id = f->name ? arena_printf(arena, "%s (%.12s)", f->name, f->id) : f->id;

	printf("%s %s: %s%s%s\n", f->kind, output_clean(arena, id), output_clean(arena, f->problem), f->cure ? "; " : "",
	       f->cure ? output_clean(arena, f->cure) : "");
}

static void print_report(struct arena *arena, const struct check_report *r)
{
	for (size_t i = 0; i < r->findings.n; i++)
		print_finding(arena, &r->findings.v[i]);
	printf("checked %zu blobs, %zu objects, %zu layers, %zu images, %zu containers, %zu volumes: ", r->blobs, r->objects,
	       r->layers, r->images, r->containers, r->volumes);
	if (r->findings.n == 0)
		puts("no damage found");
	else
		printf("%zu found, %zu mended\n", r->findings.n, r->findings.n - r->unrepaired);
}

static int print(struct cli *cli, const char *format, const struct check_report *report, struct error *err)
{
	struct listing l = { .format = format, .no_heading = true };
	struct json *rows;

	if (!format) {
		print_report(cli->arena, report);
		return 0;
	}
	if (strcmp(format, "json") == 0) {
		output_json(cli, report_json(cli->arena, report));
		return 0;
	}
	rows = findings_json(cli->arena, report);
	return output_listing(cli, &l, rows, rows, err);
}

static int run_system_check(struct cli *cli, const struct args *args, struct error *err)
{
	struct system_check_request *r = args->request;
	struct check_options o = { .max_age_ns = MAX_AGE_NS, .quick = r->quick, .repair = r->repair || r->force, .force = r->force };
	struct check_report report;
	struct engine *e;

	if (r->max && units_parse_duration(r->max, &o.max_age_ns) < 0)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --max: a duration as 24h or 90s is needed", r->max);
	e = cli_engine(cli, err);
	if (!e || system_check(e, &o, &report, err) < 0 || print(cli, r->format, &report, err) < 0)
		return -1;
	if (report.unrepaired == 0)
		return 0;
	fflush(stdout);
	error_set(err, ERROR_FAILED, "damage detected in local storage");
	return o.repair ? -1 : error_hint(err, "mend what can be mended with `bryo system check --repair`");
}

static const struct command_example system_check_examples[] = {
	{ "bryo system check", "read and verify everything" },
	{ "bryo system check --quick", "records only: milliseconds" },
	{ "bryo system check --repair", "and mend what can be mended" },
	{ NULL, NULL }
};

const struct command system_check_command = {
	.names = "system check",
	.synopsis = "[options]",
	.summary = "Look for damage in the store and mend it",
	.description = "Every blob and every object is compared with its digest, every layer that is a tree with its blob, "
		       "and its copies for id maps with it; what recipes make of layers is compared with the digest that it must have; the records "
		       "of images, containers and volumes are read, and what they name is looked for. Each finding is one line: what, why, and "
		       "what helps. With --repair layers are unpacked again and records written anew from what the store has; a layer whose blob "
		       "was not kept is fetched again from its image's registry; leftovers and names that point nowhere are removed; damaged "
		       "images and containers, and what the disk refuses to read, stay, unless --force removes them. Nothing else is fetched: "
		       "what has to be pulled again is said.\n\nThe exit status is 0 when nothing is or remains damaged, otherwise 125.",
	.examples = system_check_examples,
	.options = { system_check_options },
	.request_size = sizeof(struct system_check_request),
	.run = run_system_check,
};
