/* engine/security - --security-opt, capabilities and what --privileged means */
#ifndef BRYO_ENGINE_SECURITY_H
#define BRYO_ENGINE_SECURITY_H

#include "engine/label.h"

struct security {
	bool no_new_privileges, unconfined;	/* unconfined: no seccomp */
	char *seccomp_profile;			/* a file; NULL: the default */
	char *apparmor;				/* a profile; NULL: as the caller is */
	struct label_options label;
	struct strings mask, unmask;		/* paths; "ALL" in unmask clears every mask */
	bool unmask_all;
};

int security_parse(struct arena *arena, const struct create_request *r, struct security *ret, struct error *err);

#endif
