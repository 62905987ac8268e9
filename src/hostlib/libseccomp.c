#include "hostlib/libseccomp.h"

#include <ctype.h>
#include <dlfcn.h>

#include "base/string.h"
#include "spec/seccomp_words.h"

#define LIBRARY "libseccomp.so.2"

int libseccomp_open(struct libseccomp *l, struct error *err)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	const struct { const char *name; void **to; } symbols[] = {
		{ "seccomp_version", (void **)&l->version },
		{ "seccomp_init", (void **)&l->init },
		{ "seccomp_release", (void **)&l->release },
		{ "seccomp_arch_add", (void **)&l->arch_add },
		{ "seccomp_arch_resolve_name", (void **)&l->arch_resolve_name },
		{ "seccomp_syscall_resolve_name", (void **)&l->syscall_resolve_name },
		{ "seccomp_rule_add_array", (void **)&l->rule_add_array },
		{ "seccomp_export_bpf", (void **)&l->export_bpf },
	};
	Dl_info info = { 0 };

	if (!handle) {
		error_set(err, ERROR_UNSUPPORTED, "%s is not installed, so no seccomp filter can be made", LIBRARY);
		return error_hint(err, "install libseccomp2, or run with --security-opt seccomp=unconfined");
	}
	for (size_t i = 0; i < ELEMENTS(symbols); i++) {
		*symbols[i].to = dlsym(handle, symbols[i].name);
		if (!*symbols[i].to)
			return error_set(err, ERROR_UNSUPPORTED, "%s lacks %s", LIBRARY, symbols[i].name);
	}
	l->file = dladdr((void *)l->init, &info) && info.dli_fname ? info.dli_fname : "";
	return 0;
}

uint32_t libseccomp_architecture(const struct libseccomp *l, const char *name)
{
	const char *suffix = str_after(name, "SCMP_ARCH_");
	char lower[32];
	size_t n = 0;

	for (name = suffix ? suffix : name; name[n] && n < sizeof(lower) - 1; n++)
		lower[n] = (char)tolower((unsigned char)name[n]);
	lower[n] = '\0';
	return name[n] ? 0 : l->arch_resolve_name(lower);
}

int libseccomp_describe(struct arena *arena, const void *request, void *ret_seccomp, struct error *err)
{
	struct hostlib_seccomp *ret = ret_seccomp;
	const struct scmp_version *version;
	struct libseccomp l = { 0 };

	if (libseccomp_open(&l, err) < 0)
		return -1;
	version = l.version();
	ret->version = arena_printf(arena, "%u.%u.%u", version->major, version->minor, version->micro);
	for (const struct seccomp_word *word = seccomp_words_architectures; word->name; word++)
		if (libseccomp_architecture(&l, word->name))
			strings_add(arena, &ret->architectures, word->name);
	return 0;
}
