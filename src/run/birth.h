/* run/birth - how the first process of a container (or a further one) is born
 *
 * Mostly by one clone3. Where the namespaces cannot all be had in one call, by a helper that gets into them first and
 * then makes the child as its own sibling, so that it is the caller's child in any case. Internal to run/. */
#ifndef BRYO_RUN_BIRTH_H
#define BRYO_RUN_BIRTH_H

#include "run/plan.h"

/* What run_spawn has in its hands while the child sets up. */
struct spawning {
	const struct run_plan *plan;
	int *fds;			/* by slot */
	int sync, childs_sync;
	bool privileged;		/* the caller may mount and join in his own namespaces */
	bool late;			/* the child opens its sources itself */
	bool maps_wanted, maps_at_once;	/* at_once: the child, known from clone on, need not ask for its maps */
	struct message early;		/* of a child that was quicker than its helper, who tells its pid; kind 0: none */
	struct { pid_t pid; int pidfd; bool mapped; } helper;	/* pid 0: none; mapped: the maps are for its namespace */
	bool has_oom_score;		/* as the plan has it: the child need not set it */
	uint64_t joined;		/* namespaces that the child is born in though clone_flags do not make them */
	struct run_process p;
};

void birth_init(struct spawning *s, const struct run_plan *plan);
/* The child is made by a helper: it says MESSAGE_BORN, later. */
bool birth_needs_helper(const struct spawning *s);
int birth_clone(struct spawning *s, struct error *err);
/* It has done its work, or shall not. */
void birth_end_helper(struct spawning *s, bool kill);

#endif
