# vm: plain
# The figures of `bryo stats`, where controllers count them
load helpers

# figure CONTAINER FIELD: a plain number.
figure() { bryo stats --no-stream --format "{{.$2}}" "$1"; }
between() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "$1 is not between $2 and $3" >&2; return 1; }; }

@test "memory: what the container holds, and its limit" {
	bryo run -d --name c --network none --memory 128m $IMG sh -c 'head -c 40m /dev/zero >/dev/shm/f; touch /dev/shm/done; sleep 1000'
	filled() { bryo exec c test -e /dev/shm/done; }
	retry 120 filled
	[ "$(figure c MemLimit)" = 134217728 ]
	run bryo stats --no-stream --format '{{.MemPerc}}' c
	assert_matches '^[34][0-9]\.[0-9]+%$'
	kernel=$(bryo exec c cat /sys/fs/cgroup/memory.current)
	between "$kernel" 41943040 134217728
	run bryo stats --no-stream --format '{{.MemUsage}}' c
	assert_matches '^[45][0-9]\.[0-9]+MB / 134\.2MB$'
}

@test "processes" {
	bryo run -d --name c --network none --pids-limit 50 $IMG sh -c 'sleep 1000 & sleep 1000 & sleep 1000 & wait'
	four() { [ "$(figure c PIDs)" = 4 ]; }
	retry 60 four
}

@test "processor: a busy container and an idle one" {
	bryo run -d --name busy --network none $IMG sh -c 'while :; do :; done'
	bryo run -d --name idle --network none $IMG sleep 1000
	sleep 5
	run bryo stats --no-stream --format '{{.CPU}}' busy
	between "${output%.*}" 30 110
	run bryo stats --no-stream --format '{{.CPU}}' idle
	between "${output%.*}" 0 10
	between "$(figure busy CPUNano)" 1000000000 200000000000
}

@test "disk: what was written" {
	bryo run -d --name c --network none $IMG sh -c 'dd if=/dev/zero of=/root/f bs=1M count=20 conv=fsync 2>/dev/null; touch /root/done; sleep 1000'
	written() { bryo exec c test -e /root/done; }
	retry 120 written
	between "$(figure c BlockOutput)" 20971520 60000000
}

@test "the same with cgroupfs in a cgroup that was handed over" {
	delegated "$BRYO" --cgroup-manager=cgroupfs run -d --name c --network none --memory 128m $IMG sh -c \
		'head -c 40m /dev/zero >/dev/shm/f; sleep 1000'
	filled() { between "$(bryo exec c cat /sys/fs/cgroup/memory.current)" 41943040 134217728; }
	retry 120 filled
	[ "$(figure c MemLimit)" = 134217728 ]
	run bryo stats --no-stream --format '{{.MemPerc}}' c
	assert_matches '^[34][0-9]\.[0-9]+%$'
}
