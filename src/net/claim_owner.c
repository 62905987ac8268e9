#include "net/claim.h"

/* Who has a port? The tables of the kernel name the socket, and the descriptors of the processes who has it. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"

#define PROC_MAX ((size_t)8 << 20)

uint64_t claim_find_inode(struct arena *arena, const char *text, unsigned port, bool tcp)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 1; i < lines.n; i++) {
		unsigned local, state;
		unsigned long long inode;

		if (sscanf(lines.v[i], " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %llu", &local, &state, &inode) != 3)
			continue;
		if (local == port && state == (tcp ? 0x0a : 0x07))	/* LISTEN; an unconnected UDP socket */
			return inode;
	}
	return 0;
}

static uint64_t find_inode(struct arena *arena, unsigned port, bool tcp)
{
	static const char *const files[][2] = { { "/proc/net/udp", "/proc/net/udp6" }, { "/proc/net/tcp", "/proc/net/tcp6" } };

	for (int i = 0; i < 2; i++) {
		const char *text = fd_read_file(arena, AT_FDCWD, files[tcp][i], PROC_MAX, NULL);
		uint64_t inode = text ? claim_find_inode(arena, text, port, tcp) : 0;

		if (inode)
			return inode;
	}
	return 0;
}

static bool has_socket(int proc, const char *pid, uint64_t inode)
{
	char path[300], link[64], wanted[64];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/fd", pid);
	snprintf(wanted, sizeof(wanted), "socket:[%llu]", (unsigned long long)inode);
	dir = fd_opendir(proc, path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n > 0 && (link[n] = '\0', str_eq(link, wanted)))
			return true;
	}
	return false;
}

char *claim_owner(struct arena *arena, unsigned port, bool tcp)
{
	uint64_t inode = find_inode(arena, port, tcp);
	_cleanup_dir_ DIR *proc = inode ? fd_opendir(AT_FDCWD, "/proc") : NULL;
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char *name;

		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(dirfd(proc), entry->d_name, inode))
			continue;
		name = fd_read_file(arena, dirfd(proc), arena_printf(arena, "%s/comm", entry->d_name), 64, NULL);
		if (name)
			name[strcspn(name, "\n")] = '\0';
		return arena_printf(arena, "%s (pid %s)", name ? name : "a process", entry->d_name);
	}
	return NULL;
}
