/* container_create: every decision that does not depend on the moment of the start, checked and written down */
#include "engine/container.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/signal.h"
#include "base/units.h"
#include "engine/environment.h"
#include "engine/events.h"
#include "engine/idfile.h"
#include "engine/image.h"
#include "engine/label.h"
#include "engine/layer_form.h"
#include "engine/life.h"
#include "engine/limits.h"
#include "engine/mounts.h"
#include "engine/names.h"
#include "engine/network.h"
#include "engine/security.h"
#include "engine/request_check.h"
#include "engine/state.h"
#include "engine/userns_mode.h"
#include "run/run.h"
#include "spec/reference.h"
#include "store/container.h"
#include "sys/fd.h"
#include "sys/lsm.h"
#include "sys/trace.h"

#define STOP_TIMEOUT_DEFAULT 10

static int take_image(struct engine *e, const struct create_request *r, struct container *c, struct error *err)
{
	struct pull_request how = { .platform = r->platform, .arch = r->arch, .os = r->os, .variant = r->variant,
				    .authfile = r->authfile, .tls_verify = r->tls_verify, .quiet = r->quiet, .retry = 3,
				    .signature_policy = r->signature_policy };
	struct image image;
	struct image_config config;
	char *name = NULL;
	_cleanup_trace_ struct trace_span span = trace_begin_about("find the image", r->image);

	if (str_is_empty(r->image))
		return error_set(err, ERROR_USAGE, "requires an image name or a root file system");
	if (r->rootfs) {
		c->rootfs = *r->image == '/' ? r->image : arena_printf(e->arena, "%s/%s", e->identity.cwd, r->image);
		return 0;
	}
	if (image_need(e, r->image, r->pull, &how, &image, &name, err) < 0 ||
	    image_read_config(e, &image, &config, err) < 0)
		return -1;
	c->image_name = name ? name : image.id;
	c->image_id = image.id;
	c->image_digest = image.manifest_digest;
	c->layers = image.layers;
	c->image = config.config;
	return 0;
}

/* --entrypoint: a JSON list, or one word. */
static int parse_entrypoint(struct engine *e, const char *text, struct strings *ret, struct error *err)
{
	struct json *list;

	if (*text != '[') {
		if (*text)
			strings_add(e->arena, ret, text);
		return 0;
	}
	list = json_parse(e->arena, text, strlen(text), "--entrypoint", err);
	if (!list)
		return -1;
	for (size_t i = 0; i < list->list.n; i++) {
		if (list->list.v[i]->kind != JSON_STRING)
			return error_set(err, ERROR_USAGE, "--entrypoint %s: not a list of strings", text);
		strings_add(e->arena, ret, list->list.v[i]->string);
	}
	return 0;
}

