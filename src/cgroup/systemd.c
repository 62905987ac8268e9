#include "cgroup/systemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 30000
#define DROPPED_MAX 16		/* properties that an old systemd does not know */

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define GOING_MS 5000
#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

/* The types of libsystemd as far as they cross this border (sd-bus(3)). */
struct bus_error {
	const char *name, *message;
	int need_free;
};

typedef int bus_handler(void *message, void *context, struct bus_error *error);

static struct bus_calls {
	int (*open_user)(void **ret);
	int (*open_system)(void **ret);
	void *(*close)(void *bus);
	int (*match_signal)(void *bus, void **ret_slot, const char *sender, const char *path, const char *interface,
			    const char *member, bus_handler *handler, void *context);
	int (*process)(void *bus, void **ret_message);
	int (*wait)(void *bus, uint64_t microseconds);
	int (*new_call)(void *bus, void **ret_message, const char *destination, const char *path, const char *interface,
			const char *member);
	int (*call)(void *bus, void *message, uint64_t microseconds, struct bus_error *error, void **ret_reply);
	int (*append_basic)(void *message, char type, const void *value);
	int (*open_container)(void *message, char type, const char *contents);
	int (*close_container)(void *message);
	int (*read)(void *message, const char *types, ...);
	void *(*unref)(void *message);
	void (*error_free)(struct bus_error *error);
} calls;

static const struct { const char *name; size_t offset; } symbols[] = {
	{ "sd_bus_open_user", offsetof(struct bus_calls, open_user) },
	{ "sd_bus_open_system", offsetof(struct bus_calls, open_system) },
	{ "sd_bus_flush_close_unref", offsetof(struct bus_calls, close) },
	{ "sd_bus_match_signal", offsetof(struct bus_calls, match_signal) },
	{ "sd_bus_process", offsetof(struct bus_calls, process) },
	{ "sd_bus_wait", offsetof(struct bus_calls, wait) },
	{ "sd_bus_message_new_method_call", offsetof(struct bus_calls, new_call) },
	{ "sd_bus_call", offsetof(struct bus_calls, call) },
	{ "sd_bus_message_append_basic", offsetof(struct bus_calls, append_basic) },
	{ "sd_bus_message_open_container", offsetof(struct bus_calls, open_container) },
	{ "sd_bus_message_close_container", offsetof(struct bus_calls, close_container) },
	{ "sd_bus_message_read", offsetof(struct bus_calls, read) },
	{ "sd_bus_message_unref", offsetof(struct bus_calls, unref) },
	{ "sd_bus_error_free", offsetof(struct bus_calls, error_free) },
};

/* --- the connection */
struct bus {
	void *connection;
	const char *unit, *verb;
	char job[256];		/* the path of the job that is waited for */
	char result[32];	/* how it ended: "done", "failed", ... */
};

static int load(struct error *err)
{
	void *library;

	if (calls.open_user)
		return 0;
	library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		error_set(err, ERROR_UNSUPPORTED, "libsystemd is not installed");
		return error_hint(err, "use --cgroup-manager=cgroupfs");
	}
	for (size_t i = ELEMENTS(symbols); i-- > 0;) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return error_set(err, ERROR_UNSUPPORTED, "this libsystemd lacks %s", symbols[i].name);
		*(void **)((char *)&calls + symbols[i].offset) = symbol;
	}
	return 0;
}

/* Systemd tells the end of a job to who ordered it. */
static int job_removed(void *message, void *context, struct bus_error *error)
{
	struct bus *b = context;
	const char *job = NULL, *unit = NULL, *result = NULL;
	uint32_t id;

	if (calls.read(message, "uoss", &id, &job, &unit, &result) >= 0 && str_eq(unit, b->unit) && job) {
		snprintf(b->job, sizeof(b->job), "%s", job);
		snprintf(b->result, sizeof(b->result), "%s", result ? result : "");
	}
	return 0;
}

