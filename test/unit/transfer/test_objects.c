/* The sink of contents, in a directory of the test's own. */
#include "transfer/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/work.h"

struct place { char path[64]; struct objects o; };

static const char abc[] = "u/ngWv48Bz-pBQUDeXa4iI7";
static const char abc_digest[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/objects.XXXXXX");
	assert_non_null(mkdtemp(p->path));
	assert_int_equal(objects_init(&p->o, open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), NULL), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	close(p->o.dir);
	objects_done(&p->o);
	fd_remove_tree(AT_FDCWD, p->path);
	free(p);
	return 0;
}

static const char *hex(const unsigned char *digest)
{
	static char text[65];

	for (int i = 0; i < 32; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

static struct stat stat_of(struct place *p, const char *name)
{
	struct stat st = { 0 };

	fstatat(p->o.dir, name, &st, AT_SYMLINK_NOFOLLOW);
	return st;
}

static void put_and_find(void **state)
{
	struct place *p = *state;
	unsigned char digest[32], kept[32];
	struct error err = { 0 };
	struct stat st;
	char path[128];

	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	assert_string_equal(hex(digest), abc_digest);
	st = stat_of(p, abc);
	assert_int_equal(st.st_mode, S_IFREG | 0444);
	assert_int_equal(st.st_size, 3);
	snprintf(path, sizeof(path), "%s/%s", p->path, abc);
	assert_int_equal(getxattr(path, OBJECT_XATTR, kept, sizeof(kept)), 32);
	assert_memory_equal(kept, digest, 32);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	assert_int_equal(p->o.written, 1);
	assert_int_equal(p->o.found, 1);
	assert_int_equal(stat_of(p, abc).st_ino, st.st_ino);
	assert_int_equal(objects_verify(&p->o, abc, &err), 1);
}

/* In pieces of some size, with a hole before `hole_at`'s rest: the same object as in one block. */
static void add_pieces(struct place *p, const char *data, size_t n, size_t piece, unsigned char *digest)
{
	struct error err = { 0 };

	objects_begin(&p->o);
	for (size_t at = 0; at < n; at += piece)
		assert_int_equal(objects_add(&p->o, data + at, at + piece < n ? piece : n - at, &err), 0);
	assert_int_equal(objects_end(&p->o, digest, &err), 0);
}

static void pieces(void **state)
{
	static const size_t sizes[] = { 1, 100000, OBJECTS_MEMORY - 1, OBJECTS_MEMORY, OBJECTS_MEMORY + 1, 3 * OBJECTS_MEMORY };
	struct place *p = *state;
	char *data = malloc(3 * OBJECTS_MEMORY);
	unsigned char one[32], many[32];
	char name[OBJECT_NAME_SIZE];
	struct error err = { 0 };

	for (size_t i = 0; i < 3 * OBJECTS_MEMORY; i++)
		data[i] = (char)(i * 7 / 3);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		add_pieces(p, data, sizes[i], 65536, many);
		assert_int_equal(objects_put(&p->o, data, sizes[i], one, &err), 0);
		assert_memory_equal(one, many, 32);
		object_name(one, name);
		assert_int_equal(stat_of(p, name).st_size, sizes[i]);
		add_pieces(p, data, sizes[i], 1000003, many);
		assert_memory_equal(one, many, 32);
	}
	assert_int_equal(p->o.written, 6);
	assert_int_equal(p->o.found, 12);
	free(data);
}

static void given_up(void **state)
{
	struct place *p = *state;
	char *data = calloc(1, 2 * OBJECTS_MEMORY);
	unsigned char digest[32];
	struct error err = { 0 };

	objects_begin(&p->o);
	assert_int_equal(objects_add(&p->o, data, 2 * OBJECTS_MEMORY, &err), 0);
	objects_begin(&p->o);
	assert_int_equal(objects_add(&p->o, "abc", 3, &err), 0);
	assert_int_equal(objects_end(&p->o, digest, &err), 0);
	assert_string_equal(hex(digest), abc_digest);
	assert_int_equal(p->o.written, 1);
	free(data);
}

static void holes(void **state)
{
	static const int64_t sizes[] = { 1000, 3 * (int64_t)OBJECTS_MEMORY };
	struct place *p = *state;

	for (size_t i = 0; i < 2; i++) {
		char *data = calloc(1, (size_t)sizes[i] + 3);
		unsigned char one[32], sparse[32];
		char name[OBJECT_NAME_SIZE];
		struct error err = { 0 };

		memcpy(data + sizes[i] / 2, "mid", 3);
		objects_begin(&p->o);
		assert_int_equal(objects_add_hole(&p->o, sizes[i] / 2, &err), 0);
		assert_int_equal(objects_add(&p->o, "mid", 3, &err), 0);
		assert_int_equal(objects_add_hole(&p->o, sizes[i] - sizes[i] / 2, &err), 0);
		assert_int_equal(objects_end(&p->o, sparse, &err), 0);
		assert_int_equal(objects_put(&p->o, data, (size_t)sizes[i] + 3, one, &err), 0);
		assert_memory_equal(one, sparse, 32);
		object_name(one, name);
		assert_int_equal(objects_verify(&p->o, name, &err), 1);
		assert_true(stat_of(p, name).st_blocks * 512 < (int64_t)OBJECTS_MEMORY);
		free(data);
	}
	assert_int_equal(p->o.found, 2);
}

static void copies(void **state)
{
	static const off_t sizes[] = { 0, 3, 100000, 4 * (off_t)OBJECTS_MEMORY };
	struct place *p = *state;

	for (size_t i = 0; i < 4; i++) {
		_cleanup_fd_ int fd = open(p->path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		char *data = calloc(1, (size_t)sizes[i] + 1);
		unsigned char one[32] = { 0 }, copy[32];
		struct error err = { 0 };
		int64_t size = -1;

		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		if (sizes[i])
			data[sizes[i] / 3] = 'x', assert_int_equal(pwrite(fd, "x", 1, sizes[i] / 3), 1);
		if (sizes[i])
			assert_int_equal(objects_put(&p->o, data, (size_t)sizes[i], one, &err), 0);
		assert_int_equal(objects_copy(&p->o, fd, copy, &size, &err), 0);
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(one, copy, 32);
		free(data);
	}
	assert_int_equal(p->o.written, 3);
}

static int damage(struct place *p, const char *content, bool attribute)
{
	struct stat st = stat_of(p, abc);
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", p->path, abc);
	if (!attribute)
		assert_int_equal(removexattr(path, OBJECT_XATTR), 0);
	assert_int_equal(chmod(path, 0644), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(content, f);
	fclose(f);
	return (int)st.st_ino;
}

/* Cut by a power failure, then another content under the name, then attributes lost by a backup. */
static void damaged(void **state)
{
	struct place *p = *state;
	unsigned char digest[32];
	struct error err = { 0 };

	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	damage(p, "", true);
	assert_int_equal(objects_verify(&p->o, abc, &err), 0);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	assert_int_equal(objects_verify(&p->o, abc, &err), 1);
	damage(p, "abd", false);
	assert_int_equal(objects_verify(&p->o, abc, &err), 0);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), -1);
	assert_non_null(strstr(err.text, abc));
	assert_non_null(strstr(err.hint, "system check --repair"));
	damage(p, "abc", true);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	assert_int_equal(objects_verify(&p->o, abc, &err), 1);
	assert_int_equal(p->o.written, 2);
}

static void damage_with_attribute(void **state)
{
	struct place *p = *state;
	unsigned char digest[32], wrong[32] = { 1 };
	struct error err = { 0 };
	char path[128];

	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	snprintf(path, sizeof(path), "%s/%s", p->path, abc);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(setxattr(path, OBJECT_XATTR, wrong, sizeof(wrong), 0), 0);
	assert_int_equal(objects_verify(&p->o, abc, &err), 0);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_int_equal(unlinkat(p->o.dir, abc, 0), 0);
	assert_int_equal(objects_verify(&p->o, abc, &err), -1);
	assert_int_equal(err.sys, ENOENT);
	assert_int_equal(mkdirat(p->o.dir, abc, 0700), 0);
	assert_int_equal(objects_verify(&p->o, abc, &err), 0);
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), -1);
}

