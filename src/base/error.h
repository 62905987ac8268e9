/* base/error - one flat error value
 *
 * An error has no pointers and is smaller than PIPE_BUF, so it crosses fork, pipe, monitor and API unchanged by a
 * single write. The first failure sets kind, errno and text; each level that knows something adds a frame in front;
 * whoever knows the cure sets the hint, and lines that can be pasted. A code names the cause for `bryo help CODE` and for
 * programs: each kind has one, and who knows better sets his own. Nothing below cli/ and api/ prints an error. */
#ifndef BRYO_BASE_ERROR_H
#define BRYO_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_kind {
	ERROR_NONE = 0,
	ERROR_FAILED,		/* anything not named below */
	ERROR_USAGE,		/* the command line or request is wrong */
	ERROR_INVALID,		/* foreign data (JSON, archive, reply, file) is malformed or breaks its specification */
	ERROR_NOT_FOUND,	/* no such container, image, volume, network */
	ERROR_EXISTS,		/* a name is taken */
	ERROR_IN_USE,		/* the object is needed by another, or is running */
	ERROR_STATE,		/* the object is not in the state that this needs */
	ERROR_DENIED,		/* the kernel or a policy refuses */
	ERROR_UNSUPPORTED,	/* known, and not offered here */
	ERROR_NOT_EXECUTABLE,	/* the container's command cannot be executed */
	ERROR_NO_COMMAND,	/* the container's command does not exist */
	ERROR_NO_SPACE,		/* disk or quota full */
	ERROR_NETWORK,		/* a peer does not answer, or not as it should */
	ERROR_UNAUTHORIZED,	/* credentials are missing or refused */
	ERROR_INTERRUPTED,	/* a signal ended it */
	ERROR_KINDS
};

#define ERROR_TEXT_SIZE 2656
#define ERROR_HINT_SIZE 1024
#define ERROR_CODE_SIZE 32
#define ERROR_WHERE_SIZE 128

struct error {
	int kind;		/* enum error_kind */
	int sys;		/* errno of the failed call, 0 when none */
	char text[ERROR_TEXT_SIZE];	/* "outer: inner: cause"; cut with "..." when it does not fit */
	char hint[ERROR_HINT_SIZE];	/* what cures it, "" when nobody knows: a paragraph, then lines "$ COMMAND" (to be pasted)
					 * and "# COMMAND" (for the administrator) */
	char code[ERROR_CODE_SIZE];	/* "port-taken"; "": the kind's own */
	char where[ERROR_WHERE_SIZE];	/* the word of the command line or the file at fault, when the text does not say it */
};

#define ERROR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Sets the first failure and returns -1, so that callers write `return error_set(...)`. err may be NULL. */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...) ERROR_PRINTF(3, 4);

/* The same from errno: the text gets ": strerror" and the kind follows errno (ENOENT stays ERROR_FAILED: only the
 * caller knows whether a missing file is a missing object). Reads errno first, so it is safe right after the call. */
int error_errno(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* Whether an errno of opening or reading says nothing about what was to be read (EIO, ENOMEM, EMFILE, EACCES ...), so that
 * nobody may take it for missing or damaged; false for 0 and for those that do (ENOENT, ELOOP, EISDIR ...). */
bool error_is_unread(int sys);
/* The narrower question where ESRCH, ENODEV or a refused permission are answers, too: no descriptors, no memory, a disk that is
 * full or broken? Then the answer is not "no". */
bool error_passes(int sys);

/* Puts "context: " in front and returns -1. Does nothing to an empty error. */
int error_frame(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* Sets the cure, one paragraph without a newline at the end, and returns -1. The innermost hint wins. */
int error_hint(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);
/* The hint that another error had, with its lines. */
int error_hint_again(struct error *err, const char *hint);
/* Adds a line that cures it when it is pasted, or one that only the administrator can give; after the hint. One that does
 * not fit whole is left out. */
int error_fix(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);
int error_fix_admin(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* The innermost code and place win, too. */
int error_code(struct error *err, const char *code);
int error_where(struct error *err, const char *fmt, ...) ERROR_PRINTF(2, 3);
/* Its own code, or that of its kind; never "". */
const char *error_code_of(const struct error *err);
const char *error_kind_code(enum error_kind kind);

void error_clear(struct error *err);
bool error_is(const struct error *err, enum error_kind kind);

/* 125, 126, 127, 1 (no such object) or 2 (in use), as Podman's users expect of `bryo` commands. */
int error_exit_code(const struct error *err);

/* Crosses a pipe in one write; receive answers 1 with an error, 0 at end of file or for an empty error ("all is well",
 * for those whose pipe others keep open too), -1 on a bad record. */
int error_send(int fd, const struct error *err);
int error_receive(int fd, struct error *ret_err);

#endif
