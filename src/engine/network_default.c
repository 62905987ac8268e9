#include "engine/network_default.h"

#include "engine/network_bridge.h"
#include "engine/state.h"
#include "net/ability.h"

struct strings network_words(struct arena *arena, const struct container *c)
{
	struct strings words = c->request.network;

	if (!words.n)
		strings_add(arena, &words, "default");
	return words;
}

void network_default_choose(struct engine *e, const struct container_state *s, struct net_request *r)
{
	if (!r->by_default)
		return;
	if (s && state_is_live(s) ? !str_eq(s->network_mode, net_mode_name(NET_BRIDGE))
				  : ability_is_denied(e->arena, network_bridge_home(e)))
		net_use_helper(e->arena, r);		/* without one the attempt tells what is missing */
}

bool network_default_replace(struct engine *e, struct net_request *r, struct error *err)
{
	if (!r->by_default || !error_is(err, ERROR_UNSUPPORTED) || !net_use_helper(e->arena, r))
		return false;
	error_clear(err);
	return true;
}

int network_default_try(struct engine *e, struct error *err)
{
	const struct rootless_home *home = network_bridge_home(e);
	struct rootless r;

	if (rootless_open(e->arena, home, LOCK_SHARED, &r, err) < 0)
		return -1;
	rootless_close(&r);
	rootless_release(e->arena, home, NULL);
	return 0;
}
