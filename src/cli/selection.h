/* cli/selection - which containers a command means: names, --all, --latest, --filter, --cidfile */
#ifndef BRYO_CLI_SELECTION_H
#define BRYO_CLI_SELECTION_H

#include "cli/cli.h"
#include "engine/container.h"

struct selection {		/* the options; part of the requests of such commands */
	struct strings filters, cidfiles;
	bool all, latest, ignore;
	bool damaged;		/* those whose record cannot be read, too */
};

#define STATUS(s) (1u << (s))

/* What a command does to one container. Prints its own success. */
typedef int (*selection_action)(struct cli *cli, struct container *c, const char *given, void *context,
				struct error *err);

/* Runs the action for each selected container, prints errors as they come and goes on. all_mask: statuses that --all and
 * --filter take (0: every). Answers the worst exit code, or -1 with err when nothing was selected at all. */
int selection_run(struct cli *cli, const struct selection *s, unsigned all_mask, selection_action action, void *context,
		  struct error *err);
/* The one container of the first operand, or with `latest` the newest. */
int selection_one(struct cli *cli, bool latest, const char *missing, struct container *ret, struct error *err);

#define OPT_LATEST(structure, member) \
	OPT_FLAG('l', "latest", structure, member, "The container that was made last instead of a name")

#endif
