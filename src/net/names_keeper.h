/* net/names_keeper - the process that keeps aardvark-dns running
 *
 * Who needs names first forks it. It lives in the rootless network namespace and starts aardvark-dns there, again when that
 * dies; whoever changes what aardvark-dns reads tells the keeper, which passes it on. It is the first process of a process
 * namespace of its own: however it ends, aardvark-dns ends with it. It is recorded by pid and start time, names/network in
 * the runtime directory. Whoever starts, tells or stops it holds names/lock. */
#ifndef BRYO_NET_NAMES_KEEPER_H
#define BRYO_NET_NAMES_KEEPER_H

#include "net/rootless.h"

#define NAMES_DIR "names"			/* in the runtime directory */
#define NAMES_ZONES NAMES_DIR "/zones"
#define NAMES_PID_FILE "aardvark.pid"		/* lies beside the zones; of use to nobody */

bool names_keeper_is_running(struct arena *arena, const struct rootless_home *home);
/* The namespace that it lives in; -1 when it does not run. */
int names_keeper_open_namespace(struct arena *arena, const struct rootless_home *home);
/* Comes back when aardvark-dns answers. What was there before is ended. */
int names_keeper_start(struct arena *arena, const struct rootless *r, const char *program, struct error *err);
/* Everything is to be read anew; -1: it does not run. */
int names_keeper_tell(struct arena *arena, const struct rootless_home *home);
void names_keeper_stop(struct arena *arena, const struct rootless_home *home);
/* Is anybody named? */
bool names_keeper_has_zones(int run_fd);

#endif
