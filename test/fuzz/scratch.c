#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sys/fd.h"

static char path[32];

static void remove_all(void)
{
	fd_remove_tree(AT_FDCWD, path);
}

int scratch_open(void)
{
	static int fd = -1;
	const struct rlimit limit = { 64 << 20, 64 << 20 };

	if (fd >= 0)
		return fd;
	strcpy(path, "/tmp/fuzz.XXXXXX");
	if (!mkdtemp(path))
		abort();
	atexit(remove_all);
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_IGN);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}
