/* base/template - Go's text/template, the part that `--format` users write
 *
 * {{.Field.Sub}} {{json .}} {{range .X}}..{{else}}..{{end}} {{if}} {{else if}} {{with}} {{$v := .X}} {{index .X "k"}}
 * {{len .X}} {{printf "%s" .X}} {{join .X ","}} {{upper}} {{lower}} {{title}} {{split}} {{println}} {{pad}} {{truncate}}
 * eq ne lt le gt ge and or not, pipelines, parentheses, {{- trim -}}, comments. Values are struct json. Member lookup
 * is exact first, then without regard to case (Podman's names are CamelCase in templates and camelCase in JSON). */
#ifndef BRYO_BASE_TEMPLATE_H
#define BRYO_BASE_TEMPLATE_H

#include "base/json.h"

struct template;

/* Errors name the column: "template: 1:12: unclosed action". */
struct template *template_parse(struct arena *arena, const char *text, struct error *err);
/* Appends the result for one value to out. A missing member is an error, as in Podman. */
int template_run(struct arena *arena, const struct template *t, const struct json *value, struct buffer *out,
		 struct error *err);

/* A whole listing: handles the `table ` prefix (header row from the names, columns aligned with two or more blanks,
 * header replaced where `headers` has the field), `json` (one list), and a plain template (one line a row). */
int template_rows(struct arena *arena, const char *format, const struct json *rows, const struct string_map *headers,
		  bool with_header, struct buffer *out, struct error *err);

#endif
