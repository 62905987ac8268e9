/* cgroup/setting - one limit as the write that sets it, and the writing
 *
 * What a configuration asks for becomes a list of these without looking at the host (cgroup/resources), so that the
 * translation can be tested anywhere; settings_write then does what the list says. */
#ifndef BRYO_CGROUP_SETTING_H
#define BRYO_CGROUP_SETTING_H

#include "cgroup/cgroup.h"

struct setting {
	const char *controller;	/* who has the file: "memory"; "" for files that every cgroup v2 has */
	bool v1;		/* in the controller's v1 hierarchy, not in the unified one */
	const char *file;
	char *value;
	char *position;		/* of what asks for it, for complaints: ".linux.resources.memory.limit" */
	const char *other_file;	/* written instead where `file` does not exist; NULL */
	char *other_value;
	bool optional;		/* where neither exists, nothing is missing */
	bool again;		/* the kernel may refuse it (EINVAL) before later settings of the list have been made */
};

struct settings {
	struct setting *v;
	size_t n;
};

/* Writes the settings into the places of c. What has no controller or no file there is left out: its controller is added
 * to *ret_missing when that is not NULL, else it is an error. A refused value is always an error, with its position. */
int settings_write(struct arena *arena, const struct cgroup *c, const struct settings *list, struct strings *ret_missing,
		   struct error *err);

#endif
