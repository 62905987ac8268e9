#include "sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"

#define HEADER_SIZE 64
#define BATCH 48

/* The records of one call to log_write that wait for one writev. All share the time, so there are two headers only. */
struct batch {
	struct log_writer *w;
	char full[HEADER_SIZE], part[HEADER_SIZE];
	int header_size;
	struct iovec iov[BATCH];
	int n;
	size_t bytes;
	bool failed;
};

static void write_headers(struct batch *b, enum log_stream stream)
{
	struct calendar_time t;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	t = calendar_utc(now.tv_sec);
	b->header_size = snprintf(b->full, sizeof(b->full), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ %s F ", t.year, t.month,
				  t.day, t.hour, t.minute, t.second, now.tv_nsec, stream == LOG_STDERR ? "stderr" : "stdout");
	memcpy(b->part, b->full, sizeof(b->part));
	b->part[b->header_size - 2] = 'P';
}

/* A crash in the middle of a record leaves a line without an end: close it, the reader skips what it cannot read. */
static void end_torn_line(struct log_writer *w)
{
	char last = '\n';

	if (w->size && pread(w->fd, &last, 1, (off_t)w->size - 1) == 1 && last != '\n' && write(w->fd, "\n", 1) == 1)
		w->size++;
}

static int open_file(struct log_writer *w, int flags)
{
	struct stat st;
	int fd = openat(w->dirfd, w->name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	w->fd = fd;
	w->size = (uint64_t)st.st_size;
	return 0;
}

int log_writer_open(struct log_writer *w, int dirfd, const char *name, uint64_t max_size, struct error *err)
{
	w->dirfd = dirfd;
	w->fd = -1;
	w->max_size = max_size;
	w->part[0].n = w->part[1].n = 0;
	if (snprintf(w->name, sizeof(w->name), "%s", name) >= (int)sizeof(w->name) - 2)
		return error_set(err, ERROR_INVALID, "log name %s is too long", name);
	if (open_file(w, 0) < 0)
		return error_errno(err, "open log %s", name);
	end_torn_line(w);
	return 0;
}

/* On any failure the old file goes on being written: a log that is too long is better than a lost one. */
static void rotate(struct log_writer *w)
{
	char old[sizeof(w->name) + 2];
	int fd = w->fd;

	snprintf(old, sizeof(old), "%s.1", w->name);
	if (renameat(w->dirfd, w->name, w->dirfd, old) < 0)
		return;
	if (open_file(w, O_EXCL) == 0)
		close(fd);
}

/* A record is never written in halves: what a full disk cut off is taken back. */
static void batch_flush(struct batch *b)
{
	struct log_writer *w = b->w;
	ssize_t n;

	if (!b->n)
		return;
	if (w->max_size && w->size && w->size + b->bytes > w->max_size)
		rotate(w);
	do
		n = writev(w->fd, b->iov, b->n);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n == b->bytes) {
		w->size += b->bytes;
	} else {
		if (n > 0 && ftruncate(w->fd, (off_t)w->size) < 0)
			w->size += (uint64_t)n;
		errno = n >= 0 ? ENOSPC : errno;
		b->failed = true;
	}
	b->n = 0;
	b->bytes = 0;
}

static void batch_add(struct batch *b, const void *p, size_t n)
{
	b->iov[b->n++] = (struct iovec){ (void *)p, n };
	b->bytes += n;
}

/* One record: what was kept of the line, then text. A full record's newline is the last byte of text. */
static void batch_record(struct batch *b, const char *kept, size_t kept_n, const char *text, size_t n, bool partial)
{
	if (b->n > BATCH - 4 || (b->w->max_size && b->w->size + b->bytes + kept_n + n + HEADER_SIZE > b->w->max_size))
		batch_flush(b);
	batch_add(b, partial ? b->part : b->full, (size_t)b->header_size);
	if (kept_n)
		batch_add(b, kept, kept_n);
	if (n)
		batch_add(b, text, n);
	if (partial)
		batch_add(b, "\n", 1);
}

int log_write(struct log_writer *w, enum log_stream stream, const void *p, size_t n)
{
	struct batch b = { .w = w };
	__typeof__(w->part[0]) *part = &w->part[stream == LOG_STDERR];
	const char *at = p, *end = at + n;

	write_headers(&b, stream);
	while (at < end) {
		size_t room = sizeof(part->data) - part->n;
		size_t left = (size_t)(end - at), window = left < room + 1 ? left : room + 1;
		const char *newline = memchr(at, '\n', window);

		if (newline) {
			batch_record(&b, part->data, part->n, at, (size_t)(newline - at) + 1, false);
			at = newline + 1;
		} else if (left <= room) {
			batch_flush(&b);	/* it may still point into part */
			memcpy(part->data + part->n, at, left);
			part->n += left;
			break;
		} else {
			batch_record(&b, part->data, part->n, at, room, true);
			at += room;
		}
		if (part->n) {
			batch_flush(&b);
			part->n = 0;
		}
	}
	batch_flush(&b);
	return b.failed ? -1 : 0;
}

int log_writer_close(struct log_writer *w)
{
	static const enum log_stream streams[] = { LOG_STDOUT, LOG_STDERR };
	bool failed = false;

	for (int i = 0; i < 2; i++) {
		struct batch b = { .w = w };

		if (!w->part[i].n)
			continue;
		write_headers(&b, streams[i]);
		batch_record(&b, w->part[i].data, w->part[i].n, NULL, 0, true);
		batch_flush(&b);
		failed |= b.failed;
		w->part[i].n = 0;
	}
	if (w->fd >= 0 && close(w->fd) < 0)
		failed = true;
	w->fd = -1;
	return failed ? -1 : 0;
}
