#include "oci/network_device.h"

#include <ctype.h>
#include <net/if.h>

/* The kernel's rules (netdevice(7)); '%' is for patterns only. */
static const char *fault_of_name(const char *name, bool pattern)
{
	const char *percent = strchr(name, '%');

	if (!*name)
		return "is empty";
	if (strlen(name) >= IFNAMSIZ)
		return "is longer than 15 bytes";
	if (str_eq(name, ".") || str_eq(name, ".."))
		return "is none";
	for (const char *at = name; *at; at++)
		if (*at == '/' || *at == ':' || isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
			return "has a character that no interface's name has";
	if (!percent || (pattern && percent[1] == 'd' && !strchr(percent + 1, '%')))
		return NULL;
	return pattern ? "has a '%' that is not the one \"%d\" of a pattern" : "has a '%'";
}

static const char *wanted_name(const struct oci_net_device *d)
{
	return d->name ? d->name : d->device;
}

static bool is_pattern(const char *name)
{
	return strchr(name, '%');
}

static int position(struct arena *arena, const struct oci_net_device *d, const char *member, struct error *err)
{
	return error_frame(err, ".linux.netDevices[\"%s\"]%s", str_printable(arena, d->device, 64), member);
}

static int check_names(struct arena *arena, const struct oci_net_device *d, struct error *err)
{
	const char *fault = fault_of_name(d->device, false);

	if (fault) {
		error_set(err, ERROR_INVALID, "the interface's name %s", fault);
		return position(arena, d, "", err);
	}
	fault = fault_of_name(wanted_name(d), true);
	if (!fault)
		return 0;
	error_set(err, ERROR_INVALID, "\"%s\" %s", str_printable(arena, d->name, 64), fault);
	return position(arena, d, ".name", err);
}

static int check_doubles(struct arena *arena, const struct oci_linux *l, size_t i, struct error *err)
{
	const struct oci_net_device *d = &l->net_devices.v[i];

	for (size_t j = 0; j < i; j++) {
		const struct oci_net_device *other = &l->net_devices.v[j];

		if (str_eq(d->device, other->device)) {
			error_set(err, ERROR_INVALID, "given twice");
			return position(arena, d, "", err);
		}
		if (str_eq(wanted_name(d), wanted_name(other)) && !is_pattern(wanted_name(d))) {
			error_set(err, ERROR_INVALID, "\"%s\" is the name of \"%s\" already", wanted_name(d), other->device);
			return position(arena, d, d->name ? ".name" : "", err);
		}
	}
	return 0;
}

static bool has_network_namespace(const struct oci_linux *l)
{
	for (size_t i = 0; i < l->namespaces.n; i++)
		if (str_eq(l->namespaces.v[i].type, "network"))
			return true;
	return false;
}

int network_device_check(struct arena *arena, const struct oci_linux *l, struct error *err)
{
	if (l->net_devices.n && !has_network_namespace(l))
		return error_set(err, ERROR_INVALID, NETWORK_DEVICE_NO_NAMESPACE);
	for (size_t i = 0; i < l->net_devices.n; i++)
		if (check_names(arena, &l->net_devices.v[i], err) < 0 || check_doubles(arena, l, i, err) < 0)
			return -1;
	return 0;
}

/* Whoever leaves the number to us gets the one that the kernel would choose. */
const char *network_device_name(struct arena *arena, const char *wanted, const struct strings *taken)
{
	const char *percent = strchr(wanted, '%');

	if (!percent)
		return strings_has(taken, wanted) ? NULL : wanted;
	for (unsigned i = 0; i <= taken->n; i++) {
		char *name = arena_printf(arena, "%.*s%u%s", (int)(percent - wanted), wanted, i, percent + 2);

		if (strlen(name) < IFNAMSIZ && !strings_has(taken, name))
			return name;
	}
	return NULL;
}
