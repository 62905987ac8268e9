#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)16 << 10)
#define ALIGNMENT 16

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGNMENT) char data[];
};

struct arena {
	struct block *first;	/* the one that is being filled; full ones follow */
};

void arena_exhausted(void)
{
	static const char text[] = "error[no-memory]: out of memory\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(125);
	_exit(125);
}

static struct block *block_new(size_t size)
{
	struct block *b = calloc(1, sizeof(*b) + size);

	if (!b)
		arena_exhausted();
	b->size = size;
	return b;
}

struct arena *arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		arena_exhausted();
	arena->first = block_new(BLOCK_SIZE);
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->first) {
		struct block *b = arena->first;

		arena->first = b->next;
		free(b);
	}
	free(arena);
}

void arena_cleanup(struct arena **arena)
{
	arena_free(*arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct block *b = arena->first;
	void *p;

	if (size > SIZE_MAX / 2)
		arena_exhausted();
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (size > b->size - b->used) {
		if (size > BLOCK_SIZE / 4) {	/* its own block, behind the one being filled */
			struct block *own = block_new(size);

			own->next = b->next;
			b->next = own;
			own->used = size;
			return own->data;
		}
		b = block_new(BLOCK_SIZE);
		b->next = arena->first;
		arena->first = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

void *arena_calloc(struct arena *arena, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		arena_exhausted();
	return arena_alloc(arena, total);
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	return s ? arena_memdup(arena, s, strnlen(s, n)) : NULL;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_memdup(arena, s, strlen(s)) : NULL;
}

void *arena_memdup(struct arena *arena, const void *p, size_t n)
{
	char *copy = arena_alloc(arena, n + 1);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap)
{
	va_list again;
	char small[256];
	char *text;
	int n;

	va_copy(again, ap);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	if (n < 0)
		arena_exhausted();
	if ((size_t)n < sizeof(small)) {
		va_end(again);
		return arena_memdup(arena, small, (size_t)n);
	}
	text = arena_alloc(arena, (size_t)n + 1);
	vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(arena, fmt, ap);
	va_end(ap);
	return text;
}
