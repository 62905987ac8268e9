/* hostlib/libseccomp - libseccomp's functions, and what it knows */
#ifndef BRYO_HOSTLIB_LIBSECCOMP_H
#define BRYO_HOSTLIB_LIBSECCOMP_H

#include <seccomp.h>

#include "hostlib/hostlib.h"

struct libseccomp {
	const char *file;		/* where it was found, "" when unknown */
	__typeof__(seccomp_version) *version;
	__typeof__(seccomp_init) *init;
	__typeof__(seccomp_arch_add) *arch_add;
	__typeof__(seccomp_arch_resolve_name) *arch_resolve_name;
	__typeof__(seccomp_syscall_resolve_name) *syscall_resolve_name;
	__typeof__(seccomp_rule_add_array) *rule_add_array;
	__typeof__(seccomp_export_bpf) *export_bpf;
	__typeof__(seccomp_release) *release;
};

int libseccomp_open(struct libseccomp *ret, struct error *err);
/* The token of "SCMP_ARCH_X86_64" or, as crun has it, "x86_64"; 0: unknown to this libseccomp. */
uint32_t libseccomp_architecture(const struct libseccomp *l, const char *name);
/* The call HOSTLIB_DESCRIBE_SECCOMP. */
int libseccomp_describe(struct arena *arena, const void *request, void *ret_seccomp, struct error *err);

#endif
