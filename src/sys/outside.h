/* sys/outside - somebody who stays in the user namespace that this program was started in
 *
 * Inside the rootless namespace all owners who are not mapped look alike, and there is no way back out of it. A process
 * that was left behind before sees who they are. It is asked by descriptors, holds nothing else, and ends when nobody
 * can ask any more. */
#ifndef BRYO_SYS_OUTSIDE_H
#define BRYO_SYS_OUTSIDE_H

#include <stdbool.h>
#include <sys/types.h>

/* Leaves one behind; a socket, or -1 with errno. */
int outside_keep(void);
/* The owner of an open file (O_PATH will do) as the host sees it. */
bool outside_owner(int socket, int fd, uid_t *ret_uid, gid_t *ret_gid);

#endif
