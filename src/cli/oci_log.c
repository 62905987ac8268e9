#include "cli/oci_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/json.h"
#include "base/units.h"
#include "cli/output.h"
#include "sys/fd.h"
#include "sys/tty.h"

#define ABOVE_PRESERVED 200	/* the numbers below are callers' to give away (--preserve-fds) */

/* One process, one log. */
static struct {
	int fd;
	bool json, syslog;
	enum oci_log_level level;	/* up to which is written */
} log_state = { .fd = -1, .level = OCI_LOG_WARNING };

static const char *const level_names[] = { "error", "warning", "debug" };

static int set_format(const char *format, struct error *err)
{
	log_state.json = str_eq(format, "json");
	if (!format || log_state.json || str_eq(format, "text"))
		return 0;
	return error_set(err, ERROR_USAGE, "unknown log format \"%s\": known are text and json", format);
}

static int set_level(const struct oci_log_options *o, struct error *err)
{
	for (size_t i = 0; o->level && i < ELEMENTS(level_names); i++)
		if (strcmp(o->level, level_names[i]) == 0)
			log_state.level = (enum oci_log_level)i;
	if (o->debug)
		log_state.level = OCI_LOG_DEBUG;
	if (!o->level || str_eq(o->level, "info") || str_eq(o->level, level_names[log_state.level]) || o->debug)
		return 0;
	return error_set(err, ERROR_USAGE, "unknown log level \"%s\": known are error, warning, info and debug", o->level);
}

static int set_destination(const char *destination, struct error *err)
{
	const char *system = str_after(destination, "syslog:"), *file = str_after(destination, "file:");
	_cleanup_fd_ int fd = -1;

	if (!system)
		system = str_after(destination, "journald:");
	if (system) {
		openlog(*system ? system : "bryo-oci", LOG_PID, LOG_DAEMON);
		log_state.syslog = true;
		return 0;
	}
	if (!file)
		file = destination;
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return error_errno(err, "open the log %s", file);
	log_state.fd = fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_PRESERVED);
	return log_state.fd < 0 ? error_errno(err, "open the log %s", file) : 0;
}

int oci_log_open(const struct oci_log_options *options, struct error *err)
{
	if (options->destination && set_destination(options->destination, err) < 0)
		return -1;
	if (set_format(options->format, err) < 0)
		return -1;
	return set_level(options, err);
}

static char *line(struct arena *arena, enum oci_log_level level, const char *text)
{
	struct json *object = json_new_object(arena);
	char *time = units_format_time(arena, units_now());

	if (!log_state.json) {
		struct strings lines = strings_split(arena, text, "\n");

		return arena_printf(arena, "%s %s: %s\n", time, level_names[level],
				    output_clean(arena, strings_join(arena, &lines, "; ")));
	}
	json_set(arena, object, "msg", json_new_string(arena, text));
	json_set(arena, object, "level", json_new_string(arena, level_names[level]));
	json_set(arena, object, "time", json_new_string(arena, time));
	return arena_printf(arena, "%s\n", json_print(arena, object, 0));
}

/* Callers pass on what they find here: only somebody at a terminal needs to be told what it is. */
static void say(struct arena *arena, enum oci_log_level level, const char *text)
{
	static const char *const words[] = { "Error: ", "Warning: ", "" };
	struct strings lines = strings_split(arena, text, "\n");

	fputs(level == OCI_LOG_WARNING || tty_is(STDERR_FILENO) ? words[level] : "", stderr);
	for (size_t i = 0; i < lines.n; i++)
		fprintf(stderr, "%s\n", output_clean(arena, lines.v[i]));
}

void oci_log(enum oci_log_level level, const char *text)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *written;

	if (level > log_state.level)
		return;
	fflush(stdout);
	if (level != OCI_LOG_DEBUG)
		say(arena, level, text);
	if (log_state.syslog)
		syslog(level == OCI_LOG_ERROR ? LOG_ERR : level == OCI_LOG_WARNING ? LOG_WARNING : LOG_DEBUG, "%s", text);
	if (log_state.fd < 0)
		return;
	written = line(arena, level, text);
	if (fd_write_all(log_state.fd, written, strlen(written)) < 0 && level == OCI_LOG_ERROR)
		fprintf(stderr, "write to the log: %m\n");
}
