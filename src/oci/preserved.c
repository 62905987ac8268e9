#include "oci/preserved.h"

#include <fcntl.h>
#include <stdlib.h>

static unsigned activated(void)
{
	const char *text = getenv("LISTEN_FDS");
	unsigned n = 0;

	return !str_is_empty(text) && str_to_u32(text, &n) == 0 ? n : 0;
}

int preserved_list(struct arena *arena, int64_t n, struct strings *env, struct preserved *ret, struct error *err)
{
	unsigned listen = env ? activated() : 0;
	const int64_t most = ELEMENTS(ret->fds);

	ret->n = 0;
	if (n < 0 || n > most || listen > most - n)
		return error_set(err, ERROR_USAGE, "--preserve-fds %lld (and %u of LISTEN_FDS): not 0 to %lld", (long long)n,
				 listen, (long long)most);
	/* Who wants to pass all that he has may name more, as with crun. */
	for (int i = 0; i < n + listen; i++)
		if (fcntl(3 + i, F_GETFD) >= 0)
			ret->fds[ret->n++] = 3 + i;
	if (listen) {
		strings_addf(arena, env, "LISTEN_FDS=%u", listen);
		strings_add(arena, env, "LISTEN_PID=1");
	}
	return 0;
}
