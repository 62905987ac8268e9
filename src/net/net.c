#include "net/net.h"

#include "net/helper.h"
#include "sys/spawn.h"

static int check_installed(struct arena *arena, const char *program, const char *package, struct error *err)
{
	if (spawn_find(arena, program))
		return 0;
	error_set(err, ERROR_FAILED, "could not find %s, the network namespace can't be configured", program);
	error_code(err, "program-missing");
	error_hint(err, "have it installed, or use --network host or --network none");
	error_fix_admin(err, "apt install %s    (Debian, Ubuntu)", package);
	return error_fix_admin(err, "dnf install %s    (Fedora)", package);
}

int net_plan(struct arena *arena, const struct net_request *r, struct net_result *ret, struct error *err)
{
	struct host_net host;

	*ret = (struct net_result){ .keep_fd = -1 };
	switch (r->mode) {
	case NET_SLIRP4NETNS:
		host_net_read(arena, &host);
		if (check_installed(arena, "slirp4netns", "slirp4netns", err) < 0)
			return -1;
		return slirp4netns_plan(arena, r, &host, ret, err);
	case NET_PASTA:
		host_net_read(arena, &host);
		if (check_installed(arena, "pasta", "passt", err) < 0)
			return -1;
		return pasta_plan(arena, r, &host, ret, err);
	case NET_NONE:
	case NET_HOST:
	case NET_CONTAINER:
	case NET_PATH:
	case NET_BRIDGE:	/* the engine plans it */
		break;
	}
	return 0;
}

bool net_needs_start(const struct net_request *r)
{
	return r->mode == NET_SLIRP4NETNS || r->mode == NET_PASTA;
}

int net_start(struct arena *arena, const struct net_request *r, int pid, const char *runtime_dir,
	      struct net_result *ret, struct error *err)
{
	if (!net_needs_start(r))
		return net_plan(arena, r, ret, err);
	if (net_plan(arena, r, ret, err) < 0)
		return error_frame(err, "set up the network");
	if ((r->mode == NET_PASTA ? pasta_start : slirp4netns_start)(arena, r, pid, runtime_dir, ret, err) < 0)
		return error_frame(err, "set up the network");
	return 0;
}
