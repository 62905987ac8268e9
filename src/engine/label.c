#include "engine/label.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/relabel.h"
#include "engine/security.h"
#include "engine/state.h"
#include "spec/selinux.h"
#include "sys/fd.h"
#include "sys/lsm.h"

#define CLAIMS "labels"
#define TRIES 1000		/* of half a million pairs */
/* What files of a container without a label of its own get: a pair that is never chosen. */
#define PRIVILEGED_PAIR 1022, 1023

/* --- options */

int label_parse(struct arena *arena, const char *text, struct label_options *ret, struct error *err)
{
	static const struct { const char *key; size_t offset; } keys[] = {
		{ "user:", offsetof(struct label_options, user) },	{ "role:", offsetof(struct label_options, role) },
		{ "type:", offsetof(struct label_options, type) },	{ "level:", offsetof(struct label_options, level) },
		{ "filetype:", offsetof(struct label_options, filetype) },
	};

	if (strcmp(text, "disable") == 0)
		ret->disable = true;
	else if (strcmp(text, "nested") == 0)
		ret->nested = true;
	for (size_t i = 0; i < ELEMENTS(keys); i++) {
		const char *value = str_after(text, keys[i].key);

		if (str_is_empty(value))
			continue;
		*(char **)((char *)ret + keys[i].offset) = arena_strdup(arena, value);
		return 0;
	}
	if (ret->disable || ret->nested)
		return 0;
	return error_set(err, ERROR_USAGE, "invalid label \"%s\": known are disable, nested, and user:, role:, type:, level: and "
			 "filetype: with a value", text);
}

/* --- what the choice depends on */

struct choice {
	struct engine *e;
	struct container *c;
	struct label_options o;
	struct selinux_contexts contexts;
	char *level;				/* of this process; NULL in a policy without levels */
	struct selinux_categories categories;	/* those that this process may give */
};

static char *read_file(struct arena *arena, const char *path)
{
	return fd_read_file(arena, AT_FDCWD, path, 65536, NULL);
}

static void read_policy(struct choice *ch)
{
	struct arena *arena = ch->e->arena;
	const char *name = selinux_policy_name(arena, read_file(arena, "/etc/selinux/config"));
	struct selinux_context own;
	char *text = lsm_own_label(arena, LSM_SELINUX);

	selinux_read_contexts(arena, read_file(arena, arena_printf(arena, "/etc/selinux/%s/contexts/lxc_contexts", name)),
			      &ch->contexts);
	if (text && selinux_parse(arena, text, &own, NULL) == 0 && own.level) {
		ch->level = own.level;
		selinux_parse_categories(own.level, &ch->categories);
	}
}

/* "container:NAME" of --pid or --ipc: its user, role, type and level, unless it has no label. */
static int copy_label_of(struct choice *ch, const char *mode, struct error *err)
{
	const char *name = mode ? str_after(mode, "container:") : NULL;
	struct selinux_context context;
	struct container other;

	if (!name)
		return 0;
	if (container_load(ch->e, name, &other, err) < 0)
		return -1;
	if (!other.process_label || selinux_parse(ch->e->arena, other.process_label, &context, NULL) < 0)
		return 0;
	ch->o.user = context.user;
	ch->o.role = context.role;
	ch->o.type = context.type;
	ch->o.level = context.level;
	return 0;
}

static int collect(struct choice *ch, struct error *err)
{
	const struct create_request *r = &ch->c->request;
	struct security security;

	if (security_parse(ch->e->arena, r, &security, err) < 0)
		return -1;
	ch->o = security.label;
	ch->o.disable |= r->privileged || str_eq(r->pid, "host") || str_eq(r->ipc, "host");
	if (copy_label_of(ch, r->pid, err) < 0 || copy_label_of(ch, r->ipc, err) < 0)
		return -1;
	read_policy(ch);
	return 0;
}

/* --- the claim of a pair */

static bool claim_path(char path[64], const char *level)
{
	const char *pair = level ? strchr(level, ':') : NULL;

	return pair && strlen(pair + 1) < 20 && snprintf(path, 64, CLAIMS "/%s", pair + 1) > 0;
}

static bool is_claimed_by(const struct choice *ch, const char *path)
{
	char id[65];

	return readlinkat(ch->e->store.root_fd, path, id, sizeof(id)) == 64 && strncmp(id, ch->c->id, 64) == 0;
}

/* 1: it is this container's; 0: another has it; -1 with errno. */
static int claim(const struct choice *ch, const char *level)
{
	char path[64];

	if (!claim_path(path, level))
		return 1;
	if (mkdirat(ch->e->store.root_fd, CLAIMS, 0700) < 0 && errno != EEXIST)
		return -1;
	if (symlinkat(ch->c->id, ch->e->store.root_fd, path) == 0)
		return 1;
	return errno == EEXIST ? is_claimed_by(ch, path) : -1;
}

void label_release(struct engine *e, const struct container *c)
{
	const struct choice ch = { .e = e, .c = (struct container *)c };
	struct selinux_context context;
	char path[64];

	if (!c->process_label || selinux_parse(e->arena, c->process_label, &context, NULL) < 0)
		return;
	if (claim_path(path, context.level) && is_claimed_by(&ch, path))
		unlinkat(e->store.root_fd, path, 0);
}

