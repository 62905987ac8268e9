#include "cgroup/stats.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"

struct text { const char *file, *text; };

/* Control files in a directory of the file system are as good as the kernel's to who reads them. */
static char *read_from(struct arena *arena, const char *controllers, const struct text *files, size_t n)
{
	char directory[] = "/tmp/bryo-stats.XXXXXX";
	struct cgroup_place place = { .controllers = (char *)controllers, .path = mkdtemp(directory) };
	struct cgroup c = { .places = { &place, 1 } };
	struct error err = { 0 };
	struct stats s;
	int fd = open(directory, O_RDONLY | O_DIRECTORY);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(fd_write_file(fd, files[i].file, files[i].text, strlen(files[i].text), 0600, false), 0);
	close(fd);
	if (stats_read(arena, &c, &s, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(fd_remove_tree(AT_FDCWD, directory), 0);
	return json_print(arena, json_encode(arena, &stats_shape, &s), 0);
}

#define NO_CPUSET "\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0," \
		  "\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0," \
		  "\"sched_relax_domain_level\":0}"
#define NO_CPU "\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},\"throttling\":{}}"
#define NO_AMOUNT "{\"limit\":0,\"failcnt\":0}"
#define NO_MEMORY "\"memory\":{\"usage\":" NO_AMOUNT ",\"swap\":" NO_AMOUNT ",\"kernel\":" NO_AMOUNT ",\"kernelTCP\":" NO_AMOUNT "}"
#define NOTHING_MORE "\"pids\":{},\"blkio\":{},\"hugetlb\":{}}"

static void version_2(void **state)
{
	static const struct text files[] = {
		{ "cpu.stat", "usage_usec 300\nuser_usec 200\nsystem_usec 100\nnr_periods 4\nnr_throttled 2\nthrottled_usec 7\n" },
		{ "cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n" },
		{ "cpuset.cpus.effective", "0-1,3\n" },
		{ "memory.current", "4096\n" }, { "memory.max", "8192\n" }, { "memory.peak", "5000\n" },
		{ "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n" },
		{ "memory.swap.current", "100\n" }, { "memory.swap.max", "max\n" },
		{ "memory.stat", "anon 1\nfile 2\nkernel 3\n" },
		{ "pids.current", "2\n" }, { "pids.max", "max\n" },
		{ "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\nbad\n" },
		{ "hugetlb.2MB.current", "5\n" }, { "hugetlb.2MB.rsvd.current", "6\n" }, { "hugetlb.2MB.events", "max 1\n" },
		{ "rdma.current", "mlx4_0 hca_handle=2 hca_object=20\n" }, { "rdma.max", "mlx4_0 hca_handle=3 hca_object=max\n" },
	};
	_cleanup_arena_ struct arena *arena = arena_new();

	assert_string_equal(read_from(arena, "", files, ELEMENTS(files)),
		"{\"cpu\":{\"usage\":{\"total\":300000,\"kernel\":100000,\"user\":200000},"
		"\"throttling\":{\"periods\":4,\"throttledPeriods\":2,\"throttledTime\":7000},"
		"\"psi\":{\"some\":{\"avg10\":1.5,\"avg60\":0.25,\"avg300\":0,\"total\":9},"
		"\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":1}}},"
		"\"cpuset\":{\"cpus\":[0,1,3],\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
		"\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,"
		"\"sched_relax_domain_level\":0},"
		"\"memory\":{\"cache\":2,\"usage\":{\"limit\":8192,\"usage\":4096,\"max\":5000,\"failcnt\":3},"
		"\"swap\":{\"limit\":18446744073709551615,\"usage\":4196,\"failcnt\":0},"
		"\"kernel\":{\"limit\":18446744073709551615,\"usage\":3,\"failcnt\":0},\"kernelTCP\":" NO_AMOUNT ","
		"\"raw\":{\"anon\":1,\"file\":2,\"kernel\":3}},\"pids\":{\"current\":2},"
		"\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":1},"
		"{\"major\":8,\"op\":\"Write\",\"value\":2},{\"major\":8,\"op\":\"Discard\"}],"
		"\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":\"Write\",\"value\":4},"
		"{\"major\":8,\"op\":\"Discard\"}]},\"hugetlb\":{\"2MB\":{\"usage\":5,\"failcnt\":1}},"
		"\"rdma\":{\"rdmaLimit\":[{\"device\":\"mlx4_0\",\"hcaHandles\":3,\"hcaObjects\":4294967295}],"
		"\"rdmaCurrent\":[{\"device\":\"mlx4_0\",\"hcaHandles\":2,\"hcaObjects\":20}]}}");
}

