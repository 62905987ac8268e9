#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_done(struct buffer *b)
{
	free(b->data);
	b->data = NULL;
	b->size = b->room = 0;
}

int buffer_reserve(struct buffer *b, size_t n)
{
	size_t need, room;
	char *data;

	if (__builtin_add_overflow(b->size, n, &need) || need > b->limit) {
		errno = EFBIG;
		b->failed = true;
		return -1;
	}
	if (need + 1 <= b->room)
		return 0;
	room = b->room ? b->room : 256;
	while (room < need + 1)
		room *= 2;
	data = realloc(b->data, room);
	if (!data) {
		b->failed = true;
		return -1;
	}
	b->data = data;
	b->room = room;
	return 0;
}

int buffer_add(struct buffer *b, const void *p, size_t n)
{
	if (buffer_reserve(b, n) < 0)
		return -1;
	if (n)
		memcpy(b->data + b->size, p, n);
	b->size += n;
	b->data[b->size] = '\0';
	return 0;
}

int buffer_adds(struct buffer *b, const char *s)
{
	return buffer_add(b, s, strlen(s));
}

int buffer_vprintf(struct buffer *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0 || buffer_reserve(b, (size_t)n) < 0) {
		va_end(again);
		return -1;
	}
	vsnprintf(b->data + b->size, (size_t)n + 1, fmt, again);
	va_end(again);
	b->size += (size_t)n;
	return 0;
}

int buffer_printf(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = buffer_vprintf(b, fmt, ap);
	va_end(ap);
	return r;
}

void buffer_consume(struct buffer *b, size_t n)
{
	if (!n)
		return;
	b->size -= n;
	memmove(b->data, b->data + n, b->size + 1);
}
