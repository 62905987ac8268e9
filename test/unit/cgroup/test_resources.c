#include "cgroup/resources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"

#define W ".linux.resources"

/* One line a setting: "controller file value position", with what applies elsewhere in brackets. */
static char *translate(struct arena *arena, const char *text, const char *v1_controllers, struct error *err)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	struct strings v1 = { 0 };
	struct oci_resources r;
	struct settings list;

	if (*v1_controllers)
		v1 = strings_split(arena, v1_controllers, ",");
	if (json_decode(arena, &oci_resources_shape, &r, text, strlen(text), "t", err) < 0)
		fail_msg("%s", err->text);
	if (resources_settings(arena, &r, &v1, W, &list, err) < 0)
		return NULL;
	for (size_t i = 0; i < list.n; i++) {
		const struct setting *s = &list.v[i];

		buffer_printf(&out, "%s%s %s=%s", s->controller, s->v1 ? "(v1)" : "", s->file, s->value);
		if (s->other_file)
			buffer_printf(&out, " [%s=%s]", s->other_file, s->other_value);
		buffer_printf(&out, "%s%s %s\n", s->optional ? " optional" : "", s->again ? " again" : "",
			      str_after(s->position, W));
	}
	return arena_strdup(arena, out.data ? out.data : "");
}

