#include "cgroup/cgroup.h"

#include <string.h>

#include "cgroup/hierarchy.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "cpu,cpuacct" is found as "cpu" and as "cpuacct" too. */
static void add_links(struct arena *arena, struct cgroup_view *view, const char *controllers)
{
	struct strings names = strings_split(arena, controllers, ",");

	for (size_t i = 0; i < names.n; i++)
		if (!strchr(names.v[i], '=') && !str_eq(names.v[i], view->name))
			strings_add(arena, &view->links, names.v[i]);
}

static char *path_in(struct arena *arena, const struct cgroup *c, const struct cgroup_hierarchy *h)
{
	for (size_t i = 0; c && i < c->places.n; i++)
		if (str_eq(c->places.v[i].controllers, h->controllers))
			return arena_strdup(arena, c->places.v[i].path);
	return arena_printf(arena, "%s%s", h->mount, c && h->own && !str_eq(h->own, "/") ? h->own : "");
}

void cgroup_views(struct arena *arena, const struct cgroup_host *host, const struct cgroup *c, struct cgroup_views *ret)
{
	*ret = (struct cgroup_views){ 0 };
	for (size_t i = 0; i < host->hierarchies.n; i++) {
		const struct cgroup_hierarchy *h = &host->hierarchies.v[i];
		struct cgroup_view view = { .path = path_in(arena, c, h) };

		if (!hierarchy_is_unified(h->controllers)) {
			view.name = arena_strdup(arena, base_name(h->mount));
			view.options = arena_printf(arena, "%s%s", strchr(h->controllers, '=') ? "none," : "", h->controllers);
			add_links(arena, &view, h->controllers);
		} else {
			view.name = host->unified ? "" : arena_strdup(arena, base_name(h->mount));
		}
		*ARRAY_ADD(arena, ret) = view;
	}
}
