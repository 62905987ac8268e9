/* cli/rm - rm, container prune and exists, and the monitor's internal commands */
#ifndef BRYO_CLI_RM_H
#define BRYO_CLI_RM_H

#include "cli/cli.h"

/* Removes containers that do not run, printing the id of each; failures go to *code. */
int rm_stopped(struct cli *cli, const struct strings *filters, int *code, struct error *err);

#endif
