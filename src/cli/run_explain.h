/* cli/run_explain - `run --explain`: the container is watched, and each access that the kernel refused it is explained
 *
 * For images that fail without saying where. What programs expect to fail is told apart by nobody: read it with that in mind. */
#ifndef BRYO_CLI_RUN_EXPLAIN_H
#define BRYO_CLI_RUN_EXPLAIN_H

#include "cli/cli.h"
#include "engine/create_request.h"

/* The container's exit code, or -1. */
int run_explained(struct cli *cli, const struct create_request *r, struct error *err);

#endif
