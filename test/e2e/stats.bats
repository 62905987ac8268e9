# `bryo stats` and `bryo update`, for a user to whom no controllers are delegated
load helpers

@test "the columns of one report" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	run bryo stats --no-stream c
	assert_ok
	assert_matches '^ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET IO +BLOCK IO +PIDS +CPU TIME +AVG CPU %'
	assert_matches $'\n[0-9a-f]{12} +c +[0-9.]+% +[0-9.]+[kM]B / [0-9.]+GB +[0-9.]+% +[0-9.]+k?B / [0-9.]+k?B +[0-9.]+[kM]?B / [0-9.]+[kM]?B +1 +[0-9.]+m?s +[0-9.]+%'
	[ "${#lines[@]}" -eq 2 ]
}

@test "what runs, and with -a what does not" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	bryo create --name made $IMG true >/dev/null
	run bryo stats --no-stream --format '{{.Name}} {{.PIDS}}'
	assert_output "c 1"
	run bryo stats --no-stream -a --format '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.PIDS}}'
	assert_contains "made -- -- / -- --"
	run bryo container stats --no-stream made
	assert_ok
	run bryo stats --no-stream nosuch
	assert_status 125
	assert_contains 'no container with ID or name "nosuch" found'
	run bryo stats --no-stream -a c
	assert_status 125
}

@test "json and templates" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	bryo stats --no-stream --format json c | python3 -c '
import json, sys
rows = json.load(sys.stdin)
assert len(rows) == 1, rows
assert list(rows[0]) == ["id", "name", "cpu_time", "cpu_percent", "avg_cpu", "mem_usage", "mem_percent", "net_io", "block_io", "pids"], rows
assert rows[0]["name"] == "c" and rows[0]["pids"] == "1", rows'
	run bryo stats --no-stream --no-trunc --format 'table {{.ID}} {{.MemUsageBytes}}' c
	assert_matches '^ID +MEM USAGE / LIMIT'
	assert_matches $'\n[0-9a-f]{64} +[0-9.]+[KM]iB / [0-9.]+GiB'
	run bryo stats --no-stream --format '{{.CPU}} {{.AvgCPU}} {{.CPUNano}} {{.MemLimit}} {{.PIDs}} {{.Up}}' c
	assert_matches '^[0-9.e-]+ [0-9.e-]+ [0-9]+ [0-9]+ 1 [0-9.]+m?s$'
}

@test "processor time and memory are those of the container" {
	need_image
	bryo run -d --name busy $IMG sh -c 'while :; do :; done' >/dev/null
	bryo run -d --name idle $IMG sleep 1000 >/dev/null
	run timeout 10 "$BRYO" stats -i 1 --no-reset --format '{{.Name}} {{.CPU}}' busy idle
	local busy idle
	busy=$(awk '/^busy/ { n = $2 } END { print int(n) }' <<<"$output")
	idle=$(awk '/^idle/ { n = $2 } END { print int(n) }' <<<"$output")
	[ "$busy" -gt 10 ]
	[ "$idle" -lt 5 ]
}

@test "a stream ends with the container that it is about" {
	need_image
	bryo run -d --name c $IMG sleep 2 >/dev/null
	run timeout 20 "$BRYO" stats -i 1 c
	assert_ok
	assert_contains "--"
	run bryo stats -i 0 c
	assert_status 125
}

@test "update keeps limits for the next start" {
	need_image
	bryo create --name c --cpu-quota 20000 $IMG true >/dev/null
	run bryo update --memory 64m --cpus 0.5 --pids-limit 7 c
	assert_ok
	assert_output c
	run bryo inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}' c
	assert_output "67108864 500000000 7"
	run bryo update --restart on-failure:3 c
	assert_ok
	run bryo inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' c
	assert_output "on-failure 3"
}

@test "update refuses what cannot be" {
	need_image
	bryo create --name c --memory 64m --memory-swap 64m $IMG true >/dev/null
	run bryo update c
	assert_status 125
	assert_contains "nothing to change"
	run bryo update --memory 128m c
	assert_contains "minimum memoryswap limit should be larger than memory limit"
	run bryo update --cpus 1 --cpu-quota 5000 c
	assert_contains "cannot be set together"
	run bryo update --blkio-weight 5 c
	assert_contains 'invalid value "5" for --blkio-weight: a number from 10 to 1000 is needed'
	run bryo update --device-read-bps /dev/null:1mb c
	assert_contains "/dev/null: it is no block device"
	run bryo update --cgroup-conf cgroup.procs=1 c
	assert_contains 'a file that moves processes is no limit'
	run bryo update --restart sometimes c
	assert_contains 'invalid restart policy "sometimes"'
	run bryo update --health-cmd x c
	assert_contains "health checks are not run"
	run bryo inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}' c
	assert_output "67108864 67108864"
}

@test "a running container without the controller keeps what it has" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	run bryo update --memory 64m c
	assert_status 125
	assert_contains "there is no cgroup controller memory here"
	run bryo inspect -f '{{.HostConfig.Memory}}' c
	assert_output "0"
}
