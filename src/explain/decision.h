/* explain/decision - one verdict in the making: the questions that many operations ask
 *
 * Each question that is answered with no adds a block, in the kernel's order, and the next one is asked all the same. */
#ifndef BRYO_EXPLAIN_DECISION_H
#define BRYO_EXPLAIN_DECISION_H

#include "explain/permission.h"

struct decision {
	struct arena *arena;
	const struct access_facts *f;
	struct verdict *v;
	bool unseen;		/* what decides could not be looked at, or others decide */
};

/* n: what is in the way; NULL: nothing that can be shown. */
struct verdict_block *decision_block(struct decision *d, const struct access_node *n, enum reason reason, int sys);
/* inode_permission, but for its question whether the file system is read-only. parent: not the object itself. */
void decision_may(struct decision *d, const struct access_node *n, unsigned want, bool parent);
void decision_need_writable(struct decision *d, const struct access_node *n);
void decision_need_devices(struct decision *d, const struct access_node *n);

/* Every directory on the way, and the link at its end; false: the path leads nowhere. */
bool decision_walk(struct decision *d, const struct access_path *path);
const struct access_node *decision_parent(const struct access_path *path);
bool decision_exists(const struct access_path *path);
bool decision_need_target(struct decision *d, const struct access_path *path);

#endif
