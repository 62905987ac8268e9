#include "run/seccomp_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"

struct fixture {
	struct arena *arena;
	char top[64], dir[80], libseccomp[80];
	struct sock_filter program[3];
	struct seccomp_code code;
	struct seccomp_key key;
};

static struct seccomp_key key_of(struct arena *arena, const char *json, bool known_only)
{
	struct oci_seccomp *rules = arena_new_one(arena, struct oci_seccomp);
	struct seccomp_source source = { .rules = rules, .where = "", .known_only = known_only };
	struct seccomp_key key = { 0 };

	if (json_decode(arena, &oci_seccomp_shape, rules, json, strlen(json), "section", NULL) < 0 ||
	    !seccomp_key_of_rules(arena, &source, &key))
		fail_msg("%s", json);
	return key;
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	snprintf(f->top, sizeof(f->top), "/tmp/bryo-cache-XXXXXX");
	assert_non_null(mkdtemp(f->top));
	snprintf(f->dir, sizeof(f->dir), "%s/a/b", f->top);
	snprintf(f->libseccomp, sizeof(f->libseccomp), "%s/library", f->top);
	write_text(f->libseccomp, "version 1");
	f->program[1] = (struct sock_filter){ 1, 2, 3, 4 };
	f->code = (struct seccomp_code){ .v = f->program, .n = 3, .flags = 6, .libseccomp = f->libseccomp };
	f->key = key_of(f->arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", false);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_remove_tree(AT_FDCWD, f->top);
	arena_free(f->arena);
	free(f);
	return 0;
}

static bool is_found(const struct fixture *f)
{
	struct seccomp_code found = { 0 };

	if (!seccomp_cache_find(f->arena, f->dir, &f->key, &found))
		return false;
	assert_int_equal(found.n, 3);
	assert_int_equal(found.flags, 6);
	assert_memory_equal(found.v, f->program, sizeof(f->program));
	return true;
}

static char *file_of(const struct fixture *f)
{
	return arena_printf(f->arena, "%s/%s", f->dir, f->key.name);
}

static void test_find(void **state)
{
	struct fixture *f = *state;
	struct seccomp_key own = f->key;

	assert_false(is_found(f));
	seccomp_cache_keep(f->dir, &f->key, &f->code);
	assert_true(is_found(f));
	/* Another one whose name is the same. */
	f->key = key_of(f->arena, "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}", false);
	assert_string_not_equal(f->key.name, own.name);
	memcpy(f->key.name, own.name, sizeof(own.name));
	assert_false(is_found(f));
	/* Shorter, and the same as far as it goes. */
	f->key = own;
	f->key.size--;
	assert_false(is_found(f));
}

static void test_library(void **state)
{
	struct fixture *f = *state;

	seccomp_cache_keep(f->dir, &f->key, &f->code);
	write_text(f->libseccomp, "version 2.1");
	assert_false(is_found(f));
	seccomp_cache_keep(f->dir, &f->key, &f->code);
	assert_true(is_found(f));
	unlink(f->libseccomp);
	assert_false(is_found(f));
}

static void test_private(void **state)
{
	struct fixture *f = *state;
	char moved[100];

	seccomp_cache_keep(f->dir, &f->key, &f->code);
	assert_true(is_found(f));
	chmod(f->dir, 0777);
	assert_false(is_found(f));
	chmod(f->dir, 0770);
	assert_false(is_found(f));
	chmod(f->dir, 0755);
	assert_true(is_found(f));
	chmod(file_of(f), 0666);
	assert_false(is_found(f));
	chmod(file_of(f), 0600);
	assert_true(is_found(f));
	if (geteuid() == 0) {
		assert_int_equal(chown(file_of(f), 1, 1), 0);
		assert_false(is_found(f));
		assert_int_equal(chown(file_of(f), 0, 0), 0);
		assert_int_equal(chown(f->dir, 1, 1), 0);
		assert_false(is_found(f));
		assert_int_equal(chown(f->dir, 0, 0), 0);
	}
	snprintf(moved, sizeof(moved), "%s/moved", f->top);
	assert_int_equal(rename(f->dir, moved), 0);
	assert_int_equal(symlink(moved, f->dir), 0);
	assert_false(is_found(f));
}

static void test_not_kept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fd_mkdirs(AT_FDCWD, f->dir, 0700), 0);
	chmod(f->dir, 0777);
	seccomp_cache_keep(f->dir, &f->key, &f->code);
	assert_int_equal(access(file_of(f), F_OK), -1);
}