static int open_bus(struct bus *b, bool user, const char *unit, const char *verb, struct error *err)
{
	int result;

	*b = (struct bus){ .unit = unit, .verb = verb };
	if (load(err) < 0)
		return -1;
	result = (user ? calls.open_user : calls.open_system)(&b->connection);
	if (result >= 0)
		result = calls.match_signal(b->connection, NULL, SERVICE, OBJECT, MANAGER, "JobRemoved", job_removed, b);
	if (result >= 0)
		return 0;
	error_set(err, ERROR_FAILED, "connect to the %s systemd: %s", user ? "user's" : "system's", strerror(-result));
	error_hint(err, user ? "use --cgroup-manager=cgroupfs, or log in through systemd" : "use the cgroupfs manager");
	if (b->connection)
		calls.close(b->connection);
	return -1;
}

/* --- messages: the first failure is kept in *result */
static void append(void *message, char type, const void *value, int *result)
{
	if (*result >= 0)
		*result = calls.append_basic(message, type, value);
}

static void open_container(void *message, char type, const char *contents, int *result)
{
	if (*result >= 0)
		*result = calls.open_container(message, type, contents);
}

static void close_container(void *message, int *result)
{
	if (*result >= 0)
		*result = calls.close_container(message);
}

static void append_number(void *message, const struct property_step *s, int *result)
{
	uint8_t byte = (uint8_t)s->number;
	uint16_t half = (uint16_t)s->number;
	uint32_t word = (uint32_t)s->number;

	switch (s->what) {
	case 'y':	return append(message, 'y', &byte, result);
	case 'n': case 'q':	return append(message, s->what, &half, result);
	case 'b': case 'i': case 'u':	return append(message, s->what, &word, result);
	}
	append(message, s->what, &s->number, result);
}

static void append_step(void *message, const struct property_step *s, int *result)
{
	switch (s->what) {
	case 'a': case 'r':	return open_container(message, s->what, s->contents, result);
	case ')':		return close_container(message, result);
	case 's': case 'o': case 'g':	return append(message, s->what, s->text, result);
	case 'd':		return append(message, 'd', &s->real, result);
	}
	append_number(message, s, result);
}

static void append_properties(void *message, const struct properties *list, int *result)
{
	open_container(message, 'a', "(sv)", result);
	for (size_t i = 0; i < list->n; i++) {
		const struct property *p = &list->v[i];

		open_container(message, 'r', "sv", result);
		append(message, 's', p->name, result);
		open_container(message, 'v', p->signature, result);
		for (size_t j = 0; j < p->steps.n; j++)
			append_step(message, &p->steps.v[j], result);
		close_container(message, result);
		close_container(message, result);
	}
	close_container(message, result);
}

/* --- calls */
static int refused(const struct bus *b, int result, const struct bus_error *e, struct error *err)
{
	return error_set(err, str_eq(e->name, UNIT_EXISTS) ? ERROR_EXISTS : ERROR_FAILED, "systemd refuses to %s %s: %s",
			 b->verb, b->unit, e->message ? e->message : strerror(-result));
}

