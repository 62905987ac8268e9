/* spec/network - a network's record: JSON in the form that netavark and Podman read and write
 *
 * A record comes from a file that others may have written: what is accepted has been checked to the last byte, because
 * names and addresses go into file names, firewall rules and kernel messages. Addresses are kept as text, for the file,
 * and as numbers, for everyone else: those are filled by network_check. */
#ifndef BRYO_SPEC_NETWORK_H
#define BRYO_SPEC_NETWORK_H

#include "base/json.h"
#include "spec/ip.h"

#define NETWORK_DEFAULT "bridge"	/* also found as "podman" */
#define NETWORK_NAME_MAX 200
#define NETWORK_INTERFACE_MAX 15	/* IFNAMSIZ without NUL */
#define NETWORK_SUBNETS_MAX 32
#define NETWORK_ROUTES_MAX 256
#define NETWORK_RECORD_MAX ((size_t)1 << 20)

struct network_lease_range {
	char *start_ip, *end_ip;	/* NULL: the subnet's first or last */
};

struct network_subnet {
	char *subnet, *gateway;		/* "10.89.0.0/24"; gateway NULL: none */
	struct network_lease_range *lease_range;	/* NULL: the whole subnet */
	/* not in the file: */
	struct ip_prefix prefix;
	struct ip_address gateway_ip;	/* IP_NONE without one */
	struct ip_range lease;		/* what may be given to containers; the gateway may lie in it and is not to be given */
};

struct network_route {
	char *destination, *gateway;
	uint64_t *metric;		/* NULL: 100, as netavark's */
	struct ip_prefix prefix;	/* not in the file */
	struct ip_address gateway_ip;
};

struct network {
	char *name, *id;		/* id: 64 hexadecimal digits */
	char *driver;			/* "bridge", "macvlan", "ipvlan" */
	char *interface;		/* of a bridge: its name; else the parent on the host. Maybe NULL */
	char *created;			/* RFC 3339 */
	ARRAY(struct network_subnet) subnets;
	ARRAY(struct network_route) routes;
	bool ipv6_enabled, internal, dns_enabled;
	struct strings dns_servers;	/* that names outside are asked from, in place of the host's */
	struct string_map labels, options, ipam_options;
};
extern const struct json_shape network_shape;

enum network_isolation { NETWORK_OPEN, NETWORK_ISOLATED, NETWORK_STRICT };	/* from others; strict: also from open ones */

/* A whole record, checked. `where` names it in errors. */
int network_decode(struct arena *arena, const char *text, size_t len, const char *where, struct network *ret,
		   struct error *err);
char *network_print(struct arena *arena, const struct network *n);
/* Fills the numbers and refuses, with the reason, what is malformed or does not fit together. */
int network_check(struct network *n, struct error *err);

/* The options of network_check'ed records. */
unsigned network_mtu(const struct network *n);			/* 0: not set */
unsigned network_vlan(const struct network *n);			/* 0: none */
enum network_isolation network_isolation(const struct network *n);
bool network_has_default_route(const struct network *n);	/* not internal, not no_default_route */
const char *network_ipam_driver(const struct network *n);	/* "host-local", "dhcp", "none" */

/* Names that mean modes after --network. */
bool network_name_is_mode(const char *name);
int network_check_name(const char *name, struct error *err);
/* May the kernel, and a firewall's text, have an interface of this name? */
bool network_interface_is_valid(const char *name);

/* "92:5f:0a:01:02:03", with ':' or '-': six bytes, unicast. */
bool network_parse_mac(const char *text, uint8_t ret[6]);

#endif
