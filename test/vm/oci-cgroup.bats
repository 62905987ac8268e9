# vm: plain
# Cgroups of bundles, where all controllers are there: scopes of the system's and of the user's systemd, cgroupfs, devices
load helpers

setup_file() {
	bryo load -q -i /srv/bryo/box.tar >/dev/null
	bryo run --rm --network none $IMG cat /bin/busybox >"$BATS_FILE_TMPDIR/busybox"
	chmod +x "$BATS_FILE_TMPDIR/busybox"
}
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export BUSYBOX=$BATS_FILE_TMPDIR/busybox
}
teardown() {
	for id in c d; do
		sudo "$BRYO" oci delete -f $id >/dev/null 2>&1 || true
		"$BRYO" oci delete -f $id >/dev/null 2>&1 || true
	done
}

root_oci() { sudo "$BRYO" oci "$@"; }
# root_bundle [FILTER...] [-- ARG...]: a bundle of root's in "b"; bundle the same of the user's.
bundle() { "$BATS_TEST_DIRNAME/../e2e/make-bundle" b "$@"; }
root_bundle() { sudo BUSYBOX="$BUSYBOX" "$BATS_TEST_DIRNAME/../e2e/make-bundle" b "$@"; }
limits='.linux.resources = {memory: {limit: 67108864, swap: 100663296, reservation: 33554432},
	cpu: {shares: 1024, quota: 50000, period: 100000, cpus: "1", mems: "0"}, pids: {limit: 77},
	unified: {"memory.high": "60000000"}}'
figures='cd /sys/fs/cgroup; grep . memory.max memory.swap.max memory.low memory.high cpu.max cpu.weight pids.max cpuset.cpus'

check_figures() {
	assert_ok
	for figure in memory.max:67108864 memory.swap.max:33554432 memory.low:33554432 memory.high:59998208 \
		'cpu.max:50000 100000' cpu.weight:39 pids.max:77 cpuset.cpus:1; do
		assert_contains "$figure"
	done
}
system_property() { systemctl show --property "$2" --value "$1"; }
system_unit_is_gone() { [ "$(system_property "$1" LoadState)" = not-found ]; }
user_unit_is_gone() { [ "$(unit_property "$1" LoadState)" = not-found ]; }

@test "root, cgroupfs: limits reach the kernel" {
	root_bundle "$limits" '.linux.cgroupsPath = "/bryo-test/deep"' 'mount({destination: "/sys/fs/cgroup", type: "cgroup",
		source: "cgroup", options: ["ro"]})' -- sh -c "$figures"
	run root_oci run -b b c
	check_figures
	[ ! -d /sys/fs/cgroup/bryo-test/deep ]
}

@test "root, systemd: the same in a scope, which knows them too" {
	root_bundle "$limits" '.annotations = {"org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.Description": "'"'of a test'"'"}' -- sleep 1000
	root_oci --systemd-cgroup run -d -b b c </dev/null >/dev/null 2>&1
	[ "$(system_property bryo-c.scope ActiveState)" = active ]
	[ "$(system_property bryo-c.scope Delegate)" = yes ]
	[ "$(system_property bryo-c.scope Slice)" = system.slice ]
	[ "$(system_property bryo-c.scope MemoryMax)" = 67108864 ]
	[ "$(system_property bryo-c.scope MemoryHigh)" = 60000000 ]
	[ "$(system_property bryo-c.scope MemoryLow)" = 33554432 ]
	[ "$(system_property bryo-c.scope MemorySwapMax)" = 33554432 ]
	[ "$(system_property bryo-c.scope TasksMax)" = 77 ]
	[ "$(system_property bryo-c.scope CPUWeight)" = 39 ]
	[ "$(system_property bryo-c.scope CPUQuotaPerSecUSec)" = 500ms ]
	[ "$(system_property bryo-c.scope AllowedCPUs)" = 1 ]
	[ "$(system_property bryo-c.scope TimeoutStopUSec)" = 7s ]
	[ "$(system_property bryo-c.scope Description)" = "of a test" ]
	run sh -c "cd /sys/fs/cgroup/system.slice/bryo-c.scope/container && ${figures#*; }"
	check_figures
	run root_oci update --memory 134217728 --memory-swap 134217728 --pids-limit 99 c
	assert_ok
	[ "$(system_property bryo-c.scope MemoryMax)" = 134217728 ]
	[ "$(system_property bryo-c.scope TasksMax)" = 99 ]
	[ "$(cat /sys/fs/cgroup/system.slice/bryo-c.scope/container/pids.max)" = 99 ]
	sudo systemctl daemon-reload
	[ "$(cat /sys/fs/cgroup/system.slice/bryo-c.scope/container/memory.max)" = 134217728 ]
	root_oci delete -f c
	retry 60 system_unit_is_gone bryo-c.scope
	[ ! -d /sys/fs/cgroup/system.slice/bryo-c.scope ]
}

