#include "oci/pid_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "sys/fd.h"

int pid_file_write(const char *path, pid_t pid, struct error *err)
{
	char text[16];

	if (!path)
		return 0;
	snprintf(text, sizeof(text), "%d", (int)pid);
	if (fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false) < 0)
		return error_errno(err, "write the pid file %s", path);
	return 0;
}