/* Sends the message and keeps the path of the job that it answers with. -1 with *e. */
static int send_message(struct bus *b, void *message, bool has_job, struct bus_error *e)
{
	void *reply = NULL;
	const char *job = NULL;
	int result = calls.call(b->connection, message, WAIT_MS * UINT64_C(1000), e, &reply);

	b->job[0] = '\0';
	if (result >= 0 && has_job && (result = calls.read(reply, "o", &job)) >= 0)
		snprintf(b->job, sizeof(b->job), "%s", job);
	if (reply)
		calls.unref(reply);
	return result;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for_job(struct bus *b, struct error *err)
{
	char job[sizeof(b->job)];
	int64_t end = now_ms() + WAIT_MS;

	memcpy(job, b->job, sizeof(job));
	b->result[0] = '\0';
	while (!b->result[0] || !str_eq(b->job, job)) {
		int result = calls.process(b->connection, NULL);

		if (result == 0)
			result = calls.wait(b->connection, 100000);
		if (result < 0)
			return error_set(err, ERROR_FAILED, "wait for systemd to %s %s: %s", b->verb, b->unit, strerror(-result));
		if (now_ms() > end)
			return error_set(err, ERROR_FAILED, "systemd did not %s %s in time", b->verb, b->unit);
	}
	if (!str_eq(b->result, "done"))
		return error_set(err, ERROR_FAILED, "systemd could not %s %s: %s", b->verb, b->unit, b->result);
	return 0;
}

/* "Cannot set property X, or unknown property." */
static bool drop_unknown(struct properties *list, const struct bus_error *e)
{
	const char *name = e->message ? str_after(e->message, "Cannot set property ") : NULL;
	size_t length = name ? strcspn(name, ", ") : 0;

	for (size_t i = 0; name && i < list->n; i++) {
		const struct property *p = &list->v[i];

		if (strncmp(p->name, name, length) != 0 || p->name[length] || p->demanded)
			continue;
		memmove(&list->v[i], &list->v[i + 1], (list->n - i - 1) * sizeof(*list->v));
		list->n--;
		return true;
	}
	return false;
}

/* The call with fewer and fewer properties, until systemd knows them all. */
static int send_with(struct bus *b, const char *member, void (*begin)(void *message, const void *context, int *result),
		     const void *context, struct properties *list, bool is_start, struct error *err)
{
	for (int tries = 0;; tries++) {
		struct bus_error e = { 0 };
		void *message = NULL;
		int result = calls.new_call(b->connection, &message, SERVICE, OBJECT, MANAGER, member);
		bool again;

		if (result >= 0)
			begin(message, context, &result);
		append_properties(message, list, &result);
		if (is_start) {		/* no further units */
			open_container(message, 'a', "(sa(sv))", &result);
			close_container(message, &result);
		}
		if (result >= 0)
			result = send_message(b, message, is_start, &e);
		again = result < 0 && tries < DROPPED_MAX && drop_unknown(list, &e);
		if (result < 0 && !again)
			refused(b, result, &e, err);
		calls.error_free(&e);
		if (message)
			calls.unref(message);
		if (!again)
			return result < 0 ? -1 : 0;
	}
}

/* --- starting */
static void begin_start(void *message, const void *context, int *result)
{
	const struct systemd_scope *s = context;

	append(message, 's', s->name, result);
	append(message, 's', "fail", result);
}

static struct properties scope_properties(struct arena *arena, const struct systemd_scope *s)
{
	static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting", "TasksAccounting", "IOAccounting" };
	struct properties list = { 0 };
	struct property *pids;

	property_add_text(arena, &list, "Description", s->description);
	property_add_text(arena, &list, "Slice", s->slice);
	property_add(arena, &list, "Delegate", 'b', true);
	property_add(arena, &list, "DefaultDependencies", 'b', false);
	property_add_text(arena, &list, "CollectMode", "inactive-or-failed");
	for (size_t i = 0; i < ELEMENTS(accounting); i++)
		property_add(arena, &list, accounting[i], 'b', true);
	pids = property_add(arena, &list, "PIDs", 'u', (uint64_t)s->pid);
	pids->signature = "au";
	pids->steps.v[0] = (struct property_step){ .what = 'a', .contents = "u" };
	*ARRAY_ADD(arena, &pids->steps) = (struct property_step){ .what = 'u', .number = (uint64_t)s->pid };
	*ARRAY_ADD(arena, &pids->steps) = (struct property_step){ .what = ')' };
	return list;
}

/* What was asked for replaces what is said of every scope. */
static void merge(struct arena *arena, struct properties *list, const struct properties *more)
{
	for (size_t i = 0; i < more->n; i++) {
		size_t at = 0;

		while (at < list->n && !str_eq(list->v[at].name, more->v[i].name))
			at++;
		*(at < list->n ? &list->v[at] : ARRAY_ADD(arena, list)) = more->v[i];
	}
}

/* Of a container that has just ended systemd may still have the scope, until it notices that it is empty. */
static int send_start(struct bus *b, const struct systemd_scope *s, struct properties *list, struct error *err)
{
	int64_t end = now_ms() + GOING_MS;

	while (send_with(b, "StartTransientUnit", begin_start, s, list, true, err) < 0) {
		if (!error_is(err, ERROR_EXISTS) || now_ms() > end)
			return -1;
		error_clear(err);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return 0;
}

int systemd_start(struct arena *arena, const struct systemd_scope *s, struct error *err)
{
	struct properties list = scope_properties(arena, s);
	struct bus b;
	int result;

	merge(arena, &list, s->properties);
	if (open_bus(&b, s->user, s->name, "start", err) < 0)
		return -1;
	result = send_start(&b, s, &list, err);
	if (result == 0)
		result = wait_for_job(&b, err);
	calls.close(b.connection);
	return result;
}

/* --- changing and stopping */
static void begin_set(void *message, const void *context, int *result)
{
	int runtime = 1;

	append(message, 's', context, result);
	append(message, 'b', &runtime, result);
}

int systemd_set(struct arena *arena, bool user, const char *unit, const struct properties *properties, struct error *err)
{
	struct properties list = { 0 };
	struct bus b;
	int result;

	merge(arena, &list, properties);
	if (list.n == 0)
		return 0;
	if (open_bus(&b, user, unit, "change", err) < 0)
		return -1;
	result = send_with(&b, "SetUnitProperties", begin_set, unit, &list, false, err);
	calls.close(b.connection);
	return result;
}

/* Sends a call that has its arguments, or has failed (result < 0) to get them. allowed: the error that is none. */
static int finish_call(struct bus *b, void *message, int result, bool has_job, const char *allowed, struct error *err)
{
	struct bus_error e = { 0 };
	bool is_allowed;

	if (result >= 0)
		result = send_message(b, message, has_job, &e);
	is_allowed = result < 0 && allowed && str_eq(e.name, allowed);
	if (result < 0 && !is_allowed)
		refused(b, result, &e, err);
	calls.error_free(&e);
	if (message)
		calls.unref(message);
	if (result < 0)
		return is_allowed ? 0 : -1;
	return has_job ? wait_for_job(b, err) : 0;
}

int systemd_attach(struct arena *arena, bool user, const char *unit, const char *below, pid_t pid, struct error *err)
{
	uint32_t number = (uint32_t)pid;
	void *message = NULL;
	struct bus b;
	int result;

	if (open_bus(&b, user, unit, "take a process into", err) < 0)
		return -1;
	result = calls.new_call(b.connection, &message, SERVICE, OBJECT, MANAGER, "AttachProcessesToUnit");
	append(message, 's', unit, &result);
	append(message, 's', below, &result);
	open_container(message, 'a', "u", &result);
	append(message, 'u', &number, &result);
	close_container(message, &result);
	result = finish_call(&b, message, result, false, NULL, err);
	calls.close(b.connection);
	return result;
}

static int stop(struct bus *b, struct error *err)
{
	void *message = NULL;
	int result = calls.new_call(b->connection, &message, SERVICE, OBJECT, MANAGER, "StopUnit");

	append(message, 's', b->unit, &result);
	append(message, 's', "replace", &result);
	return finish_call(b, message, result, true, NO_SUCH_UNIT, err);
}

int systemd_stop(struct arena *arena, bool user, const char *unit, struct error *err)
{
	struct bus b;
	int result;

	if (open_bus(&b, user, unit, "stop", err) < 0)
		return -1;
	result = stop(&b, err);
	calls.close(b.connection);
	return result;
}