/* Cut off anywhere, or with another head: not found, nothing read beyond. */
static void test_damaged(void **state)
{
	struct fixture *f = *state;
	size_t size;
	char *data;

	seccomp_cache_keep(f->dir, &f->key, &f->code);
	data = fd_read_file(f->arena, AT_FDCWD, file_of(f), 1 << 20, &size);
	assert_non_null(data);
	for (size_t n = 0; n < size; n++) {
		assert_int_equal(fd_write_file(AT_FDCWD, file_of(f), data, n, 0600, false), 0);
		assert_false(is_found(f));
	}
	for (size_t at = 0; at < 32; at++) {
		data[at] ^= 0x55;
		assert_int_equal(fd_write_file(AT_FDCWD, file_of(f), data, size, 0600, false), 0);
		assert_false(is_found(f));
		data[at] ^= 0x55;
	}
}

static size_t count(const char *dir)
{
	_cleanup_dir_ DIR *d = opendir(dir);
	size_t n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	return n;
}

static void test_many(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 200; i++) {
		f->key = key_of(f->arena, arena_printf(f->arena, "{\"defaultAction\":\"%d\"}", i), false);
		seccomp_cache_keep(f->dir, &f->key, &f->code);
		assert_true(count(f->dir) <= 64);
	}
	assert_true(is_found(f));
	assert_true(count(f->dir) >= 32);
}

/* Whatever makes another program makes another key. */
static void test_keys(void **state)
{
#define SECTION(more) "{\"defaultAction\":\"A\"" more "}"
#define CALL(more) SECTION(",\"syscalls\":[{\"action\":\"A\"," more "}]")
	static const char *const sections[] = {
		SECTION(""), "{\"defaultAction\":\"B\"}", SECTION(",\"defaultErrnoRet\":0"), SECTION(",\"defaultErrnoRet\":1"),
		SECTION(",\"flags\":[\"x\"]"), SECTION(",\"architectures\":[\"x\"]"), SECTION(",\"architectures\":[\"x\",\"\"]"),
		CALL("\"names\":[\"ab\",\"c\"]"), CALL("\"names\":[\"a\",\"bc\"]"), CALL("\"names\":[\"abc\"]"),
		CALL("\"names\":[\"abc\"],\"errnoRet\":0"), CALL("\"names\":[\"abc\"],\"errnoRet\":1"),
		CALL("\"names\":[\"abc\"],\"args\":[{\"index\":0,\"value\":1,\"op\":\"x\"}]"),
		CALL("\"names\":[\"abc\"],\"args\":[{\"index\":1,\"value\":0,\"op\":\"x\"}]"),
		CALL("\"names\":[\"abc\"],\"args\":[{\"index\":0,\"value\":0,\"valueTwo\":1,\"op\":\"x\"}]"),
		CALL("\"names\":[\"abc\"],\"args\":[{\"index\":0,\"value\":1,\"op\":\"y\"}]"),
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(sections); i++) {
		struct seccomp_key key = key_of(f->arena, sections[i], false), strict = key_of(f->arena, sections[i], true);

		assert_string_not_equal(key.name, strict.name);
		for (size_t j = 0; j < i; j++) {
			struct seccomp_key other = key_of(f->arena, sections[j], false);

			assert_string_not_equal(key.name, other.name);
			assert_false(key.size == other.size && memcmp(key.data, other.data, key.size) == 0);
		}
	}
	/* Who is told of notifications is no part of the program. */
	f->key = key_of(f->arena, SECTION(",\"listenerPath\":\"/x\",\"listenerMetadata\":\"y\""), false);
	assert_string_equal(f->key.name, key_of(f->arena, sections[0], false).name);
}

static void test_profile_keys(void **state)
{
	struct fixture *f = *state;
	struct stat st = { .st_ino = 1, .st_size = 2 }, later = st;
	struct seccomp_key keys[4];

	later.st_ctim.tv_nsec = 1;
	assert_true(seccomp_key_of_profile(f->arena, NULL, 0, &keys[0]) && seccomp_key_of_profile(f->arena, NULL, 1, &keys[1]) &&
		    seccomp_key_of_profile(f->arena, &st, 0, &keys[2]) && seccomp_key_of_profile(f->arena, &later, 0, &keys[3]));
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(keys[i].name, keys[j].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_library, setup, teardown),
		cmocka_unit_test_setup_teardown(test_private, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profile_keys, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
