/* net/bridge_request - what the user may say after --network NAME: */
#include "net/bridge.h"

static int add_ip(struct arena *arena, struct bridge_request *q, const char *value, struct error *err)
{
	struct ip_address a;

	if (!ip_parse(value, &a))
		return error_set(err, ERROR_USAGE, "invalid ip address \"%.100s\"", value);
	strings_add(arena, &q->ips, ip_text(arena, &a));
	return 0;
}

static int set_mac(struct arena *arena, struct bridge_request *q, const char *value, struct error *err)
{
	uint8_t mac[6];

	if (!network_parse_mac(value, mac))
		return error_set(err, ERROR_USAGE, "invalid MAC address \"%.100s\"", value);
	q->mac = arena_strdup(arena, value);
	return 0;
}

static int set_interface(struct arena *arena, struct bridge_request *q, const char *value, struct error *err)
{
	if (!network_interface_is_valid(value) || str_eq(value, "lo"))
		return error_set(err, ERROR_USAGE, "invalid interface name \"%.100s\"", value);
	q->interface = arena_strdup(arena, value);
	return 0;
}

static int add_alias(struct arena *arena, struct bridge_request *q, const char *value, struct error *err)
{
	if (str_is_empty(value) || strpbrk(value, " \t\r\n,:/"))
		return error_set(err, ERROR_USAGE, "invalid network alias \"%.100s\"", value);
	strings_add(arena, &q->aliases, value);
	return 0;
}

static const struct option {
	const char *name;
	int (*take)(struct arena *arena, struct bridge_request *q, const char *value, struct error *err);
} options[] = {
	{ "ip", add_ip }, { "ip6", add_ip }, { "mac", set_mac }, { "interface_name", set_interface }, { "alias", add_alias },
};

int bridge_request_option(struct arena *arena, struct bridge_request *q, const char *option, struct error *err)
{
	size_t n = strcspn(option, "=");

	if (str_eq(option, "bypass")) {
		q->bypass = true;
		return 0;
	}
	for (size_t i = 0; i < ELEMENTS(options); i++)
		if (option[n] && strlen(options[i].name) == n && strncmp(options[i].name, option, n) == 0)
			return options[i].take(arena, q, option + n + 1, err);
	error_set(err, ERROR_USAGE, "unknown option of network %s: \"%.100s\"", q->network, option);
	return error_hint(err, "options are: ip=ADDRESS, ip6=ADDRESS, mac=ADDRESS, alias=NAME, interface_name=NAME, bypass");
}

int bridge_request_parse(struct arena *arena, const char *text, struct bridge_request *ret, struct error *err)
{
	size_t n = strcspn(text, ":");
	struct strings list;

	*ret = (struct bridge_request){ .network = arena_strndup(arena, text, n) };
	if (!text[n])
		return 0;
	list = strings_split(arena, text + n + 1, ",");
	for (size_t i = 0; i < list.n; i++)
		if (*list.v[i] && bridge_request_option(arena, ret, list.v[i], err) < 0)
			return -1;
	return 0;
}

void bridge_request_name_interfaces(struct arena *arena, struct bridge_request *v, size_t n, const struct strings *taken)
{
	struct strings names = { 0 };
	unsigned next = 0;

	strings_add_all(arena, &names, taken);
	for (size_t i = 0; i < n; i++)
		if (v[i].interface)
			strings_add(arena, &names, v[i].interface);
	for (size_t i = 0; i < n; i++) {
		if (v[i].interface)
			continue;
		do
			v[i].interface = arena_printf(arena, "eth%u", next++);
		while (strings_has(&names, v[i].interface));
	}
}
