/* transfer/sandbox - what bryo-transfer gives up before it reads the first foreign byte
 *
 * In stages: no new privileges; limits (no core dumps, bounded memory and file size); landlock where the kernel has it
 * with links across directories (ABI 2): writing only below the given directories, reading only there and in the
 * system's own directories; a seccomp filter that takes away programs, other processes, mounts, namespaces, keys,
 * kernel modules, BPF, io_uring and unusual sockets. sandbox_no_network then takes sockets away for good: what
 * unpacks and loads can reach nobody. A kernel without one of these stages goes on without it. */
#ifndef BRYO_TRANSFER_SANDBOX_H
#define BRYO_TRANSFER_SANDBOX_H

#include <stddef.h>

#include "base/error.h"

struct sandbox {
	const int *writable;		/* directories */
	size_t writable_n;
	const int *readable;
	size_t readable_n;
	const int *objects;		/* a directory where regular files are made and removed, nothing else; NULL */
	const char *readable_path;	/* one more, by name; NULL */
	size_t memory;			/* bytes that the process may allocate; 0: 2 GiB */
};

int sandbox_enter(const struct sandbox *s, struct error *err);
int sandbox_no_network(struct error *err);

#endif
