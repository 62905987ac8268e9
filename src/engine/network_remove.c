#include "engine/network_remove.h"

#include "engine/events.h"
#include "engine/network_bridge.h"
#include "engine/network_list.h"
#include "sys/fd.h"

static int free_of_containers(struct engine *e, const struct network *n, bool force, int64_t timeout_s, struct error *err)
{
	const struct rm_options how = { .force = true, .ignore = true, .timeout_s = timeout_s };
	struct containers all;
	struct strings users;

	if (container_load_all(e, &all, err) < 0)
		return -1;
	users = network_users(e, n, &all);
	if (users.n && !force) {
		error_set(err, ERROR_IN_USE, "\"%s\" has associated containers with it. Use -f to forcibly delete containers and pods: "
			  "network is being used", n->name);
		return error_hint(err, "they are: %s", strings_join(e->arena, &users, ", "));
	}
	for (size_t i = 0; i < all.n; i++)
		if (strings_has(&users, all.v[i].id) && container_rm(e, &all.v[i], &how, err) < 0)
			return error_frame(err, "remove container %.12s, which uses the network", all.v[i].id);
	return 0;
}

static int discard(struct engine *e, const char *name, const char *id, struct error *err)
{
	_cleanup_fd_ int lock = network_lock(&e->store, LOCK_EXCLUSIVE, err);

	if (lock < 0 || network_discard(&e->store, name, err) < 0)
		return -1;
	event_add(e, "network", "remove", id, name, NULL, NULL);
	return 0;
}

/* What of it there is for containers goes first: nobody is on it any more. */
static int discard_whole(struct engine *e, const struct network *n, struct error *err)
{
	return network_bridge_forget(e, n, err) < 0 ? -1 : discard(e, n->name, n->id, err);
}

int network_rm(struct engine *e, const char *name, bool force, int64_t timeout_s, struct error *err)
{
	struct network n;

	if (network_find(e->arena, &e->store, name, &n, err) < 0) {
		if (!error_is(err, ERROR_INVALID))
			return -1;
		error_clear(err);		/* damaged: nobody can be on it any more */
		return discard(e, strcmp(name, "podman") == 0 ? NETWORK_DEFAULT : name, "", err);
	}
	if (strcmp(n.name, NETWORK_DEFAULT) == 0)
		return error_set(err, ERROR_USAGE, "default network %s cannot be removed", n.name);
	if (free_of_containers(e, &n, force, timeout_s, err) < 0)
		return -1;
	return discard_whole(e, &n, err);
}

/* A container whose record cannot be read may be on any network. */
static int know_all_users(struct engine *e, struct error *err)
{
	struct strings damaged;

	if (container_list_damaged(e, &damaged, err) < 0)
		return -1;
	if (!damaged.n)
		return 0;
	error_set(err, ERROR_STATE, "container %.12s is damaged: which networks it is on cannot be told", damaged.v[0]);
	return error_hint(err, "mend it with `bryo system check --repair`, or remove it: bryo rm -f %.12s", damaged.v[0]);
}

static int check_prune_filters(const struct strings *filters, struct error *err)
{
	for (size_t i = 0; i < filters->n; i++)
		if (!str_starts(filters->v[i], "label") && !str_starts(filters->v[i], "until="))
			return error_set(err, ERROR_USAGE, "invalid filter \"%.*s\"", (int)strcspn(filters->v[i], "="), filters->v[i]);
	return 0;
}

int network_prune(struct engine *e, const struct strings *filters, struct strings *ret_names, struct error *err)
{
	struct containers containers;
	struct networks networks;

	if (check_prune_filters(filters, err) < 0 || know_all_users(e, err) < 0 ||
	    network_select(e, filters, &networks, &containers, err) < 0)
		return -1;
	for (size_t i = 0; i < networks.n; i++) {
		const struct network *n = &networks.v[i];

		if (strcmp(n->name, NETWORK_DEFAULT) == 0 || network_users(e, n, &containers).n)
			continue;
		if (discard_whole(e, n, err) < 0)
			return -1;
		strings_add(e->arena, ret_names, n->name);
	}
	return 0;
}
