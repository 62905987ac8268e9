/* cli/hints - what a run line should have said, found out by the model of explain/
 *
 * Looked at only for run lines with mounts, devices or keep-id, and only when somebody reads it: before the start on a terminal
 * when the container's user is not root, and after a failure. A hint is one line, and only what is certain is said. Silent with
 * --hints=never, BRYO_HINTS=0 and --quiet. */
#ifndef BRYO_CLI_HINTS_H
#define BRYO_CLI_HINTS_H

#include "cli/cli.h"
#include "engine/create_request.h"
#include "explain/explain.h"

struct hints {
	ARRAY(struct verdict) denied;	/* one a mount or device: the access that its user would miss */
};

/* The request and the line of the words behind "run"; NULL with err. */
struct create_request *hints_parse_run(struct cli *cli, const struct strings *words, struct run_line *ret, struct error *err);
/* Every mount and device of the run line is asked about; what cannot be asked is left out. */
int hints_collect(struct cli *cli, struct explain *x, const struct strings *words, struct hints *ret, struct error *err);

/* Around a run. begin: before the engine is opened. */
struct hints_watch {
	struct explain x;
	struct strings words;		/* of the run line */
	const struct create_request *request;
	bool on, said;
};
int hints_begin(struct cli *cli, const struct args *args, const struct create_request *r, struct hints_watch *ret,
		struct error *err);
void hints_before(struct cli *cli, struct hints_watch *w);
/* exit_code: the container's; or bryo's own, when it never ran. Remembers a failed run for `explain --last`. */
void hints_after(struct cli *cli, struct hints_watch *w, int exit_code, bool ran);
void hints_end(struct hints_watch *w);

#endif