/* By the operation, over all objects and over those named. */
static void verify_all(void **state)
{
	struct place *p = *state;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct work work = { .arena = arena, .places = { -1, -1, p->o.dir } };
	struct transfer_request request = { 0 };
	struct transfer_event all = { 0 }, named = { 0 };
	unsigned char digest[32];
	struct error err = { 0 };
	char text[16];

	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "content %d", i);
		assert_int_equal(objects_put(&p->o, text, strlen(text), digest, &err), 0);
	}
	assert_int_equal(objects_put(&p->o, "abc", 3, digest, &err), 0);
	assert_int_equal(mkdirat(p->o.dir, "other", 0700), 0);
	assert_int_equal(mkdirat(p->o.dir, "u/other", 0700), 0);
	damage(p, "abd", true);
	assert_int_equal(op_objects_check(&work, &request, &all, &err), 0);
	assert_int_equal(all.checked, 101);
	assert_int_equal(all.damaged.n, 1);
	assert_string_equal(all.damaged.v[0].name, abc);
	assert_string_equal(all.damaged.v[0].text, "its contents are not what its name says");
	assert_int_equal(unlinkat(p->o.dir, abc, 0), 0);
	strings_add(arena, &request.names, abc);
	assert_int_equal(op_objects_check(&work, &request, &named, &err), 0);
	assert_int_equal(named.damaged.n, 1);
	assert_string_equal(named.damaged.v[0].name, abc);
	assert_string_equal(named.damaged.v[0].text, "it is missing");
	strings_add(arena, &request.names, "../../etc/passwd");
	assert_int_equal(op_objects_check(&work, &request, &named, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(put_and_find), ROW(pieces), ROW(given_up), ROW(holes), ROW(copies), ROW(damaged),
		ROW(damage_with_attribute), ROW(verify_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
