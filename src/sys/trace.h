/* sys/trace - where the time of a command goes, in a file that trace viewers open
 *
 * With BRYO_TRACE=FILE the processes of bryo append spans to FILE: events of the Chrome trace format in its array form,
 * one a line, which Perfetto and chrome://tracing read without a closing bracket and from many processes. Without the
 * variable a span is one branch. Spans are collected in memory and written at trace_flush, trace_close, or when there
 * are many; a fork starts with none. All but trace_open and trace_close is legal between clone and exec, leaves errno
 * alone and makes no system call but the write.
 *
 * The process that becomes a container does not hold the file: from trace_child on it leaves its spans in memory that it
 * shares with its parent, who writes them with trace_collect. So neither its limits nor its seccomp filter matter,
 * and what runs in the container later finds nothing. */
#ifndef BRYO_SYS_TRACE_H
#define BRYO_SYS_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct trace_span {
	const char *name, *about;	/* constants of the program; about may be foreign text, or NULL */
	int64_t begin;			/* nanoseconds; 0: not traced, or ended */
};

extern bool trace_on;

/* Once at the start of a program, `process` is its name in the viewer. 0 also when no trace is asked for. The file is made
 * when it does not exist, close-on-exec, at a high number: below are those that --preserve-fds may give away. */
int trace_open(const char *process, struct error *err);
void trace_close(void);
/* Names a process that was forked. */
void trace_process(const char *name);
/* Before exec and _exit: what is not written is lost. */
void trace_flush(void);

/* In the process that becomes a container, before it is anywhere near one. */
void trace_child(const char *name);
/* Before exec: a span that its parent ends by trace_collect. */
void trace_until_exec(const char *name);
/* In its parent, once it was executed or failed. One child at a time. */
void trace_collect(void);

int64_t trace_now(void);
void trace_record(const struct trace_span *span);

static inline struct trace_span trace_begin_about(const char *name, const char *about)
{
	return (struct trace_span){ name, about, __builtin_expect(trace_on, 0) ? trace_now() : 0 };
}

static inline struct trace_span trace_begin(const char *name)
{
	return trace_begin_about(name, NULL);
}

static inline void trace_end(struct trace_span *span)
{
	if (__builtin_expect(span->begin != 0, 0))
		trace_record(span);
	span->begin = 0;
}

/* _cleanup_trace_ struct trace_span span = trace_begin("find the image");		until the end of the block */
#define _cleanup_trace_ __attribute__((cleanup(trace_end), unused))

#endif
