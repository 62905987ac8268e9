#include "run/seccomp_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fd.h"

#define STATE_VERSION "1.2.0"	/* of the specification that the state complies with */
#define PATIENCE 10		/* seconds for a receiver that does not accept or read */
#define RECEIVER_ANNOTATION "run.oci.seccomp.receiver"
#define RECEIVER_VARIABLE "RUN_OCI_SECCOMP_RECEIVER"

/* --- who */

static const char *find_receiver(struct arena *arena, const char *listener_path, const char *where,
				 const struct string_map *annotations, const char **ret_where)
{
	const char *annotated = annotations ? map_get(annotations, RECEIVER_ANNOTATION) : NULL;

	*ret_where = arena_printf(arena, "%s.listenerPath", where);
	if (!str_is_empty(listener_path))
		return listener_path;
	*ret_where = ".annotations[\"" RECEIVER_ANNOTATION "\"]";
	if (!str_is_empty(annotated))
		return annotated;
	*ret_where = RECEIVER_VARIABLE;
	return getenv(RECEIVER_VARIABLE);
}

/* --- what */

static struct json *state_of(struct arena *arena, const struct seccomp_container *c, const char *pid)
{
	struct json *state = json_new_object(arena);

	json_add(arena, state, "ociVersion", json_new_string(arena, STATE_VERSION));
	json_add(arena, state, "id", json_new_string(arena, c->id ? c->id : ""));
	json_add(arena, state, "status", json_new_string(arena, c->first ? "running" : "creating"));
	json_add(arena, state, "pid", c->first ? json_new_int(arena, c->first) : json_new_string(arena, pid));
	json_add(arena, state, "bundle", json_new_string(arena, c->bundle ? c->bundle : ""));
	if (c->annotations && c->annotations->n)
		json_add(arena, state, "annotations", json_new_map(arena, c->annotations));
	return state;
}

static char *message_of(struct arena *arena, const struct seccomp_container *c, const char *pid)
{
	struct json *message = json_new_object(arena), *fds = json_new_list(arena);

	json_append(arena, fds, json_new_string(arena, "seccompFd"));
	json_add(arena, message, "ociVersion", json_new_string(arena, STATE_VERSION));
	json_add(arena, message, "fds", fds);
	json_add(arena, message, "pid", json_new_string(arena, pid));
	if (!str_is_empty(c->metadata))
		json_add(arena, message, "metadata", json_new_string(arena, c->metadata));
	json_add(arena, message, "state", state_of(arena, c, pid));
	return json_print(arena, message, 0);
}

/* The id of the process is known to itself alone, so it is a random text first, at which the message is cut. */
static int cut_message(struct arena *arena, struct seccomp_listener *l, const struct seccomp_container *c,
		       struct error *err)
{
	char random[33], *mark, *at, *rest;

	if (fd_random_hex(random, sizeof(random) / 2) < 0)
		return error_errno(err, "random bytes");
	mark = arena_printf(arena, "\"%s\"", random);
	rest = message_of(arena, c, random);
	while (l->pieces_n < ELEMENTS(l->pieces) - 1 && (at = strstr(rest, mark))) {
		*at = '\0';
		l->pieces[l->pieces_n++] = rest;
		rest = at + strlen(mark);
	}
	l->pieces[l->pieces_n++] = rest;
	return 0;
}

struct seccomp_listener *seccomp_listener_new(struct arena *arena, const char *listener_path, const char *where,
					      const struct seccomp_container *container, struct error *err)
{
	struct seccomp_listener *l = arena_new_one(arena, struct seccomp_listener);

	l->path = find_receiver(arena, listener_path, where, container->annotations, &l->where);
	if (str_is_empty(l->path)) {
		error_set(err, ERROR_INVALID, "%s.listenerPath: SCMP_ACT_NOTIFY needs a receiver, and none is named",
			  where);
		error_hint(err, "name the socket of the program that answers, here, in the annotation %s or in %s",
			   RECEIVER_ANNOTATION, RECEIVER_VARIABLE);
		return NULL;
	}
	if (l->path[0] != '/') {
		error_set(err, ERROR_INVALID, "%s: the receiver's socket \"%s\" is not an absolute path", l->where,
			  str_printable(arena, l->path, 256));
		return NULL;
	}
	l->path = arena_strdup(arena, l->path);
	return cut_message(arena, l, container, err) < 0 ? NULL : l;
}

/* --- the connection */

/* Longer paths than an address has room for go through a descriptor. */
static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int file = -1;
	char number[32];

	if (strlen(path) >= sizeof(address.sun_path)) {
		file = open(path, O_PATH | O_CLOEXEC);
		if (file < 0)
			return -1;
		path = fd_path(file, number);
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int wrong_receiver(const struct seccomp_listener *l, struct error *err)
{
	const char *what = errno == ECONNREFUSED ? "nobody listens" : errno == EAGAIN ? "nobody accepts" :
			   errno == EPROTOTYPE ? "it is no stream socket" : strerror(errno);

	error_set(err, ERROR_FAILED, "%s: connect to the receiver %s: %s", l->where, l->path, what);
	return error_hint(err, "the receiver answers the system calls that the filter notifies about: start it first");
}

int seccomp_listener_connect(const struct seccomp_listener *l, int above, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { .tv_sec = PATIENCE };
	int moved;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		return error_errno(err, "%s: make a socket", l->where);
	if (connect_to(fd, l->path) < 0)
		return wrong_receiver(l, err);
	if (fd >= above)
		return fd_take(&fd);
	moved = fcntl(fd, F_DUPFD_CLOEXEC, above);
	return moved < 0 ? error_errno(err, "%s: make a socket", l->where) : moved;
}
