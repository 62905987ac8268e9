/* net/port - published ports: [[ip:][hostPort]:]containerPort[/protocol[,protocol]] */
#include <arpa/inet.h>

#include "net/net.h"

struct port_span {
	unsigned first, last;
};

static int parse_number(const char *text, unsigned *ret, struct error *err)
{
	if (str_to_u32(text, ret) < 0)
		return error_set(err, ERROR_USAGE, "invalid port number \"%s\"", text);
	if (*ret < 1 || *ret > 65535)
		return error_set(err, ERROR_USAGE, "port numbers must be between 1 and 65535 (inclusive), got %s", text);
	return 0;
}

/* "80" or "80-90" */
static int parse_span(struct arena *arena, const char *text, struct port_span *ret, struct error *err)
{
	const char *dash = strchr(text, '-');

	if (!dash) {
		if (parse_number(text, &ret->first, err) < 0)
			return -1;
		ret->last = ret->first;
		return 0;
	}
	if (parse_number(arena_strndup(arena, text, (size_t)(dash - text)), &ret->first, err) < 0 ||
	    parse_number(dash + 1, &ret->last, err) < 0)
		return -1;
	if (ret->last < ret->first)
		return error_set(err, ERROR_USAGE, "invalid port range \"%s\": it ends before it begins", text);
	return 0;
}

/* Splits "[ip]:rest" or "ip:rest"; NULL when there is no address in front. */
static int split_address(struct arena *arena, const char **text, char **ret_ip, struct error *err)
{
	unsigned char binary[16];
	const char *end;

	*ret_ip = arena_strdup(arena, "");
	if (**text == '[') {
		end = strchr(*text, ']');
		if (!end || end[1] != ':')
			return error_set(err, ERROR_USAGE, "invalid IPv6 format: \"%s\"", *text);
		*ret_ip = arena_strndup(arena, *text + 1, (size_t)(end - *text - 1));
		if (inet_pton(AF_INET6, *ret_ip, binary) != 1)
			return error_set(err, ERROR_USAGE, "cannot parse \"%s\" as an IP address", *ret_ip);
		*text = end + 2;
		return 0;
	}
	end = strchr(*text, ':');
	if (!end || !strchr(end + 1, ':'))
		return 0;
	*ret_ip = arena_strndup(arena, *text, (size_t)(end - *text));
	if (!**ret_ip)
		return error_set(err, ERROR_USAGE, "must provide a non-empty container host IP to publish");
	if (inet_pton(AF_INET, *ret_ip, binary) != 1)
		return error_set(err, ERROR_USAGE, "cannot parse \"%s\" as an IP address", *ret_ip);
	*text = end + 1;
	return 0;
}

static int add_protocols(struct arena *arena, const struct net_port *port, const char *protocols,
			 struct net_request *ret, struct error *err)
{
	struct strings list = strings_split(arena, protocols, ",");

	for (size_t i = 0; i < list.n; i++) {
		struct net_port *new;

		if (str_eq(list.v[i], "sctp"))
			return error_set(err, ERROR_UNSUPPORTED, "publishing sctp ports is not possible without root");
		if (!str_eq(list.v[i], "tcp") && !str_eq(list.v[i], "udp"))
			return error_set(err, ERROR_USAGE, "unrecognized protocol \"%s\" in port mapping", list.v[i]);
		new = ARRAY_ADD(arena, &ret->ports);
		*new = *port;
		new->protocol = arena_strdup(arena, list.v[i]);
	}
	return 0;
}

static int parse_ports(struct arena *arena, const char *text, struct net_port *ret, struct error *err)
{
	struct port_span host = { 0 }, container;
	const char *colon, *rest = text;
	char *host_text = NULL;

	if (split_address(arena, &rest, &ret->host_ip, err) < 0)
		return -1;
	if ((colon = strchr(rest, ':'))) {
		host_text = arena_strndup(arena, rest, (size_t)(colon - rest));
		rest = colon + 1;
	}
	if (!*rest)
		return error_set(err, ERROR_USAGE, "must provide a non-empty container port to publish");
	if (strchr(rest, ':'))
		return error_set(err, ERROR_USAGE, "invalid port format: should be [[hostIP:]hostPort:]containerPort");
	if (parse_span(arena, rest, &container, err) < 0)
		return -1;
	ret->container_port = (uint16_t)container.first;
	ret->range = (uint16_t)(container.last - container.first + 1);
	if (str_is_empty(host_text))
		return 0;
	if (parse_span(arena, host_text, &host, err) < 0)
		return -1;
	if (host.last - host.first != container.last - container.first)
		return error_set(err, ERROR_USAGE, "host and container port ranges have different lengths: %u vs %u",
				 host.last - host.first + 1, container.last - container.first + 1);
	ret->host_port = (uint16_t)host.first;
	return 0;
}

int net_parse_port(struct arena *arena, const char *text, struct net_request *ret, struct error *err)
{
	const char *slash = strchr(text, '/');
	char *ports = slash ? arena_strndup(arena, text, (size_t)(slash - text)) : arena_strdup(arena, text);
	struct net_port port = { .range = 1 };

	if (parse_ports(arena, ports, &port, err) < 0 ||
	    add_protocols(arena, &port, slash ? slash + 1 : "tcp", ret, err) < 0)
		return error_frame(err, "publish \"%s\"", text);
	return 0;
}
