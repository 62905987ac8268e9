/* base/arena - memory that lives as long as a command, a request or a task
 *
 * Everything taken from an arena is released at once by arena_free. Allocation never answers NULL: when memory is
 * exhausted the process ends with a one-line message and exit code 125 (a short-lived process holds nothing that
 * the next command cannot clean up). Blocks are zeroed. */
#ifndef BRYO_BASE_ARENA_H
#define BRYO_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/error.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
#define _cleanup_arena_ __attribute__((cleanup(arena_cleanup)))
void arena_cleanup(struct arena **arena);

/* What every allocation does instead of answering NULL; for memory that is not in an arena. */
_Noreturn void arena_exhausted(void);

void *arena_alloc(struct arena *arena, size_t size);
#define arena_new_array(arena, type, n) ((type *)arena_calloc((arena), (n), sizeof(type)))
#define arena_new_one(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
void *arena_calloc(struct arena *arena, size_t n, size_t size);

char *arena_strdup(struct arena *arena, const char *s);		/* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t n);
void *arena_memdup(struct arena *arena, const void *p, size_t n);	/* one zero byte is kept after the copy */
char *arena_printf(struct arena *arena, const char *fmt, ...) ERROR_PRINTF(2, 3);
char *arena_vprintf(struct arena *arena, const char *fmt, va_list ap) ERROR_PRINTF(2, 0);

#endif