static const struct { const char *v1, *resources, *settings; } cases[] = {
	/* memory */
	{ "", "{}", "" },
	{ "", "{'memory':{'limit':67108864}}", "memory memory.max=67108864 .memory.limit\n" },
	{ "", "{'memory':{'limit':67108864,'swap':134217728,'reservation':33554432}}",
	  "memory memory.swap.max=67108864 optional .memory.swap\nmemory memory.max=67108864 .memory.limit\n"
	  "memory memory.low=33554432 .memory.reservation\n" },
	{ "", "{'memory':{'limit':5,'swap':5}}",
	  "memory memory.swap.max=0 optional .memory.swap\nmemory memory.max=5 .memory.limit\n" },
	{ "", "{'memory':{'limit':-1}}",
	  "memory memory.swap.max=max optional .memory.swap\nmemory memory.max=max .memory.limit\n" },
	{ "", "{'memory':{'limit':5,'swap':-1}}",
	  "memory memory.swap.max=max optional .memory.swap\nmemory memory.max=5 .memory.limit\n" },
	{ "", "{'memory':{'limit':0,'swap':0,'reservation':0,'kernel':-1,'kernelTCP':-1,'disableOOMKiller':false,"
	  "'useHierarchy':true,'checkBeforeUpdate':true}}", "" },
	{ "memory", "{'memory':{'limit':67108864,'swap':134217728,'reservation':33554432,'kernelTCP':4096,'swappiness':0,"
	  "'disableOOMKiller':true,'useHierarchy':true}}",
	  "memory(v1) memory.use_hierarchy=1 .memory.useHierarchy\n"
	  "memory(v1) memory.limit_in_bytes=67108864 again .memory.limit\n"
	  "memory(v1) memory.memsw.limit_in_bytes=134217728 optional .memory.swap\n"
	  "memory(v1) memory.soft_limit_in_bytes=33554432 .memory.reservation\n"
	  "memory(v1) memory.kmem.tcp.limit_in_bytes=4096 .memory.kernelTCP\n"
	  "memory(v1) memory.swappiness=0 .memory.swappiness\nmemory(v1) memory.oom_control=1 .memory.disableOOMKiller\n" },
	{ "memory", "{'memory':{'limit':-1}}",
	  "memory(v1) memory.limit_in_bytes=-1 again .memory.limit\n"
	  "memory(v1) memory.memsw.limit_in_bytes=-1 optional .memory.swap\n" },

	/* cpu: the borders of the conversion, and what is beyond them */
	{ "", "{'cpu':{'shares':2}}", "cpu cpu.weight=1 .cpu.shares\n" },
	{ "", "{'cpu':{'shares':1024}}", "cpu cpu.weight=39 .cpu.shares\n" },
	{ "", "{'cpu':{'shares':262144}}", "cpu cpu.weight=10000 .cpu.shares\n" },
	{ "", "{'cpu':{'shares':1}}", "cpu cpu.weight=1 .cpu.shares\n" },
	{ "", "{'cpu':{'shares':18446744073709551615}}", "cpu cpu.weight=10000 .cpu.shares\n" },
	{ "", "{'cpu':{'quota':50000,'period':100000,'burst':1000,'cpus':'0-1','mems':'0'}}",
	  "cpuset cpuset.cpus=0-1 .cpu.cpus\ncpuset cpuset.mems=0 .cpu.mems\ncpu cpu.max=50000 100000 again .cpu.quota\n"
	  "cpu cpu.max.burst=1000 .cpu.burst\n" },
	{ "", "{'cpu':{'quota':50000}}", "cpu cpu.max=50000 again .cpu.quota\n" },
	{ "", "{'cpu':{'quota':-1,'period':50000}}", "cpu cpu.max=max 50000 again .cpu.quota\n" },
	{ "", "{'cpu':{'period':50000}}", "cpu cpu.max=max 50000 again .cpu.period\n" },
	{ "", "{'cpu':{'idle':1,'shares':2}}", "cpu cpu.weight=1 again .cpu.shares\ncpu cpu.idle=1 .cpu.idle\n" },
	{ "", "{'cpu':{'idle':0,'shares':2}}", "cpu cpu.idle=0 .cpu.idle\ncpu cpu.weight=1 .cpu.shares\n" },
	{ "", "{'cpu':{'shares':0,'quota':0,'period':0,'realtimeRuntime':0,'realtimePeriod':0,'cpus':''}}", "" },
	{ "cpu,cpuset", "{'cpu':{'shares':1024,'quota':-1,'period':100000,'burst':0,'realtimePeriod':1000000,"
	  "'realtimeRuntime':950000,'cpus':'0','idle':1}}",
	  "cpuset(v1) cpuset.cpus=0 .cpu.cpus\ncpu(v1) cpu.shares=1024 .cpu.shares\ncpu(v1) cpu.idle=1 .cpu.idle\n"
	  "cpu(v1) cpu.cfs_period_us=100000 again .cpu.period\ncpu(v1) cpu.cfs_quota_us=-1 again .cpu.quota\n"
	  "cpu(v1) cpu.cfs_burst_us=0 .cpu.burst\ncpu(v1) cpu.rt_period_us=1000000 again .cpu.realtimePeriod\n"
	  "cpu(v1) cpu.rt_runtime_us=950000 .cpu.realtimeRuntime\n" },

	/* pids */
	{ "", "{'pids':{'limit':20}}", "pids pids.max=20 .pids.limit\n" },
	{ "", "{'pids':{'limit':-1}}", "pids pids.max=max .pids.limit\n" },
	{ "", "{'pids':{'limit':0}}", "" },
	{ "pids", "{'pids':{'limit':-1}}", "pids(v1) pids.max=max .pids.limit\n" },

	/* block I/O */
	{ "", "{'blockIO':{'weight':10}}", "io io.bfq.weight=10 [io.weight=1] .blockIO.weight\n" },
	{ "", "{'blockIO':{'weight':1000,'weightDevice':[{'major':8,'minor':0,'weight':500,'leafWeight':300}]}}",
	  "io io.bfq.weight=1000 [io.weight=10000] .blockIO.weight\n"
	  "io io.bfq.weight=8:0 500 [io.weight=8:0 4950] .blockIO.weightDevice[0]\n" },
	{ "", "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':600}],"
	  "'throttleWriteBpsDevice':[{'major':8,'minor':0,'rate':0}],'throttleReadIOPSDevice':[{'major':8,'minor':0,'rate':3}],"
	  "'throttleWriteIOPSDevice':[{'major':8,'minor':0,'rate':4},{'major':8,'minor':16,'rate':5}]}}",
	  "io io.max=8:0 rbps=600 .blockIO.throttleReadBpsDevice[0]\nio io.max=8:0 wbps=max .blockIO.throttleWriteBpsDevice[0]\n"
	  "io io.max=8:0 riops=3 .blockIO.throttleReadIOPSDevice[0]\nio io.max=8:0 wiops=4 .blockIO.throttleWriteIOPSDevice[0]\n"
	  "io io.max=8:16 wiops=5 .blockIO.throttleWriteIOPSDevice[1]\n" },
	{ "blkio", "{'blockIO':{'weight':10,'leafWeight':20,'weightDevice':[{'major':8,'minor':0,'weight':500,'leafWeight':300}],"
	  "'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':600}],'throttleWriteIOPSDevice':[{'major':8,'minor':0,'rate':4}]}}",
	  "blkio(v1) blkio.weight=10 [blkio.bfq.weight=10] .blockIO.weight\n"
	  "blkio(v1) blkio.leaf_weight=20 .blockIO.leafWeight\n"
	  "blkio(v1) blkio.weight_device=8:0 500 [blkio.bfq.weight_device=8:0 500] .blockIO.weightDevice[0]\n"
	  "blkio(v1) blkio.leaf_weight_device=8:0 300 .blockIO.weightDevice[0]\n"
	  "blkio(v1) blkio.throttle.read_bps_device=8:0 600 .blockIO.throttleReadBpsDevice[0]\n"
	  "blkio(v1) blkio.throttle.write_iops_device=8:0 4 .blockIO.throttleWriteIOPSDevice[0]\n" },

	/* huge pages, network, RDMA */
	{ "", "{'hugepageLimits':[{'pageSize':'2MB','limit':209715200},{'pageSize':'64KB','limit':0}]}",
	  "hugetlb hugetlb.2MB.max=209715200 .hugepageLimits[0]\nhugetlb hugetlb.2MB.rsvd.max=209715200 optional .hugepageLimits[0]\n"
	  "hugetlb hugetlb.64KB.max=0 .hugepageLimits[1]\nhugetlb hugetlb.64KB.rsvd.max=0 optional .hugepageLimits[1]\n" },
	{ "hugetlb,net_cls,net_prio,rdma", "{'hugepageLimits':[{'pageSize':'1GB','limit':1}],'network':{'classID':1048577,"
	  "'priorities':[{'name':'eth0','priority':500}]},'rdma':{'mlx5_1':{'hcaHandles':3,'hcaObjects':10000}}}",
	  "hugetlb(v1) hugetlb.1GB.limit_in_bytes=1 .hugepageLimits[0]\n"
	  "hugetlb(v1) hugetlb.1GB.rsvd.limit_in_bytes=1 optional .hugepageLimits[0]\n"
	  "net_cls(v1) net_cls.classid=1048577 .network.classID\n"
	  "net_prio(v1) net_prio.ifpriomap=eth0 500 .network.priorities[0]\n"
	  "rdma(v1) rdma.max=mlx5_1 hca_handle=3 hca_object=10000 .rdma.mlx5_1\n" },
	{ "", "{'rdma':{'rxe3':{'hcaObjects':7}}}", "rdma rdma.max=rxe3 hca_object=7 .rdma.rxe3\n" },

	/* unified: last, line by line; also beside v1 */
	{ "", "{'unified':{'memory.high':'1','io.max':'259:0 rbps=2\\n253:0 wiops=1\\n','cgroup.max.depth':'2'},"
	  "'memory':{'limit':9}}",
	  "memory memory.max=9 .memory.limit\nmemory memory.high=1 .unified[\"memory.high\"]\n"
	  "io io.max=259:0 rbps=2 .unified[\"io.max\"]\nio io.max=253:0 wiops=1 .unified[\"io.max\"]\n"
	  " cgroup.max.depth=2 .unified[\"cgroup.max.depth\"]\n" },
	{ "memory", "{'unified':{'hugetlb.2MB.max':'5'}}", "hugetlb hugetlb.2MB.max=5 .unified[\"hugetlb.2MB.max\"]\n" },
};

