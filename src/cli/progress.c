#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "sys/tty.h"

#define REDRAW_NS 100000000
#define MAX_DRAWN 24		/* lines; more layers are only counted in the total */

struct line {
	char *id;
	char status[48];
	int64_t current, total;
	bool here, done;	/* downloaded; unpacked too */
};

struct progress {
	struct arena *arena;
	ARRAY(struct line) lines;
	int fd, drawn;
	bool terminal;
	int64_t started_ns, drawn_ns;
};

struct progress *progress_new(struct arena *arena, int fd)
{
	struct progress *p = arena_new_one(arena, struct progress);

	p->arena = arena;
	p->fd = fd;
	p->terminal = tty_is(fd);
	p->started_ns = units_now();
	return p;
}

/* Where there is no terminal a status is a line of its own, "ID: STATUS" unless it has other words here. done: nothing
 * more will come; moving: bytes are on their way. */
static const struct { const char *status, *before, *after; bool done, moving; } statuses[] = {
	{ "Pull complete", NULL, NULL, true, false },
	{ "Already exists", NULL, NULL, true, false },
	{ "Downloading", NULL, NULL, false, true },
	{ "Retrying", NULL, NULL, false, true },
	{ "Compressing", "Compressing blob", "", false, true },
	{ "Copying", "Copying blob", "", false, true },
	{ "Copied", "Copying blob", " done", true, false },
	{ "Skipped", "Copying blob", " skipped: already exists", true, false },
	{ "Mounted", "Copying blob", " skipped: taken from another repository", true, false },
	{ "Copying config", "Copying config", "", true, false },
};

static int find_status(const char *status)
{
	for (size_t i = 0; i < ELEMENTS(statuses); i++)
		if (strcmp(statuses[i].status, status) == 0)
			return (int)i;
	return -1;
}

static void print_plain(const struct progress *p, const struct line *l, int known)
{
	if (known >= 0 && statuses[known].before)
		dprintf(p->fd, "%s %.12s%s\n", statuses[known].before, l->id, statuses[known].after);
	else
		dprintf(p->fd, "%.12s: %s\n", l->id, l->status);
}

static struct line *line_of(struct progress *p, const char *id)
{
	for (size_t i = 0; i < p->lines.n; i++)
		if (strcmp(p->lines.v[i].id, id) == 0)
			return &p->lines.v[i];
	struct line *l = ARRAY_ADD(p->arena, &p->lines);

	l->id = arena_strdup(p->arena, id);
	return l;
}

char *progress_line(struct arena *arena, const char *id, const char *status, int64_t current, int64_t total, int width)
{
	char bar[41];
	int room = width - 62, filled;

	if (total <= 0 || current <= 0 || room < 10)
		return arena_printf(arena, "%-12.12s  %s", id, status);
	if (room > 40)
		room = 40;
	if (current > total)
		current = total;
	filled = (int)((double)current / (double)total * room);
	for (int i = 0; i < room; i++)
		bar[i] = i < filled ? '=' : i == filled ? '>' : ' ';
	bar[room] = '\0';
	return arena_printf(arena, "%-12.12s  %-17s [%s] %10s / %s", id, status, bar,
			    units_format_size(arena, (uint64_t)current), units_format_size(arena, (uint64_t)total));
}

static char *total_line(struct progress *p, struct arena *arena)
{
	int64_t current = 0, total = 0, elapsed = units_now() - p->started_ns, left;
	size_t done = 0;
	double speed;

	for (size_t i = 0; i < p->lines.n; i++) {
		current += p->lines.v[i].here ? p->lines.v[i].total : p->lines.v[i].current;
		total += p->lines.v[i].total;
		done += p->lines.v[i].done;
	}
	if (elapsed <= 0 || total <= 0 || current <= 0)
		return arena_printf(arena, "%zu of %zu layers", done, p->lines.n);
	speed = (double)current / ((double)elapsed / 1e9);
	left = (int64_t)((double)(total - current) / speed);
	return arena_printf(arena, "%zu of %zu layers, %s of %s, %s/s, %02lld:%02lld left", done, p->lines.n,
			    units_format_size(arena, (uint64_t)current), units_format_size(arena, (uint64_t)total),
			    units_format_size(arena, (uint64_t)speed), (long long)left / 60, (long long)left % 60);
}

static void draw(struct progress *p)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	int width = cli_width(p->fd), lines = 0;
	size_t first = p->lines.n > MAX_DRAWN ? p->lines.n - MAX_DRAWN : 0;

	if (p->drawn)
		buffer_printf(&out, "\033[%dA", p->drawn);
	for (size_t i = first; i < p->lines.n; i++, lines++) {
		struct line *l = &p->lines.v[i];

		buffer_printf(&out, "\r%.*s\033[K\n", width - 1,
			      progress_line(arena, l->id, l->status, l->done ? 0 : l->current, l->total, width));
	}
	buffer_printf(&out, "\r%.*s\033[K\n", width - 1, total_line(p, arena));
	p->drawn = lines + 1;
	p->drawn_ns = units_now();
	fflush(stdout);
	if (write(p->fd, out.data, out.size) < 0)
		p->terminal = false;
}

void progress_event(struct progress *p, const struct transfer_event *event)
{
	const char *status = event->status ? event->status : "";
	int known = find_status(status);
	bool changed;
	struct line *l;

	if (!event->id) {		/* of the whole */
		progress_clear(p);
		dprintf(p->fd, "%s\n", output_clean(p->arena, status));
		return;
	}
	l = line_of(p, output_clean(p->arena, event->id));
	changed = strncmp(l->status, status, sizeof(l->status) - 1) != 0;
	snprintf(l->status, sizeof(l->status), "%s", status);
	for (char *c = l->status; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	l->current = event->current;
	if (event->total > 0)
		l->total = event->total;
	l->here = known < 0 || !statuses[known].moving;
	l->done = known >= 0 && statuses[known].done;
	if (p->terminal && (changed || units_now() - p->drawn_ns > REDRAW_NS))
		draw(p);
	else if (!p->terminal && changed)
		print_plain(p, l, known);
}

void progress_clear(struct progress *p)
{
	if (!p)
		return;
	if (p->terminal && p->drawn)
		draw(p);
	p->drawn = 0;
	p->lines.n = 0;
	p->lines.v = NULL;
	p->started_ns = units_now();
}
