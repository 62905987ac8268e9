/* A layer, packed or not, written below a directory of its own. Nothing may appear beside that directory. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "scratch.h"
#include "sys/fd.h"
#include "transfer/untar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int entries(int dirfd)
{
	_cleanup_dir_ DIR *dir = fd_opendir(dirfd, ".");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tree_options options = { .squash_owner = true };
	int dir = scratch_open();
	_cleanup_fd_ int root = -1;
	struct error err = { 0 };
	struct tree tree;
	struct untar u = { .target = &untar_to_tree, .to = &tree };

	mkdirat(dir, "root", 0755);
	root = fd_open_dir(dir, "root");
	if (root < 0 || tree_init(&tree, root, "", &options, openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), &err) < 0)
		abort();
	u.in = inflate_open_memory(data, size, &err);
	if (u.in && untar(&u, &err) < 0 && !err.kind)
		abort();
	inflate_close(u.in);
	tree_done(&tree);
	if (entries(dir) != 3)
		abort();
	if (fd_remove_tree(dir, "root") < 0)
		abort();
	return 0;
}
