/* spec/selinux - SELinux contexts as text, categories, and the policy's file of contexts for containers
 *
 * A context is user:role:type[:level]; the level ("s0", "s0-s0:c0.c1023", "s0:c1,c7") may have colons itself and is
 * missing where the policy has no levels. Categories keep the containers of one policy type apart: each gets a pair of
 * its own, and a process reaches files whose categories it all has. Pure. */
#ifndef BRYO_SPEC_SELINUX_H
#define BRYO_SPEC_SELINUX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"

struct selinux_context {
	char *user, *role, *type;
	char *level;			/* NULL without one */
};

int selinux_parse(struct arena *arena, const char *text, struct selinux_context *ret, struct error *err);
char *selinux_print(struct arena *arena, const struct selinux_context *c);

/* SELINUXTYPE of /etc/selinux/config, the name of the directory with the policy's files; "targeted" without one. A name
 * with a slash or a dot in front counts as none. */
char *selinux_policy_name(struct arena *arena, const char *config);

/* contexts/lxc_contexts of the policy: lines `key = "context"`. What the file does not say, or says wrongly, is as in
 * most policies (container_t, container_file_t). */
struct selinux_contexts {
	struct selinux_context process, file;
	bool found;			/* process and file are the policy's own words */
};
void selinux_read_contexts(struct arena *arena, const char *text, struct selinux_contexts *ret);

/* --- categories */

#define SELINUX_CATEGORIES 1024
struct selinux_categories { uint64_t bits[SELINUX_CATEGORIES / 64]; };

/* Those of a level, of its upper end when it is a range. -1: the text is none. */
int selinux_parse_categories(const char *level, struct selinux_categories *ret);
/* The pair of the set for a random number, the lower one first; false with fewer than two. */
bool selinux_pick_pair(const struct selinux_categories *set, uint64_t random, unsigned *ret_a, unsigned *ret_b);
/* "s0:c1,c7": the lower sensitivity of the level with these categories. */
char *selinux_level_with_pair(struct arena *arena, const char *level, unsigned a, unsigned b);
/* "s0" of any level; NULL gives NULL. */
char *selinux_level_without_categories(struct arena *arena, const char *level);

#endif
