# vm: v1
# Control groups of version 1 as systemd mounts them, with a unified hierarchy beside them that has no controllers
load helpers

root_oci() { sudo "$BRYO" oci "$@"; }
root_bundle() {
	[ -x /tmp/busybox ] || { bryo run --rm --network none $IMG cat /bin/busybox >/tmp/busybox && chmod +x /tmp/busybox; }
	sudo BUSYBOX=/tmp/busybox "$BATS_TEST_DIRNAME/../e2e/make-bundle" b "$@"
}
setup() { cd "$BATS_TEST_TMPDIR" || return; }
teardown() {
	root_oci delete -f c >/dev/null 2>&1 || true
	bryo rm -fa -t 0 >/dev/null 2>&1 || true
}
nothing_is_left() { ! find /sys/fs/cgroup \( -name '*bryo*' -o -name '*c.scope' \) ! -name bryo-vm-agent.service | grep -q .; }
limits='.linux.resources = {cpu: {shares: 512, quota: 50000, period: 100000}, pids: {limit: 77},
	devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "r"}]}'

@test "a user's containers run without limits, and that is said" {
	run bryo run --rm --network none --pids-limit 5 $IMG echo ran
	assert_ok
	assert_contains ran
	assert_contains 'resource limits are ignored'
	run bryo info --format '{{.Host.CgroupVersion}}'
	assert_output v1
	bryo run -d --name c --network none $IMG sleep 1000
	run bryo exec c echo inside
	assert_ok
	assert_contains inside
	bryo rm -f -t 0 c
	nothing_is_left
}

@test "root: limits and device rules reach the hierarchies, and the cgroups go" {
	for manager in --cgroup-manager=cgroupfs --systemd-cgroup; do
		root_bundle "$limits" -- sleep 1000
		root_oci "$manager" run -d -b b c </dev/null >/dev/null 2>&1
		pid=$(root_oci state c | jq .pid)
		for figure in pids:pids.max:77 cpu,cpuacct:cpu.cfs_quota_us:50000 cpu,cpuacct:cpu.shares:512; do
			IFS=: read -r hierarchy file value <<<"$figure"
			path=$(sed -nE "s/^[0-9]+:$hierarchy://p" "/proc/$pid/cgroup")
			[ "$(cat "/sys/fs/cgroup/$hierarchy$path/$file")" = "$value" ]
		done
		path=$(sed -nE 's/^[0-9]+:devices://p' "/proc/$pid/cgroup")
		run cat "/sys/fs/cgroup/devices$path/devices.list"
		assert_contains 'c 10:229 r'
		refute_contains 'a *:* rwm'
		root_oci delete -f c
		retry 60 nothing_is_left
	done
}

@test "root: --pids-limit's file stops a fork, and a device that is not listed cannot be opened" {
	root_bundle "$limits" '.linux.resources.pids.limit = 5' -- sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
	run root_oci run -b b c
	assert_contains "can't fork"
	root_bundle "$limits" '.process.capabilities[] += ["CAP_MKNOD"]' -- sh -c \
		'mknod /tmp/fuse c 10 229; mknod /tmp/tun c 10 200; (: </tmp/fuse) && echo allowed; (: </tmp/tun)'
	run root_oci run -b b c
	assert_contains allowed
	assert_contains '/tmp/tun: Operation not permitted'
}

@test "root: pause and resume by the freezer" {
	root_bundle -- sleep 1000
	root_oci run -d -b b c </dev/null >/dev/null 2>&1
	root_oci pause c
	[ "$(root_oci state c | jq -r .status)" = paused ]
	[ "$(cut -d' ' -f3 "/proc/$(root_oci state c | jq .pid)/stat")" = D ]
	root_oci resume c
	[ "$(root_oci state c | jq -r .status)" = running ]
}

@test "root: events and update" {
	root_bundle -- sleep 1000
	root_oci run -d -b b c </dev/null >/dev/null 2>&1
	[ "$(root_oci events --stats c | jq .data.pids.current)" = 1 ]
	root_oci update --pids-limit 33 c
	path=$(sed -nE 's/^[0-9]+:pids://p' "/proc/$(root_oci state c | jq .pid)/cgroup")
	[ "$(cat "/sys/fs/cgroup/pids$path/pids.max")" = 33 ]
}

@test "root: a container sees its own hierarchies" {
	root_bundle 'mount({destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"]})' -- sh -c \
		'ls /sys/fs/cgroup; cat /sys/fs/cgroup/pids/cgroup.procs'
	run root_oci run -b b c
	assert_ok
	assert_contains 'cpu,cpuacct'
	assert_matches '(^|
)1(
|$)'
}
