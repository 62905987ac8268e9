/* cli/output - rows, tables and objects on standard output
 *
 * The engine answers JSON with Podman's field names; a view is a copy for people: short ids, "2 minutes ago", lists as
 * text. `--format json` prints the rows as they are, templates and tables print the view. What came from images and
 * containers loses its control characters before it reaches a table or a terminal. */
#ifndef BRYO_CLI_OUTPUT_H
#define BRYO_CLI_OUTPUT_H

#include "base/json.h"
#include "cli/cli.h"

struct listing {
	const char *format;		/* what the user asked for; NULL: the table */
	const char *table;		/* "{{.ID}}\t{{.Names}}" */
	const char *const *headers;	/* "ID", "CONTAINER ID", ..., NULL: headings that differ from the field's name */
	bool no_heading;
};

/* rows for json, view for everything else. */
int output_listing(struct cli *cli, const struct listing *l, const struct json *rows, const struct json *view,
		   struct error *err);
/* One object (or a list) by a template, "json" or with NULL as indented JSON. */
int output_object(struct cli *cli, const char *format, const struct json *value, struct error *err);
void output_json(struct cli *cli, const struct json *value);
/* Lines as columns, two blanks apart; rows may be of different length. */
void output_columns(struct cli *cli, const struct strings *rows, size_t n);

/* Words broken at the width, paragraphs as they are divided by empty lines; no line of its own is begun. */
void output_wrapped(const char *text, int width);

/* Text without control characters (replaced by '?') and without broken UTF-8. */
char *output_clean(struct arena *arena, const char *s);
const struct json *output_clean_json(struct arena *arena, const struct json *value);

/* --- building views */
const char *view_short_id(struct arena *arena, const char *id, bool full);
/* A string, or the strings of a list joined; "" when absent. */
const char *view_text(struct arena *arena, const struct json *object, const char *name, const char *separator);
/* Nanoseconds since the epoch from a unix time or an RFC 3339 text; 0 when absent. */
int64_t view_time(const struct json *object, const char *name);
const char *view_ago(struct arena *arena, int64_t ns);		/* "2 minutes ago" */
int64_t view_int(const struct json *object, const char *name);
/* A copy that shares the members. */
struct json *view_of(struct arena *arena, const struct json *object);

#endif
