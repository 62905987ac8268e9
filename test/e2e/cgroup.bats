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

# bundle [MAKE-BUNDLE-ARG...]: a bundle in "b" with a cgroup namespace and its mount, writable.
bundle() {
	"$BATS_TEST_DIRNAME/make-bundle" b 'mount({destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
		options: ["nosuid", "noexec", "nodev"]})' "$@"
}

@test "a bundle's first process can live below its cgroup, which it then may divide" {
	bundle '.annotations = {"run.oci.delegate-cgroup": "init"} | .linux.cgroupsPath = "/own"' -- \
		sh -c 'grep ^0: /proc/self/cgroup; mkdir /sys/fs/cgroup/other && echo 0 >/sys/fs/cgroup/other/cgroup.procs && grep ^0: /proc/self/cgroup'
	run "$BRYO" oci run -b b c
	assert_ok
	assert_output $'0::/init\n0::/other'
	[ ! -d /sys/fs/cgroup/own ]
}

@test "a writable cgroup belongs to who runs in it" {
	bundle '.process.user.uid = 1000 | .linux.cgroupsPath = "/own"' -- \
		sh -c 'mkdir /sys/fs/cgroup/mine && echo 0 >/sys/fs/cgroup/mine/cgroup.procs && grep ^0: /proc/self/cgroup'
	run "$BRYO" oci run -b b c
	assert_ok
	assert_output 0::/mine
	[ ! -d /sys/fs/cgroup/own ]
	bundle '.process.user.uid = 1000 | .linux.cgroupsPath = "/own"' -- sleep 1000
	"$BRYO" oci run -d -b b c </dev/null >/dev/null 2>&1
	[ "$(stat -c %u /sys/fs/cgroup/own)" = 1000 ]
	[ "$(stat -c %u /sys/fs/cgroup/own/cgroup.procs)" = 1000 ]
	[ "$(stat -c %u /sys/fs/cgroup/own/cgroup.freeze)" = 0 ]
	"$BRYO" oci delete -f c
}

@test "a place that is in use, or outside, is refused" {
	bundle '.linux.cgroupsPath = "/own"' -- sleep 1000
	"$BRYO" oci run -d -b b c </dev/null >/dev/null 2>&1
	run "$BRYO" oci run -b b d
	assert_status 1
	assert_contains "there are processes in the cgroup /sys/fs/cgroup/own"
	"$BRYO" oci delete -f c
	mkdir /sys/fs/cgroup/handing
	echo +hugetlb >/sys/fs/cgroup/cgroup.subtree_control
	if echo +hugetlb >/sys/fs/cgroup/handing/cgroup.subtree_control; then
		bundle '.linux.cgroupsPath = "/handing"' -- true
		run "$BRYO" oci run -b b d
		assert_status 1
		assert_contains "hands controllers to those below it, so no process can be in it"
	fi
	rmdir /sys/fs/cgroup/handing
	bundle '.linux.cgroupsPath = "/a/../../b"' -- true
	run "$BRYO" oci run -b b d
	assert_status 1
	assert_contains 'config.json: .linux.cgroupsPath: ".." is not possible in the path of a cgroup'
	bundle '.linux.cgroupsPath = "/own" | .linux.resources = {unified: {"../x": "1"}}' -- true
	run "$BRYO" oci run -b b d
	assert_status 1
	assert_contains 'config.json: .linux.resources.unified["../x"]: expected the name of a file such as memory.high'
	[ ! -d /sys/fs/cgroup/own ]
}
