/* The first line is the user, the rest serves as passwd file and as group file. */
#include "spec/passwd.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *spec = arena_memdup(arena, data, size), *files = strchr(spec, '\n');
	struct passwd_user user;
	struct error err = { 0 };
	uint32_t gid;

	if (files)
		*files++ = '\0';
	if (passwd_resolve(arena, spec, files, files, &user, &err) == 0 && (user.uid == UINT32_MAX || user.gid == UINT32_MAX ||
									    user.home[0] != '/'))
		abort();
	passwd_group(spec, files, &gid, &err);
	passwd_line_of(files, 0);
	passwd_line_of(files, 1000);
	return 0;
}
