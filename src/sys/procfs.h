/* sys/procfs - a procfs that is one
 *
 * Who writes to /proc by its path writes wherever somebody mounted something over it. procfs_open takes a path once and
 * looks: the root of a procfs, nothing else. Below that descriptor no link is followed and no mount is crossed.
 *
 * Nothing here allocates: all of it is legal between clone and exec. Answers of -1 leave errno. */
#ifndef BRYO_SYS_PROCFS_H
#define BRYO_SYS_PROCFS_H

/* An O_PATH descriptor of "/proc". ENODEV: that is not the root of a procfs. */
int procfs_open(void);
/* 0 when fd is the root of a procfs; -1 with ENODEV. */
int procfs_check(int fd);
/* A file below: "sys/kernel/hostname". EXDEV, ELOOP: something covers it. */
int procfs_open_at(int proc, const char *path, int flags);
/* A file of the calling thread: "attr/exec". The thread must be visible in proc's pid namespace. */
int procfs_open_own(int proc, const char *name, int flags);

#endif
