/* net/slirp4netns - a container behind slirp4netns
 *
 * One process a container, with a tap device and NAT: 10.0.2.100 is the container, 10.0.2.2 the gateway, 10.0.2.3 a
 * forwarder to the host's name servers. It ends when its exit descriptor is closed, so the monitor keeps that one.
 * TCP ports are published through its API socket, IPv4 only; UDP ports by the relay, because slirp4netns drops answers
 * to clients on the host's loopback together with everything else that goes there. The host's loopback stays out of
 * reach unless asked for. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "net/helper.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define API_SOCKET "slirp4netns.sock"
#define READY_TIMEOUT_MS 10000
#define REPLY_MAX ((size_t)64 << 10)

struct slirp_options {
	bool host_loopback, ipv6;
	const char *cidr, *mtu, *outbound_addr, *outbound_addr6;
	uint32_t network;	/* host byte order */
};

/* --- options after --network slirp4netns: */

static int parse_bool(const char *name, const char *value, bool *ret, struct error *err)
{
	if (!str_eq(value, "true") && !str_eq(value, "false"))
		return error_set(err, ERROR_USAGE, "slirp4netns: invalid value of %s: \"%s\"", name, value);
	*ret = str_eq(value, "true");
	return 0;
}

static int parse_cidr(struct arena *arena, const char *value, struct slirp_options *ret, struct error *err)
{
	const char *slash = strchr(value, '/');
	struct in_addr address;
	unsigned bits;

	if (!slash || str_to_u32(slash + 1, &bits) < 0 || bits < 1 || bits > 25 ||
	    inet_pton(AF_INET, arena_strndup(arena, value, (size_t)(slash - value)), &address) != 1)
		return error_set(err, ERROR_USAGE, "slirp4netns: invalid cidr \"%s\": expected one like 10.0.2.0/24, "
				 "of at most 25 bits", value);
	ret->cidr = value;
	ret->network = ntohl(address.s_addr) & ~(UINT32_MAX >> bits);
	return 0;
}

static int parse_option(struct arena *arena, const char *option, struct slirp_options *ret, struct error *err)
{
	const char *equals = strchr(option, '=');
	const char *name = arena_strndup(arena, option, equals ? (size_t)(equals - option) : strlen(option));
	const char *value = equals ? equals + 1 : "";
	unsigned number;

	if (str_eq(name, "allow_host_loopback"))
		return parse_bool(name, value, &ret->host_loopback, err);
	if (str_eq(name, "enable_ipv6"))
		return parse_bool(name, value, &ret->ipv6, err);
	if (str_eq(name, "cidr"))
		return parse_cidr(arena, value, ret, err);
	if (str_eq(name, "mtu")) {
		if (str_to_u32(value, &number) < 0 || number < 68 || number > 65521)
			return error_set(err, ERROR_USAGE, "slirp4netns: invalid mtu \"%s\"", value);
		ret->mtu = value;
		return 0;
	}
	if (str_eq(name, "outbound_addr") || str_eq(name, "outbound_addr6")) {
		*(str_eq(name, "outbound_addr") ? &ret->outbound_addr : &ret->outbound_addr6) = value;
		return *value ? 0 : error_set(err, ERROR_USAGE, "slirp4netns: %s needs a value", name);
	}
	if (str_eq(name, "port_handler")) {
		/* There is one handler here; the other's name is accepted for the sake of existing scripts. */
		if (str_eq(value, "slirp4netns") || str_eq(value, "rootlesskit"))
			return 0;
		return error_set(err, ERROR_USAGE, "slirp4netns: unknown port_handler \"%s\"", value);
	}
	return error_set(err, ERROR_USAGE, "unknown option for slirp4netns: \"%s\"", option);
}

static int parse_options(struct arena *arena, const struct net_request *r, struct slirp_options *ret, struct error *err)
{
	*ret = (struct slirp_options){ .mtu = "65520", .network = 0x0a000200 };
	for (size_t i = 0; i < r->options.n; i++)
		if (parse_option(arena, r->options.v[i], ret, err) < 0)
			return -1;
	return 0;
}

