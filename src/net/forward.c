#include "net/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/forward.h"

#define FILE_NAME "forward"

static bool fill_address(const struct bridge_address *from, struct forward_address *ret)
{
	struct ip_address a;

	if (!ip_parse(from->ip, &a))
		return false;
	*ret = (struct forward_address){ .family = a.family == IP_V6 ? AF_INET6 : AF_INET, .prefix = (uint8_t)from->prefix };
	memcpy(ret->bytes, a.bytes, sizeof(ret->bytes));
	return true;
}

/* The first address of each family is the one that clients are led to. A client's own address needs a way back: a route
 * by a gateway, and no neighbour of that address. */
static void add_address(struct forward_plan *plan, unsigned *subnets, const struct bridge_endpoint *e,
			const struct bridge_address *from)
{
	struct forward_address a;
	int v6;

	if (!fill_address(from, &a))
		return;
	v6 = a.family == AF_INET6;
	if (!plan->target[v6].family)
		plan->target[v6] = a;
	if (e->has_routes && from->gateway)
		plan->keeps_client[v6] = 1;
	if (*subnets < FORWARD_SUBNETS)
		plan->subnet[*subnets] = a;
	++*subnets;
}

static void add_ports(struct forward_plan *plan, const struct net_request *r)
{
	struct forward_port *to = plan->port;

	for (size_t i = 0; i < r->ports.n; i++) {
		uint8_t protocol = str_eq(r->ports.v[i].protocol, "udp") ? IPPROTO_UDP : IPPROTO_TCP;

		for (unsigned k = 0; k < r->ports.v[i].range; k++)
			*to++ = (struct forward_port){ .target = (uint16_t)(r->ports.v[i].container_port + k), .protocol = protocol };
	}
}

/* All but the ports. */
static void fill(struct forward_plan *plan, const struct bridge_endpoint *endpoints, size_t n)
{
	unsigned subnets = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < endpoints[i].addresses.n; k++)
			add_address(plan, &subnets, &endpoints[i], &endpoints[i].addresses.v[k]);
	if (subnets > FORWARD_SUBNETS)		/* so many neighbours cannot be told from others */
		plan->keeps_client[0] = plan->keeps_client[1] = 0;
}

/* The file of the last run may still be mapped. */
static int write_plan(const struct forward_plan *plan, int run_dir, struct error *err)
{
	_cleanup_fd_ int fd = -1;

	if (unlinkat(run_dir, FILE_NAME, 0) < 0 && errno != ENOENT)
		return error_errno(err, "write down the published ports");
	fd = openat(run_dir, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, plan, plan->size) < 0)
		return error_errno(err, "write down the published ports");
	return fd_take(&fd);
}

int net_forward_plan(struct arena *arena, const struct net_request *r, const struct bridge_endpoint *endpoints, size_t n,
		     int run_dir, struct error *err)
{
	size_t ports = net_forward_count(r), size = sizeof(struct forward_plan) + ports * sizeof(struct forward_port);
	struct forward_plan *plan = arena_alloc(arena, size);

	*plan = (struct forward_plan){ .magic = FORWARD_MAGIC, .size = (uint32_t)size, .ports = (uint32_t)ports };
	fill(plan, endpoints, n);
	if (!plan->target[0].family && !plan->target[1].family)
		return error_set(err, ERROR_UNSUPPORTED, "ports cannot be published: the container has no address");
	add_ports(plan, r);
	return write_plan(plan, run_dir, err);
}

int net_forward_update(const struct bridge_endpoint *endpoints, size_t n, int run_dir, struct error *err)
{
	_cleanup_fd_ int fd = openat(run_dir, FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct forward_plan plan, fresh;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || pread(fd, &plan, sizeof(plan), 0) != (ssize_t)sizeof(plan))
		return error_errno(err, "read the published ports");
	fresh = (struct forward_plan){ .magic = plan.magic, .size = plan.size, .ports = plan.ports };
	fill(&fresh, endpoints, n);
	if (pwrite(fd, &fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh))
		return error_errno(err, "write down the published ports");
	return 0;
}

bool net_forward_is_planned(int run_dir)
{
	return faccessat(run_dir, FILE_NAME, F_OK, 0) == 0;
}

size_t net_forward_count(const struct net_request *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->ports.n; i++)
		n += r->ports.v[i].range;
	return n;
}

int net_forward_socket(const struct net_request *r, size_t index)
{
	const struct net_port *p = r->ports.v;

	for (; index >= p->range; p++)
		index -= p->range;
	return p->sockets[index];
}
