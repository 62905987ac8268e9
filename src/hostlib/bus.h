/* hostlib/bus - a conversation with the system's or the user's systemd about one unit, over D-Bus by libsystemd
 *
 * Methods as in org.freedesktop.systemd1(5). The connection is closed by the end of the process. */
#ifndef BRYO_HOSTLIB_BUS_H
#define BRYO_HOSTLIB_BUS_H

#include "base/error.h"

struct bus {
	void *connection;
	const char *unit, *verb;	/* for complaints: "x.scope", "start" */
	char job[256];			/* the path of the job that is waited for */
	char result[32];		/* how it ended: "done", "failed", ... */
};

/* As libsystemd has it (sd-bus(3)). */
struct bus_error {
	const char *name, *message;
	int need_free;
};

/* A method call: the first failure to write it is kept. */
struct bus_message {
	void *message;
	int result;
};

/* ERROR_UNSUPPORTED without libsystemd. */
int bus_open(struct bus *b, bool user, const char *unit, const char *verb, struct error *err);
void bus_begin(const struct bus *b, struct bus_message *m, const char *method);
void bus_append(struct bus_message *m, char type, const void *value);
/* 'a' or 'r' of `contents`, or 'v'. */
void bus_open_container(struct bus_message *m, char type, const char *contents);
void bus_close_container(struct bus_message *m);
/* Sends it, and keeps the path of the job that it is answered with. -1: m->result and *ret_error tell why. */
int bus_send(struct bus *b, struct bus_message *m, bool has_job, struct bus_error *ret_error);
/* Makes an error of that: ERROR_EXISTS when there is such a unit. */
int bus_refused(const struct bus *b, const struct bus_message *m, const struct bus_error *e, struct error *err);
/* Until the job has ended (30 s). */
int bus_wait(struct bus *b, struct error *err);

#endif
