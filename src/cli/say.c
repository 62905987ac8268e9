#include "cli/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/string.h"
#include "cli/cli.h"
#include "cli/output.h"

/* One process, one standard error. */
static struct {
	int argc;
	char *const *argv;
	bool json;
} face;

void say_command_line(int argc, char *const *argv)
{
	face.argc = argc;
	face.argv = argv;
}

int say_set_format(const char *format, struct error *err)
{
	if (!format)
		format = getenv("BRYO_ERROR_FORMAT");
	face.json = str_eq(format, "json");
	if (str_is_empty(format) || face.json || str_eq(format, "text"))
		return 0;
	error_set(err, ERROR_USAGE, "unknown error format \"%s\": known are text and json", format);
	return error_code(err, "bad-value");
}

/* --- the place */

/* "8080:99999" stands in the command line as it is, as --publish=8080:99999 or as -p8080:99999. */
static bool holds(const char *word, const char *where)
{
	size_t n = strlen(word), w = strlen(where);

	return n >= w && strcmp(word + n - w, where) == 0 && (n == w || (word[0] == '-' && (word[n - w - 1] == '=' || n - w == 2)));
}

/* That may take the next word: "-p", "--publish"; not "-p8080:80" nor "--publish=8080:80". */
static bool is_option(const char *word)
{
	return word[0] == '-' && !strchr(word, '=') && (word[1] == '-' || strlen(word) == 2);
}

/* With the option in front, when it is a word of its own. */
static const char *place(struct arena *arena, const char *where)
{
	for (int i = 1; i < face.argc; i++) {
		if (!holds(face.argv[i], where))
			continue;
		if (i > 1 && face.argv[i][0] != '-' && is_option(face.argv[i - 1]))
			return arena_printf(arena, "%s %s", face.argv[i - 1], face.argv[i]);
		return face.argv[i];
	}
	return where;
}

/* --- the form */

/* color NULL: none */
static void put_label(struct arena *arena, struct buffer *out, const char *color, const char *label, const char *text)
{
	struct strings lines = strings_split(arena, text, "\n");

	buffer_printf(out, "%s%s:%s ", color ? color : "", label, color ? "\033[0m" : "");
	for (size_t i = 0; i < lines.n; i++)
		buffer_printf(out, "%s%s\n", i ? "  " : "", output_clean(arena, lines.v[i]));
}

/* The hint's paragraph, and the lines below it: "$ " to be pasted, "# " for the administrator. */
void say_hint(struct arena *arena, const char *hint, bool colored, int indent, struct buffer *out)
{
	struct strings lines = strings_split(arena, hint, "\n");

	for (size_t i = 0; i < lines.n; i++) {
		const char *run = str_after(lines.v[i], "$ "), *admin = str_after(lines.v[i], "# ");

		put_label(arena, out, colored ? "\033[1;36m" : NULL,
			  arena_printf(arena, "%*s%s", indent, "", run ? "fix" : admin ? "as root" : "hint"),
			  run ? run : admin ? admin : lines.v[i]);
	}
}

char *say_error_text(struct arena *arena, const struct error *err, bool colored)
{
	struct buffer out = BUFFER(1 << 20);
	char *text;

	put_label(arena, &out, colored ? "\033[1;31m" : NULL, arena_printf(arena, "error[%s]", error_code_of(err)), err->text);
	if (err->where[0] && !strstr(err->text, err->where))
		put_label(arena, &out, colored ? "\033[1;36m" : NULL, "  at", place(arena, err->where));
	if (err->hint[0])
		say_hint(arena, err->hint, colored, 2, &out);
	text = arena_strndup(arena, out.data ? out.data : "", out.size);
	buffer_done(&out);
	return text;
}

static void set_text(struct arena *arena, struct json *object, const char *name, const char *text)
{
	if (!str_is_empty(text))
		json_set(arena, object, name, json_new_string(arena, output_clean(arena, text)));
}

static struct json *fix(struct arena *arena, const char *who, const char *line)
{
	struct json *object = json_new_object(arena);

	set_text(arena, object, who, line);
	return object;
}

void say_hint_json(struct arena *arena, struct json *object, const char *hint)
{
	struct strings lines = strings_split(arena, hint, "\n"), prose = { 0 };
	struct json *fixes = json_new_list(arena);

	for (size_t i = 0; i < lines.n; i++) {
		const char *run = str_after(lines.v[i], "$ "), *admin = str_after(lines.v[i], "# ");

		if (run || admin)
			json_append(arena, fixes, fix(arena, run ? "run" : "admin", run ? run : admin));
		else
			strings_add(arena, &prose, lines.v[i]);
	}
	set_text(arena, object, "hint", strings_join(arena, &prose, " "));
	if (fixes->list.n)
		json_set(arena, object, "fixes", fixes);
}

static struct json *message(struct arena *arena, const char *level, const char *code, const char *text)
{
	struct strings lines = strings_split(arena, text, "\n");
	struct json *object = json_new_object(arena);

	set_text(arena, object, "level", level);
	set_text(arena, object, "code", code);
	set_text(arena, object, "message", strings_join(arena, &lines, " "));
	return object;
}

char *say_error_json(struct arena *arena, const struct error *err)
{
	struct json *object = message(arena, "error", error_code_of(err), err->text);

	if (err->where[0])
		set_text(arena, object, "where", place(arena, err->where));
	if (err->hint[0])
		say_hint_json(arena, object, err->hint);
	if (err->sys)
		set_text(arena, object, "errno", strerrorname_np(err->sys));
	return json_print(arena, object, 0);
}

/* --- saying it */

void say_error(const struct error *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	fflush(stdout);
	if (face.json)
		fprintf(stderr, "%s\n", say_error_json(arena, err));
	else
		fputs(say_error_text(arena, err, cli_use_color(STDERR_FILENO)), stderr);
}

static void say(const char *level, const char *text)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);
	struct strings lines = strings_split(arena, text, "\n");

	fflush(stdout);
	if (face.json) {
		fprintf(stderr, "%s\n", json_print(arena, message(arena, level, NULL, text), 0));
	} else if (strcmp(level, "warning") == 0) {
		put_label(arena, &out, cli_use_color(STDERR_FILENO) ? "\033[1;33m" : NULL, level, text);
		fwrite(out.data, 1, out.size, stderr);
	} else {
		for (size_t i = 0; i < lines.n; i++)
			fprintf(stderr, "%s\n", output_clean(arena, lines.v[i]));
	}
}

void say_warning(const char *text)
{
	say("warning", text);
}

void say_note(const char *text)
{
	say("note", text);
}
