/* In libsystemd's place: writes down what is said, and answers as a systemd that does not know the property Unknown, has a
 * unit busy.scope for a while, has no missing.scope, forbids denied.scope, and cannot do what it is told of failing.scope. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bus_error { const char *name, *message; int need_free; };
typedef int bus_handler(void *message, void *context, struct bus_error *error);

static struct message { char text[8192]; } sent, reply, signal_;
static struct { bus_handler *handler; void *context; } match;
static char bus[16], unit[64];
static int refusals = 2;

__attribute__((format(printf, 2, 3))) static void say(struct message *m, const char *fmt, ...)
{
	size_t n = strlen(m->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->text + n, sizeof(m->text) - n, fmt, ap);
	va_end(ap);
}

static int open_bus(const char *name, void **ret)
{
	snprintf(bus, sizeof(bus), "%s", name);
	*ret = bus;
	return 0;
}

int sd_bus_open_user(void **ret);
int sd_bus_open_user(void **ret) { return getenv("BRYO_TEST_NO_BUS") ? -ECONNREFUSED : open_bus("user", ret); }
int sd_bus_open_system(void **ret);
int sd_bus_open_system(void **ret) { return open_bus("system", ret); }

int sd_bus_match_signal(void *b, void **slot, const char *sender, const char *path, const char *interface, const char *member,
			bus_handler *handler, void *context);
int sd_bus_match_signal(void *b, void **slot, const char *sender, const char *path, const char *interface, const char *member,
			bus_handler *handler, void *context)
{
	match.handler = handler;
	match.context = context;
	return 0;
}

int sd_bus_message_new_method_call(void *b, void **ret, const char *destination, const char *path, const char *interface,
				   const char *member);
int sd_bus_message_new_method_call(void *b, void **ret, const char *destination, const char *path, const char *interface,
				   const char *member)
{
	memset(&sent, 0, sizeof(sent));
	unit[0] = '\0';
	say(&sent, "%s %s", bus, member);
	*ret = &sent;
	return 0;
}

int sd_bus_message_append_basic(void *m, char type, const void *value);
int sd_bus_message_append_basic(void *m, char type, const void *value)
{
	switch (type) {
	case 'y': say(m, " y%u", *(const uint8_t *)value); break;
	case 'q': say(m, " q%u", *(const uint16_t *)value); break;
	case 'n': say(m, " n%d", *(const int16_t *)value); break;
	case 'u': say(m, " u%u", *(const uint32_t *)value); break;
	case 'b': case 'i': say(m, " %c%d", type, *(const int32_t *)value); break;
	case 'x': say(m, " x%lld", (long long)*(const int64_t *)value); break;
	case 't': say(m, " t%llu", (unsigned long long)*(const uint64_t *)value); break;
	case 'd': say(m, " d%g", *(const double *)value); break;
	default: say(m, " %c\"%s\"", type, (const char *)value); break;
	}
	if (type == 's' && !unit[0])
		snprintf(unit, sizeof(unit), "%s", (const char *)value);
	return 0;
}

int sd_bus_message_open_container(void *m, char type, const char *contents);
int sd_bus_message_open_container(void *m, char type, const char *contents) { say(m, " %c%s{", type, contents); return 0; }
int sd_bus_message_close_container(void *m);
int sd_bus_message_close_container(void *m) { say(m, " }"); return 0; }

static int refuse(struct bus_error *e, const char *name, const char *message)
{
	*e = (struct bus_error){ name, message, 0 };
	return -EINVAL;
}

static void keep(void)
{
	FILE *f = fopen(getenv("BRYO_TEST_BUS"), "a");

	if (!f)
		abort();
	fprintf(f, "%s\n", sent.text);
	fclose(f);
}

int sd_bus_call(void *b, void *message, uint64_t microseconds, struct bus_error *error, void **ret_reply);
int sd_bus_call(void *b, void *message, uint64_t microseconds, struct bus_error *error, void **ret_reply)
{
	keep();
	*ret_reply = &reply;
	if (strstr(sent.text, "\"Unknown\""))
		return refuse(error, "org.freedesktop.DBus.Error.PropertyReadOnly", "Cannot set property Unknown, or unknown property.");
	if (strcmp(unit, "missing.scope") == 0)
		return refuse(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit missing.scope not loaded.");
	if (strcmp(unit, "denied.scope") == 0)
		return refuse(error, "org.freedesktop.DBus.Error.AccessDenied", "Access denied");
	if (strcmp(unit, "busy.scope") == 0 && refusals-- > 0)
		return refuse(error, "org.freedesktop.systemd1.UnitExists", "Unit busy.scope already exists.");
	return 1;
}

/* A job of somebody else's first. */
int sd_bus_process(void *b, void **ret);
int sd_bus_process(void *b, void **ret)
{
	static int turn;

	if (turn++ == 0)
		return 0;
	snprintf(signal_.text, sizeof(signal_.text), "%s", turn == 2 ? "/job/other" : "/job/7");
	match.handler(&signal_, match.context, NULL);
	return 1;
}

int sd_bus_wait(void *b, uint64_t microseconds);
int sd_bus_wait(void *b, uint64_t microseconds) { return 0; }

int sd_bus_message_read(void *m, const char *types, ...);
int sd_bus_message_read(void *m, const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	if (types[0] == 'o') {
		*va_arg(ap, const char **) = "/job/7";
	} else {
		*va_arg(ap, uint32_t *) = 7;
		*va_arg(ap, const char **) = signal_.text;
		*va_arg(ap, const char **) = unit;
		*va_arg(ap, const char **) = strcmp(unit, "failing.scope") == 0 ? "failed" : "done";
	}
	va_end(ap);
	return 1;
}
