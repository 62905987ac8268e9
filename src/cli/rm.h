/* cli/rm - rm, container prune and exists, and the monitor's internal commands */
#ifndef BRYO_CLI_RM_H
#define BRYO_CLI_RM_H

#include "cli/cli.h"

/* Removes containers that do not run; failures are printed and go to *code. */
int rm_stopped(struct cli *cli, const struct strings *filters, struct strings *ret_ids, int *code, struct error *err);
/* The names, one a line, below the heading; nothing without names. */
void rm_print_names(const char *heading, const struct strings *names);

#endif
