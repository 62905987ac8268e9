/* sys/fd - descriptors and whole-file reads and writes
 *
 * Every descriptor is close-on-exec from birth. Functions answer -1 and leave errno unless they take an error. */
#ifndef BRYO_SYS_FD_H
#define BRYO_SYS_FD_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#define _cleanup_fd_ __attribute__((cleanup(fd_cleanup)))
static inline void fd_cleanup(int *fd) { if (*fd >= 0) close(*fd); }
static inline int fd_take(int *fd) { int moved = *fd; *fd = -1; return moved; }
static inline void fd_close(int *fd) { if (*fd >= 0) close(*fd); *fd = -1; }
#define _cleanup_dir_ __attribute__((cleanup(fd_dir_cleanup)))
static inline void fd_dir_cleanup(DIR **dir) { if (*dir) closedir(*dir); }

int fd_write_all(int fd, const void *p, size_t n);		/* retries EINTR and short writes */
ssize_t fd_read_all(int fd, void *p, size_t n);			/* stops at end of file; answers what was read */
int fd_read_buffer(int fd, struct buffer *b);			/* until end of file; -1 with EFBIG at the buffer's limit */
int fd_set_cloexec(int fd, bool on);
int fd_set_nonblock(int fd, bool on);
int fd_pipe(int ret[2]);
/* As many descriptors as the hard limit allows, for this process and its children; answers how many. */
uint64_t fd_raise_limit(void);
/* Standard streams that the caller has closed become /dev/null, before anything is opened in their place. */
void fd_fill_standard(void);
/* "/proc/self/fd/N" for calls that take only a path; buf has at least 32 bytes. */
const char *fd_path(int fd, char *buf);

/* A regular file below dirfd (AT_FDCWD for a path), not a FIFO or device (opened O_NONBLOCK and checked), at most
 * limit bytes, with a NUL byte after it. NULL with errno. */
char *fd_read_file(struct arena *arena, int dirfd, const char *name, size_t limit, size_t *ret_size);
/* The same of an open descriptor, from where it stands. */
char *fd_read_regular(struct arena *arena, int fd, size_t limit, size_t *ret_size);
/* What a caller names on his command line: a pipe too, as in <(command), as long as somebody has it open to write. */
char *fd_read_given(struct arena *arena, const char *path, size_t limit, size_t *ret_size);
/* Writes name.tmp-PID beside it and renames it over name: readers see the old or the new content, whole.
 * `durable` also fsyncs file and directory. */
int fd_write_file(int dirfd, const char *name, const void *p, size_t n, mode_t mode, bool durable);
/* mkdir -p below dirfd; 0 when it is there. */
int fd_mkdirs(int dirfd, const char *path, mode_t mode);
int fd_open_dir(int dirfd, const char *name);			/* O_DIRECTORY|O_NOFOLLOW */
/* rm -rf of name below dirfd without following links; makes directories writable on the way. 0 when absent. */
int fd_remove_tree(int dirfd, const char *name);
DIR *fd_opendir(int dirfd, const char *name);
/* The next entry but "." and "..". NULL at the end, with errno 0, and when reading failed, with errno: a list that was not
 * read to its end must not be taken for a short one. */
struct dirent *fd_next_entry(DIR *dir);
/* n random bytes as 2n lower-case hex digits. buf has 2n+1 bytes. */
int fd_random_hex(char *buf, size_t n);

#endif
