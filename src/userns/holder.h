/* userns/holder - the sleeping process that keeps a user and mount namespace alive, and the file that says who it is
 *
 * The record lies in the runtime directory under "holder" ("holder-INODE" when
 * it was made inside of another user namespace); it names the process by pid, start time and boot, so a pid
 * that was given to another process is never taken for the holder. Writers hold "holder.lock". */
#ifndef BRYO_USERNS_HOLDER_H
#define BRYO_USERNS_HOLDER_H

#include "userns/userns.h"

/* Tells one mount namespace and root directory from another by one system call: the mount's number is the system's. */
struct holder_root {
	uint64_t mount, dev, ino;
};
struct holder_root holder_own_root(void);

struct holder {
	pid_t pid;
	uint64_t start_time;
	char boot[37];
	uint64_t user_ns, mount_ns;	/* inodes of the holder's namespaces */
	struct holder_root root;	/* the maker's */
	char *stamp;			/* of the files that the maps were made from */
	char *single_why;		/* NULL: all ranges are mapped */
	struct id_maps maps;
};

/* How the namespace is to be mapped. */
struct holder_plan {
	struct id_maps maps;
	char *single_why;
	const char *uid_helper, *gid_helper;	/* NULL: the maps are written directly */
	bool deny_setgroups;
};

char *holder_print(struct arena *arena, const struct holder *h);
int holder_parse(struct arena *arena, const char *text, struct holder *ret, struct error *err);
/* -1 when there is no readable record of that name. */
int holder_load(struct arena *arena, int run_fd, const char *name, struct holder *ret);
int holder_save(struct arena *arena, int run_fd, const char *name, const struct holder *h, struct error *err);
/* A pidfd of the process that the record means; -1 with ESRCH when it is gone. check_boot: the record may be older
 * than this boot (a directory that is not emptied by it). */
int holder_open(const struct holder *h, bool check_boot);

/* Makes the namespaces and the process. *ret_map_failed: the kernel gave a namespace, and only the maps were refused. */
int holder_start(struct arena *arena, const struct identity *id, const struct holder_plan *plan, struct holder *ret,
		 bool *ret_map_failed, struct error *err);
/* The holder died, and containers live on in its namespaces: one of their processes leads a new holder into the same
 * ones, or the containers could not be entered any more. -1 when nobody is left there. */
int holder_revive(struct arena *arena, const struct identity *id, struct holder *h);

#endif
