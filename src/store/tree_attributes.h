/* store/tree_attributes - owner, mode, times and extended attributes of one copied file or directory */
#ifndef BRYO_STORE_TREE_ATTRIBUTES_H
#define BRYO_STORE_TREE_ATTRIBUTES_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

struct tree_attributes {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime;
};

/* Sets all of them on fd, and copies source's extended attributes except overlay's own. -1 with errno. */
int tree_attributes_set(int fd, int source, const struct tree_attributes *a);

#endif
