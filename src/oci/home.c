#include "oci/home.h"

#include <fcntl.h>
#include <unistd.h>

#include "spec/passwd.h"
#include "sys/fd.h"
#include "sys/inroot.h"

void home_add(struct arena *arena, const char *rootfs, struct oci_process *p)
{
	struct passwd_user user = { .home = "/" };
	_cleanup_fd_ int root = -1;
	char *passwd;

	for (size_t i = 0; i < p->env.n; i++)
		if (str_starts(p->env.v[i], "HOME="))
			return;
	root = open(rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	passwd = root < 0 ? NULL : inroot_read_file(arena, root, "/etc/passwd", PASSWD_FILE_MAX, NULL);
	if (passwd_resolve(arena, arena_printf(arena, "%llu", (unsigned long long)p->user.uid), passwd, NULL, &user, NULL) < 0)
		user.home = "/";
	strings_addf(arena, &p->env, "HOME=%s", user.home);
}
