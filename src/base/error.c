#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct error) <= PIPE_BUF, "an error crosses a pipe in one atomic write");

static enum error_kind kind_of_errno(int number)
{
	switch (number) {
	case EACCES: case EPERM:			return ERROR_DENIED;
	case ENOSPC: case EDQUOT:			return ERROR_NO_SPACE;
	case EINTR:					return ERROR_INTERRUPTED;
	case ENOSYS: case EOPNOTSUPP:			return ERROR_UNSUPPORTED;
	case ECONNREFUSED: case EHOSTUNREACH: case ENETUNREACH: case ETIMEDOUT: case ECONNRESET:
							return ERROR_NETWORK;
	default:					return ERROR_FAILED;
	}
}

/* Marks a text that did not fit, so that nobody takes the cut end for the whole. */
static void mark_if_cut(char *text, size_t size, int wanted)
{
	if (wanted >= (int)size)
		memcpy(text + size - 4, "...", 4);
}

ERROR_PRINTF(4, 0) static void set_text(struct error *err, enum error_kind kind, int number, const char *fmt, va_list ap)
{
	err->kind = kind;
	err->sys = number;
	err->hint[0] = err->code[0] = err->where[0] = '\0';
	mark_if_cut(err->text, sizeof(err->text), vsnprintf(err->text, sizeof(err->text), fmt, ap));
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	set_text(err, kind, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int error_errno(struct error *err, const char *fmt, ...)
{
	int number = errno;
	va_list ap;
	size_t used;

	if (!err)
		return -1;
	va_start(ap, fmt);
	set_text(err, kind_of_errno(number), number, fmt, ap);
	va_end(ap);
	used = strlen(err->text);
	mark_if_cut(err->text, sizeof(err->text),
		    (int)used + snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(number)));
	errno = number;
	return -1;
}

bool error_is_unread(int sys)
{
	switch (sys) {
	case 0: case ENOENT: case ENOTDIR: case EISDIR: case ELOOP: case ENXIO: case EINVAL: case EFBIG: case EBADMSG:
		return false;
	default:
		return true;
	}
}

bool error_passes(int sys)
{
	static const int passing[] = { EMFILE, ENFILE, ENOMEM, EIO, ENOSPC, EDQUOT, EAGAIN };

	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		if (sys == passing[i])
			return true;
	return false;
}

int error_frame(struct error *err, const char *fmt, ...)
{
	char frame[ERROR_TEXT_SIZE];
	size_t n, used;
	va_list ap;

	if (!err || err->kind == ERROR_NONE)
		return -1;
	va_start(ap, fmt);
	vsnprintf(frame, sizeof(frame) - 3, fmt, ap);
	va_end(ap);
	memcpy(frame + strlen(frame), ": ", 3);
	n = strlen(frame);
	used = strlen(err->text);
	if (n + used >= sizeof(err->text)) {
		used = n + 4 < sizeof(err->text) ? sizeof(err->text) - n - 4 : 0;
		memcpy(err->text + used, "...", 4);
		used += 3;
		if (n + used >= sizeof(err->text))
			n = sizeof(err->text) - used - 1;
	}
	memmove(err->text + n, err->text, used + 1);
	memcpy(err->text, frame, n);
	return -1;
}

/* A line of its own would pass for a cure: what is named, a file in a volume, may be a stranger's. */
static void make_one_line(char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			*text = '?';
}

int error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->kind == ERROR_NONE || err->hint[0])
		return -1;
	va_start(ap, fmt);
	mark_if_cut(err->hint, sizeof(err->hint), vsnprintf(err->hint, sizeof(err->hint), fmt, ap));
	va_end(ap);
	make_one_line(err->hint);
	return -1;
}

int error_hint_again(struct error *err, const char *hint)
{
	if (err && err->kind != ERROR_NONE && !err->hint[0])
		mark_if_cut(err->hint, sizeof(err->hint), snprintf(err->hint, sizeof(err->hint), "%s", hint));
	return -1;
}

/* --- the hint's lines */

