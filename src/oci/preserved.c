#include "oci/preserved.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned activated(void)
{
	const char *text = getenv("LISTEN_FDS");
	unsigned n = 0;

	return !str_is_empty(text) && str_to_u32(text, &n) == 0 ? n : 0;
}

/* What the runtime opens from now on lies above them: their numbers are wanted later. */
static int occupy(int n, struct error *err)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_errno(err, "/dev/null");
	} while (fd < 3 + n);
	close(fd);
	return 0;
}

int preserved_list(struct arena *arena, int64_t n, struct strings *env, struct preserved *ret, struct error *err)
{
	unsigned listen = env ? activated() : 0;
	const int64_t most = ELEMENTS(ret->fds);

	ret->n = 0;
	if (n < 0 || n > most || listen > most - n)
		return error_set(err, ERROR_USAGE, "--preserve-fds %lld (and %u of LISTEN_FDS): not 0 to %lld", (long long)n,
				 listen, (long long)most);
	/* Numbers stay what they are. Who wants to pass all that he has may count more, as with crun; what is closed on exec
	 * was not inherited: it is our own. */
	for (int i = 0; i < n + listen; i++) {
		int flags = fcntl(3 + i, F_GETFD);
		bool inherited = flags >= 0 && !(flags & FD_CLOEXEC);

		ret->fds[i] = inherited ? 3 + i : -1;
		if (inherited)
			ret->n = (size_t)i + 1;
	}
	if (ret->n && occupy((int)ret->n, err) < 0)
		return -1;
	if (listen) {
		strings_addf(arena, env, "LISTEN_FDS=%u", listen);
		strings_add(arena, env, "LISTEN_PID=1");
	}
	return 0;
}
