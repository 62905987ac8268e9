/* cli/say - what bryo says on standard error, in one form
 *
 * An error is "error[code]: what", then where (the word of the command line, or the file), a hint, and lines that can be
 * pasted; a warning is "warning: what". With --error-format json each is one line of JSON. Messages quote names of files, of
 * images and answers of registries: their control characters stay away from the terminal. The command line is never printed
 * whole, for it may hold a secret. */
#ifndef BRYO_CLI_SAY_H
#define BRYO_CLI_SAY_H

#include "base/buffer.h"
#include "base/json.h"

/* The words in which the place of an error is looked for. */
void say_command_line(int argc, char *const *argv);
/* "text", "json", or NULL for what BRYO_ERROR_FORMAT says; anything else is refused. */
int say_set_format(const char *format, struct error *err);

void say_error(const struct error *err);
void say_warning(const char *text);
void say_note(const char *text);

/* A hint's lines behind so many blanks: "hint: ...", "fix: ...", "as root: ..."; and as the members hint and fixes. */
void say_hint(struct arena *arena, const char *hint, bool colored, int indent, struct buffer *out);
void say_hint_json(struct arena *arena, struct json *object, const char *hint);

/* What say_error prints, for golden files. */
char *say_error_text(struct arena *arena, const struct error *err, bool colored);
char *say_error_json(struct arena *arena, const struct error *err);

#endif
