/* base/buffer - bytes that grow up to a ceiling
 *
 * The owner gives the ceiling at birth; reaching it is an error of the input, reported as EFBIG, never a crash. */
#ifndef BRYO_BASE_BUFFER_H
#define BRYO_BASE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct buffer {
	char *data;		/* data[size] is a NUL byte once something was added */
	size_t size, room, limit;
	bool failed;		/* an addition did not fit: for those who add much and ask once at the end */
};

#define BUFFER(max) ((struct buffer){ .limit = (max) })
#define _cleanup_buffer_ __attribute__((cleanup(buffer_done)))

void buffer_done(struct buffer *b);
int buffer_add(struct buffer *b, const void *p, size_t n);	/* -1 with EFBIG or ENOMEM */
int buffer_adds(struct buffer *b, const char *s);
int buffer_printf(struct buffer *b, const char *fmt, ...) ERROR_PRINTF(2, 3);
int buffer_vprintf(struct buffer *b, const char *fmt, va_list ap) ERROR_PRINTF(2, 0);
void buffer_consume(struct buffer *b, size_t n);		/* drops n bytes at the front */
/* Room for at least n more bytes at data + size; the caller adds what it wrote to size. */
int buffer_reserve(struct buffer *b, size_t n);

#endif
