#include "engine/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/units.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define LOG_MAX ((off_t)1 << 20)
#define LOG_KEEP ((off_t)512 << 10)
#define BLOCK 4096
#define LINE_MAX_BYTES ((size_t)256 << 10)

/* --- writing */

/* Writers that live long (monitors) keep the file open, so it stays the same file: its oldest half is freed as a hole
 * at its head, which readers skip. */
static void drop_oldest(struct engine *e, int fd)
{
	_cleanup_fd_ int lock = lock_open(e->store.root_fd, "events.lock", LOCK_EXCLUSIVE, false);
	struct stat st;
	off_t hole;

	if (lock < 0 || fstat(fd, &st) < 0 || (off_t)st.st_blocks * 512 <= LOG_MAX)
		return;
	hole = (st.st_size - LOG_KEEP) / BLOCK * BLOCK;
	if (hole > 0 && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, hole) < 0 &&
	    ftruncate(fd, 0) < 0)
		return;
}

int event_log_fd(struct engine *e)
{
	struct stat st;
	int fd;

	if (e->events_fd > 0)
		return e->events_fd;
	fd = openat(e->store.root_fd, "events", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (off_t)st.st_blocks * 512 > LOG_MAX)
		drop_oldest(e, fd);
	e->events_fd = fd;
	return fd;
}

static struct json *event_object(struct engine *e, const char *type, const char *status, const char *id,
				 const char *name, const char *image, const struct string_map *attributes)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *map = json_new_object(a);

	json_set(a, j, "ID", json_new_string(a, id ? id : ""));
	json_set(a, j, "Image", json_new_string(a, image ? image : ""));
	json_set(a, j, "Name", json_new_string(a, name ? name : ""));
	json_set(a, j, "Status", json_new_string(a, status));
	json_set(a, j, "Type", json_new_string(a, type));
	for (size_t i = 0; attributes && i < attributes->n; i++)
		json_set(a, map, attributes->v[i].key, json_new_string(a, attributes->v[i].value));
	if (map->object.n > 0)
		json_set(a, j, "Attributes", map);
	return j;
}

char *event_members(struct engine *e, const char *type, const char *status, const char *id, const char *name,
		    const char *image, const struct string_map *attributes)
{
	const char *text = json_print(e->arena, event_object(e, type, status, id, name, image, attributes), 0);

	return arena_strndup(e->arena, text + 1, strlen(text) - 2);
}

void event_add(struct engine *e, const char *type, const char *status, const char *id, const char *name,
	       const char *image, const struct string_map *attributes)
{
	struct json *j = event_object(e, type, status, id, name, image, attributes);
	int fd = event_log_fd(e);
	const char *line;

	if (fd < 0)
		return;
	json_set(e->arena, j, "time", json_new_int(e->arena, units_now()));
	line = arena_printf(e->arena, "%s\n", json_print(e->arena, j, 0));
	/* One write in append mode: lines of several writers do not mix. */
	if (strlen(line) <= LINE_MAX_BYTES && write(fd, line, strlen(line)) < 0)
		return;
}

/* --- reading */

struct reader {
	struct engine *e;
	const struct events_request *request;
	int64_t since, until;		/* ns; 0: no bound */
	int fd;
	struct buffer buffer;
	int (*emit)(void *context, struct json *event);
	void *context;
};

static const char *const filter_keys[] = { "container", "event", "image", "label", "pod", "type", "volume", NULL };

static bool name_or_id(const struct json *event, const char *type, const char *value)
{
	const char *id = json_get_string(event, "ID");

	if (!str_eq(json_get_string(event, "Type"), type))
		return false;
	return str_eq(json_get_string(event, "Name"), value) || (*value && id && str_starts(id, value));
}

static bool has_label(const struct json *event, const char *value)
{
	const struct json *map = json_get(event, "Attributes");
	const char *equals = strchr(value, '=');

	for (size_t i = 0; map && map->kind == JSON_OBJECT && i < map->object.n; i++) {
		const char *rest = str_after(value, map->object.v[i].name);

		if (rest && (!*rest || (rest == equals && str_eq(json_get_string(map, map->object.v[i].name), equals + 1))))
			return true;
	}
	return false;
}

static bool matches_one(const struct json *event, const char *key, const char *value)
{
	const char *image = json_get_string(event, "Image");

	if (strcmp(key, "type") == 0)
		return str_eq(json_get_string(event, "Type"), value);
	if (strcmp(key, "event") == 0)
		return str_eq(json_get_string(event, "Status"), value);
	if (strcmp(key, "container") == 0)
		return name_or_id(event, "container", value);
	if (strcmp(key, "volume") == 0)
		return name_or_id(event, "volume", value);
	if (strcmp(key, "image") == 0)
		return name_or_id(event, "image", value) || (image && *value && strstr(image, value));
	return strcmp(key, "label") == 0 && has_label(event, value);
}

/* The same key twice means or, different keys mean and. */
static bool matches(const struct strings *filters, const struct json *event)
{
	for (size_t i = 0; i < filters->n; i++) {
		size_t key_n = strcspn(filters->v[i], "=") + 1;
		char key[32];
		bool any = false;

		memcpy(key, filters->v[i], key_n - 1);
		key[key_n - 1] = '\0';
		for (size_t k = 0; k < filters->n; k++)
			if (strncmp(filters->v[k], filters->v[i], key_n) == 0)
				any |= matches_one(event, key, filters->v[k] + key_n);
		if (!any)
			return false;
	}
	return true;
}

