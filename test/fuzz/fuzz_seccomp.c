/* A seccomp profile file, as --security-opt seccomp=FILE names it. */
#include <stddef.h>
#include <stdint.h>

#include "run/seccomp_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_target target = { .bounding = 0x800405fb, .arch = "amd64", .scmp_arch = "SCMP_ARCH_X86_64",
					 .kernel_major = 5, .kernel_minor = 11 };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct seccomp_source source;
	struct error err = { 0 };

	seccomp_profile_parse(arena, (const char *)data, size, "profile", &target, &source, &err);
	return 0;
}
