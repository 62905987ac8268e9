/* The configuration of a committed image: the part of engine/commit that is pure */
#include "engine/change.h"
#include "engine/commit.h"
#include "engine/environment.h"
#include "engine/network.h"

/* What the engine sets in every container is not the image's. */
static void take_env(struct arena *arena, const struct container *c, struct strings *ret)
{
	strings_add_all(arena, ret, &c->env);
	if (!environment_get(&c->image.env, "container"))
		environment_unset(ret, "container");
}

static void add_once(struct arena *arena, struct strings *list, const char *s)
{
	if (!strings_has(list, s))
		strings_add(arena, list, s);
}

static int take_ports(struct arena *arena, const struct container *c, struct strings *ret, struct error *err)
{
	const struct strings *const lists[] = { &c->request.expose, &c->request.publish };
	struct net_request ports = { 0 };
	struct strings texts = { 0 };

	for (size_t l = 0; l < ELEMENTS(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (net_parse_port(arena, lists[l]->v[i], &ports, err) < 0)
				return -1;
	network_port_texts(arena, &ports, &texts);
	for (size_t i = 0; i < texts.n; i++) {
		struct port_text p;

		if (network_port_parse(arena, texts.v[i], &p) == 0)
			add_once(arena, ret, arena_printf(arena, "%u/%s", p.container_port, p.protocol));
	}
	return 0;
}

static void take_volumes(struct arena *arena, const struct container *c, bool all, struct strings *ret)
{
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct container_mount *m = &c->mounts.v[i];
		bool is_volume = strcmp(m->type, "volume") == 0;

		if ((is_volume && m->anonymous) || (all && (is_volume || strcmp(m->type, "bind") == 0)))
			add_once(arena, ret, m->destination);
	}
}

static void take_command(struct arena *arena, const struct container *c, struct image_container_config *ret)
{
	const struct create_request *r = &c->request;

	if (r->entrypoint) {
		ret->entrypoint = c->args;
		ret->entrypoint.n -= r->command.n < c->args.n ? r->command.n : c->args.n;
	}
	if (r->command.n || r->entrypoint) {
		ret->cmd = (struct strings){ 0 };
		strings_add_all(arena, &ret->cmd, &r->command);
	}
}

/* Lists are copied: the container's own stay as they are. */
static int take_container(struct arena *arena, const struct container *c, const struct commit_request *r,
			  struct image_container_config *ret, struct error *err)
{
	*ret = c->image;
	ret->env = ret->volumes = ret->exposed_ports = (struct strings){ 0 };
	strings_add_all(arena, &ret->volumes, &c->image.volumes);
	strings_add_all(arena, &ret->exposed_ports, &c->image.exposed_ports);
	take_env(arena, c, &ret->env);
	take_volumes(arena, c, r->include_volumes, &ret->volumes);
	take_command(arena, c, ret);
	if (!str_is_empty(c->request.user))
		ret->user = c->request.user;
	ret->working_dir = c->workdir;
	ret->labels = (struct string_map){ 0 };
	for (size_t i = 0; i < c->labels.n; i++)
		map_set(arena, &ret->labels, c->labels.v[i].key, c->labels.v[i].value);
	return take_ports(arena, c, &ret->exposed_ports, err);
}

/* What older engines wrote down about the container or the parent an image was made from. */
static void forget_origin(struct json *rest)
{
	static const char *const names[] = { "container", "container_config", "docker_version", "id", "parent", "comment" };

	for (size_t i = 0; rest && i < ELEMENTS(names); i++)
		json_unset(rest, names[i]);
}

static void add_history(struct arena *arena, const struct container *c, const struct commit_request *r, const char *now,
			struct image_config *config)
{
	struct image_history *h = ARRAY_ADD(arena, &config->history);

	h->created = arena_strdup(arena, now);
	h->created_by = strings_join(arena, &c->args, " ");
	h->author = r->author;
	h->comment = !str_is_empty(r->message) ? r->message : arena_printf(arena, "FROM %s", c->image_name ? c->image_name :
									   c->image_id);
}

static struct image_config start_from(struct arena *arena, const struct image_config *base, bool squash)
{
	struct image_config config = *base;

	config.history.v = NULL;
	config.rootfs.diff_ids.v = NULL;
	config.history.n = config.rootfs.diff_ids.n = 0;
	for (size_t i = 0; !squash && i < base->history.n; i++)
		*ARRAY_ADD(arena, &config.history) = base->history.v[i];
	if (!squash)
		strings_add_all(arena, &config.rootfs.diff_ids, &base->rootfs.diff_ids);
	return config;
}

int commit_config(struct arena *arena, const struct container *c, const struct image_config *base,
		  const struct commit_request *r, const char *diff_id, const char *now, char **ret, struct error *err)
{
	struct image_config config = start_from(arena, base, r->squash);
	struct json *json;

	if (take_container(arena, c, r, &config.config, err) < 0)
		return -1;
	for (size_t i = 0; i < r->changes.n; i++)
		if (change_apply(arena, &config.config, r->changes.v[i], err) < 0)
			return -1;
	config.created = arena_strdup(arena, now);
	if (!str_is_empty(r->author))
		config.author = r->author;
	if (!config.rootfs.type)
		config.rootfs.type = arena_strdup(arena, "layers");
	strings_add(arena, &config.rootfs.diff_ids, diff_id);
	add_history(arena, c, r, now, &config);
	forget_origin(config.rest);
	json = json_encode(arena, &image_config_shape, &config);
	if (!str_is_empty(r->message))
		json_set(arena, json, "comment", json_new_string(arena, r->message));
	*ret = json_print(arena, json, 0);
	return 0;
}
