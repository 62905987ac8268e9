#include "spec/oci_runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "spec/transfer.h"

static const char bundle[] =
	"{\"ociVersion\":\"1.2.0\",\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":25,\"width\":0},"
	"\"user\":{\"uid\":0,\"gid\":0,\"umask\":18,\"additionalGids\":[5,6]},\"args\":[\"sh\"],\"env\":[\"PATH=/bin\"],"
	"\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],\"effective\":[\"CAP_CHOWN\"]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}],\"noNewPrivileges\":true,"
	"\"oomScoreAdj\":0,\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":5,\"flags\":[\"SCHED_FLAG_RESET_ON_FORK\"]},"
	"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":0},\"execCPUAffinity\":{\"initial\":\"0-1\",\"final\":\"0\"}},\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"hostname\":\"h\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/d\",\"options\":[\"rbind\",\"ro\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}]}],"
	"\"hooks\":{\"createRuntime\":[{\"path\":\"/h\",\"args\":[\"h\"],\"timeout\":5}]},\"annotations\":{\"a\":\"b\"},"
	"\"linux\":{\"sysctl\":{\"net.x\":\"1\"},\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
	"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"r\"}],\"memory\":{\"limit\":-1,\"swappiness\":60},"
	"\"cpu\":{\"shares\":512,\"quota\":50000,\"period\":100000},\"pids\":{\"limit\":2048},"
	"\"blockIO\":{\"weight\":10,\"weightDevice\":[{\"major\":8,\"minor\":0,\"leafWeight\":300}],"
	"\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":300}]},"
	"\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}],"
	"\"network\":{\"classID\":0,\"priorities\":[{\"name\":\"eth0\",\"priority\":500}]},"
	"\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3},\"rxe3\":{\"hcaObjects\":10000}},\"unified\":{\"memory.high\":\"1\"}},"
	"\"cgroupsPath\":\"/c\",\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/proc/1/ns/net\"}],"
	"\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\",\"major\":10,\"minor\":229,\"fileMode\":438,\"uid\":0,\"gid\":0}],"
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":[\"SCMP_ARCH_X86_64\"],"
	"\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
	"\"value\":18446744073709551615,\"op\":\"SCMP_CMP_EQ\"}]}]},\"rootfsPropagation\":\"rslave\","
	"\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc/sys\"],\"personality\":{\"domain\":\"LINUX\"},"
	"\"timeOffsets\":{\"monotonic\":{\"secs\":-5,\"nanosecs\":7}},\"netDevices\":{\"eth0\":{\"name\":\"inside\"},\"eth1\":{}},"
	"\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]},"
	"\"intelRdt\":{\"closID\":\"c\",\"schemata\":[\"MB:0=50\"],\"enableMonitoring\":true}},"
	"\"vm\":{\"x\":1}}";

static void a_bundle_round_trips(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	struct oci_spec spec;

	if (json_decode(arena, &oci_spec_shape, &spec, bundle, strlen(bundle), "config.json", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(spec.process->rlimits.v[0].hard, UINT64_MAX);
	assert_int_equal(*spec.process->oom_score_adj, 0);
	assert_null(spec.linux_->resources->devices.v[0].major);
	assert_int_equal(*spec.linux_->resources->memory->limit, -1);
	assert_string_equal(spec.linux_->resources->rdma.v[1].device, "rxe3");
	assert_string_equal(spec.linux_->time_offsets.v[0].clock, "monotonic");
	assert_string_equal(spec.linux_->net_devices.v[1].device, "eth1");
	assert_string_equal(json_print(arena, json_encode(arena, &oci_spec_shape, &spec), 0), bundle);
}

static void refuses(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "{}", "config.json: .ociVersion: missing, and required" },
		{ "{\"ociVersion\":\"1.0\",\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/b\",\"options\":[\"ro\",1]}]}",
		  "config.json: .mounts[1].options[1]: expected string, got number" },
		{ "{\"ociVersion\":\"1.0\",\"mounts\":[{\"type\":\"proc\"}]}",
		  "config.json: .mounts[0].destination: missing, and required" },
		{ "{\"ociVersion\":\"1.0\",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}}",
		  "config.json: .process.user.uid: expected a number of at least 0" },
		{ "{\"ociVersion\":\"1.0\",\"linux\":{\"namespaces\":[{}]}}",
		  "config.json: .linux.namespaces[0].type: missing, and required" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct oci_spec spec;

		assert_int_equal(json_decode(arena, &oci_spec_shape, &spec, cases[i].text, strlen(cases[i].text),
					     "config.json", &err), -1);
		assert_string_equal(err.text, cases[i].error);
	}
}

static void transfer_messages_round_trip(void **state)
{
	static const char request[] =
		"{\"op\":\"layers\",\"source\":{\"host\":\"127.0.0.1:5000\",\"path\":\"library/busybox\",\"insecure\":true},"
		"\"layers\":[{\"digest\":\"sha256:x\",\"size\":5,\"diffId\":\"sha256:y\",\"stage\":\"s\"}],"
		"\"uidRanges\":[0,65536],\"squashOwner\":true,\"retries\":3,\"changes\":{\"Cmd\":\"x\"}}";
	static const char event[] =
		"{\"event\":\"result\",\"images\":[{\"id\":\"abc\",\"names\":[\"a:b\"],\"layers\":[{\"digest\":\"sha256:x\","
		"\"size\":0}],\"diffIds\":[\"sha256:y\"]}],\"unpacked\":[{\"size\":4}],\"kind\":3,\"errno\":2,\"text\":\"t\"}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	struct transfer_request r;
	struct transfer_event e;

	assert_int_equal(json_decode(arena, &transfer_request_shape, &r, request, strlen(request), "t", &err), 0);
	assert_string_equal(json_print(arena, json_encode(arena, &transfer_request_shape, &r), 0), request);
	assert_int_equal(json_decode(arena, &transfer_event_shape, &e, event, strlen(event), "t", &err), 0);
	assert_string_equal(json_print(arena, json_encode(arena, &transfer_event_shape, &e), 0), event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bundle_round_trips),
		cmocka_unit_test(refuses),
		cmocka_unit_test(transfer_messages_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