/* --- the choice */

/* The level for the container: as asked, or a pair. NULL in a policy without levels. */
static char *next_level(const struct choice *ch)
{
	uint64_t random;
	unsigned a, b;

	if (ch->o.level)
		return ch->o.level;
	if (!ch->level)
		return NULL;
	if (ch->o.disable)
		return selinux_level_with_pair(ch->e->arena, ch->contexts.file.level ?: "s0", PRIVILEGED_PAIR);
	do {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random) || !selinux_pick_pair(&ch->categories, random, &a, &b))
			return selinux_level_without_categories(ch->e->arena, ch->contexts.process.level ?: "s0");
	} while (a == 1022);
	return selinux_level_with_pair(ch->e->arena, ch->contexts.process.level ?: "s0", a, b);
}

static void set_labels(struct choice *ch, char *level)
{
	struct selinux_context process = ch->contexts.process, file = ch->contexts.file;

	process.user = ch->o.user ?: process.user;
	process.role = ch->o.role ?: process.role;
	process.type = ch->o.type ?: process.type;
	file.user = ch->o.user ?: file.user;
	file.type = ch->o.filetype ?: file.type;
	process.level = file.level = level;
	ch->c->process_label = ch->o.disable ? NULL : selinux_print(ch->e->arena, &process);
	ch->c->mount_label = selinux_print(ch->e->arena, &file);
}

/* A policy that was not made with containers in mind has neither the file nor the types. */
static bool policy_has_no_containers(struct choice *ch)
{
	if (ch->contexts.found || ch->o.type || ch->o.filetype || lsm_check_label(ch->c->mount_label, NULL) == 0)
		return false;
	engine_warn(ch->e, "SELinux does not confine this container: the policy has no contexts for containers (lxc_contexts)");
	ch->c->process_label = ch->c->mount_label = NULL;
	return true;
}

/* Whether this process may pass on the label that it chose. */
static int check(const struct choice *ch, struct error *err)
{
	struct selinux_context ignored;

	if (selinux_parse(ch->e->arena, ch->c->mount_label, &ignored, err) < 0 || lsm_check_label(ch->c->mount_label, err) < 0)
		return -1;
	if (!ch->c->process_label)
		return 0;
	return selinux_parse(ch->e->arena, ch->c->process_label, &ignored, err) < 0 ? -1 :
	       lsm_check_transition(ch->c->process_label, err);
}

static int choose(struct choice *ch, struct error *err)
{
	for (int i = 0; i < TRIES; i++) {
		char *level = next_level(ch);
		int mine;

		set_labels(ch, level);
		if (i == 0 && policy_has_no_containers(ch))
			return 0;
		if ((i == 0 && check(ch, err) < 0) || container_save(ch->e, ch->c, err) < 0)
			return -1;
		mine = ch->o.level || ch->o.disable ? 1 : claim(ch, level);
		if (mine < 0)
			return error_errno(err, "claim the categories %s", level);
		if (mine)
			return 0;
	}
	return error_set(err, ERROR_IN_USE, "all pairs of SELinux categories that this user may give are taken");
}

/* Chosen before, and the pair is still its own. */
static bool is_settled(const struct choice *ch)
{
	struct selinux_context context;

	if (!ch->c->mount_label)
		return false;
	if (!ch->c->process_label || ch->o.level || selinux_parse(ch->e->arena, ch->c->process_label, &context, NULL) < 0)
		return true;
	return claim(ch, context.level) != 0;
}

int label_choose(struct engine *e, struct container *c, struct error *err)
{
	struct choice ch = { .e = e, .c = c };

	if (!lsm_is_on(LSM_SELINUX)) {
		c->process_label = c->mount_label = NULL;
		return 0;
	}
	if (collect(&ch, err) < 0)
		return -1;
	return is_settled(&ch) ? 0 : choose(&ch, err);
}

char *label_shared(struct arena *arena, const char *mount_label)
{
	struct selinux_context context;

	if (selinux_parse(arena, mount_label, &context, NULL) < 0)
		return arena_strdup(arena, mount_label);
	context.level = selinux_level_without_categories(arena, context.level);
	return selinux_print(arena, &context);
}

/* With both ends open, neither open waits for the other. */
static int open_fifo(int dir, const char *name, int ret[2])
{
	_cleanup_fd_ int both = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (both < 0)
		return -1;
	ret[0] = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ret[1] = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (ret[0] >= 0 && ret[1] >= 0)
		return 0;
	fd_close(&ret[0]);
	fd_close(&ret[1]);
	return -1;
}

int label_pipe(const struct label_pipes *how, int ret[2], struct error *err)
{
	char name[33];
	int result;

	if (!how->label)
		return fd_pipe(ret) < 0 ? error_errno(err, "make a pipe") : 0;
	if (fd_random_hex(name, 16) < 0 || mkfifoat(how->dir, name, 0600) < 0)
		return error_errno(err, "make a pipe");
	result = relabel_entry(how->dir, name, how->label, err);
	if (result == 0 && open_fifo(how->dir, name, ret) < 0)
		result = error_errno(err, "open a pipe");
	unlinkat(how->dir, name, 0);
	return result;
}
