#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "engine/top_process.h"
#include "base/string.h"

static void test_stat(void **state)
{
	static const struct { const char *text, *comm; char status; int nice; uint64_t ticks, start; } cases[] = {
		{ "12 (sh) S 1 12 12 34816 12 4194304 1 2 3 4 5 6 7 8 20 -5 1 0 987 4096000 321 1844", "sh", 'S', -5, 11, 987 },
		{ "12 (a) b (c) R 0 12 12 0 -1 4194304 1 2 3 4 0 0 7 8 20 0 1 0 1 4096 1 0", "a) b (c", 'R', 0, 0, 1 },
		{ "12 () Z 0 12 12 0 -1 4194304 1 2 3 4 0 0 7 8 20 0 1 0 1 0 0 0", "", 'Z', 0, 0, 1 },
	};
	static const char *const bad[] = { "", "12", "12 (sh", "12 (sh) S 1", "12 sh) S 1 (" };
	struct arena *a = arena_new();

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct top_process p = { 0 };

		assert_int_equal(top_process_parse_stat(a, cases[i].text, &p), 0);
		assert_string_equal(p.comm, cases[i].comm);
		assert_int_equal(p.state, cases[i].status);
		assert_int_equal(p.nice, cases[i].nice);
		assert_int_equal(p.cpu_ticks, cases[i].ticks);
		assert_int_equal(p.start_ticks, cases[i].start);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		struct top_process p = { 0 };

		assert_int_equal(top_process_parse_stat(a, bad[i], &p), -1);
	}
	arena_free(a);
}

static void test_status(void **state)
{
	static const char text[] = "Name:\tsh\nUid:\t5\t6\t7\t8\nGid:\t1\t2\t3\t4\nGroups:\t10 20 30 \nNSpid:\t4242\t17\t1\n"
				   "NSpgid:\t4242\t17\t1\nCapInh:\t0000000000000001\nCapPrm:\t00000000800405fb\n"
				   "CapEff:\t0000000000000003\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nSeccomp:\t2\n"
				   "Seccomp_filters:\t1\n";
	struct arena *a = arena_new();
	struct top_process p = { 0 };

	assert_int_equal(top_process_parse_status(a, text, &p), 0);
	assert_int_equal(p.pid, 1);
	assert_int_equal(p.pgid, 1);
	assert_int_equal(p.uid[TOP_REAL], 5);
	assert_int_equal(p.uid[TOP_EFFECTIVE], 6);
	assert_int_equal(p.gid[TOP_EFFECTIVE], 2);
	assert_int_equal(p.groups.n, 3);
	assert_int_equal(p.groups.v[2], 30);
	assert_int_equal(p.caps[TOP_PERMITTED], 0x800405fb);
	assert_int_equal(p.caps[TOP_BOUNDING], 0x1ffffffffff);
	assert_int_equal(p.seccomp, 2);
	assert_int_equal(top_process_parse_status(a, "Name: x\n", &(struct top_process){ 0 }), -1);
	arena_free(a);
}

static void test_own_process(void **state)
{
	struct arena *a = arena_new();
	struct top_process p;

	assert_int_equal(top_process_read(a, getpid(), &p), 0);
	assert_int_equal(p.hpid, getpid());
	assert_int_equal(p.host_ppid, getppid());
	assert_int_equal(p.uid[TOP_EFFECTIVE], geteuid());
	assert_non_null(strstr(p.args, "test_engine_top"));
	assert_int_equal(top_process_read(a, 0x7ffffff0, &p), -1);
	arena_free(a);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_own_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
