/* run/seccomp_library - libseccomp, opened when there is something to compile
 *
 * That is seldom, because programs are cached; linked, it would cost every start its loading. */
#ifndef BRYO_RUN_SECCOMP_LIBRARY_H
#define BRYO_RUN_SECCOMP_LIBRARY_H

#include <seccomp.h>

#include "base/error.h"

struct seccomp_library {
	const char *file;		/* where it was found, "" when unknown */
	__typeof__(seccomp_version) *version;
	__typeof__(seccomp_init) *init;
	__typeof__(seccomp_release) *release;
	__typeof__(seccomp_arch_add) *arch_add;
	__typeof__(seccomp_arch_resolve_name) *arch_resolve_name;
	__typeof__(seccomp_syscall_resolve_name) *syscall_resolve_name;
	__typeof__(seccomp_rule_add_array) *rule_add_array;
	__typeof__(seccomp_export_bpf) *export_bpf;
};

int seccomp_library_open(struct seccomp_library *ret, struct error *err);
/* The token of "SCMP_ARCH_X86_64" or, as crun has it, "x86_64"; 0: unknown to this libseccomp. */
uint32_t seccomp_library_architecture(const struct seccomp_library *l, const char *name);

#endif
