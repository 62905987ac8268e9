#include "cgroup/device.h"

#include <string.h>

/* Each rule is some seven instructions, of which the kernel takes a million. */
#define RULES_MAX 4096

/* runtime-spec, "Default Devices", and what a container's own /dev is made of. */
static const struct device_rule every_container[] = {
	{ true, 'c', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD },
	{ true, 'b', DEVICE_ANY, DEVICE_ANY, DEVICE_MKNOD },
	{ true, 'c', 1, 3, DEVICE_ALL },		/* null */
	{ true, 'c', 1, 5, DEVICE_ALL },		/* zero */
	{ true, 'c', 1, 7, DEVICE_ALL },		/* full */
	{ true, 'c', 1, 8, DEVICE_ALL },		/* random */
	{ true, 'c', 1, 9, DEVICE_ALL },		/* urandom */
	{ true, 'c', 5, 0, DEVICE_ALL },		/* tty */
	{ true, 'c', 5, 1, DEVICE_ALL },		/* console */
	{ true, 'c', 5, 2, DEVICE_ALL },		/* ptmx */
	{ true, 'c', 136, DEVICE_ANY, DEVICE_ALL },	/* pts */
};

static int parse_type(const char *text, char *ret)
{
	if (str_is_empty(text) || str_eq(text, "a"))
		*ret = 'a';
	else if (str_eq(text, "b") || str_eq(text, "c"))
		*ret = *text;
	else
		return -1;
	return 0;
}

static int parse_access(const char *text, unsigned *ret)
{
	unsigned access = 0;

	for (; text && *text; text++) {
		if (*text == 'r')
			access |= DEVICE_READ;
		else if (*text == 'w')
			access |= DEVICE_WRITE;
		else if (*text == 'm')
			access |= DEVICE_MKNOD;
		else
			return -1;
	}
	*ret = access;
	return 0;
}

static int parse_number(const int64_t *n, int64_t *ret)
{
	*ret = n ? *n : DEVICE_ANY;
	return *ret < DEVICE_ANY || *ret > UINT32_MAX ? -1 : 0;
}

static int parse(const struct oci_device_rule *rule, const char *where, size_t i, struct device_rule *ret,
		 struct error *err)
{
	ret->allow = rule->allow;
	if (parse_type(rule->type, &ret->type) < 0)
		return error_set(err, ERROR_INVALID, "%s.devices[%zu].type: expected a, b or c", where, i);
	if (parse_access(rule->access, &ret->access) < 0)
		return error_set(err, ERROR_INVALID, "%s.devices[%zu].access: expected letters out of r, w and m", where, i);
	if (parse_number(rule->major, &ret->major) < 0)
		return error_set(err, ERROR_INVALID, "%s.devices[%zu].major: no device has such a number", where, i);
	if (parse_number(rule->minor, &ret->minor) < 0)
		return error_set(err, ERROR_INVALID, "%s.devices[%zu].minor: no device has such a number", where, i);
	/* No letters mean nothing to most rules; one for everything that says so means everything, as engines write it. */
	if (!ret->access && str_is_empty(rule->access) && ret->type == 'a')
		ret->access = DEVICE_ALL;
	return 0;
}

bool device_is_everything(const struct device_rule *r)
{
	return r->type == 'a' && r->major == DEVICE_ANY && r->minor == DEVICE_ANY && r->access == DEVICE_ALL;
}

int device_rules(struct arena *arena, const struct oci_resources *r, const char *where, struct device_rules *ret,
		 struct error *err)
{
	struct device_rules list = { 0 };

	*ret = list;
	if (!r || r->devices.n == 0)
		return 0;
	if (r->devices.n > RULES_MAX)
		return error_set(err, ERROR_INVALID, "%s.devices: more than %d rules", where, RULES_MAX);
	for (size_t i = 0; i < r->devices.n; i++) {
		struct device_rule rule = { 0 };

		if (parse(&r->devices.v[i], where, i, &rule, err) < 0)
			return -1;
		if (device_is_everything(&rule))
			list = (struct device_rules){ 0 };
		if (rule.access)
			*ARRAY_ADD(arena, &list) = rule;
	}
	for (size_t i = 0; i < ELEMENTS(every_container); i++)
		*ARRAY_ADD(arena, &list) = every_container[i];
	*ret = list;
	return 0;
}

/* --- v1 */
static char *number(struct arena *arena, int64_t n)
{
	return n == DEVICE_ANY ? "*" : arena_printf(arena, "%lld", (long long)n);
}

static char *line(struct arena *arena, const struct device_rule *r, char type)
{
	return arena_printf(arena, "%c %s:%s %s%s%s", type, number(arena, r->major), number(arena, r->minor),
			    r->access & DEVICE_READ ? "r" : "", r->access & DEVICE_WRITE ? "w" : "",
			    r->access & DEVICE_MKNOD ? "m" : "");
}

static void add(struct arena *arena, struct settings *list, const char *where, bool allow, char *value)
{
	*ARRAY_ADD(arena, list) = (struct setting){ .controller = "devices", .v1 = true, .value = value,
						    .file = allow ? "devices.allow" : "devices.deny",
						    .position = arena_printf(arena, "%s.devices", where) };
}

/* "a" alone is everything: with numbers v1 ignores them, so such a rule is one of each type. */
void device_settings_v1(struct arena *arena, const struct device_rules *rules, const char *where, struct settings *list)
{
	if (rules->n && !device_is_everything(&rules->v[0]))
		add(arena, list, where, false, "a");
	for (size_t i = 0; i < rules->n; i++) {
		const struct device_rule *r = &rules->v[i];
		const char one[] = { r->type, '\0' }, *types = r->type == 'a' ? "bc" : one;

		if (device_is_everything(r)) {
			add(arena, list, where, r->allow, "a");
			continue;
		}
		for (; *types; types++)
			add(arena, list, where, r->allow, line(arena, r, *types));
	}
}
