#include "engine/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"

JSON_SHAPE(container_mount,
	JSON_FIELD(container_mount, type, "type", T_STRING),
	JSON_FIELD(container_mount, name, "name", T_STRING),
	JSON_FIELD(container_mount, source, "source", T_STRING),
	JSON_FIELD(container_mount, destination, "destination", T_STRING, .required = true),
	JSON_FIELD(container_mount, options, "options", T_STRINGS),
	JSON_FIELD(container_mount, read_only, "readOnly", T_BOOL),
	JSON_FIELD(container_mount, anonymous, "anonymous", T_BOOL),
	JSON_FIELD(container_mount, chown, "chown", T_BOOL),
	JSON_FIELD(container_mount, overlay, "overlay", T_BOOL));

JSON_SHAPE(container,
	JSON_FIELD(container, id, "id", T_STRING, .required = true),
	JSON_FIELD(container, name, "name", T_STRING, .required = true),
	JSON_FIELD(container, created_ns, "created", T_INT),
	JSON_FIELD(container, image_name, "imageName", T_STRING),
	JSON_FIELD(container, image_id, "imageId", T_STRING),
	JSON_FIELD(container, image_digest, "imageDigest", T_STRING),
	JSON_FIELD(container, rootfs, "rootfs", T_STRING),
	JSON_FIELD(container, layers, "layers", T_STRINGS),
	JSON_FIELD(container, request, "request", T_EMBED, .shape = &create_request_shape),
	JSON_FIELD(container, image, "image", T_EMBED, .shape = &image_container_config_shape),
	JSON_FIELD(container, args, "args", T_STRINGS),
	JSON_FIELD(container, env, "env", T_STRINGS),
	JSON_FIELD(container, workdir, "workdir", T_STRING),
	JSON_FIELD(container, hostname, "hostname", T_STRING),
	JSON_FIELD(container, stop_signal, "stopSignal", T_STRING),
	JSON_FIELD(container, labels, "labels", T_MAP),
	JSON_FIELD(container, annotations, "annotations", T_MAP),
	JSON_FIELD(container, mounts, "mounts", T_OBJECTS, .shape = &container_mount_shape),
	JSON_FIELD(container, log_driver, "logDriver", T_STRING),
	JSON_FIELD(container, stop_timeout_s, "stopTimeout", T_INT, .always = true),
	JSON_FIELD(container, log_options, "logOptions", T_MAP));

/* What everybody relies on is there. */
static int check_record(const struct container *c, const char *id, struct error *err)
{
	if (!str_eq(c->id, id))
		return error_set(err, ERROR_INVALID, "config.json: it is another container's");
	if (str_is_empty(c->name) || !c->stop_signal || !c->log_driver)
		return error_set(err, ERROR_INVALID, "config.json: name, stop signal or log driver is missing");
	for (size_t i = 0; i < c->mounts.n; i++)
		if (!c->mounts.v[i].type || !c->mounts.v[i].destination)
			return error_set(err, ERROR_INVALID, "config.json: .mounts[%zu]: type or destination is missing", i);
	return 0;
}

static int load(struct engine *e, const char *id, struct container *ret, struct error *err)
{
	size_t size;
	char *text = container_store_read(e->arena, &e->store, id, &size, err);

	if (!text)
		return -1;
	*ret = (struct container){ 0 };
	if (json_decode(e->arena, &container_shape, ret, text, size, "config.json", err) < 0 ||
	    check_record(ret, id, err) < 0) {
		error_frame(err, "container %.12s is damaged", id);
		return error_hint(err, "remove it: bryo rm -f %.12s", id);
	}
	return 0;
}

int container_load(struct engine *e, const char *name_or_id, struct container *ret, struct error *err)
{
	char *id = container_store_find(e->arena, &e->store, name_or_id, err);

	return id ? load(e, id, ret, err) : -1;
}

int container_load_damaged(struct engine *e, const char *name_or_id, struct container *ret, struct error *err)
{
	char *id = container_store_find(e->arena, &e->store, name_or_id, err);

	if (!id)
		return -1;
	*ret = (struct container){ .id = id, .stop_signal = "SIGKILL" };
	return 0;
}

int container_list_damaged(struct engine *e, struct strings *ret_ids, struct error *err)
{
	struct strings ids = { 0 };

	*ret_ids = (struct strings){ 0 };
	if (container_store_list(e->arena, &e->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct container c;
		struct error why = { 0 };

		if (container_load(e, ids.v[i], &c, &why) < 0 && !error_is(&why, ERROR_NOT_FOUND))
			strings_add(e->arena, ret_ids, ids.v[i]);
	}
	return 0;
}

int container_load_all(struct engine *e, struct containers *ret, struct error *err)
{
	struct strings ids = { 0 };

	*ret = (struct containers){ 0 };
	if (container_store_list(e->arena, &e->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct container c;
		struct error bad = { 0 };

		if (load(e, ids.v[i], &c, &bad) == 0)
			*ARRAY_ADD(e->arena, ret) = c;
		else if (bad.kind != ERROR_NOT_FOUND)	/* not found: removed meanwhile */
			engine_warn(e, "%s", bad.text);
	}
	return 0;
}

int container_save(struct engine *e, const struct container *c, struct error *err)
{
	return container_store_write(&e->store, c->id,
				     json_print(e->arena, json_encode(e->arena, &container_shape, c), 0), err);
}

/* --- signals by name */
static const struct { const char *name; int number; } signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL }, { "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "IOT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE }, { "KILL", SIGKILL },
	{ "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
	{ "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF },
	{ "WINCH", SIGWINCH }, { "IO", SIGIO }, { "POLL", SIGIO }, { "PWR", SIGPWR }, { "SYS", SIGSYS },
};

/* "RTMIN", "RTMIN+3", "RTMAX-1" by the kernel's numbers: 34 and 64 in every C library's eyes. */
static int realtime_signal(const char *name)
{
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	unsigned offset = 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return -1;
	name += 5;
	if (*name) {
		if (*name != (from_min ? '+' : '-') || str_to_u32(name + 1, &offset) < 0 || offset > 30)
			return -1;
	}
	return from_min ? 34 + (int)offset : 64 - (int)offset;
}

int signal_parse(const char *text)
{
	unsigned n;

	if (str_to_u32(text, &n) == 0)
		return n >= 1 && n <= 64 ? (int)n : -1;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < ELEMENTS(signals); i++)
		if (strcasecmp(text, signals[i].name) == 0)
			return signals[i].number;
	return realtime_signal(text);
}