static int check_filters(const struct strings *filters, struct error *err)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *equals = strchr(filters->v[i], '=');
		bool known = false;

		if (!equals)
			return error_set(err, ERROR_USAGE, "invalid filter \"%s\": KEY=VALUE is needed", filters->v[i]);
		for (size_t k = 0; filter_keys[k]; k++)
			known |= strlen(filter_keys[k]) == (size_t)(equals - filters->v[i]) &&
				 str_starts(filters->v[i], filter_keys[k]);
		if (!known)
			return error_set(err, ERROR_USAGE, "\"%.*s\" is an invalid event filter", (int)(equals - filters->v[i]),
					 filters->v[i]);
	}
	return 0;
}

static void copy_text(struct arena *a, struct json *to, const struct json *from, const char *name)
{
	const char *text = json_get_string(from, name);

	json_set(a, to, name, json_new_string(a, text ? text : ""));
}

/* A line of the log as Podman shows an event; NULL for one that was cut by a full disk. */
static struct json *event_of(struct arena *a, const char *line, size_t n, int64_t *ret_time)
{
	struct json *raw = json_parse(a, line, n, "events", NULL), *j = json_new_object(a);
	const struct json *time = json_get(raw, "time"), *code = json_get(raw, "exitCode");

	if (!raw || raw->kind != JSON_OBJECT || !time || time->kind != JSON_INT)
		return NULL;
	if (code && code->kind == JSON_INT)
		json_set(a, j, "ContainerExitCode", json_new_int(a, code->integer));
	copy_text(a, j, raw, "ID");
	copy_text(a, j, raw, "Image");
	copy_text(a, j, raw, "Name");
	copy_text(a, j, raw, "Status");
	json_set(a, j, "time", json_new_int(a, time->integer / 1000000000));
	json_set(a, j, "timeNano", json_new_int(a, time->integer));
	copy_text(a, j, raw, "Type");
	if (json_get(raw, "Attributes"))
		json_set(a, j, "Attributes", (struct json *)json_get(raw, "Attributes"));
	*ret_time = time->integer;
	return j;
}

static int handle_line(struct reader *r, const char *line, size_t n)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct json *event;
	int64_t time;

	while (n > 0 && !*line) {	/* what is left of a freed block */
		line++;
		n--;
	}
	event = n > 0 ? event_of(arena, line, n, &time) : NULL;
	if (!event || time < r->since || (r->until && time > r->until) || !matches(&r->request->filters, event))
		return 0;
	return r->emit(r->context, event);
}

/* Everything there is now. */
static int read_lines(struct reader *r, struct error *err)
{
	for (;;) {
		char *end;
		ssize_t n;

		if (buffer_reserve(&r->buffer, 16384) < 0) {
			r->buffer.size = 0;	/* a line without an end: garbage */
			continue;
		}
		n = read(r->fd, r->buffer.data + r->buffer.size, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? error_errno(err, "read the event log") : 0;
		r->buffer.size += (size_t)n;
		while ((end = memchr(r->buffer.data, '\n', r->buffer.size))) {
			size_t line_n = (size_t)(end - r->buffer.data);
			int result = handle_line(r, r->buffer.data, line_n);

			if (result != 0)
				return result;
			buffer_consume(&r->buffer, line_n + 1);
		}
	}
}

/* Milliseconds until the reader's bound; -1 without one, 0 when it has passed. */
static int time_left(const struct reader *r)
{
	int64_t left = r->until - units_now();

	if (!r->until)
		return -1;
	if (left <= 0)
		return 0;
	return left / 1000000 > 60000 ? 60000 : (int)(left / 1000000) + 1;
}

static int follow(struct reader *r, struct error *err)
{
	_cleanup_fd_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32], drain[4096];
	struct pollfd p = { .fd = watch, .events = POLLIN };
	int result;

	if (watch < 0 || inotify_add_watch(watch, fd_path(r->fd, path), IN_MODIFY) < 0)
		return error_errno(err, "watch the event log");
	for (;;) {
		result = read_lines(r, err);
		if (result != 0)
			return result;
		if (time_left(r) == 0)
			return 0;
		if (poll(&p, 1, time_left(r)) < 0 && errno != EINTR)
			return error_errno(err, "wait for events");
		while (read(watch, drain, sizeof(drain)) > 0)
			;
	}
}

static int parse_bound(const char *text, int64_t now, int64_t *ret, struct error *err)
{
	if (text && units_parse_time(text, now, ret) < 0)
		return error_set(err, ERROR_USAGE, "invalid time \"%s\"", text);
	return 0;
}

/* Where reading begins: behind the hole; without --since a stream shows only what is new. */
static void seek_start(struct reader *r)
{
	off_t data = lseek(r->fd, 0, SEEK_DATA);

	if (!r->request->since && !r->request->until && !r->request->no_stream)
		lseek(r->fd, 0, SEEK_END);
	else if (data < 0)
		lseek(r->fd, 0, SEEK_SET);
}

int events_read(struct engine *e, const struct events_request *r, int (*emit)(void *context, struct json *event),
		void *context, struct error *err)
{
	struct reader reader = {
		.e = e, .request = r, .buffer = BUFFER(2 * LINE_MAX_BYTES), .emit = emit, .context = context,
	};
	int64_t now = units_now();
	int result;

	if (check_filters(&r->filters, err) < 0 || parse_bound(r->since, now, &reader.since, err) < 0 ||
	    parse_bound(r->until, now, &reader.until, err) < 0)
		return -1;
	event_log_fd(e);	/* makes the file, so that there is something to watch */
	reader.fd = openat(e->store.root_fd, "events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (reader.fd < 0)
		return error_errno(err, "open the event log");
	seek_start(&reader);
	result = r->no_stream ? read_lines(&reader, err) : follow(&reader, err);
	buffer_done(&reader.buffer);
	close(reader.fd);
	return result;
}
