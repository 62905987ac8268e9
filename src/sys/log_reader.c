/* Reading of logs, forwards with following, and backwards to find the last lines. A record that is malformed (a crash,
 * a hand's edit) is skipped. */
#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sys/log_record.h"

#define BLOCK 65536	/* above the longest record */

struct log_reader {
	int dirfd, fd;
	char name[256], old_name[260];
	struct log_query query;
	char buf[BLOCK];
	size_t begin, end;
	bool too_long;		/* in the middle of a line that does not fit: it is skipped up to its end */
};

static bool digits(const char **at, const char *end, int n, int64_t *ret)
{
	int64_t value = 0;

	for (; n > 0; n--, (*at)++) {
		if (*at >= end || **at < '0' || **at > '9')
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

static bool literal(const char **at, const char *end, char c)
{
	if (*at >= end || **at != c)
		return false;
	(*at)++;
	return true;
}

static bool parse_fraction(const char **at, const char *end, int64_t *ret_ns)
{
	int64_t scale = 100000000, ns = 0;
	int n = 0;

	if (*at < end && **at == '.') {
		for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++, n++, scale /= 10)
			ns += (**at - '0') * scale;
		if (n == 0 || n > 9)
			return false;
	}
	*ret_ns = ns;
	return true;
}

static bool parse_zone(const char **at, const char *end, int64_t *ret_seconds)
{
	int64_t hours, minutes;
	int sign;

	*ret_seconds = 0;
	if (literal(at, end, 'Z'))
		return true;
	if (*at >= end || (**at != '+' && **at != '-'))
		return false;
	sign = *(*at)++ == '-' ? -1 : 1;
	if (!digits(at, end, 2, &hours) || !literal(at, end, ':') || !digits(at, end, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool parse_time(const char **at, const char *end, int64_t *ret_ns)
{
	int64_t year, month, day, hour, minute, second, ns, zone;
	struct tm tm = { 0 };

	if (!digits(at, end, 4, &year) || !literal(at, end, '-') || !digits(at, end, 2, &month) ||
	    !literal(at, end, '-') || !digits(at, end, 2, &day) || !literal(at, end, 'T') ||
	    !digits(at, end, 2, &hour) || !literal(at, end, ':') || !digits(at, end, 2, &minute) ||
	    !literal(at, end, ':') || !digits(at, end, 2, &second) || !parse_fraction(at, end, &ns) ||
	    !parse_zone(at, end, &zone) || year < 1970 || year > 2200)
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day;
	*ret_ns = ((int64_t)timegm(&tm) + hour * 3600 + minute * 60 + second - zone) * 1000000000 + ns;
	return true;
}

bool log_parse_record(const char *line, size_t size, struct log_record *ret)
{
	const char *at = line, *end = line + size;
	struct log_record record = { 0 };

	if (!parse_time(&at, end, &record.time_ns) || end - at < 10 || at[0] != ' ')
		return false;
	if (memcmp(at + 1, "stdout ", 7) == 0)
		record.stream = LOG_STDOUT;
	else if (memcmp(at + 1, "stderr ", 7) == 0)
		record.stream = LOG_STDERR;
	else
		return false;
	at += 8;
	if ((at[0] != 'F' && at[0] != 'P') || (end - at > 1 && at[1] != ' '))
		return false;
	record.partial = at[0] == 'P';
	at += end - at > 1 ? 2 : 1;
	record.text = at;
	record.size = (size_t)(end - at);
	*ret = record;
	return true;
}

static bool is_wanted(const struct log_query *q, const struct log_record *record)
{
	if ((q->since_ns && record->time_ns < q->since_ns) || (q->until_ns && record->time_ns > q->until_ns))
		return false;
	return !(q->stdout_only && record->stream != LOG_STDOUT) && !(q->stderr_only && record->stream != LOG_STDERR);
}

static int open_log(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* What has been found of the last lines while walking backwards. A line ends with an F record, or with a P record
 * after which its stream says nothing. */
struct tail {
	const struct log_query *query;
	int64_t wanted, found;
	bool seen[3];
};

static bool tail_is_complete(struct tail *t, const char *line, size_t size)
{
	struct log_record record;
	bool ends_line;

	if (!log_parse_record(line, size, &record) || !is_wanted(t->query, &record))
		return false;
	ends_line = !record.partial || !t->seen[record.stream];
	t->seen[record.stream] = true;
	if (ends_line)
		t->found++;
	return t->found > t->wanted;
}

static bool pread_all(int fd, char *p, size_t n, off_t at)
{
	while (n) {
		ssize_t got = pread(fd, p, n, at);

		if (got <= 0)
			return false;
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* Walks back from the end of a file. 1 and the offset behind the line that is one too many, 0 when the file has fewer
 * lines than still wanted. */
static int tail_walk(struct log_reader *r, int fd, struct tail *t, off_t *ret_offset)
{
	struct stat st;
	off_t end;

	if (fstat(fd, &st) < 0)
		return -1;
	end = st.st_size;
	while (end > 0) {
		size_t n = end < BLOCK ? (size_t)end : BLOCK;
		off_t base = end - (off_t)n;
		size_t stop = n;

		if (!pread_all(fd, r->buf, n, base))
			return -1;
		if (r->buf[stop - 1] == '\n')
			stop--;
		for (;;) {
			const char *newline = stop ? memrchr(r->buf, '\n', stop) : NULL;
			size_t start = newline ? (size_t)(newline - r->buf) + 1 : 0;

			if (!newline && base > 0)
				break;
			if (tail_is_complete(t, r->buf + start, stop - start)) {
				*ret_offset = base + (off_t)stop + (base + (off_t)stop < st.st_size ? 1 : 0);
				return 1;
			}
			if (!newline)
				return 0;
			stop = start - 1;
		}
		/* The first line of the block may have begun before it; one that fills a whole block is no record. */
		end = stop + 1 < n ? base + (off_t)stop + 1 : base;
	}
	return 0;
}

static int seek_tail(struct log_reader *r, int old_fd)
{
	struct tail t = { .query = &r->query, .wanted = r->query.tail };
	off_t offset = 0;
	int found;

	if (r->query.tail == 0)
		return lseek(r->fd, 0, SEEK_END) < 0 ? -1 : 0;
	found = tail_walk(r, r->fd, &t, &offset);
	if (found)
		return found < 0 || lseek(r->fd, offset, SEEK_SET) < 0 ? -1 : 0;
	if (old_fd < 0)
		return 0;
	found = tail_walk(r, old_fd, &t, &offset);
	if (found < 0 || (found && lseek(old_fd, offset, SEEK_SET) < 0))
		return -1;
	return 1;
}

struct log_reader *log_reader_open(struct arena *arena, int dirfd, const char *name, const struct log_query *q,
				   struct error *err)
{
	struct log_reader *r = arena_new_one(arena, struct log_reader);
	int old_fd, from_old;

	*r = (struct log_reader){ .dirfd = dirfd, .fd = -1, .query = *q };
	if (snprintf(r->name, sizeof(r->name), "%s", name) >= (int)sizeof(r->name)) {
		error_set(err, ERROR_INVALID, "log name %s is too long", name);
		return NULL;
	}
	snprintf(r->old_name, sizeof(r->old_name), "%s.1", r->name);
	old_fd = open_log(dirfd, r->old_name);
	r->fd = open_log(dirfd, r->name);
	if (r->fd < 0 && errno != ENOENT) {
		error_errno(err, "open log %s", name);
		if (old_fd >= 0)
			close(old_fd);
		return NULL;
	}
	from_old = r->fd < 0 || q->tail < 0 ? old_fd >= 0 : seek_tail(r, old_fd);
	if (from_old > 0 && old_fd >= 0) {
		if (r->fd >= 0)
			close(r->fd);
		r->fd = old_fd;
	} else if (old_fd >= 0) {
		close(old_fd);
	}
	return r;
}

static bool same_file(int fd, int dirfd, const char *name)
{
	struct stat a, b;

	return fd >= 0 && fstat(fd, &a) == 0 && fstatat(dirfd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* 1 when another file has to be read next (this one was rotated away, or there was none yet). */
static int next_file(struct log_reader *r)
{
	bool skipped_one;
	int fd;

	if (same_file(r->fd, r->dirfd, r->name))
		return 0;
	skipped_one = r->fd >= 0 && !same_file(r->fd, r->dirfd, r->old_name);
	fd = open_log(r->dirfd, skipped_one ? r->old_name : r->name);
	if (fd < 0)
		return 0;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = fd;
	return 1;
}

static ssize_t read_more(struct log_reader *r)
{
	ssize_t n;

	if (r->begin) {
		memmove(r->buf, r->buf + r->begin, r->end - r->begin);
		r->end -= r->begin;
		r->begin = 0;
	}
	if (r->end == sizeof(r->buf)) {
		r->end = 0;
		r->too_long = true;
	}
	do
		n = read(r->fd, r->buf + r->end, sizeof(r->buf) - r->end);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		r->end += (size_t)n;
	return n;
}

/* More bytes, from the next file when this one is at its end and was rotated: 1, 0 nothing more now, -1. */
static int fill(struct log_reader *r)
{
	bool rotated = false;
	ssize_t n;

	for (;;) {
		n = r->fd < 0 ? 0 : read_more(r);
		if (n)
			return n > 0 ? 1 : -1;
		if (r->fd >= 0 && !rotated) {
			if (same_file(r->fd, r->dirfd, r->name))
				return 0;
			rotated = true;	/* the writer may have added something before it moved the file: read once more */
			continue;
		}
		if (!next_file(r))
			return 0;
		rotated = false;
		r->begin = r->end = 0;
		r->too_long = false;
	}
}

int log_reader_next(struct log_reader *r, struct log_record *ret, struct error *err)
{
	for (;;) {
		char *line = r->buf + r->begin, *newline = memchr(line, '\n', r->end - r->begin);
		bool skip;
		int more;

		if (!newline) {
			more = fill(r);
			if (more < 0)
				return error_errno(err, "read log %s", r->name);
			if (more == 0)
				return 0;
			continue;
		}
		r->begin = (size_t)(newline - r->buf) + 1;
		skip = r->too_long;
		r->too_long = false;
		if (!skip && log_parse_record(line, (size_t)(newline - line), ret) && is_wanted(&r->query, ret))
			return 1;
	}
}

void log_reader_close(struct log_reader *r)
{
	if (r && r->fd >= 0) {
		close(r->fd);
		r->fd = -1;
	}
}

int log_reader_fd(struct log_reader *r)
{
	return r->fd;
}
