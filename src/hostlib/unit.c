#include "hostlib/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hostlib/bus.h"

#define DROPPED_MAX 16		/* properties that an old systemd does not know */
#define TRIES 500		/* of starting, while there still is such a unit */
#define PAUSE_NS 10000000

#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

/* --- properties */

static void append_number(struct bus_message *m, char type, const char *text)
{
	uint64_t number = strtoull(text, NULL, 10);
	uint8_t byte = (uint8_t)number;
	uint16_t half = (uint16_t)number;
	uint32_t word = (uint32_t)number;

	switch (type) {
	case 'y':	return bus_append(m, 'y', &byte);
	case 'n': case 'q':	return bus_append(m, type, &half);
	case 'b': case 'i': case 'u':	return bus_append(m, type, &word);
	}
	bus_append(m, type, &number);
}

static void append_step(struct bus_message *m, const char *step)
{
	switch (*step) {
	case 'a': case 'r':	return bus_open_container(m, *step, step + 1);
	case ')':		return bus_close_container(m);
	case 's': case 'o': case 'g':	return bus_append(m, *step, step + 1);
	}
	append_number(m, *step, step + 1);
}

static void append_properties(struct bus_message *m, const struct hostlib_unit *unit)
{
	bus_open_container(m, 'a', "(sv)");
	for (size_t i = 0; i < unit->properties.n; i++) {
		const struct hostlib_property *p = &unit->properties.v[i];

		bus_open_container(m, 'r', "sv");
		bus_append(m, 's', p->name);
		bus_open_container(m, 'v', p->signature);
		for (size_t j = 0; j < p->steps.n; j++)
			append_step(m, p->steps.v[j]);
		bus_close_container(m);
		bus_close_container(m);
	}
	bus_close_container(m);
}

/* "Cannot set property X, or unknown property." */
static bool drop_unknown(struct hostlib_unit *unit, const struct bus_error *e)
{
	const char *name = e->message ? str_after(e->message, "Cannot set property ") : NULL;
	size_t length = name ? strcspn(name, ", ") : 0, n = unit->properties.n;

	for (size_t i = 0; name && i < n; i++) {
		struct hostlib_property *p = &unit->properties.v[i];

		if (strncmp(p->name, name, length) != 0 || p->name[length] || p->demanded)
			continue;
		memmove(p, p + 1, (n - i - 1) * sizeof(*p));
		unit->properties.n--;
		return true;
	}
	return false;
}

/* --- starting and changing */

static void write_start(const struct bus *b, struct bus_message *m, const struct hostlib_unit *unit)
{
	bus_begin(b, m, "StartTransientUnit");
	bus_append(m, 's', unit->name);
	bus_append(m, 's', "fail");
	append_properties(m, unit);
	bus_open_container(m, 'a', "(sa(sv))");		/* no further units */
	bus_close_container(m);
}

static void write_set(const struct bus *b, struct bus_message *m, const struct hostlib_unit *unit)
{
	int runtime = 1;

	bus_begin(b, m, "SetUnitProperties");
	bus_append(m, 's', unit->name);
	bus_append(m, 'b', &runtime);
	append_properties(m, unit);
}

/* The call with fewer and fewer properties, until systemd knows them all. */
static int send_known(struct bus *b, struct hostlib_unit *unit, bool has_job,
		      void (*write)(const struct bus *b, struct bus_message *m, const struct hostlib_unit *unit),
		      struct error *err)
{
	struct bus_message m;
	struct bus_error e;

	for (int tries = 0;; tries++) {
		write(b, &m, unit);
		if (bus_send(b, &m, has_job, &e) == 0)
			return 0;
		if (tries == DROPPED_MAX || !drop_unknown(unit, &e))
			return bus_refused(b, &m, &e, err);
	}
}

int unit_start(struct arena *arena, const void *request, void *none, struct error *err)
{
	struct hostlib_unit unit = *(const struct hostlib_unit *)request;
	struct bus b;

	if (bus_open(&b, unit.user, unit.name, "start", err) < 0)
		return -1;
	for (int tries = 0; send_known(&b, &unit, true, write_start, err) < 0; tries++) {
		if (!error_is(err, ERROR_EXISTS) || tries == TRIES)
			return -1;
		error_clear(err);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	return bus_wait(&b, err);
}

int unit_set(struct arena *arena, const void *request, void *none, struct error *err)
{
	struct hostlib_unit unit = *(const struct hostlib_unit *)request;
	struct bus b;

	return bus_open(&b, unit.user, unit.name, "change", err) < 0 ? -1 : send_known(&b, &unit, false, write_set, err);
}

/* --- moving a process, stopping */

int unit_attach(struct arena *arena, const void *request, void *none, struct error *err)
{
	const struct hostlib_unit *unit = request;
	uint32_t pid = (uint32_t)unit->pid;
	struct bus_message m;
	struct bus_error e;
	struct bus b;

	if (bus_open(&b, unit->user, unit->name, "take a process into", err) < 0)
		return -1;
	bus_begin(&b, &m, "AttachProcessesToUnit");
	bus_append(&m, 's', unit->name);
	bus_append(&m, 's', unit->below ? unit->below : "");
	bus_open_container(&m, 'a', "u");
	bus_append(&m, 'u', &pid);
	bus_close_container(&m);
	return bus_send(&b, &m, false, &e) < 0 ? bus_refused(&b, &m, &e, err) : 0;
}

int unit_stop(struct arena *arena, const void *request, void *none, struct error *err)
{
	const struct hostlib_unit *unit = request;
	struct bus_message m;
	struct bus_error e;
	struct bus b;

	if (bus_open(&b, unit->user, unit->name, "stop", err) < 0)
		return -1;
	bus_begin(&b, &m, "StopUnit");
	bus_append(&m, 's', unit->name);
	bus_append(&m, 's', "replace");
	if (bus_send(&b, &m, true, &e) == 0)
		return bus_wait(&b, err);
	return str_eq(e.name, NO_SUCH_UNIT) ? 0 : bus_refused(&b, &m, &e, err);
}
