#include "sys/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"

#define VARIABLE "BRYO_TRACE"
#define LOWEST_FD 256
#define AREA_SIZE 32768
#define NAME_MAX_BYTES 64
#define ABOUT_MAX_BYTES 160
#define NS_SECOND INT64_C(1000000000)

/* The events of one process that are not written yet. */
struct area {
	pid_t pid;			/* 0: nothing was recorded since the process was born */
	size_t n;
	struct trace_span last;		/* of trace_until_exec; its name is in last_name */
	char last_name[NAME_MAX_BYTES];
	char text[AREA_SIZE - 2 * sizeof(size_t) - sizeof(struct trace_span) - NAME_MAX_BYTES];
};

bool trace_on;

static struct {
	int file;			/* -1: none, as in a container's child */
	int64_t offset;			/* of the wall clock before the monotonic one */
	struct area *own;		/* wiped in a fork, or in a container's child: childs */
	struct area *childs;		/* shared */
} trace = { .file = -1 };

/* --- time and process */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_SECOND + now.tv_nsec;
}

/* The monotonic clock has another beginning in a time namespace, the wall clock has not. What a process in one reads is
 * the wall clock moved to where the monotonic one was outside: small numbers, as viewers keep a fraction of them only.
 * Both are read until nothing came in between. */
static int64_t clock_offset(void)
{
	int64_t before, wall, after;
	int tries = 0;

	do {
		before = clock_ns(CLOCK_MONOTONIC);
		wall = clock_ns(CLOCK_REALTIME);
		after = clock_ns(CLOCK_MONOTONIC);
	} while (after - before > 1000 && ++tries < 100);
	return wall - (before + after) / 2;
}

/* In a pid namespace of its own a process believes to be 1; the host's /proc knows better. */
static pid_t find_pid(void)
{
	char text[16];
	int number = errno;
	ssize_t n = readlink("/proc/self", text, sizeof(text));
	pid_t pid = 0;

	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		pid = pid * 10 + (text[i] - '0');
	errno = number;
	return pid > 0 ? pid : getpid();
}

int64_t trace_now(void)
{
	if (!trace.own->pid)
		trace.own->pid = find_pid();
	return clock_ns(CLOCK_REALTIME) - trace.offset;
}

/* --- one event in text */

struct line {
	char text[512];
	size_t n;
};

static void add_text(struct line *l, const char *s)
{
	while (*s && l->n < sizeof(l->text))
		l->text[l->n++] = *s++;
}

static void add_number(struct line *l, int64_t value)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	add_text(l, at);
}

/* Microseconds with three digits after the point. */
static void add_time(struct line *l, const char *member, int64_t ns)
{
	int64_t rest = ns > 0 ? ns % 1000 : 0;

	add_text(l, member);
	add_number(l, ns > 0 ? ns / 1000 : 0);
	add_text(l, rest < 10 ? ".00" : rest < 100 ? ".0" : ".");
	add_number(l, rest);
}

/* What a viewer shows: a byte that needs care in JSON becomes a question mark. */
static void add_string(struct line *l, const char *s, size_t max)
{
	add_text(l, "\"");
	for (size_t i = 0; s[i] && i < max; i++) {
		bool plain = s[i] >= ' ' && s[i] < 127 && s[i] != '"' && s[i] != '\\';

		add_text(l, (char[2]){ plain ? s[i] : '?', '\0' });
	}
	add_text(l, "\"");
}

static void add_process(struct line *l, pid_t pid)
{
	add_text(l, ",\"pid\":");
	add_number(l, pid);
	add_text(l, ",\"tid\":");
	add_number(l, pid);
}

static void span_line(struct line *l, pid_t pid, const struct trace_span *span, int64_t end)
{
	add_text(l, "{\"name\":");
	add_string(l, span->name, NAME_MAX_BYTES);
	add_text(l, ",\"cat\":\"bryo\",\"ph\":\"X\"");
	add_time(l, ",\"ts\":", span->begin);
	add_time(l, ",\"dur\":", end - span->begin);
	add_process(l, pid);
	if (span->about) {
		add_text(l, ",\"args\":{\"about\":");
		add_string(l, span->about, ABOUT_MAX_BYTES);
		add_text(l, "}");
	}
	add_text(l, "},\n");
}

/* --- what was collected */

static void append(struct area *area, const struct line *l)
{
	if (area->n + l->n > sizeof(area->text))
		trace_flush();
	if (area->n + l->n > sizeof(area->text))	/* a container's child: what is too much is lost */
		return;
	memcpy(area->text + area->n, l->text, l->n);
	area->n += l->n;
}

