/* bryo-transfer: reads what came from strangers, in a sandbox, on behalf of the engine (see spec/transfer.h).
 *
 * What needs the network or keeps a connection (manifest, layers, push, signatures, login ...) runs in this process,
 * which enters its sandbox before the first such request. What reads or writes archives of the user's or a container's
 * files (load, import, save, pack, unpack, layer) runs in a child with a sandbox of its own: it may reach the directories
 * that came with that request, and no network. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/registry.h"
#include "transfer/sandbox.h"
#include "transfer/signatures.h"
#include "transfer/work.h"
#include "transfer/yaml.h"

/* Archives as a whole may be packed with xz, whose dictionaries have any size: load and import need a third of this. */
#define ARCHIVE_MEMORY ((size_t)384 << 20)

struct operation {
	const char *name;
	work_op *run;
	bool network;
	size_t fds;			/* descriptors that a request must bring */
};

static const struct operation operations[] = {
	{ "manifest",	op_manifest,	true,	0 },
	{ "layers",	op_layers,	true,	0 },
	{ "look",	op_look,	true,	0 },
	{ "tags",	op_tags,	true,	0 },
	{ "blobs",	op_blobs,	true,	0 },
	{ "push",	op_push,	true,	0 },
	{ "login",	op_login,	true,	0 },
	{ "search",	op_search,	true,	0 },
	{ "download",	op_download,	true,	1 },
	{ "attachments", op_attachments, true,	0 },
	{ "lookaside",	op_lookaside,	true,	0 },
	{ "sign",	op_sign,	true,	0 },
	{ "yaml",	op_yaml,	false,	1 },
	{ "keep",	op_keep,	false,	0 },
	{ "load",	op_load,	false,	1 },
	{ "import",	op_import,	false,	1 },
	{ "save",	op_save,	false,	1 },
	{ "pack",	op_pack,	false,	2 },
	{ "unpack",	op_unpack,	false,	2 },
	{ "layer",	op_layer,	false,	2 },
	{ "compose",	op_compose,	false,	0 },
	{ "verify",	op_verify,	false,	0 },
	{ "recall",	op_recall,	false,	0 },
	{ "index",	op_index,	false,	1 },
	{ "objects-check", op_objects_check, false, 0 },
	{ "recipes-check", op_recipes_check, false, 0 },
};

#ifdef __SANITIZE_ADDRESS__
/* The leak checker needs ptrace, which the sandbox takes away. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static const struct operation *find(const char *name, const struct channel *c, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(operations); i++) {
		const struct operation *o = &operations[i];

		if (!str_eq(o->name, name))
			continue;
		if (o->fds > 0 && c->fds[o->fds - 1] < 0) {
			error_set(err, ERROR_USAGE, "the request %s came without its descriptors", name);
			return NULL;
		}
		return o;
	}
	error_set(err, ERROR_USAGE, "unknown request %s", name ? name : "(none)");
	return NULL;
}

static bool is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* May it need the tar of a layer whose blob is not there? */
static bool remakes(const struct operation *o)
{
	return o->network || o->run == op_save || o->run == op_recipes_check;
}

static int enter(const struct work *w, const struct transfer_request *r, const struct operation *o, struct error *err)
{
	int writable[2 + CHANNEL_FDS_MAX] = { w->places.blobs, w->places.tmp }, readable[3 + CHANNEL_FDS_MAX];
	struct sandbox s = { .writable = writable, .writable_n = 2, .readable = readable };

	if (w->places.objects >= 0 && (o->network || o->run == op_index))
		s.objects = &w->places.objects;
	else if (w->places.objects >= 0 && remakes(o))
		readable[s.readable_n++] = w->places.objects;
	if (w->places.layers >= 0 && remakes(o))
		readable[s.readable_n++] = w->places.layers;
	if (o->run == op_verify || o->run == op_objects_check || o->run == op_recipes_check)
		s.writable_n = 0;
	if (o->run == op_verify || o->run == op_objects_check)
		readable[s.readable_n++] = o->run == op_verify ? w->places.blobs : w->places.objects;
	for (size_t i = 0; i < o->fds; i++) {
		if (!is_directory(w->channel->fds[i]))
			continue;
		if (o->run == op_unpack || o->run == op_save)
			writable[s.writable_n++] = w->channel->fds[i];
		else
			readable[s.readable_n++] = w->channel->fds[i];
	}
	if (o->run == op_load || o->run == op_import)
		s.memory = ARCHIVE_MEMORY;
	if (r->source)
		s.readable_path = r->source->certs_dir;
	if (sandbox_enter(&s, err) < 0 || (!o->network && sandbox_no_network(err) < 0))
		return error_frame(err, "enter the sandbox");
	return 0;
}