/* --- plan */

static char *address_at(struct arena *arena, uint32_t network, uint32_t offset)
{
	struct in_addr address = { htonl(network + offset) };
	char buf[INET_ADDRSTRLEN];

	return arena_strdup(arena, inet_ntop(AF_INET, &address, buf, sizeof(buf)));
}

static int check_ports(const struct net_request *r, struct error *err)
{
	for (size_t i = 0; i < r->ports.n; i++)
		if (strchr(r->ports.v[i].host_ip, ':')) {
			error_set(err, ERROR_UNSUPPORTED, "slirp4netns cannot publish a port on the IPv6 address %s",
				  r->ports.v[i].host_ip);
			return error_hint(err, "use --network pasta, which can");
		}
	return 0;
}

int slirp4netns_plan(struct arena *arena, const struct net_request *r, const struct host_net *host,
		     struct net_result *ret, struct error *err)
{
	struct slirp_options o;

	if (parse_options(arena, r, &o, err) < 0 || check_ports(r, err) < 0)
		return -1;
	ret->ip = address_at(arena, o.network, 100);
	ret->gateway = address_at(arena, o.network, 2);
	ret->interface = arena_strdup(arena, "tap0");
	ret->host_ip = o.host_loopback ? ret->gateway : host->ip;
	strings_add(arena, &ret->dns, address_at(arena, o.network, 3));
	return 0;
}

/* --- start */

static void arguments(struct arena *arena, const struct slirp_options *o, bool sandbox, bool api, pid_t pid, int ready,
		      int leave, struct strings *ret)
{
	strings_add(arena, ret, "slirp4netns");
	strings_add(arena, ret, "--configure");
	strings_addf(arena, ret, "--mtu=%s", o->mtu);
	if (!o->host_loopback)
		strings_add(arena, ret, "--disable-host-loopback");
	if (o->ipv6)
		strings_add(arena, ret, "--enable-ipv6");
	if (o->cidr)
		strings_addf(arena, ret, "--cidr=%s", o->cidr);
	if (o->outbound_addr)
		strings_addf(arena, ret, "--outbound-addr=%s", o->outbound_addr);
	if (o->outbound_addr6)
		strings_addf(arena, ret, "--outbound-addr6=%s", o->outbound_addr6);
	if (sandbox) {
		strings_add(arena, ret, "--enable-sandbox");
		strings_add(arena, ret, "--enable-seccomp");
	}
	if (api)	/* below its working directory: the whole path may be longer than a socket's name can be */
		strings_add(arena, ret, "--api-socket=" API_SOCKET);
	strings_addf(arena, ret, "--ready-fd=%d", ready);
	strings_addf(arena, ret, "--exit-fd=%d", leave);
	strings_add(arena, ret, "--netns-type=path");
	strings_addf(arena, ret, "/proc/%d/ns/net", (int)pid);
	strings_add(arena, ret, "tap0");
}

