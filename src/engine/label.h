/* engine/label - the SELinux labels of containers: --security-opt label=, and the choice of what nobody said
 *
 * Where SELinux is on, the processes of a container get the policy's type for containers (contexts/lxc_contexts) and a
 * pair of categories, its files the matching type with the same pair: so the policy keeps containers from the host, and
 * the categories keep them from each other. None of this for --privileged, --pid host, --ipc host and label=disable,
 * whose processes stay what the caller is; a container that joins another's pid or IPC namespace gets the other's label.
 *
 * The choice is made once, for a container that is there, and recorded in its config.json; the pair is then claimed in
 * the store: a link labels/cA,cB whose text is the container's id. Who is killed in between leaves a record without a
 * claim, which the next start makes good; a claim without a container cannot be. */
#ifndef BRYO_ENGINE_LABEL_H
#define BRYO_ENGINE_LABEL_H

#include "engine/container.h"

struct label_options {
	bool disable, nested;		/* nested: the container's processes may see and set labels themselves */
	char *user, *role, *type, *level, *filetype;	/* NULL: the policy's */
};

/* One value of label=: "disable", "type:spc_t", "level:s0:c1,c2". */
int label_parse(struct arena *arena, const char *text, struct label_options *ret, struct error *err);

/* Chooses and records c->process_label (NULL: none) and c->mount_label. Nothing without SELinux: then labels that were
 * chosen before count for nothing either, and both are NULL afterwards. */
int label_choose(struct engine *e, struct container *c, struct error *err);
/* Gives the categories back; before the container's directory goes. */
void label_release(struct engine *e, const struct container *c);
/* The label of files that all containers may use: "s0" without categories. */
char *label_shared(struct arena *arena, const char *mount_label);

/* A pipe carries the label of its maker, which a container may not use and nobody may change. So where there are labels a
 * FIFO in dir takes its place, which gets the container's label and then loses its name. */
struct label_pipes {
	int dir;
	const char *label;		/* NULL: ordinary pipes */
};
/* ret[0] is read, ret[1] written. */
int label_pipe(const struct label_pipes *how, int ret[2], struct error *err);

#endif
