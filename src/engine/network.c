#include "engine/network.h"

#include <errno.h>
#include <fcntl.h>

#include "engine/network_default.h"
#include "engine/network_names.h"
#include "engine/state.h"
#include "sys/fd.h"

#define HOST_FILE_MAX ((size_t)1 << 20)

static int publish_exposed(struct engine *e, const struct container *c, struct net_request *ret, struct error *err)
{
	const struct strings *const lists[] = { &c->image.exposed_ports, &c->request.expose };

	for (size_t l = 0; l < ELEMENTS(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			if (net_parse_port(e->arena, lists[l]->v[i], ret, err) < 0)
				return error_frame(err, "exposed port");
	return 0;
}

/* --ip and others belong to the one network that there is; aliases to all. */
static int add_options(struct engine *e, const struct create_request *r, struct net_request *ret, struct error *err)
{
	const struct { const char *flag, *option, *value; } single[] = {
		{ "ip", "ip", r->ip }, { "ip6", "ip6", r->ip6 }, { "mac-address", "mac", r->mac_address },
	};

	for (size_t i = 0; i < ELEMENTS(single); i++) {
		if (str_is_empty(single[i].value))
			continue;
		if (ret->mode != NET_BRIDGE)
			return error_set(err, ERROR_USAGE, "--%s: networks and static ip/mac address can only be used with Bridge mode "
					 "networking: invalid argument", single[i].flag);
		if (ret->networks.n != 1)
			return error_set(err, ERROR_USAGE, "--%s can only be set for a single network", single[i].flag);
		if (bridge_request_option(e->arena, &ret->networks.v[0],
					  arena_printf(e->arena, "%s=%s", single[i].option, single[i].value), err) < 0)
			return -1;
		ret->by_default = false;
	}
	ret->by_default = ret->by_default && !r->network_alias.n;
	if (r->network_alias.n && ret->mode != NET_BRIDGE)
		return error_set(err, ERROR_USAGE, "--network-alias: networks and static ip/mac address can only be used with Bridge mode "
				 "networking: invalid argument");
	for (size_t i = 0; i < ret->networks.n; i++)
		for (size_t j = 0; j < r->network_alias.n; j++)
			if (bridge_request_option(e->arena, &ret->networks.v[i],
						  arena_printf(e->arena, "alias=%s", r->network_alias.v[j]), err) < 0)
				return -1;
	return 0;
}

static int parse_networks(struct engine *e, const struct container *c, struct net_request *ret, struct error *err)
{
	struct strings words = network_words(e->arena, c);

	for (size_t i = 0; i < words.n; i++) {
		if (net_parse_mode(e->arena, words.v[i], ret, err) < 0)
			return -1;
		if (words.n > 1 && ret->networks.n != i + 1)
			return error_set(err, ERROR_USAGE, "cannot set multiple networks without bridge network mode, selected mode "
					 "%s: invalid argument", words.v[i]);
	}
	return add_options(e, &c->request, ret, err) < 0 ? -1 : network_bridge_check(e, ret, err);
}

/* For net_claim_ports. */
static char *find_publisher(void *context, unsigned port, const char *protocol)
{
	struct engine *e = context;
	struct error ignored = { 0 };
	struct containers all = { 0 };

	if (container_load_all(e, &all, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < all.n; i++) {
		struct container_state s = { 0 };
		struct port_text p;

		if (container_load_state(e, &all.v[i], &s, &ignored) < 0 || !state_is_live(&s))
			continue;
		for (size_t k = 0; k < s.ports.n; k++)
			if (network_port_parse(e->arena, s.ports.v[k], &p) == 0 && p.host_port == port && str_eq(p.protocol, protocol))
				return all.v[i].name;
	}
	return NULL;
}

int network_request(struct engine *e, const struct container *c, const struct container_state *s, struct net_request *ret,
		    struct error *err)
{
	const struct create_request *r = &c->request;

	*ret = (struct net_request){ .find_container = find_publisher, .context = e };
	if (parse_networks(e, c, ret, err) < 0)
		return -1;
	network_default_choose(e, s, ret);
	for (size_t i = 0; i < r->publish.n; i++)
		if (net_parse_port(e->arena, r->publish.v[i], ret, err) < 0)
			return error_where(err, "%s", r->publish.v[i]);
	if (r->publish_all && publish_exposed(e, c, ret, err) < 0)
		return -1;
	/* As in Podman: with the host's network every port is published already, the others have nobody to forward. */
	if (ret->mode != NET_PASTA && ret->mode != NET_SLIRP4NETNS && ret->mode != NET_BRIDGE)
		ret->ports.n = 0;
	return 0;
}

int network_namespace(struct engine *e, const struct net_request *r, char **ret_path, struct error *err)
{
	struct container_state state;
	struct container other;

	*ret_path = NULL;
	if (r->mode == NET_PATH)
		*ret_path = r->target;
	if (r->mode != NET_CONTAINER)
		return 0;
	if (container_load(e, r->target, &other, err) < 0 || container_load_state(e, &other, &state, err) < 0 ||
	    state_need_running(&other, &state, "join the network of", err) < 0)
		return error_frame(err, "--network container:%s", r->target);
	network_bridge_mark_joined(e, &other, &state);
	*ret_path = arena_printf(e->arena, "/proc/%lld/ns/net", (long long)state.pid);
	return 0;
}

static int write_text(int run_dir, const char *name, const char *text, struct error *err)
{
	if (fd_write_file(run_dir, name, text, strlen(text), 0644, false) < 0)
		return error_errno(err, "write the container's %s", name);
	return 0;
}

static const char *host_text(struct engine *e, const char *path)
{
	size_t size;
	const char *text = fd_read_file(e->arena, AT_FDCWD, path, HOST_FILE_MAX, &size);

	return text ? text : "";
}

/* A file of the container whose network is joined: the same names lead to the same places. NULL: it has none. */
static char *joined_file(struct engine *e, const struct net_request *r, const char *name)
{
	struct error ignored = { 0 };
	struct container other;

	if (r->mode != NET_CONTAINER || container_load(e, r->target, &other, &ignored) < 0)
		return NULL;
	return fd_read_file(e->arena, e->run_fd, arena_printf(e->arena, "containers/%s/%s", other.id, name), HOST_FILE_MAX, NULL);
}

static struct net_names names_of(const struct container *c)
{
	const struct create_request *q = &c->request;

	return (struct net_names){ .hostname = c->hostname, .name = c->name, .add_host = q->add_host, .dns = q->dns,
				   .dns_search = q->dns_search, .dns_options = q->dns_option, .no_hosts = q->no_hosts };
}

static char *hosts_text(struct engine *e, const struct container *c, const struct net_request *r,
			const struct net_result *result, struct error *err)
{
	const struct create_request *q = &c->request;
	const char *base = q->hosts_file ? q->hosts_file : "/etc/hosts";
	char *text = q->add_host.n || q->hosts_file ? NULL : joined_file(e, r, "hosts");
	struct net_names names = names_of(c);

	if (text)
		return text;
	network_names_others(e, c->id, r, &names.others);
	return net_hosts(e->arena, r, &names, result, strcmp(base, "none") == 0 ? "" : host_text(e, base), err);
}

char *network_resolv_conf(struct engine *e, const struct container *c, const struct net_request *r,
			  const struct net_result *result, struct error *err)
{
	const struct create_request *q = &c->request;
	char *text = q->dns.n || q->dns_search.n || q->dns_option.n ? NULL : joined_file(e, r, "resolv.conf");
	struct net_names names = names_of(c);

	return text ? text : net_resolv_conf(e->arena, r, &names, result, host_text(e, "/etc/resolv.conf"), err);
}

int network_write_files(struct engine *e, const struct container *c, const struct net_request *r,
			const struct net_result *result, int run_dir, struct error *err)
{
	char *hosts = c->request.no_hosts ? NULL : hosts_text(e, c, r, result, err), *resolv;

	if (!c->request.no_hosts && (!hosts || write_text(run_dir, "hosts", hosts, err) < 0))
		return -1;
	resolv = network_resolv_conf(e, c, r, result, err);
	if (!resolv && !error_is(err, ERROR_NONE))
		return -1;
	if (resolv && write_text(run_dir, "resolv.conf", resolv, err) < 0)	/* none with --dns none */
		return -1;
	return write_text(run_dir, "hostname", arena_printf(e->arena, "%s\n", c->hostname), err);
}

void network_port_texts(struct arena *arena, const struct net_request *r, struct strings *ret)
{
	for (size_t i = 0; i < r->ports.n; i++) {
		const struct net_port *p = &r->ports.v[i];

		for (unsigned k = 0; k < (p->range ? p->range : 1u); k++)
			strings_addf(arena, ret, "%s %u %u %s", str_is_empty(p->host_ip) ? "0.0.0.0" : p->host_ip,
				     p->host_port + k, p->container_port + k, p->protocol);
	}
}

int network_port_parse(struct arena *arena, const char *text, struct port_text *ret)
{
	struct strings parts = strings_split(arena, text, " ");

	if (parts.n != 4 || str_to_u32(parts.v[1], &ret->host_port) < 0 || str_to_u32(parts.v[2], &ret->container_port) < 0)
		return -1;
	ret->host_ip = parts.v[0];
	ret->protocol = parts.v[3];
	return 0;
}
