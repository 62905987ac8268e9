/* sys/ns - namespaces by the names of the OCI runtime specification, and clone3
 *
 * Nothing here allocates: all of it is legal between clone and exec. */
#ifndef BRYO_SYS_NS_H
#define BRYO_SYS_NS_H

#include <stdint.h>
#include <sys/types.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

/* CLONE_NEWPID for "pid", and so on; 0 for an unknown name. */
uint64_t ns_flag(const char *oci_name);
/* The OCI name of one CLONE_NEW* flag, NULL for another bit. */
const char *ns_name(uint64_t flag);

/* fork() into new namespaces, and into the cgroup whose directory is cgroup_fd (-1: the caller's). Handlers of signals
 * are reset in the child. Answers 0 in the child; in the parent the pid, and the pidfd in *ret_pidfd. */
pid_t ns_clone(uint64_t flags, int cgroup_fd, int *ret_pidfd);
/* The network namespace of a process. Nobody may look at a child of ours in the moment in which it changes its ids: that is
 * waited for. -1 with errno. */
int ns_open_network(pid_t pid);
/* Brings the interface "lo" of the caller's network namespace up. */
int ns_loopback_up(void);

#endif
