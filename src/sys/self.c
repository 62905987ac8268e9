#include "sys/self.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U	/* since 6.3 */
#endif

#define FILE_OF_SELF "/proc/self/exe"
#define COPY_NAME "bryo"
#define PATH_VARIABLE "BRYO_SELF"

static char original[4096];	/* of the copy: where the file is */

static char *read_link(struct arena *arena)
{
	char path[4096];
	ssize_t n = readlink(FILE_OF_SELF, path, sizeof(path) - 1);

	return arena_strndup(arena, path, n > 0 ? (size_t)n : 0);
}

char *self_path(struct arena *arena)
{
	return original[0] ? arena_strdup(arena, original) : read_link(arena);
}

/* An owner can give himself the right to write, unless the file system forbids it. */
static bool can_be_changed(void)
{
	struct stat st;

	if (access(FILE_OF_SELF, W_OK) == 0)
		return true;
	return errno == EACCES && stat(FILE_OF_SELF, &st) == 0 && st.st_uid == geteuid();
}

/* Where user namespaces are allowed to programs by their path, a copy would have no right to one. */
static bool path_matters(void)
{
	_cleanup_fd_ int fd = open("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd >= 0 && read(fd, &value, 1) == 1 && value != '0';
}

static int make_copy(void)
{
	_cleanup_fd_ int file = open(FILE_OF_SELF, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int copy = memfd_create(COPY_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	struct stat st;
	off_t left;

	if (copy < 0 && errno == EINVAL)
		copy = memfd_create(COPY_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (file < 0 || copy < 0 || fstat(file, &st) < 0)
		return -1;
	for (left = st.st_size; left > 0;) {
		ssize_t n = sendfile(copy, file, NULL, (size_t)left);

		if (n <= 0)
			return -1;
		left -= n;
	}
	if (fcntl(copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -1;
	return fd_take(&copy);
}

/* The variable is for the copy alone, not for what it starts. */
static bool is_copy(const char *path)
{
	const char *text = getenv(PATH_VARIABLE);
	bool copied = str_starts(path, "/memfd:" COPY_NAME);

	if (copied && text && *text == '/' && strlen(text) < sizeof(original))
		memcpy(original, text, strlen(text) + 1);
	unsetenv(PATH_VARIABLE);
	return copied;
}

void self_seal(char *const *argv)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *path = read_link(arena);
	int copy;

	if (is_copy(path)) {
		prctl(PR_SET_NAME, COPY_NAME);
		return;
	}
	if (!can_be_changed() || path_matters() || (copy = make_copy()) < 0)
		return;
	setenv(PATH_VARIABLE, path, 1);
	syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
	unsetenv(PATH_VARIABLE);
	close(copy);
}
