# lab: -r
# Docker above `bryo oci`: dockerd with its own containerd, and bryo as its default runtime
# not quick
load helpers

setup_file() {
	export SHARED=$BATS_FILE_TMPDIR PATH=$PATH:/usr/sbin
	mkdir "$SHARED/bin"
	E2E_DIR=$SHARED runtime
	export DOCKER_HOST=unix://$SHARED/sock DOCKER_CONFIG=$SHARED/client DOCKER_BUILDKIT=0
	command -v dockerd >/dev/null && command -v docker >/dev/null || return 0
	echo '{}' >"$SHARED/daemon.json"
	dockerd --config-file "$SHARED/daemon.json" --host "$DOCKER_HOST" --data-root "$SHARED/root" --exec-root "$SHARED/exec" \
		--pidfile "$SHARED/pid" --iptables=false --ip6tables=false --bridge none \
		--add-runtime "under-test=$RUNTIME" --default-runtime under-test >"$SHARED/log" 2>&1 3>&- &
	retry 15 docker version >/dev/null 2>&1 || { tail -n 20 "$SHARED/log"; return 1; }
	docker load -q -i "$(BRYO_TEST_CACHE=$SHARED image_file $IMG)" >/dev/null
}

teardown_file() {
	[ -f "$SHARED/pid" ] || return 0
	kill "$(cat "$SHARED/pid")"
	retry 10 eval '[ ! -f "$SHARED/pid" ]'
}

setup() {
	needs dockerd docker
	E2E_DIR=$(mktemp -d /tmp/e2e.XXXXXX)
	cd "$E2E_DIR"
}

teardown() {
	local all
	all=$(docker ps -aq)
	[ -z "$all" ] || docker rm -f $all >/dev/null 2>&1 || true
	cd /
	rm -rf "$E2E_DIR"
}

state() { docker inspect -f "{{.State.$1}}" con; }

@test "run: output, errors, input, exit code" {
	docker run --rm $IMG sh -c 'cat /etc/replaced; echo err >&2; exit 11' >out 2>err && false || [ $? -eq 11 ]
	[ "$(cat out err)" = $'upper\nerr' ]
	run docker run --rm -i $IMG cat <<<text
	assert_output text
	run docker ps -aq
	assert_output ""
}

@test "run and exec on a terminal" {
	run on_terminal docker run --rm -it $IMG sh <<-'END'
	tty; until stty size | grep 24; do usleep 10000; done 2>/dev/null
	@expect /dev/pts/0
	@expect 24 80
	@size 33 99
	until stty size | grep 33; do usleep 10000; done 2>/dev/null
	@expect 33 99
	exit 5
	END
	assert_status 5
	docker run -d --name con $IMG sleep 1000
	run on_terminal docker exec -it con sh <<-'END'
	tty; echo D$((40+2))
	@expect /dev/pts/
	@expect D42
	exit 6
	END
	assert_status 6
}

@test "126 and 127, and the reason" {
	run docker run --rm $IMG nope
	assert_status 127
	assert_contains nope
	run docker run --rm $IMG /nope/nope
	assert_status 127
	run docker run --rm $IMG /etc
	assert_status 126
	run docker run --rm $IMG /etc/passwd
	assert_status 126
	docker run -d --name con $IMG sleep 1000
	run docker exec con nope
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ]
	assert_contains nope
	run docker exec con /etc/passwd
	assert_status 126
	[ "$(state Status)" = running ]
}

@test "exec, pause, top, figures, kill, restart, events" {
	local since
	since=$(date +%s)
	docker run -d --name con $IMG sh -c 'trap "exit 9" TERM; while :; do usleep 20000; done'
	run docker exec -i -u user -w /etc -e A=1 con sh -c 'id -un; pwd; echo $A; cat; exit 4' <<<text
	assert_output $'user\n/etc\n1\ntext'
	assert_status 4
	docker exec -d con touch /done
	retry 5 docker exec con test -e /done
	docker pause con
	[ "$(state Status)" = paused ]
	docker unpause con
	[ "$(state Status)" = running ]
	run docker top con
	assert_contains 'trap "exit 9" TERM'
	run docker stats --no-stream --format '{{.Name}}' con
	assert_output con
	docker stop -t 5 con
	[ "$(state ExitCode)" = 9 ]
	docker start con
	docker kill con
	retry 5 eval '[ "$(state ExitCode)" = 137 ]'
	run docker events --since "$since" --until "$(($(date +%s) + 1))" --filter container=con --format '{{.Action}}'
	for action in create start exec_die pause unpause die stop kill; do assert_contains "$action"; done
}

@test "created and started later; restarted by the daemon" {
	docker create --name con --restart on-failure:2 $IMG sh -c 'echo again; exit 3'
	docker start con
	retry 10 eval '[ "$(docker logs con | wc -l)" = 3 ] && [ "$(state Status)" = exited ]'
	[ "$(state ExitCode)" = 3 ]
}

@test "file systems" {
	mkdir host
	echo text >host/file
	run docker run --rm --read-only --tmpfs /tmp:mode=1750 -v "$PWD/host:/h:ro" $IMG sh -c 'exec 2>&1; cat /h/file; stat -c %a /tmp; touch /h/x; touch /x'
	assert_contains $'text\n1750'
	assert_contains "/h/x: Read-only file system"
	assert_contains "/x: Read-only file system"
	run docker run --rm -v vol:/etc/opaque $IMG cat /etc/opaque/shown
	assert_output upper
	docker volume rm vol
	run docker run --rm --mount "type=bind,source=$PWD/host,destination=/h,bind-propagation=rslave" $IMG grep -c " /h .*master:" /proc/self/mountinfo
	assert_output 1
	run docker run --rm --shm-size 3m $IMG sh -c 'df -k /dev/shm | tail -n 1'
	assert_contains 3072
}

