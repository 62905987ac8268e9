/* explain/fix_trial - a copy of the facts that may be changed, and the words that would change the world in the same way */
#ifndef BRYO_EXPLAIN_FIX_TRIAL_H
#define BRYO_EXPLAIN_FIX_TRIAL_H

#include "explain/fix.h"

struct trial {
	struct arena *arena;
	const struct fix_source *source;
	struct access_facts facts;		/* its nodes and mounts are the trial's own */
	struct access_mount **mounts;		/* of all nodes, each once */
	size_t mounts_n;
	struct create_request request;
	struct run_line line;
	bool runs_otherwise;			/* the request was changed */
	struct strings add, drop;		/* options */
	struct strings host, admin;		/* commands */
	struct strings ids, effects;
};

/* A move changes a trial; false: it does not apply, and what it changed until then does not matter. */
struct move {
	const char *id;
	bool admin;			/* only he can */
	bool who;			/* changes who the process is: one such is enough */
	bool (*apply)(struct trial *t, const struct verdict *v);
};
extern const struct move fix_moves[];	/* in the order in which they are proposed; ends with an id of NULL */

void trial_begin(struct trial *t, struct arena *arena, const struct access_facts *facts, const struct fix_source *source);

/* The nodes of all paths. */
size_t trial_nodes(struct trial *t, struct access_node **ret);	/* ret: NULL counts only */
/* The n-th node that a block is about, or NULL: one directory may be searched several times. */
struct access_node *trial_node_of(struct trial *t, const struct verdict_block *b, size_t n);

/* The process after a change of t->request. */
bool trial_take_process(struct trial *t);
void trial_add_option(struct trial *t, const char *word);
void trial_drop_option(struct trial *t, char short_name, const char *long_name);
bool trial_change_mount(struct trial *t, const char *destination, const char *drop, const char *add);
void trial_say(struct trial *t, const char *fmt, ...) ERROR_PRINTF(2, 3);

/* A node gets an entry for a user of the host. */
void trial_grant(struct trial *t, struct access_node *n, uint32_t uid, unsigned perm);

#endif
