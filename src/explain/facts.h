/* explain/facts - the facts of one question: who asks, what he wants to know, and what this host is like
 *
 * A question is an operation on a path, from a container's side or from the host's. Each kind of process has its collector;
 * they fill a scene and a process, and facts_walk_all does the rest. */
#ifndef BRYO_EXPLAIN_FACTS_H
#define BRYO_EXPLAIN_FACTS_H

#include "engine/container.h"
#include "engine/preview.h"
#include "explain/scene.h"

struct facts_question {
	bool on_host;
	enum access_op op;
	char *path, *to;		/* absolute; to: of rename and link */
	uint32_t new_uid, new_gid;	/* chown; ID_NONE: stays */
	mode_t new_mode;		/* mknod */
};

/* "write", "/data/x" and for some operations an argument: rename, link TO; chown UID[:GID]; mknod c|b|p. Words for users. */
int facts_question_parse(struct arena *arena, const char *op, const char *path, const char *arg, const char *cwd,
			 struct facts_question *ret, struct error *err);

/* The process and the scene of a container that is not there yet. */
int facts_of_preview(struct engine *e, const struct outside *o, const struct preview *p, struct scene *ret_scene,
		     struct access_process *ret, struct error *err);
/* The process alone, if the request said something else about user, id map, groups and capabilities. */
int facts_process_of(struct engine *e, const struct preview *p, const struct create_request *r, struct access_process *ret,
		     struct error *err);
/* Of one that runs. */
int facts_of_running(struct engine *e, const struct outside *o, const struct container *c, const struct container_state *state,
		     struct scene *ret_scene, struct access_process *ret, struct error *err);
/* The user's own, outside. */
int facts_of_user(struct engine *e, const struct outside *o, struct scene *ret_scene, struct access_process *ret,
		  struct error *err);

/* Everything else: walks the paths of the question over the scene. */
void facts_gather(struct engine *e, struct scene *scene, const struct access_process *p, const struct facts_question *q,
		  struct access_facts *ret);

/* What the ids of a container are on the host: its own map over that of the rootless namespace. */
struct id_maps facts_host_maps(struct arena *arena, const struct id_maps *own, const struct id_maps *rootless);

#endif