@test "user, groups, capabilities, limits, sysctls, devices" {
	run docker run --rm -u 1000:33 --group-add 10 $IMG id
	assert_output "uid=1000(user) gid=33(www-data) groups=10(wheel),33(www-data)"
	run docker run --rm --cap-drop all --cap-add net_admin $IMG grep -E 'Cap(Inh|Prm|Eff|Bnd)' /proc/self/status
	assert_output $'CapInh:\t0000000000000000\nCapPrm:\t0000000000001000\nCapEff:\t0000000000001000\nCapBnd:\t0000000000001000'
	run docker run --rm --ulimit nofile=100:200 $IMG sh -c 'ulimit -Sn; ulimit -Hn'
	assert_output $'100\n200'
	run docker run --rm --sysctl net.ipv4.ip_default_ttl=17 $IMG cat /proc/sys/net/ipv4/ip_default_ttl
	assert_output 17
	run docker run --rm --device /dev/null:/dev/mine $IMG stat -c %t:%T /dev/mine
	assert_output 1:3
	run docker run --rm $IMG sh -c 'mknod /x b 7 0 && head -c 1 /x'
	assert_contains "Operation not permitted"
	run docker run --rm --oom-score-adj 500 --hostname there $IMG sh -c 'cat /proc/self/oom_score_adj; hostname'
	assert_output $'500\nthere'
	run docker run --rm --privileged $IMG sh -c 'mkdir /m && mount -t tmpfs tmpfs /m && grep ^Seccomp: /proc/self/status'
	assert_output $'Seccomp:\t0'
}

@test "seccomp and no_new_privs" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}' >profile.json
	run docker run --rm --security-opt seccomp=profile.json $IMG mkdir /x
	assert_contains "No space left on device"
	run docker run --rm --security-opt no-new-privileges $IMG grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
	assert_output $'NoNewPrivs:\t1\nSeccomp:\t2'
	run docker run --rm $IMG grep CapBnd /proc/self/status
	assert_output $'CapBnd:\t00000000a80425fb'
}

@test "namespaces of the host and of another container" {
	local kind
	docker run -d --name con --ipc shareable $IMG sleep 1000
	for kind in pid ipc network; do
		run docker run --rm "--$kind" container:con $IMG readlink "/proc/self/ns/${kind/network/net}"
		assert_output "$(docker exec con readlink "/proc/self/ns/${kind/network/net}")"
	done
	for kind in pid ipc network uts cgroupns; do
		run docker run --rm "--$kind" host $IMG readlink "/proc/self/ns/$(sed 's/network/net/; s/cgroupns/cgroup/' <<<$kind)"
		assert_output "$(readlink "/proc/self/ns/$(sed 's/network/net/; s/cgroupns/cgroup/' <<<$kind)")"
	done
}

@test "a health check" {
	docker run -d --name con --health-cmd 'test -e /healthy' --health-interval 200ms --health-retries 1 $IMG sleep 1000
	retry 5 eval '[ "$(state Health.Status)" = unhealthy ]'
	docker exec con touch /healthy
	retry 5 eval '[ "$(state Health.Status)" = healthy ]'
}

@test "build with RUN" {
	printf 'FROM %s\nRUN echo built >/built\nUSER user\nRUN ["sh", "-c", "id -un >/tmp/who"]\n' "$IMG" >Dockerfile
	run docker build -q -t built .
	assert_ok
	run docker run --rm built cat /built /tmp/who
	assert_output $'built\nuser'
	printf 'FROM %s\nRUN exit 7\n' "$IMG" >Dockerfile
	run docker build .
	[ "$status" -ne 0 ]
	assert_contains "returned a non-zero code: 7"
	docker rmi -f built
}

@test "archives: docker loads what bryo saves, bryo what docker saves" {
	export XDG_DATA_HOME=$E2E_DIR/data XDG_RUNTIME_DIR=$E2E_DIR/run
	mkdir -m 700 data run
	for name in one two; do
		"$BRYO" load -q -i "$(BRYO_TEST_CACHE=$SHARED image_file localhost/$name --config "\"Cmd\":[\"echo\",\"$name\"]")"
	done
	"$BRYO" save -q -o all.tar one two
	"$BRYO" save -q one | docker load -q >loaded
	docker load -q -i all.tar >>loaded
	grep -q 'localhost/two:latest' loaded
	for name in one two; do
		run docker run --rm localhost/$name
		assert_output $name
		[ "$(docker inspect -f '{{.Id}}' localhost/$name)" = "sha256:$("$BRYO" inspect --format '{{.Id}}' $name | sed 's/sha256://')" ]
	done
	docker save -o back.tar localhost/one localhost/two
	"$BRYO" rmi -fa
	run "$BRYO" load -q -i back.tar
	assert_ok
	[ "$("$BRYO" images -q | wc -l)" -eq 2 ]
	"$BRYO" rmi -fa
	docker rmi -f localhost/one localhost/two
	"$BRYO" unshare rm -rf data
	"$BRYO" system migrate
}