/* The tables are written with ' for ". */
static char *quoted(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

static void resources_become_settings(void **state)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		char *text = translate(arena, quoted(arena, cases[i].resources), cases[i].v1, &err);

		if (!text)
			fail_msg("%s: %s", cases[i].resources, err.text);
		assert_string_equal(text, cases[i].settings);
	}
}

static const struct { const char *v1, *resources, *error; } bad[] = {
	{ "", "{'memory':{'limit':-2}}", W ".memory.limit: expected a number of bytes, or -1 for no limit" },
	{ "", "{'memory':{'limit':10,'swap':9}}", W ".memory.swap: memory and swap together are less than memory.limit" },
	{ "", "{'memory':{'swap':9}}", W ".memory.swap: a limit of swap needs a limit of memory" },
	{ "", "{'memory':{'limit':-1,'swap':9}}", W ".memory.swap: a limit of swap needs a limit of memory" },
	{ "", "{'memory':{'swappiness':60}}", W ".memory.swappiness: cgroup v2 has no swappiness" },
	{ "memory", "{'memory':{'swappiness':101}}", W ".memory.swappiness: expected a number from 0 to 100" },
	{ "", "{'memory':{'kernel':1}}", W ".memory.kernel: cgroup v2 has no limit of the kernel's memory" },
	{ "", "{'memory':{'kernelTCP':1}}", W ".memory.kernelTCP: cgroup v2 has no limit of TCP buffers" },
	{ "", "{'memory':{'disableOOMKiller':true}}",
	  W ".memory.disableOOMKiller: cgroup v2 has no way to disable the OOM killer" },
	{ "", "{'memory':{'useHierarchy':false}}",
	  W ".memory.useHierarchy: cgroup v2 has no memory accounting without hierarchy" },
	{ "", "{'cpu':{'realtimeRuntime':1}}", W ".cpu.realtimeRuntime: cgroup v2 has no limit of real-time scheduling" },
	{ "", "{'cpu':{'quota':1000,'burst':1001}}", W ".cpu.burst: more than cpu.quota" },
	{ "", "{'cpu':{'idle':2}}", W ".cpu.idle: expected 0 or 1" },
	{ "", "{'cpu':{'cpus':'all'}}", W ".cpu.cpus: expected a list of CPUs such as 0-3,7" },
	{ "", "{'cpu':{'mems':'x'}}", W ".cpu.mems: expected a list of memory nodes such as 0,1" },
	{ "", "{'blockIO':{'weight':9}}", W ".blockIO.weight: expected a number from 10 to 1000" },
	{ "", "{'blockIO':{'leafWeight':10}}", W ".blockIO.leafWeight: cgroup v2 has no leaf weights" },
	{ "", "{'blockIO':{'weightDevice':[{'major':8,'minor':0}]}}",
	  W ".blockIO.weightDevice[0]: weight or leafWeight is needed" },
	{ "", "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':5}]}}",
	  W ".blockIO.weightDevice[0].weight: expected a number from 10 to 1000" },
	{ "", "{'blockIO':{'throttleReadIOPSDevice':[{'major':-1,'minor':0,'rate':1}]}}",
	  W ".blockIO.throttleReadIOPSDevice[0]: no device has the number -1:0" },
	{ "", "{'hugepageLimits':[{'pageSize':'../x','limit':1}]}", W ".hugepageLimits[0].pageSize: expected a size such as 2MB" },
	{ "", "{'hugepageLimits':[{'pageSize':'2MBx','limit':1}]}", W ".hugepageLimits[0].pageSize: expected a size such as 2MB" },
	{ "", "{'hugepageLimits':[{'pageSize':'02MB','limit':1}]}", W ".hugepageLimits[0].pageSize: expected a size such as 2MB" },
	{ "", "{'network':{'classID':4294967296}}", W ".network.classID: expected a number below 4294967296" },
	{ "", "{'network':{'priorities':[{'name':'a b','priority':1}]}}",
	  W ".network.priorities[0].name: no name of an interface" },
	{ "", "{'rdma':{'a':{}}}", W ".rdma.a: hcaHandles or hcaObjects is needed" },
	{ "", "{'rdma':{'a b':{'hcaHandles':1}}}", W ".rdma: no name of a device among its members" },
	{ "", "{'unified':{'../memory.max':'1'}}", W ".unified[\"../memory.max\"]: expected the name of a file such as memory.high" },
	{ "", "{'unified':{'..':'1'}}", W ".unified[\"..\"]: expected the name of a file such as memory.high" },
	{ "", "{'unified':{'memory':'1'}}", W ".unified[\"memory\"]: expected the name of a file such as memory.high" },
	{ "", "{'unified':{'':'1'}}", W ".unified[\"\"]: expected the name of a file such as memory.high" },
	{ "", "{'unified':{'cgroup.procs':'1'}}", W ".unified[\"cgroup.procs\"]: a file that moves processes is no limit" },
};

static void bad_values_have_positions(void **state)
{
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };

		if (translate(arena, quoted(arena, bad[i].resources), bad[i].v1, &err))
			fail_msg("%s was taken", bad[i].resources);
		assert_string_equal(err.text, bad[i].error);
	}
}

static void asks_for_limits(void **state)
{
	struct oci_resources r = { 0 };
	struct oci_device_rule rule = { .allow = false, .access = "rwm" };
	struct oci_pids pids = { 0 };

	assert_false(resources_has_limits(NULL));
	r.devices.v = &rule;
	r.devices.n = 1;
	assert_false(resources_has_limits(&r));
	r.pids = &pids;
	assert_true(resources_has_limits(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resources_become_settings),
		cmocka_unit_test(bad_values_have_positions),
		cmocka_unit_test(asks_for_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
