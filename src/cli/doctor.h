/* cli/doctor - what `explain --system` prints of the doctor's findings */
#ifndef BRYO_CLI_DOCTOR_H
#define BRYO_CLI_DOCTOR_H

#include "cli/cli.h"
#include "engine/doctor.h"

/* 0 when all works, 1 when something is bad, -1 with err. format: NULL or "json". */
int doctor_run(struct cli *cli, const char *format, struct error *err);
char *doctor_text(struct arena *arena, const struct doctor_report *report, bool colored);

#endif