static int choose_args(struct engine *e, struct container *c, struct error *err)
{
	const struct create_request *r = &c->request;

	if (r->entrypoint) {
		if (parse_entrypoint(e, r->entrypoint, &c->args, err) < 0)
			return -1;
	} else {
		strings_add_all(e->arena, &c->args, &c->image.entrypoint);
	}
	if (r->command.n)
		strings_add_all(e->arena, &c->args, &r->command);
	else if (!r->entrypoint)
		strings_add_all(e->arena, &c->args, &c->image.cmd);
	if (!c->args.n)
		return error_set(err, ERROR_USAGE, "no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
	return 0;
}

static int choose_labels(struct engine *e, struct container *c, struct error *err)
{
	struct strings from_files = { 0 };

	for (size_t i = 0; i < c->image.labels.n; i++)
		map_set(e->arena, &c->labels, c->image.labels.v[i].key, c->image.labels.v[i].value);
	for (size_t i = 0; i < c->request.label_file.n; i++)
		if (environment_add_file(e->arena, &from_files, c->request.label_file.v[i], err) < 0)
			return -1;
	map_add_pairs(e->arena, &c->labels, &from_files);
	map_add_pairs(e->arena, &c->labels, &c->request.label);
	map_add_pairs(e->arena, &c->annotations, &c->request.annotation);
	map_add_pairs(e->arena, &c->log_options, &c->request.log_opt);
	return 0;
}

static int choose_stop(struct engine *e, struct container *c, struct error *err)
{
	const struct create_request *r = &c->request;
	long long seconds = STOP_TIMEOUT_DEFAULT;

	c->stop_signal = r->stop_signal ? r->stop_signal : str_is_empty(c->image.stop_signal) ? "SIGTERM" : c->image.stop_signal;
	if (signal_parse(c->stop_signal) < 0) {
		if (r->stop_signal)
			return error_set(err, ERROR_USAGE, "invalid signal: %s", r->stop_signal);
		engine_warn(e, "the image's stop signal \"%s\" is unknown: SIGTERM is used", c->stop_signal);
		c->stop_signal = "SIGTERM";
	}
	if (r->stop_timeout && (str_to_i64(r->stop_timeout, &seconds) < 0 || seconds < -1))
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --stop-timeout: seconds are needed", r->stop_timeout);
	c->stop_timeout_s = seconds;
	return 0;
}

static int choose_log(struct container *c, struct error *err)
{
	const char *driver = c->request.log_driver ? c->request.log_driver : "k8s-file";

	if (strcmp(driver, "json-file") == 0)
		driver = "k8s-file";	/* as in Podman: another name of the same */
	if (strcmp(driver, "k8s-file") != 0 && strcmp(driver, "none") != 0) {
		error_set(err, ERROR_UNSUPPORTED, "log driver \"%s\" is not offered", driver);
		return error_hint(err, "use --log-driver k8s-file (the default) or none");
	}
	c->log_driver = (char *)driver;
	for (size_t i = 0; i < c->log_options.n; i++) {
		const char *key = c->log_options.v[i].key;

		if (strcmp(key, "path") == 0)
			return error_set(err, ERROR_UNSUPPORTED, "--log-opt path= is not offered: `bryo logs` reads the log, `bryo inspect` "
					 "says where it is");
		if (strcmp(key, "max-size") != 0 && strcmp(key, "tag") != 0 && strcmp(key, "label") != 0)
			return error_set(err, ERROR_USAGE, "unknown log option \"%s\": known are max-size, tag, label", key);
	}
	return 0;
}

/* Texts that are used at start are checked now, so that nothing is created that could never start. */
static int check_request(struct engine *e, const struct container *c, struct error *err)
{
	const struct create_request *r = &c->request;
	struct net_request network;
	struct security security;
	struct strings capabilities;
	enum restart_policy policy;
	uint32_t max;
	_cleanup_trace_ struct trace_span span = trace_begin("check the request");

	if (r->name && !reference_is_object_name(r->name))
		return error_set(err, ERROR_USAGE, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument \"%s\"", r->name);
	if (restart_parse(r->restart, &policy, &max) < 0)
		return error_set(err, ERROR_USAGE, "\"%s\" is not a valid restart policy: no, always, unless-stopped, "
				 "on-failure[:max]", r->restart);
	if (r->rm && policy != RESTART_NO)
		return error_set(err, ERROR_USAGE, "the --rm option conflicts with --restart, when the restartPolicy is not \"\" and \"no\"");
	if (limits_check(e->arena, r, err) < 0 || request_check(e, c, err) < 0 || security_parse(e->arena, r, &security, err) < 0 ||
	    network_request(e, c, NULL, &network, err) < 0 || userns_mode_check(e, c, err) < 0)
		return -1;
	if (r->publish.n && !network.ports.n)
		engine_warn(e, "published ports are discarded: --network %s is not a network of the container's own", r->network.v[0]);
	if (security.apparmor && lsm_check_profile(security.apparmor, err) < 0)
		return -1;
	return run_capabilities(e->arena, &r->cap_add, &r->cap_drop, r->privileged, &capabilities, err);
}

int restart_parse(const char *text, enum restart_policy *ret, uint32_t *ret_max)
{
	const char *max;

	*ret_max = 0;
	*ret = RESTART_NO;
	if (str_is_empty(text) || strcmp(text, "no") == 0 || strcmp(text, "never") == 0)
		return 0;
	*ret = strcmp(text, "always") == 0 ? RESTART_ALWAYS : RESTART_UNLESS_STOPPED;
	if (*ret == RESTART_ALWAYS || strcmp(text, "unless-stopped") == 0)
		return 0;
	*ret = RESTART_ON_FAILURE;
	max = str_after(text, "on-failure");
	if (!max || (*max && *max != ':'))
		return -1;
	return *max ? str_to_u32(max + 1, ret_max) : 0;
}

static int replace_existing(struct engine *e, const char *name, struct error *err)
{
	struct container old;
	struct error missing = { 0 };
	struct rm_options force = { .force = true, .timeout_s = -1 };

	if (container_load(e, name, &old, &missing) < 0)
		return missing.kind == ERROR_NOT_FOUND ? 0 : (*err = missing, -1);
	return container_rm(e, &old, &force, err);
}

/* What looks like the file system's refusal may be an owner that is not mapped any more. */
static int explain_owners(struct engine *e, const struct container *c, const struct id_maps *maps, struct error *err)
{
	struct error cause = { 0 };

	if (err && !error_is(err, ERROR_EXISTS) && userns_mode_owners(e, c, maps, &cause) < 0 && error_is(&cause, ERROR_DENIED))
		*err = cause;
	return -1;
}

/* Under a name of the user's, or under random ones until one is free. */
static int commit(struct engine *e, struct container *c, struct error *err)
{
	struct id_maps maps;
	_cleanup_fd_ int ids = -1;
	_cleanup_trace_ struct trace_span span = trace_begin("record the container");

	if (layer_form_need(e, &c->layers, err) < 0 || userns_mode_settle(e, c, &maps, &ids, err) < 0)
		return -1;
	for (unsigned attempt = 0;; attempt++) {
		char *text;
		int dir;

		if (!c->request.name) {
			unsigned seed = (unsigned)strtoul(arena_strndup(e->arena, c->id + 8 * (attempt % 7), 8), NULL, 16);

			c->name = names_pick(e->arena, seed);
			if (attempt > 6)
				c->name = arena_printf(e->arena, "%s_%.6s", c->name, c->id);
		}
		text = json_print(e->arena, json_encode(e->arena, &container_shape, c), 0);
		dir = container_store_create(e->arena, &e->store, c->id, c->name, text,
					     c->rootfs ? NULL : &c->layers, &maps, !c->request.rm, err);
		if (dir >= 0) {
			close(dir);
			return 0;
		}
		if (c->request.name || !error_is(err, ERROR_EXISTS) || attempt > 8)
			return explain_owners(e, c, &maps, err);
		error_clear(err);
	}
}

int container_create(struct engine *e, const struct create_request *r, struct container *ret, struct error *err)
{
	struct container c = { .request = *r, .name = r->name, .created_ns = units_now() };
	struct mount_list mounts = { 0 };
	/* From the question which image until the container names its layers, nobody may delete them. */
	_cleanup_fd_ int lock = store_lock(&e->store, LOCK_SHARED, true, err);
	char id[65];

	if (lock < 0 || idfile_check(r->cidfile, err) < 0)
		return -1;
	if (fd_random_hex(id, 32) < 0)
		return error_errno(err, "make a container id");
	c.id = arena_strdup(e->arena, id);
	if (take_image(e, r, &c, err) < 0 || choose_args(e, &c, err) < 0 || choose_labels(e, &c, err) < 0 ||
	    choose_stop(e, &c, err) < 0 || choose_log(&c, err) < 0 || check_request(e, &c, err) < 0 ||
	    environment_build(e->arena, r, &c.image, &c.env, err) < 0)
		return -1;
	c.workdir = r->workdir ? r->workdir : str_is_empty(c.image.working_dir) ? "/" : c.image.working_dir;
	if (*c.workdir != '/')
		c.workdir = arena_printf(e->arena, "/%s", c.workdir);
	c.hostname = r->hostname ? r->hostname : arena_strndup(e->arena, c.id, 12);
	if (r->replace && r->name && replace_existing(e, r->name, err) < 0)
		return -1;
	if (mounts_resolve(e, r, &c.image, &mounts, err) < 0)
		return -1;
	c.mounts.v = mounts.v;
	c.mounts.n = mounts.n;
	if (commit(e, &c, err) < 0)
		return -1;
	if (mounts_make_anonymous(e, &c, err) < 0 || label_choose(e, &c, err) < 0) {
		life_remove(e, &c, true, &(struct error){ 0 });
		return -1;
	}
	*ret = c;
	event_add(e, "container", "create", c.id, c.name, c.image_name, &c.labels);
	if (!r->cidfile || idfile_write(r->cidfile, c.id, true, err) == 0)
		return 0;
	life_remove(e, &c, true, &(struct error){ 0 });
	return -1;
}
