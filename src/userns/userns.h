/* userns/userns - the rootless namespace: made once, held by a sleeping process, joined by every command
 *
 * The first command creates a user and mount namespace with the user's ranges (own id -> 0, subordinate ids -> 1..N)
 * through newuidmap/newgidmap; a tiny process holds it; later commands join by one setns. A dead holder and changed
 * /etc/subuid or /etc/subgid are noticed: the namespace heals or is rebuilt by itself when no container runs in it.
 * Without subordinate ids one id is mapped. Started by uid 0 the same code maps every id that this namespace has. */
#ifndef BRYO_USERNS_USERNS_H
#define BRYO_USERNS_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "sys/idmap.h"

/* Who the caller is and where his things live; read before joining (afterwards getuid() is 0). */
struct identity {
	uid_t uid;
	gid_t gid;
	char *user;			/* login name, or the number when there is none */
	char *home;
	char *data_dir;			/* $XDG_DATA_HOME/bryo */
	char *config_dir;		/* $XDG_CONFIG_HOME */
	char *runtime_dir;		/* $XDG_RUNTIME_DIR/bryo, or a private 0700 directory under /tmp */
	bool runtime_dir_is_fallback;
	char *record;			/* the file in runtime_dir that names the holder; of userns/ only */
	char *cwd;
	struct { gid_t *v; size_t n; } groups;	/* supplementary, as the host numbers them */
	struct id_maps maps;		/* of the joined namespace (inside = container id, outside = host id) */
	bool single_id;			/* no subordinate ids: one id is mapped */
	char *single_id_why;		/* one line and its cure, for a warning; NULL otherwise */
	char *stale_why;		/* the ranges changed but containers still run in the old ones; NULL otherwise */
	bool joined;
	bool own_mounts;		/* the caller may see other mounts than the holder does */
	bool made;			/* by this command: the time to tell what was chosen */
};

/* Fills everything but maps; touches no namespace. */
int userns_identify(struct arena *arena, struct identity *ret, struct error *err);
/* Joins (making or healing it first). Afterwards the caller is uid 0 inside, has all capabilities there, and stands in
 * the same working directory. A caller who lives in another mount namespace than the holder's keeps his own: then only
 * the user namespace is joined and a private copy of his mounts is made. */
int userns_join(struct arena *arena, struct identity *id, struct error *err);
/* A pidfd of the holder (for `system migrate`, info); -1 when there is none. */
int userns_holder(const struct identity *id);
/* Ends the holder so that the next join makes a new one. The caller has stopped the containers. */
int userns_migrate(const struct identity *id, struct error *err);
/* Checks every reason why the namespace cannot be made and sets err to the first with its cure: 0 when none is found.
 * Used after a failure and by `explain --system`. */
int userns_diagnose(struct arena *arena, const struct identity *id, struct error *err);

/* Subordinate ranges of the user from /etc/subuid and /etc/subgid, by name and by number, in file order; or from the source
 * that nsswitch.conf names. */
int subid_ranges(struct arena *arena, const struct identity *id, struct id_map *ret_uids, struct id_map *ret_gids,
		 struct error *err);

/* The first id, from 100000 on, behind all that /etc/subuid and /etc/subgid give to anybody. */
uint32_t userns_free_id(struct arena *arena);
/* Adds to an error what the administrator types to give the user more subordinate ids; -1. */
int userns_grant(struct arena *arena, const struct identity *id, uint64_t more, struct error *err);

#endif