@test "root, systemd: slices, prefixes, sub-cgroups" {
	root_bundle '.linux.cgroupsPath = "bryo-deep.slice:pre:name+x"' \
		'.annotations = {"run.oci.systemd.subgroup": ""}' -- sleep 1000
	root_oci --systemd-cgroup run -d -b b c </dev/null >/dev/null 2>&1
	[ "$(cat '/sys/fs/cgroup/bryo.slice/bryo-deep.slice/pre-name\x2bx.scope/cgroup.procs')" = "$(root_oci state c | jq .pid)" ]
	root_oci kill c KILL
	root_oci delete -f c
	retry 60 test ! -d '/sys/fs/cgroup/bryo.slice/bryo-deep.slice/pre-name\x2bx.scope'
	root_bundle '.linux.cgroupsPath = "/no/slice"' -- true
	run root_oci --systemd-cgroup run -b b c
	assert_status 1
	assert_contains 'config.json: .linux.cgroupsPath: expected slice:prefix:name for the systemd cgroup manager, got "/no/slice"'
	root_bundle '.annotations = {"org.systemd.property.NoSuchThing": "5"}' -- true
	run root_oci --systemd-cgroup run -b b c
	assert_status 1
	assert_contains NoSuchThing
	retry 60 system_unit_is_gone bryo-c.scope
}

@test "root: memory, processes and devices are limited" {
	root_bundle '.linux.resources = {memory: {limit: 33554432, swap: 33554432}}' -- sh -c 'tail /dev/zero'
	run root_oci run -b b c
	assert_status 137
	root_bundle '.linux.resources = {pids: {limit: 5}}' -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	run root_oci run -b b c
	assert_contains "can't fork"
	root_bundle '.linux.resources = {devices: [{allow: false, access: "rwm"}]}' \
		'.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] |
		.process.capabilities.permitted += ["CAP_MKNOD"]' -- \
		sh -c 'mknod /tmp/k c 1 11; head -c 1 /dev/zero | wc -c; : <>/tmp/k && echo opened'
	run root_oci run -b b c
	assert_contains 1
	assert_contains "Operation not permitted"
	refute_contains opened
}

@test "root: what a container's end leaves, and what events tell" {
	root_bundle '.linux.resources = {memory: {limit: 67108864}}' -- sh -c 'sleep 1000 & sleep 1000'
	root_oci run -d -b b c </dev/null >/dev/null 2>&1
	run root_oci events --stats c
	assert_ok
	jq -e '.type == "stats" and .data.memory.usage.limit == 67108864 and .data.pids.current == 2 and .data.cpu.usage.total > 0' \
		<<<"$output"
	root_oci create -b b d </dev/null >/dev/null 2>&1
	root_oci pause c
	grep -q 'frozen 1' /sys/fs/cgroup/bryo-c/cgroup.events
	root_oci delete -f c
	root_oci delete -f d
	[ ! -d /sys/fs/cgroup/bryo-c ]
	[ ! -d /sys/fs/cgroup/bryo-d ]
}

@test "a user: a scope of his systemd" {
	bundle "$limits" -- sleep 1000
	"$BRYO" oci --systemd-cgroup run -d -b b c </dev/null >/dev/null 2>&1
	[ "$(unit_property bryo-c.scope ActiveState)" = active ]
	[ "$(unit_property bryo-c.scope Slice)" = user.slice ]
	[ "$(unit_property bryo-c.scope MemoryMax)" = 67108864 ]
	run sh -c "cd /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/bryo-c.scope/container && ${figures#*; }"
	check_figures
	run "$BRYO" oci exec c true
	assert_ok
	"$BRYO" oci pause c
	"$BRYO" oci resume c
	"$BRYO" oci delete -f c
	retry 60 user_unit_is_gone bryo-c.scope
}

@test "a user without a cgroup of his own: no limits, a warning when some were asked for" {
	bundle -- true
	run sudo -u bryotest env -u XDG_RUNTIME_DIR "$BRYO" oci --root "$PWD/r" run -b b c
	assert_ok
	assert_output ''
	bundle "$limits" -- echo ran
	run "$BRYO" oci run -b b c
	assert_ok
	assert_contains ran
	assert_contains "resource limits are ignored"
	run delegated "$BRYO" oci run -b b c
	assert_ok
	assert_output ran
}