static void perform(struct work *w, const struct transfer_request *r, const struct operation *o)
{
	struct transfer_event result = { .event = "result" };
	struct error error = { 0 };

	if (o->run(w, r, &result, &error) < 0)
		channel_send_error(w->channel, &error);
	else
		channel_send(w->channel, &result);
}

/* In a child with a sandbox for this request alone. */
static int perform_apart(struct work *w, const struct transfer_request *r, const struct operation *o,
			 struct error *err)
{
	pid_t self = getpid(), child = fork();
	int status = 0;

	if (child < 0)
		return error_errno(err, "start a process");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self)
			_exit(1);
		if (enter(w, r, o, err) < 0)
			channel_send_error(w->channel, err);
		else
			perform(w, r, o);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_FAILED, "the process for %s was ended by signal %d", r->op, WTERMSIG(status));
	if (WEXITSTATUS(status))
		return error_set(err, ERROR_FAILED, "the process for %s ended with status %d", r->op, WEXITSTATUS(status));
	return 0;
}

static int serve(struct work *w, const struct transfer_request *r, bool *entered, struct error *err)
{
	const struct operation *o = find(r->op, w->channel, err);

	if (!o)
		return -1;
	if (!o->network)
		return perform_apart(w, r, o, err);
	if (!*entered && enter(w, r, o, err) < 0)
		return -1;
	*entered = true;
	perform(w, r, o);
	return 0;
}

/* Descriptors by number: an argument, or 3, 4, 5. */
static int descriptor(int argc, char **argv, int at, int otherwise)
{
	unsigned fd;

	return argc > at && str_to_u32(argv[at], &fd) == 0 && fd < 1 << 20 ? (int)fd : otherwise;
}

static bool may_be_directory(int fd)
{
	return fd < 0 || is_directory(fd);
}

/* Before the death signal was asked for the engine may have died, with a request already in the socket. */
static bool is_orphan(int socket)
{
	struct pollfd p = { .fd = socket, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLRDHUP | POLLHUP | POLLNVAL);
}

int main(int argc, char **argv)
{
	int socket = descriptor(argc, argv, 1, 3);
	struct channel channel;
	struct work work = { .channel = &channel,
			     .places = { descriptor(argc, argv, 2, 4), descriptor(argc, argv, 3, 5),
					 descriptor(argc, argv, 4, -1), descriptor(argc, argv, 5, -1) } };
	bool entered = false;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (is_orphan(socket))
		return 125;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))	/* names in archives are bytes, mostly UTF-8 */
		setlocale(LC_CTYPE, "");
	if (!is_directory(work.places.blobs) || !is_directory(work.places.tmp) || !may_be_directory(work.places.objects) ||
	    !may_be_directory(work.places.layers)) {
		fprintf(stderr, "bryo-transfer is started by bryo and is of no use alone\n");
		return 125;
	}
	fd_set_cloexec(socket, true);
	fd_set_cloexec(work.places.blobs, true);
	fd_set_cloexec(work.places.tmp, true);
	if (work.places.objects >= 0)
		fd_set_cloexec(work.places.objects, true);
	if (work.places.layers >= 0)
		fd_set_cloexec(work.places.layers, true);
	channel_init(&channel, socket);
	for (;;) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct transfer_request request;
		struct error error = { 0 };
		int r = channel_receive(&channel, arena, &request, &error);

		if (r == 0)
			break;
		work.arena = arena;
		if ((r < 0 || serve(&work, &request, &entered, &error) < 0) && channel_send_error(&channel, &error) < 0)
			break;
	}
	registry_free(work.registry);
	return 0;
}
