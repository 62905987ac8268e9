/* sys/log - container logs on disk: lines of "RFC3339nano stdout|stderr F|P text"
 *
 * The k8s-file form of Podman and the CRI: P marks a part of a line (longer than 16 KiB, or the output ended without
 * a newline), F its end. Written by bryo-monitor, read by the engine. Rotated at max-size to "NAME.1". */
#ifndef BRYO_SYS_LOG_H
#define BRYO_SYS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum log_stream { LOG_STDOUT = 1, LOG_STDERR = 2 };

struct log_writer {
	int dirfd, fd;
	char name[256];
	uint64_t size, max_size;	/* 0: no limit */
	struct { char data[16384]; size_t n; } part[2];	/* an unfinished line of each stream */
};

int log_writer_open(struct log_writer *w, int dirfd, const char *name, uint64_t max_size, struct error *err);
int log_write(struct log_writer *w, enum log_stream stream, const void *p, size_t n);
int log_writer_close(struct log_writer *w);		/* writes unfinished lines as P */

/* One record as stored. `text` has no newline; partial says that the line goes on in the stream's next record. */
struct log_record {
	int64_t time_ns;
	enum log_stream stream;
	bool partial;
	const char *text;
	size_t size;
};

struct log_reader;
struct log_query {
	int64_t since_ns, until_ns;	/* 0: no bound */
	int64_t tail;			/* lines; < 0: all */
	bool stdout_only, stderr_only;
};
struct log_reader *log_reader_open(struct arena *arena, int dirfd, const char *name, const struct log_query *q,
				   struct error *err);
/* 1 and a record (valid until the next call), 0 at the end of what is there now (call again later to follow; rotation
 * is noticed), -1 on an error. */
int log_reader_next(struct log_reader *r, struct log_record *ret, struct error *err);
void log_reader_close(struct log_reader *r);
int log_reader_fd(struct log_reader *r);		/* for inotify by name use the directory; -1 when not open */

#endif