/* A file that cannot be written ends the trace, not the command. */
static void write_area(struct area *area)
{
	int number = errno;
	size_t n = area->n < sizeof(area->text) ? area->n : sizeof(area->text);

	if (trace.file >= 0 && n && fd_write_all(trace.file, area->text, n) < 0) {
		trace_on = false;
		fd_close(&trace.file);
	}
	area->n = 0;
	errno = number;
}

void trace_flush(void)
{
	if (trace_on && trace.file >= 0)
		write_area(trace.own);
}

void trace_record(const struct trace_span *span)
{
	struct line l = { .n = 0 };
	int64_t now;

	if (!trace_on)
		return;
	now = trace_now();	/* knows the process, also where a fork ends what its parent began */
	span_line(&l, trace.own->pid, span, now);
	append(trace.own, &l);
}

void trace_process(const char *name)
{
	struct line l = { .n = 0 };

	if (!trace_on)
		return;
	trace_now();
	add_text(&l, "{\"name\":\"process_name\",\"ph\":\"M\"");
	add_process(&l, trace.own->pid);
	add_text(&l, ",\"args\":{\"name\":");
	add_string(&l, name, NAME_MAX_BYTES);
	add_text(&l, "}},\n");
	append(trace.own, &l);
}

/* --- the container's child */

void trace_child(const char *name)
{
	if (!trace_on)
		return;
	trace.own = trace.childs;
	trace.own->pid = 0;
	trace.own->n = 0;
	trace.own->last.begin = 0;
	fd_close(&trace.file);
	trace_process(name);
}

void trace_until_exec(const char *name)
{
	struct area *area = trace.own;
	size_t n = strnlen(name, sizeof(area->last_name) - 1);

	if (!trace_on || area != trace.childs)
		return;
	memcpy(area->last_name, name, n);
	area->last_name[n] = '\0';
	area->last = trace_begin("");
}

void trace_collect(void)
{
	struct area *area = trace.childs;
	struct line l = { .n = 0 };

	if (!trace_on || trace.file < 0)
		return;
	if (area->last.begin) {
		struct trace_span last = { .name = area->last_name, .begin = area->last.begin };

		span_line(&l, area->pid, &last, trace_now());
		append(area, &l);
	}
	area->last.begin = 0;
	write_area(area);
}

/* --- begin and end */

/* The first line of a new file. The lock is for those who start at the same time. */
static int write_bracket(int fd)
{
	struct stat st;
	int result = 0;

	if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		result = -1;
	} else if (st.st_size == 0) {
		result = fd_write_all(fd, "[\n", 2);
	}
	flock(fd, LOCK_UN);
	return result;
}

static int open_file(const char *path)
{
	_cleanup_fd_ int low = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (low < 0 || write_bracket(low) < 0)
		return -1;
	return fcntl(low, F_DUPFD_CLOEXEC, LOWEST_FD);
}

static struct area *map_area(int kind)
{
	struct area *area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED ? NULL : area;
}

static int start(const char *path)
{
	trace.file = open_file(path);
	if (trace.file < 0)
		return -1;
	trace.own = map_area(MAP_PRIVATE);
	trace.childs = map_area(MAP_SHARED);
	if (!trace.own || !trace.childs || madvise(trace.own, sizeof(*trace.own), MADV_WIPEONFORK) < 0)
		return -1;
	trace.offset = clock_offset();
	return 0;
}

static void stop(void)
{
	trace_on = false;
	fd_close(&trace.file);
	if (trace.own)
		munmap(trace.own, sizeof(*trace.own));
	if (trace.childs && trace.childs != trace.own)
		munmap(trace.childs, sizeof(*trace.childs));
	trace.own = trace.childs = NULL;
}

/* Programs that are started later have other directories. */
static int make_absolute(const char *path)
{
	char here[PATH_MAX], whole[2 * PATH_MAX];

	if (*path == '/')
		return 0;
	if (!getcwd(here, sizeof(here)))
		return -1;
	if (snprintf(whole, sizeof(whole), "%s/%s", here, path) >= (int)sizeof(whole)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return setenv(VARIABLE, whole, 1);
}

int trace_open(const char *process, struct error *err)
{
	const char *path = getenv(VARIABLE);

	if (str_is_empty(path))
		return 0;
	if (make_absolute(path) < 0 || start(getenv(VARIABLE)) < 0) {
		error_errno(err, VARIABLE ": write to %s", path);
		stop();
		return -1;
	}
	trace_on = true;
	trace_process(process);
	return 0;
}

void trace_close(void)
{
	trace_flush();
	stop();
}
