/* oci/hooks - the hooks that run in the runtime's own namespaces
 *
 * prestart and createRuntime while the container waits before pivot_root, poststart after its command was executed,
 * poststop after it was deleted. Each gets the state on its standard input, only its own environment, and its time. */
#ifndef BRYO_OCI_HOOKS_H
#define BRYO_OCI_HOOKS_H

#include "oci/record.h"

struct hook_list {
	const struct oci_hook *v;
	size_t n;
	const char *name;		/* "createRuntime" */
};
#define HOOKS(spec, member, oci_name) \
	((spec)->hooks ? (struct hook_list){ (spec)->hooks->member.v, (spec)->hooks->member.n, oci_name } : (struct hook_list){ 0 })

struct hook_output { int fds[2]; };	/* standard output and error; -1: kept for the error message */

/* What the annotations run.oci.hooks.stdout and .stderr name, opened for appending. */
int hooks_open_output(const struct string_map *annotations, struct hook_output *ret, struct error *err);
void hooks_close_output(struct hook_output *output);

/* Before anything is made. */
int hooks_check(struct oci *o, const struct oci_spec *spec, struct error *err);
/* One after the other, until one fails: "hooks.prestart[1]: /bin/x: ended with 1: its last words". */
int hooks_run(struct oci *o, const struct hook_list *hooks, const struct json *state, const struct hook_output *output,
	      struct error *err);
/* All of them; failures are warnings. */
void hooks_run_all(struct oci *o, const struct hook_list *hooks, const struct json *state,
		   const struct hook_output *output);

#endif
