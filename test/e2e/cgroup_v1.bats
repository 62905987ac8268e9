# The machine's cgroup v1 hierarchies, as root of a lab that has nothing else
# lab: -r -k cgroup=v1
load helpers

unit() { "$BRYO_BUILD/test/unit/cgroup/test_cgroup_$1"; }

setup() {
	e2e_setup
	[ "$(id -u)" -eq 0 ] && [ "${BRYO_LAB:-}" ] || skip "only root of test/lab has a cgroup tree to play with"
	[ -d /sys/fs/cgroup/memory ] && [ -d /sys/fs/cgroup/pids ] || skip "this machine has no cgroup v1 memory and pids controllers"
}

@test "the kernel does what is asked of it: memory, processes, processors, freezer, devices" {
	run unit cgroup
	[ "$status" -eq 0 ] || { show; return 1; }
	refute_contains "skipped: not in test/lab"
	for test in life nobody_escapes memory pids_max processors devices; do
		assert_matches "OK[^[]*[]] $test"
	done
}

@test "a container's limits are those of version 1" {
	need_image
	run bryo info --format '{{.Host.CgroupVersion}} {{.Host.CgroupManager}}'
	assert_output "v1 cgroupfs"
	bryo run -d --name usual $IMG sleep 1000 >/dev/null
	[ "$(cat "/sys/fs/cgroup/pids$(bryo inspect -f '{{.State.CgroupPath}}' usual)/pids.max")" = 2048 ]
	bryo run -d --name c --memory 32m --pids-limit 20 $IMG sleep 1000 >/dev/null
	local path
	path=$(bryo inspect -f '{{.State.CgroupPath}}' c)
	[ "$(cat "/sys/fs/cgroup/memory$path/memory.limit_in_bytes")" = 33554432 ]
	[ "$(cat "/sys/fs/cgroup/pids$path/pids.max")" = 20 ]
	[ "$(wc -l <"/sys/fs/cgroup/pids$path/cgroup.procs")" -eq 1 ]
	bryo exec -d c sleep 1000
	retry 5 test "$(wc -l <"/sys/fs/cgroup/memory$path/cgroup.procs")" -eq 2
	run bryo stats --no-stream --format '{{.MemLimit}} {{.PIDs}}' c
	assert_output "33554432 2"
	run bryo update --memory 64m --pids-limit 30 c
	assert_ok
	[ "$(cat "/sys/fs/cgroup/memory$path/memory.limit_in_bytes")" = 67108864 ]
	[ "$(cat "/sys/fs/cgroup/pids$path/pids.max")" = 30 ]
	bryo pause c >/dev/null
	[ "$(cat "/sys/fs/cgroup/freezer$path/freezer.state")" = FROZEN ]
	bryo unpause c >/dev/null
	bryo rm -f -t 0 c >/dev/null
	[ ! -d "/sys/fs/cgroup/memory$path" ]
	[ ! -d "/sys/fs/cgroup/pids$path" ]
}

@test "too much memory ends the container, too many processes do not" {
	need_image
	run bryo run --name c --memory 16m --memory-swap 16m $IMG sh -c 'x=x; while :; do x=$x$x; done'
	assert_status 137
	run bryo run --rm --pids-limit 5 $IMG sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo done'
	assert_contains "fork"
}
