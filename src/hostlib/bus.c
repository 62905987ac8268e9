#include "hostlib/bus.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/string.h"
#include "sys/clock.h"

#define WAIT_MS 30000

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

typedef int bus_handler(void *message, void *context, struct bus_error *error);

static struct bus_calls {
	int (*open_user)(void **ret);
	int (*open_system)(void **ret);
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
} calls;

static const struct { const char *name; size_t offset; } symbols[] = {
	{ "sd_bus_open_user", offsetof(struct bus_calls, open_user) },
	{ "sd_bus_open_system", offsetof(struct bus_calls, open_system) },
	{ "sd_bus_match_signal", offsetof(struct bus_calls, match_signal) },
	{ "sd_bus_process", offsetof(struct bus_calls, process) },
	{ "sd_bus_wait", offsetof(struct bus_calls, wait) },
	{ "sd_bus_message_new_method_call", offsetof(struct bus_calls, new_call) },
	{ "sd_bus_call", offsetof(struct bus_calls, call) },
	{ "sd_bus_message_append_basic", offsetof(struct bus_calls, append_basic) },
	{ "sd_bus_message_open_container", offsetof(struct bus_calls, open_container) },
	{ "sd_bus_message_close_container", offsetof(struct bus_calls, close_container) },
	{ "sd_bus_message_read", offsetof(struct bus_calls, read) },
};

/* --- the connection */

static int load(struct error *err)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		error_set(err, ERROR_UNSUPPORTED, "libsystemd is not installed");
		return error_hint(err, "use --cgroup-manager=cgroupfs");
	}
	for (size_t i = 0; i < ELEMENTS(symbols); i++) {
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

int bus_open(struct bus *b, bool user, const char *unit, const char *verb, struct error *err)
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
	return error_hint(err, user ? "use --cgroup-manager=cgroupfs, or log in through systemd" : "use the cgroupfs manager");
}

/* --- messages */

void bus_begin(const struct bus *b, struct bus_message *m, const char *method)
{
	*m = (struct bus_message){ 0 };
	m->result = calls.new_call(b->connection, &m->message, SERVICE, OBJECT, MANAGER, method);
}

void bus_append(struct bus_message *m, char type, const void *value)
{
	if (m->result >= 0)
		m->result = calls.append_basic(m->message, type, value);
}

void bus_open_container(struct bus_message *m, char type, const char *contents)
{
	if (m->result >= 0)
		m->result = calls.open_container(m->message, type, contents);
}

void bus_close_container(struct bus_message *m)
{
	if (m->result >= 0)
		m->result = calls.close_container(m->message);
}

/* --- calls */

int bus_send(struct bus *b, struct bus_message *m, bool has_job, struct bus_error *ret_error)
{
	void *reply = NULL;
	const char *job = NULL;

	*ret_error = (struct bus_error){ 0 };
	b->job[0] = '\0';
	if (m->result >= 0)
		m->result = calls.call(b->connection, m->message, WAIT_MS * UINT64_C(1000), ret_error, &reply);
	if (m->result >= 0 && has_job && (m->result = calls.read(reply, "o", &job)) >= 0)
		snprintf(b->job, sizeof(b->job), "%s", job);
	return m->result < 0 ? -1 : 0;
}

int bus_refused(const struct bus *b, const struct bus_message *m, const struct bus_error *e, struct error *err)
{
	return error_set(err, str_eq(e->name, UNIT_EXISTS) ? ERROR_EXISTS : ERROR_FAILED, "systemd refuses to %s %s: %s",
			 b->verb, b->unit, e->message ? e->message : strerror(-m->result));
}

int bus_wait(struct bus *b, struct error *err)
{
	char job[sizeof(b->job)];
	int64_t end = clock_now_ms() + WAIT_MS;

	memcpy(job, b->job, sizeof(job));
	b->result[0] = '\0';
	while (!b->result[0] || !str_eq(b->job, job)) {
		int result = calls.process(b->connection, NULL);

		if (result == 0)
			result = calls.wait(b->connection, 100000);
		if (result < 0)
			return error_set(err, ERROR_FAILED, "wait for systemd to %s %s: %s", b->verb, b->unit, strerror(-result));
		if (clock_now_ms() > end)
			return error_set(err, ERROR_FAILED, "systemd did not %s %s in time", b->verb, b->unit);
	}
	if (!str_eq(b->result, "done"))
		return error_set(err, ERROR_FAILED, "systemd could not %s %s: %s", b->verb, b->unit, b->result);
	return 0;
}
