#include "store/tree_attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/string.h"

#define LIST_MAX 65536
#define VALUE_MAX 65536

/* Of overlay itself and its kind, and labels that the policy gives anew. */
static bool is_left_out(const char *name)
{
	return str_starts(name, "user.overlay.") || str_starts(name, "trusted.") ||
	       str_starts(name, "user.fuseoverlayfs.") || str_starts(name, "user.bryo.") || strcmp(name, "security.selinux") == 0 ||
	       strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* What the target's file system does not know is left out; a full disk is an error. */
static bool is_fatal(int number)
{
	return number == ENOSPC || number == EDQUOT || number == EIO;
}

static int copy_xattrs(int fd, int source)
{
	char few[1024], *list = few, *value = NULL;
	ssize_t n = flistxattr(source, few, sizeof(few));
	int result = 0;

	if (n < 0 && errno == ERANGE) {
		list = malloc(LIST_MAX);
		n = list ? flistxattr(source, list, LIST_MAX) : -1;
	}
	if (n > 0)
		value = malloc(VALUE_MAX);
	for (char *name = list; value && name < list + n && result == 0; name += strlen(name) + 1) {
		ssize_t size = is_left_out(name) ? -1 : fgetxattr(source, name, value, VALUE_MAX);

		if (size >= 0 && fsetxattr(fd, name, value, (size_t)size, 0) < 0 && is_fatal(errno))
			result = -1;
	}
	free(value);
	if (list != few)
		free(list);
	return result;
}

int tree_attributes_set(int fd, int source, const struct tree_attributes *a)
{
	const struct timespec times[2] = { a->atime, a->mtime };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if ((st.st_uid != a->uid || st.st_gid != a->gid) && fchown(fd, a->uid, a->gid) < 0)
		return -1;
	if (copy_xattrs(fd, source) < 0 || fchmod(fd, a->mode) < 0)
		return -1;
	futimens(fd, times);
	return 0;
}
