/* An image archive as `load` gets it: docker-archive or OCI layout, packed or not, from a file. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "scratch.h"
#include "sys/fd.h"
#include "transfer/work.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* reference, place: the one image that is wanted. */
static void load(const uint8_t *data, size_t size, const char *reference, int64_t *place)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_fd_ int archive = memfd_create("archive", MFD_CLOEXEC), blobs = -1, tmp = -1;
	struct transfer_request request = { .op = (char *)(uintptr_t)"load", .reference = (char *)(uintptr_t)reference,
					    .place = place };
	struct transfer_event event = { 0 };
	struct channel channel = { .socket = -1 };
	struct work work = { .arena = arena, .channel = &channel };
	struct error err = { 0 };

	mkdirat(scratch_open(), "blobs", 0755);
	mkdirat(scratch_open(), "tmp", 0755);
	blobs = fd_open_dir(scratch_open(), "blobs");
	tmp = fd_open_dir(scratch_open(), "tmp");
	if (archive < 0 || blobs < 0 || tmp < 0 || fd_write_all(archive, data, size) < 0 || lseek(archive, 0, SEEK_SET) < 0)
		abort();
	work.places.blobs = blobs;
	work.places.tmp = tmp;
	channel.fds[0] = archive;
	if (op_load(&work, &request, &event, &err) < 0 && !err.kind)
		abort();
	fd_remove_tree(scratch_open(), "blobs");
	fd_remove_tree(scratch_open(), "tmp");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A tar's size is a multiple of 512: what stands behind it says which image is wanted. */
	load(data, size, size % 4 == 1 ? "localhost/box" : NULL, size % 4 == 2 ? &(int64_t){ 1 } : NULL);
	return 0;
}
