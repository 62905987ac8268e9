/* A network's record with the names that templates use: Go's names of Podman's members, and Docker's members. */
#include "engine/network_list.h"

static const struct json *member(struct arena *arena, const struct json *record, const char *name, bool list)
{
	const struct json *value = json_get(record, name);

	return value ? value : list ? json_new_list(arena) : json_new_object(arena);
}

static void add_copy(struct arena *arena, struct json *view, const char *name, const struct json *value)
{
	json_set(arena, view, name, arena_memdup(arena, value, sizeof(*value)));
}

static struct json *subnets_view(struct arena *arena, const struct json *subnets)
{
	struct json *list = json_new_list(arena);

	for (size_t i = 0; i < subnets->list.n; i++) {
		const struct json *subnet = subnets->list.v[i], *range = json_get(subnet, "lease_range");
		struct json *view = json_new_object(arena), *lease = range ? json_new_object(arena) : json_new_null(arena);
		const char *gateway = json_get_string(subnet, "gateway");

		json_set(arena, view, "Subnet", json_new_string(arena, json_get_string(subnet, "subnet")));
		json_set(arena, view, "Gateway", json_new_string(arena, gateway ? gateway : ""));
		if (range) {
			json_set(arena, lease, "StartIP", json_new_string(arena, json_get_string(range, "start_ip")));
			json_set(arena, lease, "EndIP", json_new_string(arena, json_get_string(range, "end_ip")));
		}
		json_set(arena, view, "LeaseRange", lease);
		json_append(arena, list, view);
	}
	return list;
}

static void add_addresses(struct arena *arena, struct json *j, const struct json *interface)
{
	const struct json *subnets = json_get(interface, "subnets");
	const char *mac = json_get_string(interface, "mac_address");

	for (size_t i = 0; subnets && i < subnets->list.n; i++) {
		const char *ipnet = json_get_string(subnets->list.v[i], "ipnet");

		if (ipnet)
			json_set(arena, j, strchr(ipnet, ':') ? "IPv6Address" : "IPv4Address", json_new_string(arena, ipnet));
	}
	json_set(arena, j, "MacAddress", json_new_string(arena, mac ? mac : ""));
}

/* Docker's IPAM{Driver, Config[{Subnet, Gateway}]}. */
static struct json *ipam_view(struct arena *arena, const struct json *subnets)
{
	struct json *ipam = json_new_object(arena), *config = json_new_list(arena);

	for (size_t i = 0; i < subnets->list.n; i++) {
		const char *gateway = json_get_string(subnets->list.v[i], "gateway");
		struct json *one = json_new_object(arena);

		json_set(arena, one, "Subnet", json_new_string(arena, json_get_string(subnets->list.v[i], "subnet")));
		if (gateway)
			json_set(arena, one, "Gateway", json_new_string(arena, gateway));
		json_append(arena, config, one);
	}
	json_set(arena, ipam, "Driver", json_new_string(arena, "default"));
	json_set(arena, ipam, "Config", config);
	return ipam;
}

/* Docker's Containers: the first address of each family. */
static struct json *containers_view(struct arena *arena, const struct json *containers)
{
	struct json *view = json_new_object(arena);

	for (size_t i = 0; containers && i < containers->object.n; i++) {
		const struct json *one = containers->object.v[i].value, *interfaces = json_get(one, "interfaces");
		struct json *j = json_new_object(arena);

		json_set(arena, j, "Name", json_new_string(arena, json_get_string(one, "name")));
		json_set(arena, j, "EndpointID", json_new_string(arena, ""));
		json_set(arena, j, "IPv4Address", json_new_string(arena, ""));
		json_set(arena, j, "IPv6Address", json_new_string(arena, ""));
		for (size_t k = 0; interfaces && k < interfaces->object.n; k++)
			add_addresses(arena, j, interfaces->object.v[k].value);
		json_set(arena, j, "Interfaces", interfaces ? (struct json *)interfaces : json_new_object(arena));
		json_set(arena, view, containers->object.v[i].name, j);
	}
	return view;
}

struct json *network_view(struct arena *arena, const struct json *record)
{
	static const struct { const char *member, *name; bool list; } renamed[] = {
		{ "ipv6_enabled", "IPv6Enabled" }, { "ipv6_enabled", "EnableIPv6" }, { "dns_enabled", "DNSEnabled" },
		{ "ipam_options", "IPAMOptions" }, { "network_dns_servers", "NetworkDNSServers", true }, { "labels", "Labels" },
		{ "options", "Options" }, { "routes", "Routes", true },
	};
	const struct json *subnets = member(arena, record, "subnets", true);
	const char *interface = json_get_string(record, "network_interface");
	struct json *view = json_new_object(arena);

	for (size_t i = 0; i < record->object.n; i++)
		json_set(arena, view, record->object.v[i].name, record->object.v[i].value);
	for (size_t i = 0; i < ELEMENTS(renamed); i++)
		add_copy(arena, view, renamed[i].name, member(arena, record, renamed[i].member, renamed[i].list));
	json_set(arena, view, "NetworkInterface", json_new_string(arena, interface ? interface : ""));
	json_set(arena, view, "Containers", containers_view(arena, json_get(record, "containers")));
	json_set(arena, view, "Scope", json_new_string(arena, "local"));
	json_set(arena, view, "Subnets", subnets_view(arena, subnets));
	json_set(arena, view, "IPAM", ipam_view(arena, subnets));
	return view;
}
