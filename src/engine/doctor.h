/* engine/doctor - every part of the set-up, checked in the order in which they stand on each other
 *
 * Works where the engine cannot even start: what cannot be asked after a fault is left out. Facts and judgements are those that
 * the engine itself goes by (userns/diagnose, store/driver, cgroup/cgroup), so the doctor never says something else than
 * a command would meet. */
#ifndef BRYO_ENGINE_DOCTOR_H
#define BRYO_ENGINE_DOCTOR_H

#include "engine/engine.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NOTE,		/* works, with a limit that is worth knowing */
	DOCTOR_BAD,		/* something will not work */
};

struct doctor_check {
	const char *name;	/* "user-namespaces" */
	enum doctor_state state;
	char *text;		/* what was found */
	struct error cause;	/* of NOTE and BAD: its code and hint; text is the same */
};

struct doctor_report {
	ARRAY(struct doctor_check) checks;
	bool bad;		/* a check is DOCTOR_BAD */
};

/* Answers -1 only when nothing can be asked at all. The engine knows who calls; it is opened here, as far as that goes. */
int doctor_examine(struct engine *e, struct doctor_report *ret, struct error *err);
const char *doctor_state_name(enum doctor_state state);		/* "ok", "note", "bad" */

/* --- its parts */
void doctor_good(struct engine *e, struct doctor_report *r, const char *name, const char *fmt, ...) ERROR_PRINTF(4, 5);
void doctor_found(struct engine *e, struct doctor_report *r, const char *name, enum doctor_state state,
		  const struct error *cause);
/* The machine's side: helper programs of networks, devices, the kernel. */
void doctor_examine_host(struct engine *e, struct doctor_report *r);

#endif
