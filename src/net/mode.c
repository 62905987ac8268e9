/* net/mode - what the user may say after --network */
#include "net/helper.h"
#include "net/net.h"
#include "sys/spawn.h"

/* "name" or "name:opt,opt": the options when text names this mode, else NULL. */
static const char *options_of(const char *text, const char *name)
{
	const char *rest = str_after(text, name);

	if (!rest || (*rest && *rest != ':'))
		return NULL;
	return *rest ? rest + 1 : rest;
}

static void set_helper(struct arena *arena, struct net_request *ret, enum net_mode mode, const char *options)
{
	struct strings given = { 0 };

	ret->mode = mode;
	ret->options = (struct strings){ 0 };
	ret->bypass = false;
	if (*options)
		given = strings_split(arena, options, ",");
	for (size_t i = 0; i < given.n; i++)
		if (str_eq(given.v[i], "bypass"))
			ret->bypass = true;
		else
			strings_add(arena, &ret->options, given.v[i]);
}

/* What the helper would do with a connection that it never sees. */
static int check_bypass(const struct net_request *r, struct error *err)
{
	for (size_t i = 0; r->bypass && i < r->options.n; i++)
		if (str_starts(r->options.v[i], "outbound") || str_starts(r->options.v[i], "--outbound") ||
		    str_starts(r->options.v[i], "-o"))
			return error_set(err, ERROR_USAGE, "bypass cannot be combined with %s: connections that bypass the helper have "
					 "the address that the host gives them", r->options.v[i]);
	return 0;
}

static int set_target(struct arena *arena, struct net_request *ret, enum net_mode mode, const char *target,
		      const char *what, struct error *err)
{
	if (!*target)
		return error_set(err, ERROR_USAGE, "must provide %s", what);
	ret->mode = mode;
	ret->target = arena_strdup(arena, target);
	return 0;
}

static int add_network(struct arena *arena, struct net_request *ret, const char *text, struct error *err)
{
	struct bridge_request q;

	if (bridge_request_parse(arena, text, &q, err) < 0)
		return -1;
	ret->mode = NET_BRIDGE;
	ret->by_default = false;
	ret->bypass = ret->bypass || q.bypass;
	*ARRAY_ADD(arena, &ret->networks) = q;
	return 0;
}

static int add_default(struct arena *arena, struct net_request *ret, struct error *err)
{
	if (add_network(arena, ret, NETWORK_DEFAULT, err) < 0)
		return -1;
	ret->by_default = ret->networks.n == 1;
	return 0;
}

bool net_use_helper(struct arena *arena, struct net_request *r)
{
	enum net_mode mode = helper_choose(arena);

	if (!spawn_find(arena, net_mode_name(mode)))
		return false;
	r->networks.n = 0;
	r->by_default = false;
	set_helper(arena, r, mode, "");
	return true;
}

const char *net_mode_name(enum net_mode mode)
{
	static const char *const names[] = {
		[NET_NONE] = "none", [NET_HOST] = "host", [NET_CONTAINER] = "container", [NET_PATH] = "ns", [NET_PASTA] = "pasta",
		[NET_SLIRP4NETNS] = "slirp4netns", [NET_BRIDGE] = "bridge",
	};

	return names[mode];
}

int net_parse_mode(struct arena *arena, const char *text, struct net_request *ret, struct error *err)
{
	const char *rest;

	if (str_is_empty(text) || str_eq(text, "default"))
		return add_default(arena, ret, err);
	if (str_eq(text, "private")) {
		set_helper(arena, ret, helper_choose(arena), "");
		return 0;
	}
	if (str_eq(text, "private:bypass")) {
		set_helper(arena, ret, helper_choose(arena), "bypass");
		return 0;
	}
	if (str_eq(text, "none") || str_eq(text, "host")) {
		ret->mode = str_eq(text, "none") ? NET_NONE : NET_HOST;
		return 0;
	}
	if (options_of(text, "none") || options_of(text, "host"))
		return error_set(err, ERROR_USAGE, "--network %.4s takes no options", text);
	if ((rest = str_after(text, "container:")))
		return set_target(arena, ret, NET_CONTAINER, rest, "a container after \"container:\"", err);
	if ((rest = str_after(text, "ns:")))
		return set_target(arena, ret, NET_PATH, rest, "a path to a namespace after \"ns:\"", err);
	if ((rest = options_of(text, "pasta"))) {
		set_helper(arena, ret, NET_PASTA, rest);
		return check_bypass(ret, err);
	}
	if ((rest = options_of(text, "slirp4netns"))) {
		set_helper(arena, ret, NET_SLIRP4NETNS, rest);
		return check_bypass(ret, err);
	}
	return add_network(arena, ret, text, err);
}
