/* The gateway without an engine, for its tests: gateway start|stop|running|rules NETNS RUNTIME-DIRECTORY */
#include <fcntl.h>
#include <stdio.h>

#include "base/string.h"
#include "net/gateway.h"
#include "sys/fd.h"

int main(int argc, char **argv)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	_cleanup_fd_ int netns = argc == 4 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;

	if (argc == 2 && str_eq(argv[1], "rules"))
		return fputs(gateway_rules(), stdout) < 0;
	if (netns < 0)
		return 2;
	if (str_eq(argv[1], "running"))
		return !gateway_is_running(argv[3]);
	if (str_eq(argv[1], "stop"))
		gateway_stop(argv[3]);
	else if (gateway_start(arena, netns, argv[3], &err) < 0)
		return fprintf(stderr, "%s\n", err.text), 1;
	return 0;
}