static void version_1(void **state)
{
	static const struct text cpu[] = {
		{ "cpuacct.usage", "700\n" }, { "cpuacct.usage_percpu", "300 400 \n" }, { "cpuacct.usage_user", "500\n" },
		{ "cpuacct.usage_sys", "200\n" }, { "cpuacct.usage_all", "cpu user system\n0 200 100\n1 300 100\n" },
		{ "cpu.stat", "nr_periods 4\nnr_throttled 2\nthrottled_time 7\n" },
	};
	static const struct text ticks[] = { { "cpuacct.usage", "700\n" }, { "cpuacct.stat", "user 3\nsystem 2\n" } };
	static const struct text memory[] = {
		{ "memory.usage_in_bytes", "4096\n" }, { "memory.limit_in_bytes", "9223372036854771712\n" },
		{ "memory.max_usage_in_bytes", "5000\n" }, { "memory.failcnt", "1\n" },
		{ "memory.memsw.usage_in_bytes", "4100\n" }, { "memory.memsw.limit_in_bytes", "8192\n" },
		{ "memory.stat", "cache 1\ntotal_cache 2\n" },
	};
	static const struct text io[] = {
		{ "blkio.throttle.io_service_bytes_recursive", "8:16 Read 1\n8:16 Write 2\n8:16 Total 3\nTotal 3\n" },
		{ "blkio.bfq.time_recursive", "8:16 77\n" },
	};
	static const struct { const char *controllers; const struct text *files; size_t n; const char *expected; } cases[] = {
		{ "cpu,cpuacct", cpu, ELEMENTS(cpu),
		  "{\"cpu\":{\"usage\":{\"total\":700,\"percpu\":[300,400],\"percpu_kernel\":[100,100],\"percpu_user\":[200,300],"
		  "\"kernel\":200,\"user\":500},\"throttling\":{\"periods\":4,\"throttledPeriods\":2,\"throttledTime\":7}},"
		  NO_CPUSET "," NO_MEMORY "," NOTHING_MORE },
		{ "cpuacct", ticks, ELEMENTS(ticks),
		  "{\"cpu\":{\"usage\":{\"total\":700,\"kernel\":20000000,\"user\":30000000},\"throttling\":{}}," NO_CPUSET ","
		  NO_MEMORY "," NOTHING_MORE },
		{ "memory", memory, ELEMENTS(memory),
		  "{" NO_CPU "," NO_CPUSET ",\"memory\":{\"cache\":2,\"usage\":{\"limit\":18446744073709551615,\"usage\":4096,"
		  "\"max\":5000,\"failcnt\":1},\"swap\":{\"limit\":8192,\"usage\":4100,\"failcnt\":0},\"kernel\":" NO_AMOUNT ","
		  "\"kernelTCP\":" NO_AMOUNT ",\"raw\":{\"cache\":1,\"total_cache\":2}}," NOTHING_MORE },
		{ "blkio", io, ELEMENTS(io),
		  "{" NO_CPU "," NO_CPUSET "," NO_MEMORY ",\"pids\":{},\"blkio\":{\"ioServiceBytesRecursive\":["
		  "{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":1},{\"major\":8,\"minor\":16,\"op\":\"Write\",\"value\":2},"
		  "{\"major\":8,\"minor\":16,\"op\":\"Total\",\"value\":3}],\"ioTimeRecursive\":[{\"major\":8,\"minor\":16,"
		  "\"value\":77}]},\"hugetlb\":{}}" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();

		assert_string_equal(read_from(arena, cases[i].controllers, cases[i].files, cases[i].n), cases[i].expected);
	}
}

static void nothing_there(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_place place = { .controllers = "", .path = "/tmp/bryo-no-such-cgroup" };
	struct cgroup none = { 0 }, gone = { .places = { &place, 1 } };
	struct error err = { 0 };
	struct stats s;

	assert_string_equal(read_from(arena, "", NULL, 0), "{" NO_CPU "," NO_CPUSET "," NO_MEMORY "," NOTHING_MORE);
	assert_int_equal(stats_read(arena, &none, &s, &err), -1);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	error_clear(&err);
	assert_int_equal(stats_read(arena, &gone, &s, &err), -1);
	assert_string_equal(err.text, "open the cgroup /tmp/bryo-no-such-cgroup: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_2), cmocka_unit_test(version_1), cmocka_unit_test(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