/* 0 when it wrote its byte, -1 when it ended or says nothing for too long. */
static int wait_ready(int ready)
{
	struct pollfd p = { .fd = ready, .events = POLLIN };
	char byte;
	int n;

	do
		n = poll(&p, 1, READY_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n == 1 && read(ready, &byte, 1) == 1 ? 0 : -1;
}

static int start_once(struct arena *arena, const struct slirp_options *o, bool sandbox, bool api, pid_t pid,
		      const char *runtime_dir, struct net_result *ret, struct error *err)
{
	int ready[2], leave[2], pass[2];
	struct strings argv = { 0 };
	struct helper_process process;
	struct helper h = { .program = "slirp4netns", .argv = &argv, .pass = pass, .pass_n = 2, .runtime_dir = runtime_dir };
	int result;

	if (fd_pipe(ready) < 0)
		return error_errno(err, "start slirp4netns");
	if (fd_pipe(leave) < 0) {
		error_errno(err, "start slirp4netns");
		close(ready[0]);
		close(ready[1]);
		return -1;
	}
	pass[0] = ready[1];
	pass[1] = leave[0];
	arguments(arena, o, sandbox, api, pid, ready[1], leave[0], &argv);
	result = helper_start(arena, &h, &process, err);
	close(ready[1]);
	close(leave[0]);
	if (result == 0) {
		if (wait_ready(ready[0]) < 0)
			result = helper_failed(err, ERROR_FAILED, "slirp4netns failed", helper_words(arena, process.log));
		helper_seal_log(process.log);
		close(process.log);
	}
	close(ready[0]);
	if (result < 0) {
		close(leave[1]);
		return -1;
	}
	ret->helper_pid = process.pid;
	ret->keep_fd = leave[1];
	return 0;
}

/* --- ports */

static int api_connect(const char *runtime_dir)
{
	_cleanup_fd_ int dir = fd_open_dir(AT_FDCWD, runtime_dir);
	_cleanup_fd_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (dir < 0 || sock < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" API_SOCKET, dir);
	if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fd_take(&sock);
}

/* The request that asks for one port: a line of JSON. */
static char *forward_request(struct arena *arena, const struct net_port *port, const char *guest_ip, unsigned offset)
{
	return arena_printf(arena, "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"%s\",\"host_addr\":\"%s\","
			    "\"host_port\":%u,\"guest_addr\":\"%s\",\"guest_port\":%u}}", port->protocol,
			    *port->host_ip ? port->host_ip : "0.0.0.0", port->host_port + offset, guest_ip,
			    port->container_port + offset);
}

static int forward(struct arena *arena, const char *runtime_dir, const struct net_port *port, const char *guest_ip,
		   unsigned offset, struct error *err)
{
	char *request = forward_request(arena, port, guest_ip, offset);
	_cleanup_buffer_ struct buffer reply = BUFFER(REPLY_MAX);
	_cleanup_fd_ int sock = api_connect(runtime_dir);
	struct json *value;

	if (sock < 0 || fd_write_all(sock, request, strlen(request)) < 0 || shutdown(sock, SHUT_WR) < 0 ||
	    fd_read_buffer(sock, &reply) < 0)
		return error_errno(err, "ask slirp4netns for port %u", port->host_port + offset);
	value = json_parse(arena, reply.data ? reply.data : "", reply.size, "slirp4netns", err);
	if (!value)
		return -1;
	if (!json_get(value, "return")) {
		/* 126 as in Podman */
		error_set(err, ERROR_NOT_EXECUTABLE, "slirp4netns cannot listen on %s port %s:%u", port->protocol,
			  *port->host_ip ? port->host_ip : "0.0.0.0", port->host_port + offset);
		return error_hint(err, "another process may have taken it meanwhile: ss -ln | grep :%u",
				  port->host_port + offset);
	}
	return 0;
}

static int forward_all(struct arena *arena, const struct net_request *r, const char *runtime_dir, const char *guest_ip,
		       struct error *err)
{
	for (size_t i = 0; i < r->ports.n; i++)
		for (unsigned j = 0; str_eq(r->ports.v[i].protocol, "tcp") && j < r->ports.v[i].range; j++)
			if (forward(arena, runtime_dir, &r->ports.v[i], guest_ip, j, err) < 0)
				return -1;
	return 0;
}

int slirp4netns_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		      struct net_result *ret, struct error *err)
{
	bool api = r->ports.n > 0;
	struct slirp_options o;

	if (parse_options(arena, r, &o, err) < 0)
		return -1;
	/* Its sandbox needs a resolv.conf that is no link out of /etc and /run, and seccomp: without them it runs too. */
	if (start_once(arena, &o, true, api, pid, runtime_dir, ret, NULL) < 0 &&
	    start_once(arena, &o, false, api, pid, runtime_dir, ret, err) < 0)
		return -1;
	if (helper_record(runtime_dir, ret->helper_pid, err) < 0 || forward_all(arena, r, runtime_dir, ret->ip, err) < 0 ||
	    (udp_relay_is_needed(r) && udp_relay_start(arena, r, pid, runtime_dir, ret, err) < 0)) {
		fd_close(&ret->keep_fd);
		net_stop(runtime_dir);
		return -1;
	}
	return 0;
}
