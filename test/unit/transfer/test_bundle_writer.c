/* What save writes: tar headers that other readers know, and files that have their names only when they are whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "transfer/bundle_writer.h"

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static int write_tar(int fd)
{
	struct bundle_writer b;
	struct error err = { 0 };

	bundle_writer_init(&b, arena, fd);
	if (bundle_writer_add(&b, "blobs/sha256/a", "one", 3, &err) < 0 ||
	    bundle_writer_add(&b, "blobs/sha256/b", "", 0, &err) < 0 ||
	    bundle_writer_add(&b, "blobs/sha256/a", "twice", 5, &err) < 0)
		fail_msg("%s", err.text);
	/* A member that tells its size afterwards. */
	if (bundle_writer_takes_any_size(&b)) {
		assert_int_equal(bundle_writer_begin(&b, "c", -1, &err), 0);
		for (int i = 0; i < 1000; i++)
			assert_int_equal(bundle_writer_data(&b, "0123456789", 10, &err), 0);
		assert_int_equal(bundle_writer_end(&b, &err), 0);
	} else {
		char *all = arena_alloc(arena, 10001);

		for (int i = 0; i < 1000; i++)
			memcpy(all + 10 * i, "0123456789", 10);
		assert_int_equal(bundle_writer_add(&b, "c", all, 10000, &err), 0);
	}
	assert_int_equal(bundle_writer_finish(&b, &err), 0);
	bundle_writer_done(&b);
	return fd;
}

static void libarchive_reads_it(void **state)
{
	static const struct { const char *name; mode_t type; int64_t size; } wanted[] = {
		{ "blobs/", AE_IFDIR, 0 }, { "blobs/sha256/", AE_IFDIR, 0 }, { "blobs/sha256/a", AE_IFREG, 3 },
		{ "blobs/sha256/b", AE_IFREG, 0 }, { "c", AE_IFREG, 10000 },
	};
	_cleanup_fd_ int fd = write_tar(memfd_create("tar", MFD_CLOEXEC));
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	char content[4];

	assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(archive_read_open_fd(a, fd, 512), ARCHIVE_OK);
	for (size_t i = 0; i < ELEMENTS(wanted); i++) {
		assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(e), wanted[i].name);
		assert_int_equal(archive_entry_filetype(e), wanted[i].type);
		assert_int_equal(archive_entry_size(e), wanted[i].size);
		assert_int_equal(archive_entry_mtime(e), 0);
		assert_int_equal(archive_entry_uid(e), 0);
		if (i == 2) {
			assert_int_equal(archive_read_data(a, content, 4), 3);
			assert_memory_equal(content, "one", 3);
		}
	}
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_EOF);
	archive_read_free(a);
}

/* A pipe cannot be gone back on, and gives the same bytes all the same. */
static void pipes_get_the_same(void **state)
{
	_cleanup_fd_ int file = write_tar(memfd_create("tar", MFD_CLOEXEC));
	char one[32768], two[32768];
	int ends[2];
	ssize_t n;

	assert_int_equal(fd_pipe(ends), 0);
	write_tar(ends[1]);
	close(ends[1]);
	n = fd_read_all(ends[0], two, sizeof(two));
	close(ends[0]);
	assert_int_equal(pread(file, one, sizeof(one), 0), n);
	assert_memory_equal(one, two, (size_t)n);
}

static void sizes_are_kept_to(void **state)
{
	_cleanup_fd_ int fd = memfd_create("tar", MFD_CLOEXEC);
	struct tar_writer t;
	struct error err = { 0 };

	tar_writer_init(&t, fd);
	assert_int_equal(tar_writer_begin(&t, "a", 5, &err), 0);
	assert_int_equal(tar_writer_data(&t, "0123456789", 10, &err), -1);
	assert_int_equal(tar_writer_data(&t, "0123", 4, &err), 0);
	assert_int_equal(tar_writer_end(&t, &err), -1);
	assert_int_equal(tar_writer_begin(&t, "", 0, &err), -1);
	t.can_seek = false;
	assert_int_equal(tar_writer_begin(&t, "a", -1, &err), -1);
}

/* More than eleven octal digits can say. */
static void large_members(void **state)
{
	_cleanup_fd_ int fd = memfd_create("tar", MFD_CLOEXEC);
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	struct tar_writer t;
	struct error err = { 0 };

	tar_writer_init(&t, fd);
	assert_int_equal(tar_writer_begin(&t, "large", (int64_t)9 << 30, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_fd(a, fd, 512), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	assert_int_equal(archive_entry_size(e), (int64_t)9 << 30);
	archive_read_free(a);
}

static void directories_have_whole_files_only(void **state)
{
	char path[] = "/tmp/bundle.XXXXXX";
	struct bundle_writer b;
	struct error err = { 0 };
	struct stat st;
	int dir;

	assert_non_null(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bundle_writer_init(&b, arena, dir);
	assert_true(bundle_writer_takes_any_size(&b));
	assert_int_equal(bundle_writer_begin(&b, "blobs/sha256/a", -1, &err), 0);
	assert_int_equal(bundle_writer_data(&b, "one", 3, &err), 0);
	assert_int_equal(fstatat(dir, "blobs/sha256/a", &st, 0), -1);
	bundle_writer_done(&b);
	assert_int_equal(fstatat(dir, "blobs/sha256/a", &st, 0), -1);
	assert_int_equal(bundle_writer_add(&b, "index.json", "old", 3, &err), 0);
	bundle_writer_init(&b, arena, dir);
	assert_int_equal(bundle_writer_add(&b, "index.json", "newer", 5, &err), 0);
	assert_int_equal(fstatat(dir, "index.json", &st, 0), 0);
	assert_int_equal(st.st_size, 5);
	bundle_writer_done(&b);
	close(dir);
	assert_int_equal(fd_remove_tree(AT_FDCWD, path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libarchive_reads_it),
		cmocka_unit_test(pipes_get_the_same),
		cmocka_unit_test(sizes_are_kept_to),
		cmocka_unit_test(large_members),
		cmocka_unit_test(directories_have_whole_files_only),
	};

	return cmocka_run_group_tests_name("bundle_writer", tests, setup, teardown);
}
