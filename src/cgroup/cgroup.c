#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup/control.h"
#include "cgroup/hierarchy.h"
#include "cgroup/resources.h"
#include "cgroup/device.h"
#include "sys/fd.h"

JSON_SHAPE(cgroup_place,
	JSON_FIELD(cgroup_place, controllers, "controllers", T_STRING, .required = true, .always = true),
	JSON_FIELD(cgroup_place, path, "path", T_STRING, .required = true, .always = true));

JSON_SHAPE(cgroup,
	JSON_FIELD(cgroup, manager, "manager", T_STRING),
	JSON_FIELD(cgroup, path, "path", T_STRING),
	JSON_FIELD(cgroup, scope, "scope", T_STRING),
	JSON_FIELD(cgroup, user, "user", T_BOOL),
	JSON_FIELD(cgroup, shared, "shared", T_BOOL),
	JSON_FIELD(cgroup, leaf, "leaf", T_STRING),
	JSON_FIELD(cgroup, places, "places", T_OBJECTS, .shape = &cgroup_place_shape));

void cgroup_settle(struct cgroup *c)
{
	if (c->keeper <= 0)
		return;
	kill(c->keeper, SIGKILL);
	while (waitpid(c->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	c->keeper = 0;
}

/* --- directories */
int cgroup_open_place(const struct cgroup_place *place, const char *sub, struct error *err)
{
	_cleanup_fd_ int dirfd = control_open_dir(place->path);
	int fd;

	if (dirfd < 0)
		return error_errno(err, "open the cgroup %s", place->path);
	if (str_is_empty(sub))
		return fd_take(&dirfd);
	sub += strspn(sub, "/");
	if (!*sub || str_eq(sub, "..") || str_starts(sub, "../") || strstr(sub, "/../") || str_ends(sub, "/.."))
		return error_set(err, ERROR_INVALID, "\"%s\" is no name of a cgroup below the container's", sub);
	fd = openat(dirfd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "open the cgroup %s of the container", sub) : fd;
}

int cgroup_open(const struct cgroup *c, const char *sub, struct error *err)
{
	if (c->places.n == 0 || !hierarchy_is_unified(c->places.v[0].controllers)) {
		errno = ENOENT;
		return -1;
	}
	return cgroup_open_place(&c->places.v[0], sub, err);
}

/* --- limits without a cgroup */
int cgroup_check(const struct cgroup_host *host, const struct oci_resources *resources, const char *where,
		 struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct strings v1;
	struct settings settings;
	struct device_rules rules;

	hierarchy_v1_controllers(scratch, &host->hierarchies, &v1);
	return resources_settings(scratch, resources, &v1, where, &settings, err) < 0 ||
	       device_rules(scratch, resources, where, &rules, err) < 0 ? -1 : 0;
}
