# Cgroup v2 as root of a lab that has it, without most controllers: places, life, device rules as an eBPF program
# lab: -r
load helpers

setup() {
	e2e_setup
	[ "$(id -u)" -eq 0 ] && [ "${BRYO_LAB:-}" ] || skip "only root of test/lab has a cgroup tree to play with"
}

unit() { "$BRYO_BUILD/test/unit/cgroup/test_cgroup_$1"; }

@test "the kernel does what is asked of it" {
	run unit cgroup
	[ "$status" -eq 0 ] || { show; return 1; }
	refute_contains "skipped: not in test/lab"
	assert_matches 'OK[^[]*[]] devices'
}

@test "nothing is left of containers' cgroups" {
	need_image
	bryo run -d --name c $IMG sh -c 'sleep 1000 & sleep 1000' >/dev/null
	local path
	path=/sys/fs/cgroup$(bryo inspect -f '{{.State.CgroupPath}}' c)
	[ -d "$path" ]
	[ "$(wc -l <"$path/cgroup.procs")" -eq 2 ]
	bryo pause c >/dev/null
	grep -q 'frozen 1' "$path/cgroup.events"
	bryo unpause c >/dev/null
	bryo exec -d c sleep 1000
	retry 5 test "$(wc -l <"$path/cgroup.procs")" -eq 3
	bryo rm -f -t 0 c >/dev/null
	[ ! -d "$path" ]
}

@test "a cgroup of its own is made where --cgroup-parent says" {
	need_image
	run bryo run --rm --cgroup-parent /user/there $IMG grep ^0: /proc/self/cgroup
	assert_ok
	assert_output "0::/"
	bryo run -d --name c --cgroup-parent there $IMG sleep 1000 >/dev/null
	run bryo inspect -f '{{.State.CgroupPath}}' c
	assert_matches '/there/bryo-[0-9a-f]{64}$'
	run bryo run --rm --cgroup-parent ../x $IMG true
	assert_status 125
	assert_contains '".." is not possible in the path of a cgroup'
}
