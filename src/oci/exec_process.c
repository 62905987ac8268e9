#include "oci/exec_process.h"

#include <errno.h>
#include <fcntl.h>

#include "oci/home.h"
#include "sys/fd.h"

#define PROCESS_MAX ((size_t)4 << 20)

/* --- from a file */

/* What the file leaves out is as for the container's own process; only labels, the user and the capabilities are such
 * things, the rest has its meaning when it is missing. */
static void inherit(const struct oci_process *own, struct oci_process *p)
{
	if (!p->selinux_label)
		p->selinux_label = own->selinux_label;
	if (!p->apparmor_profile)
		p->apparmor_profile = own->apparmor_profile;
	if (!p->capabilities)
		p->capabilities = own->capabilities;
}

static int from_file(struct oci *o, const char *path, const struct oci_process *own, struct oci_process *ret,
		     struct error *err)
{
	const char *slash = strrchr(path, '/');
	size_t size;
	char *text = fd_read_given(o->arena, path, PROCESS_MAX, &size);

	if (!text)
		return error_errno(err, "process file %s", path);
	if (json_decode(o->arena, &oci_process_shape, ret, text, size, slash ? slash + 1 : path, err) < 0)
		return -1;
	inherit(own, ret);
	return 0;
}

/* --- from the command line */

int exec_process_user(const char *text, struct oci_user *user, struct error *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	unsigned uid, gid = 0;
	char first[16];

	if (n >= sizeof(first))
		n = 0;
	memcpy(first, text, n);
	first[n] = '\0';
	if (str_to_u32(first, &uid) < 0 || uid == UINT32_MAX || (colon && (str_to_u32(colon + 1, &gid) < 0 || gid == UINT32_MAX)))
		return error_set(err, ERROR_USAGE, "--user \"%.64s\": not UID[:GID] in numbers", text);
	user->uid = uid;
	if (colon)
		user->gid = gid;
	return 0;
}

static int add_groups(struct arena *arena, const char *list, struct oci_user *user, struct error *err)
{
	struct strings parts = strings_split(arena, list, ",");

	for (size_t i = 0; i < parts.n; i++) {
		unsigned gid;

		if (str_to_u32(parts.v[i], &gid) < 0 || gid == UINT32_MAX)
			return error_set(err, ERROR_USAGE, "--additional-gids \"%.64s\": not a number", parts.v[i]);
		*ARRAY_ADD(arena, &user->additional_gids) = gid;
	}
	return 0;
}

/* A variable takes the place of the one of its name. */
static int set_variable(struct arena *arena, struct strings *env, const char *variable, struct error *err)
{
	size_t n = strcspn(variable, "=") + 1;

	if (!strchr(variable, '=') || n == 1)
		return error_set(err, ERROR_USAGE, "--env \"%.64s\": not NAME=VALUE", variable);
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], variable, n) == 0) {
			env->v[i] = arena_strdup(arena, variable);
			return 0;
		}
	strings_add(arena, env, variable);
	return 0;
}

static void add_capabilities(struct arena *arena, const struct strings *more, struct oci_process *p)
{
	struct oci_capabilities *caps = arena_new_one(arena, struct oci_capabilities);
	struct strings *sets[] = { &caps->bounding, &caps->effective, &caps->permitted, &caps->inheritable, &caps->ambient };
	const struct oci_capabilities none = { 0 }, *own = p->capabilities ? p->capabilities : &none;
	const struct strings *own_sets[] = { &own->bounding, &own->effective, &own->permitted, &own->inheritable, &own->ambient };

	if (!more->n)
		return;
	for (size_t i = 0; i < ELEMENTS(sets); i++) {
		strings_add_all(arena, sets[i], own_sets[i]);
		/* Inheritable ones, and so ambient ones, are never given by the way (CVE-2022-29162). */
		if (i < 3)
			strings_add_all(arena, sets[i], more);
	}
	p->capabilities = caps;
}

static int apply_options(struct oci *o, const struct oci_exec_request *r, struct oci_process *p, struct error *err)
{
	p->args = r->args;
	p->terminal = r->tty;
	p->console_size = NULL;
	if (r->cwd)
		p->cwd = r->cwd;
	if (r->apparmor)
		p->apparmor_profile = r->apparmor;
	if (r->process_label)
		p->selinux_label = r->process_label;
	p->no_new_privileges |= r->no_new_privileges;
	add_capabilities(o->arena, &r->caps, p);
	for (size_t i = 0; i < r->env.n; i++)
		if (set_variable(o->arena, &p->env, r->env.v[i], err) < 0)
			return -1;
	if (r->user && exec_process_user(r->user, &p->user, err) < 0)
		return -1;
	for (size_t i = 0; i < r->additional_gids.n; i++)
		if (add_groups(o->arena, r->additional_gids.v[i], &p->user, err) < 0)
			return -1;
	return 0;
}

static int from_options(struct oci *o, const struct oci_exec_request *r, const struct oci_process *own,
			struct oci_process *ret, struct error *err)
{
	struct strings env = { 0 };

	if (!r->args.n)
		return error_set(err, ERROR_USAGE, "no command to execute");
	*ret = *own;
	strings_add_all(o->arena, &env, &own->env);
	ret->env = env;
	return apply_options(o, r, ret, err);
}

int exec_process(struct oci *o, const struct oci_exec_request *request, const struct record *r,
		 const struct oci_spec *spec, struct oci_process *ret, struct error *err)
{
	static const struct oci_process none = { .cwd = "/" };
	const struct oci_process *own = spec->process ? spec->process : &none;
	int result;

	*ret = (struct oci_process){ 0 };
	if (request->process_file)
		result = from_file(o, request->process_file, own, ret, err);
	else
		result = from_options(o, request, own, ret, err);
	if (result < 0)
		return -1;
	if (request->tty)
		ret->terminal = true;
	home_add(o->arena, r->rootfs, ret);
	return 0;
}
