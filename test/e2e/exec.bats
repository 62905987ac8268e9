# `bryo exec`: further processes in a running container
load helpers

up() { bryo run -d --name c "$@" >/dev/null; }

@test "output, errors, input and exit code are the command's" {
	need_image
	up $IMG sleep 1000
	bryo exec c sh -c 'echo out; echo err >&2; exit 11' >out 2>err && false || [ $? -eq 11 ]
	[ "$(cat out)" = out ]
	[ "$(cat err)" = err ]
	run bryo exec -i c cat <<<text
	assert_output text
	run bryo exec c cat <<<text
	assert_output ""
	run bryo exec c sh -c 'kill -KILL $$'
	assert_status 137
}

@test "126, 127 and the container's state" {
	need_image
	run bryo exec nosuch true
	assert_status 125
	bryo create --name c $IMG true >/dev/null
	run bryo exec c true
	assert_status 125
	assert_contains "can only create exec sessions on running containers: container state improper"
	bryo rm c
	up $IMG sleep 1000
	run bryo exec c /nope
	assert_status 127
	run bryo exec c /etc
	assert_status 126
	run bryo exec c
	assert_status 125
}

@test "it is in every namespace of the container" {
	need_image
	up $IMG sleep 1000
	run bryo exec c sh -c 'for n in pid mnt uts ipc net cgroup user; do [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done; hostname'
	assert_output "$(bryo inspect --format '{{.Config.Hostname}}' c)"
}

@test "user, groups, capabilities" {
	need_image
	up $IMG sleep 1000
	run bryo exec c sh -c 'id -u; grep CapEff /proc/self/status'
	assert_output $'0\nCapEff:\t00000000800405fb'
	run bryo exec -u user c sh -c 'id -un; id -u; echo $HOME; grep CapEff /proc/self/status'
	assert_output $'user\n1000\n/home/user\nCapEff:\t0000000000000000'
	run bryo exec -u 4711:4712 c id
	assert_contains "uid=4711 gid=4712"
	run bryo exec -u nobodyknows c id
	assert_status 125
	run bryo exec --privileged c grep CapEff /proc/self/status
	assert_matches 'CapEff:.0000[0-9a-f]{2}ffffffffff'
	run bryo exec c grep -E '^Seccomp:' /proc/self/status
	assert_matches 'Seccomp:.2'
	run bryo exec --privileged c grep -E '^Seccomp:' /proc/self/status
	assert_matches 'Seccomp:.0'
}

@test "the container's own restrictions hold" {
	need_image
	up --cap-drop ALL --security-opt no-new-privileges -e KEPT=yes -w /tmp $IMG sleep 1000
	run bryo exec c sh -c 'grep -E "CapEff|NoNewPrivs" /proc/self/status; echo $KEPT $PWD'
	assert_output $'CapEff:\t0000000000000000\nNoNewPrivs:\t1\nyes /tmp'
}

@test "environment and working directory" {
	need_image
	up -e A=container $IMG sleep 1000
	printf 'FROM_FILE=f\n' >env
	HOSTVAR=h run bryo exec -e A=exec -e HOSTVAR --env-file env -w /etc c sh -c 'echo $A $HOSTVAR $FROM_FILE $PWD $HOME'
	assert_output "exec h f /etc /root"
	run bryo exec -w /no/such/dir c true
	[ "$status" -ne 0 ]
}

@test "a terminal of its own" {
	need_image
	up $IMG sleep 1000
	run on_terminal "$BRYO" exec -it c sh <<-'END'
	@expect #
	tty; stty size; echo T=$TERM
	@expect /dev/pts/
	@expect 24 80
	@expect T=xterm
	@size 40 120
	@sleep 0.3
	stty size
	@expect 40 120
	exit 3
	END
	assert_status 3
}

@test "detach keys leave the process, ctrl-c is a byte for it" {
	need_image
	up $IMG sleep 1000
	run on_terminal "$BRYO" exec -it c sh -c 'trap "echo interrupted" INT; echo ready; while :; do sleep 0.1; done' <<-'END'
	@expect ready
	@raw 03
	@expect interrupted
	@raw 1011
	END
	assert_ok
	run bryo top c args
	assert_contains "trap"
}

@test "-d answers a session and leaves it running" {
	need_image
	up $IMG sleep 1000
	run bryo exec -d c sh -c 'echo lost; touch /tmp/started; exec sleep 500'
	assert_matches '^[0-9a-f]{64}$'
	retry 10 bryo exec c test -e /tmp/started
	run bryo top c args
	assert_contains "sleep 500"
	run bryo exec -d c /nope
	assert_status 127
}

@test "signals reach the command" {
	need_image
	up $IMG sleep 1000
	"$BRYO" exec c sh -c 'trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done' >out 3>&- &
	local pid=$!
	retry 10 grep -q ready out
	kill -TERM $pid
	local code=0
	wait $pid || code=$?
	[ $code -eq 8 ]
}

@test "it ends with its container" {
	need_image
	up $IMG sleep 1000
	"$BRYO" exec c sh -c 'echo ready; exec sleep 1000' >out 3>&- &
	local pid=$! code=0
	retry 10 grep -q ready out
	bryo kill c >/dev/null
	wait $pid || code=$?
	[ $code -eq 137 ]
}

@test "hostile passwd files are contained" {
	need_image
	up $IMG sh -c 'rm /etc/passwd /etc/group; mkfifo /etc/passwd; ln -s /proc/self/root/etc/shadow /etc/group; sleep 1000'
	retry 10 bryo exec -u 0 c test -p /etc/passwd
	run timeout 10 "$BRYO" exec -u 1000 c grep Uid /proc/self/status
	assert_contains 1000
	run timeout 10 "$BRYO" exec -u someone c true
	assert_status 125
}
