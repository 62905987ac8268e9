# vm: plain
# Limits, where every controller is delegated: with systemd's scopes, and in a cgroup that was handed over
load helpers

# both COMMAND...: with each of the two managers.
both() {
	"$@" bryo
	"$@" by_cgroupfs
}
by_cgroupfs() { delegated "$BRYO" --cgroup-manager=cgroupfs "$@"; }

@test "--memory: what eats more is killed, and inspect says so" {
	eater() {
		run "$1" run --name eater --network none --memory 32m $IMG tail /dev/zero
		assert_status 137
		run bryo inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}}' eater
		assert_output 'true 137'
		bryo rm eater
	}
	both eater
}

@test "--memory: what keeps below it lives" {
	modest() {
		run "$1" run --name modest --network none --memory 256m $IMG sh -c 'head -c 20m /dev/zero | tail | wc -c'
		assert_ok
		assert_output 20971520
		run bryo inspect --format '{{.State.OOMKilled}}' modest
		assert_output false
		bryo rm modest
	}
	both modest
}

@test "--memory: an exec is counted with its container" {
	bryo run -d --name c --network none --memory 32m $IMG sleep 1000
	run bryo exec c tail /dev/zero
	assert_status 137
	run bryo exec c cat /sys/fs/cgroup/memory.events
	assert_matches 'oom_kill [1-9]'
}

@test "the figures of the options are the kernel's" {
	figures() {
		run "$1" run --rm --network none --memory 64m --memory-swap 96m --memory-reservation 16m --cpus 0.5 --cpu-shares 512 \
			--pids-limit 77 --cpuset-cpus 1 $IMG sh -c 'cd /sys/fs/cgroup; grep . memory.max memory.swap.max memory.low \
			cpu.max cpu.weight pids.max cpuset.cpus'
		assert_ok
		assert_contains memory.max:67108864
		assert_contains memory.swap.max:33554432
		assert_contains memory.low:16777216
		assert_contains 'cpu.max:50000 100000'
		assert_matches 'cpu.weight:[0-9]+'
		assert_contains pids.max:77
		assert_contains cpuset.cpus:1
	}
	both figures
}

@test "--pids-limit stops the fork that is too many" {
	forks() {
		run "$1" run --rm --network none --pids-limit 5 $IMG sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait'
		assert_contains "can't fork"
	}
	both forks
}

@test "--cpus slows down what wants more" {
	throttled() {
		run "$1" run --rm --network none --cpus 0.2 $IMG sh -c \
			'timeout 3 sh -c "while :; do :; done"; grep nr_throttled /sys/fs/cgroup/cpu.stat'
		assert_matches 'nr_throttled [1-9]'
	}
	both throttled
}

@test "--cpuset-cpus leaves one processor" {
	pinned() {
		run "$1" run --rm --network none --cpuset-cpus 1 $IMG sh -c 'nproc; grep Cpus_allowed_list /proc/self/status'
		assert_ok
		assert_matches '^1
Cpus_allowed_list:	1$'
	}
	both pinned
}

@test "--cpuset-cpus with a processor that is not there fails before anything runs" {
	run bryo run --rm --network none --cpuset-cpus 99 $IMG echo executed
	assert_status 125
	refute_contains executed
	assert_contains cpuset.cpus
}

@test "update changes the limits of a container that runs" {
	bryo run -d --name c --network none --memory 256m $IMG sleep 1000
	bryo update --memory 32m --cpus 0.3 --pids-limit 33 c
	run bryo exec c sh -c 'cd /sys/fs/cgroup; grep . memory.max cpu.max pids.max'
	assert_contains memory.max:33554432
	assert_contains 'cpu.max:30000 100000'
	assert_contains pids.max:33
	run bryo exec c tail /dev/zero
	assert_status 137
}
