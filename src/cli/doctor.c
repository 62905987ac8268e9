#include "cli/doctor.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/say.h"

static const char *const colors[] = { [DOCTOR_OK] = "\033[1;32m", [DOCTOR_NOTE] = "\033[1;33m", [DOCTOR_BAD] = "\033[1;31m" };

static int widest(const struct doctor_report *report)
{
	size_t width = 0;

	for (size_t i = 0; i < report->checks.n; i++)
		width = strlen(report->checks.v[i].name) > width ? strlen(report->checks.v[i].name) : width;
	return (int)width;
}

static void put_check(struct arena *arena, const struct doctor_check *c, int width, bool colored, struct buffer *out)
{
	const char *code = c->state == DOCTOR_OK ? "" : arena_printf(arena, "[%s] ", error_code_of(&c->cause));

	buffer_printf(out, "%s%-4s%s  %-*s  %s%s\n", colored ? colors[c->state] : "", doctor_state_name(c->state), colored ? "\033[0m" : "",
		      width, c->name, code, output_clean(arena, c->text));
	if (c->state != DOCTOR_OK && c->cause.hint[0])
		say_hint(arena, c->cause.hint, colored, width + 8, out);
}

char *doctor_text(struct arena *arena, const struct doctor_report *report, bool colored)
{
	struct buffer out = BUFFER(1 << 20);
	int width = widest(report);
	char *text;

	for (size_t i = 0; i < report->checks.n; i++)
		put_check(arena, &report->checks.v[i], width, colored, &out);
	text = arena_strndup(arena, out.data ? out.data : "", out.size);
	buffer_done(&out);
	return text;
}

static struct json *check_json(struct arena *arena, const struct doctor_check *c)
{
	struct json *object = json_new_object(arena);

	json_set(arena, object, "check", json_new_string(arena, c->name));
	json_set(arena, object, "state", json_new_string(arena, doctor_state_name(c->state)));
	json_set(arena, object, "text", json_new_string(arena, output_clean(arena, c->text)));
	if (c->state != DOCTOR_OK) {
		json_set(arena, object, "code", json_new_string(arena, error_code_of(&c->cause)));
		say_hint_json(arena, object, c->cause.hint);
	}
	return object;
}

static void print_json(struct cli *cli, const struct doctor_report *report)
{
	struct json *object = json_new_object(cli->arena), *list = json_new_list(cli->arena);

	for (size_t i = 0; i < report->checks.n; i++)
		json_append(cli->arena, list, check_json(cli->arena, &report->checks.v[i]));
	json_set(cli->arena, object, "ok", json_new_bool(cli->arena, !report->bad));
	json_set(cli->arena, object, "checks", list);
	output_json(cli, object);
}

int doctor_run(struct cli *cli, const char *format, struct error *err)
{
	struct engine *e = cli_engine_identity(cli, err);
	struct doctor_report report;

	if (!e || doctor_examine(e, &report, err) < 0)
		return -1;
	if (str_eq(format, "json"))
		print_json(cli, &report);
	else
		fputs(doctor_text(cli->arena, &report, cli_use_color(STDOUT_FILENO)), stdout);
	return report.bad;
}
