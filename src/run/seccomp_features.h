/* run/seccomp_features - what the filters of containers can be made of, for `features` */
#ifndef BRYO_RUN_SECCOMP_FEATURES_H
#define BRYO_RUN_SECCOMP_FEATURES_H

#include "base/string.h"

/* The members of linux.seccomp in the features structure (runtime-spec, features-linux). Names that are understood,
 * whatever this kernel knows; supported_flags are those that it does. */
struct seccomp_features {
	bool enabled;			/* libseccomp is there */
	struct strings actions, operators, archs, known_flags, supported_flags;
	char *libseccomp_version;	/* "2.5.4", NULL without libseccomp */
};

void seccomp_features(struct arena *arena, struct seccomp_features *ret);

#endif