ERROR_PRINTF(3, 0) static int add_line(struct error *err, char mark, const char *fmt, va_list ap)
{
	size_t used, room;
	int n;

	if (!err || err->kind == ERROR_NONE)
		return -1;
	used = strlen(err->hint);
	room = sizeof(err->hint) - used;
	n = snprintf(err->hint + used, room, "%s%c ", used ? "\n" : "", mark);
	if (n < (int)room)
		n += vsnprintf(err->hint + used + n, room - (size_t)n, fmt, ap);
	if (n >= (int)room)
		err->hint[used] = '\0';
	make_one_line(err->hint + used + (used && err->hint[used]));
	return -1;
}

int error_fix(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(err, '$', fmt, ap);
	va_end(ap);
	return -1;
}

int error_fix_admin(struct error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(err, '#', fmt, ap);
	va_end(ap);
	return -1;
}

/* --- code and place */

int error_code(struct error *err, const char *code)
{
	if (err && err->kind != ERROR_NONE && !err->code[0])
		snprintf(err->code, sizeof(err->code), "%s", code);
	return -1;
}

int error_where(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->kind == ERROR_NONE || err->where[0])
		return -1;
	va_start(ap, fmt);
	mark_if_cut(err->where, sizeof(err->where), vsnprintf(err->where, sizeof(err->where), fmt, ap));
	va_end(ap);
	return -1;
}

const char *error_kind_code(enum error_kind kind)
{
	static const char *const codes[] = {
		[ERROR_NONE] = "none", [ERROR_FAILED] = "failed", [ERROR_USAGE] = "usage", [ERROR_INVALID] = "invalid",
		[ERROR_NOT_FOUND] = "not-found", [ERROR_EXISTS] = "already-exists", [ERROR_IN_USE] = "in-use",
		[ERROR_STATE] = "wrong-state", [ERROR_DENIED] = "denied", [ERROR_UNSUPPORTED] = "unsupported",
		[ERROR_NOT_EXECUTABLE] = "not-executable", [ERROR_NO_COMMAND] = "command-not-found",
		[ERROR_NO_SPACE] = "no-space", [ERROR_NETWORK] = "network", [ERROR_UNAUTHORIZED] = "unauthorized",
		[ERROR_INTERRUPTED] = "interrupted",
	};

	_Static_assert(sizeof(codes) / sizeof(*codes) == ERROR_KINDS, "each kind has a code");
	return codes[kind];
}

const char *error_code_of(const struct error *err)
{
	return err->code[0] ? err->code : error_kind_code((enum error_kind)err->kind);
}

void error_clear(struct error *err)
{
	if (!err)
		return;
	err->kind = ERROR_NONE;
	err->sys = 0;
	err->text[0] = err->hint[0] = err->code[0] = err->where[0] = '\0';
}

bool error_is(const struct error *err, enum error_kind kind)
{
	return err && err->kind == (int)kind;
}

int error_exit_code(const struct error *err)
{
	switch (err->kind) {
	case ERROR_NONE:		return 0;
	case ERROR_NOT_FOUND:		return 1;
	case ERROR_IN_USE:		return 2;
	case ERROR_NOT_EXECUTABLE:	return 126;
	case ERROR_NO_COMMAND:		return 127;
	default:			return 125;
	}
}

int error_send(int fd, const struct error *err)
{
	ssize_t n;

	do
		n = write(fd, err, sizeof(*err));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*err) ? 0 : -1;
}

int error_receive(int fd, struct error *ret_err)
{
	struct error record;
	size_t got = 0;

	while (got < sizeof(record)) {
		ssize_t n = read(fd, (char *)&record + got, sizeof(record) - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(ret_err, "read the error of a child");
		if (n == 0)
			break;
		got += (size_t)n;
	}
	if (got == 0 || (got == sizeof(record) && record.kind == ERROR_NONE))
		return 0;
	if (got != sizeof(record) || record.kind < ERROR_NONE || record.kind >= ERROR_KINDS)
		return error_set(ret_err, ERROR_FAILED, "a child process ended while it reported an error");
	record.text[sizeof(record.text) - 1] = record.hint[sizeof(record.hint) - 1] = '\0';
	record.code[sizeof(record.code) - 1] = record.where[sizeof(record.where) - 1] = '\0';
	*ret_err = record;
	return 1;
}
