/* run/seccomp_profile - from a seccomp profile to the rules of one container
 *
 * A profile file is in Docker's format: rules with conditions on capabilities, architecture and kernel. Filtering
 * leaves what the OCI configuration can say. Pure, but for reading the file. */
#ifndef BRYO_RUN_SECCOMP_PROFILE_H
#define BRYO_RUN_SECCOMP_PROFILE_H

#include <stdint.h>

#include "run/seccomp_compile.h"

struct seccomp_target {
	uint64_t bounding;		/* capabilities of the container */
	const char *arch;		/* as Go names it: "amd64" */
	const char *scmp_arch;		/* "SCMP_ARCH_X86_64" */
	unsigned kernel_major, kernel_minor;
};

/* This machine and a container with these capabilities. */
struct seccomp_target seccomp_target_native(uint64_t bounding);
/* What a file's text leaves for the target; `where` names the file in errors, then and when it is compiled. */
int seccomp_profile_parse(struct arena *arena, const char *text, size_t len, const char *where,
			  const struct seccomp_target *target, struct seccomp_source *ret, struct error *err);
/* The same of the file; NULL: bryo's own profile. */
int seccomp_profile_read(struct arena *arena, const char *path, uint64_t bounding, struct seccomp_source *ret,
			 struct error *err);
/* bryo's own, for machines without an installed profile. */
struct oci_seccomp *seccomp_profile_builtin(struct arena *arena, const struct seccomp_target *target);
/* The installed default profile, NULL when there is none. */
const char *seccomp_profile_installed(void);

#endif
