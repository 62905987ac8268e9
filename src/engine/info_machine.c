#include "engine/info.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/fd.h"

/* --- setters */

void info_text(struct engine *e, struct json *object, const char *name, const char *text)
{
	json_set(e->arena, object, name, json_new_string(e->arena, text ? text : ""));
}

void info_number(struct engine *e, struct json *object, const char *name, int64_t n)
{
	json_set(e->arena, object, name, json_new_int(e->arena, n));
}

void info_flag(struct engine *e, struct json *object, const char *name, bool b)
{
	json_set(e->arena, object, name, json_new_bool(e->arena, b));
}

struct json *info_object(struct engine *e, struct json *parent, const char *name)
{
	struct json *object = json_new_object(e->arena);

	json_set(e->arena, parent, name, object);
	return object;
}

struct json *info_list(struct engine *e, struct json *parent, const char *name, const char *const *words)
{
	struct json *list = json_new_list(e->arena);

	for (; words && *words; words++)
		json_append(e->arena, list, json_new_string(e->arena, *words));
	json_set(e->arena, parent, name, list);
	return list;
}

/* --- facts */

static char *read_proc(struct engine *e, const char *path)
{
	return fd_read_file(e->arena, AT_FDCWD, path, 1 << 20, NULL);
}

const char *info_architecture(void)
{
	static const struct { const char *machine, *go; } names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "armv6l", "arm" }, { "i686", "386" },
		{ "riscv64", "riscv64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "loongarch64", "loong64" },
	};
	static struct utsname u;

	if (uname(&u) < 0)
		return "";
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (str_eq(u.machine, names[i].machine))
			return names[i].go;
	return u.machine;
}

/* A value of /etc/os-release, without its quotes. */
static char *os_release(struct engine *e, const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t length = strcspn(line, "\n");

		if (strncmp(line, key, n) != 0 || line[n] != '=')
			continue;
		line += n + 1;
		length -= n + 1;
		if (length >= 2 && (*line == '"' || *line == '\'') && line[length - 1] == *line) {
			line++;
			length -= 2;
		}
		return arena_strndup(e->arena, line, length);
	}
	return NULL;
}

static void add_distribution(struct engine *e, struct json *host)
{
	struct json *d = info_object(e, host, "distribution");
	char *text = read_proc(e, "/etc/os-release");
	char *id, *variant;

	if (!text)
		text = read_proc(e, "/usr/lib/os-release");
	id = os_release(e, text, "ID");
	variant = os_release(e, text, "VARIANT_ID");
	info_text(e, d, "codename", os_release(e, text, "VERSION_CODENAME"));
	info_text(e, d, "distribution", id ? id : "unknown");
	if (variant)
		info_text(e, d, "variant", variant);
	info_text(e, d, "version", os_release(e, text, "VERSION_ID"));
}

static int64_t meminfo(const char *text, const char *key)
{
	const char *line = text ? strstr(text, key) : NULL;

	return line ? (int64_t)strtoll(line + strlen(key), NULL, 10) * 1024 : 0;
}

static void add_memory(struct engine *e, struct json *host)
{
	char *text = read_proc(e, "/proc/meminfo");

	info_number(e, host, "memFree", meminfo(text, "MemFree:"));
	info_number(e, host, "memTotal", meminfo(text, "MemTotal:"));
	info_number(e, host, "swapFree", meminfo(text, "SwapFree:"));
	info_number(e, host, "swapTotal", meminfo(text, "SwapTotal:"));
}

/* Since the machine started, in per cent with two digits. */
static void add_utilization(struct engine *e, struct json *host)
{
	struct json *u = info_object(e, host, "cpuUtilization");
	unsigned long long user = 0, nice = 0, system = 0, idle = 0, rest[4] = { 0 };
	char *text = read_proc(e, "/proc/stat");
	double total;

	if (text && sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &rest[0],
			   &rest[1], &rest[2], &rest[3]) < 4)
		user = nice = system = idle = 0;
	total = (double)(user + nice + system + idle + rest[0] + rest[1] + rest[2] + rest[3]);
	if (total == 0)
		total = 1;
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = { "userPercent", "systemPercent", "idlePercent" };
		double part = (double)(i == 0 ? user + nice : i == 1 ? system : idle);
		struct json *value = arena_new_one(e->arena, struct json);

		value->kind = JSON_DOUBLE;
		value->number = (double)(int64_t)(part / total * 10000 + 0.5) / 100;
		json_set(e->arena, u, names[i], value);
	}
}

static char *uptime(struct engine *e)
{
	struct sysinfo s;
	long hours, minutes, seconds;

	if (sysinfo(&s) < 0)
		return NULL;
	hours = s.uptime / 3600;
	minutes = s.uptime % 3600 / 60;
	seconds = s.uptime % 60;
	if (hours < 24)
		return arena_printf(e->arena, "%ldh %ldm %ld.00s", hours, minutes, seconds);
	return arena_printf(e->arena, "%ldh %ldm %ld.00s (Approximately %.2f days)", hours, minutes, seconds,
			    (double)s.uptime / 86400);
}

void info_add_machine(struct engine *e, struct json *host)
{
	struct utsname u = { 0 };

	uname(&u);
	info_text(e, host, "arch", info_architecture());
	info_number(e, host, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	add_utilization(e, host);
	add_distribution(e, host);
	info_text(e, host, "hostname", u.nodename);
	info_text(e, host, "kernel", u.release);
	info_text(e, host, "os", "linux");
	add_memory(e, host);
	info_text(e, host, "uptime", uptime(e));
	info_text(e, host, "variant", "");
}
