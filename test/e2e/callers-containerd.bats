# lab: -r
# containerd above `bryo oci`: its shim calls the runtime as it would call runc
load helpers

setup_file() {
	export SHARED=$BATS_FILE_TMPDIR CTD=localhost/box:latest
	mkdir "$SHARED/bin"
	E2E_DIR=$SHARED runtime
	export RUNTIME CONTAINERD_ADDRESS=$SHARED/sock
	command -v containerd >/dev/null || return 0
	cat >"$SHARED/config.toml" <<-END
	version = 2
	root = "$SHARED/root"
	state = "$SHARED/state"
	disabled_plugins = ["io.containerd.grpc.v1.cri"]
	[grpc]
	address = "$CONTAINERD_ADDRESS"
	[ttrpc]
	address = "$SHARED/ttrpc"
	END
	ln -s "$(realpath "$RUNTIME")" "$SHARED/bin/runc"
	PATH=$SHARED/bin:$PATH containerd -c "$SHARED/config.toml" >"$SHARED/log" 2>&1 3>&- &
	echo $! >"$SHARED/pid"
	retry 10 ctr version >/dev/null 2>&1 || { cat "$SHARED/log"; return 1; }
	ctr image import "$(BRYO_TEST_CACHE=$SHARED image_file "$CTD" --format oci-archive)" >/dev/null
}

teardown_file() { [ ! -f "$SHARED/pid" ] || kill "$(cat "$SHARED/pid")"; }

setup() {
	needs containerd ctr
	E2E_DIR=$(mktemp -d /tmp/e2e.XXXXXX)
	cd "$E2E_DIR"
}

teardown() {
	local id
	for id in $(ctr container ls -q); do
		ctr task delete -f "$id" >/dev/null 2>&1 || true
		ctr container delete "$id" >/dev/null 2>&1 || true
	done
	cd /
	rm -rf "$E2E_DIR"
}

# ctr's own default for --cpu-shares needs a controller that may not be here.
ctr_run() { ctr run --cpu-shares 0 --runc-binary "$RUNTIME" --runc-root "$SHARED/runtime" "$@" 3>&-; }
status() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }

@test "run: output, errors, input, exit code; nothing is left" {
	ctr_run --rm $CTD c sh -c 'cat /etc/replaced; echo err >&2; exit 11' >out 2>err && false || [ $? -eq 11 ]
	[ "$(cat out)" = upper ]
	[ "$(head -n 1 err)" = err ]
	run ctr_run --rm $CTD c head -n 1 <<<text		# ctr may lose the end of a short input
	assert_output text
	run ctr_run --rm $CTD c hostname
	assert_ok
	run ctr container ls -q
	assert_output ""
	[ ! -e "$SHARED/runtime/default/c" ]
}

@test "run and exec on a terminal" {
	run on_terminal ctr run --cpu-shares 0 --runc-binary "$RUNTIME" --rm -t $CTD c sh <<-'END'
	tty; until stty size | grep 24; do usleep 10000; done 2>/dev/null
	@expect /dev/pts/0
	@expect 24 80
	exit 5
	END
	assert_status 5
	ctr_run -d $CTD c sleep 1000
	run on_terminal ctr task exec -t --exec-id e c sh <<-'END'
	tty; echo D$((40+2))
	@expect /dev/pts/
	@expect D42
	exit 6
	END
	assert_status 6
}

@test "a command that does not exist" {
	run ctr_run --rm $CTD c /nope
	[ "$status" -ne 0 ]
	assert_contains /nope
	assert_matches "([Nn]o such file|not found)"
	ctr_run -d $CTD d sleep 1000
	run ctr task exec --exec-id e d nope
	[ "$status" -ne 0 ]
	assert_contains nope
	[ "$(status d)" = RUNNING ]
}

@test "detached: exec, pause, resume, processes, figures, kill, delete" {
	ctr_run -d $CTD c sh -c 'trap "exit 9" TERM; while :; do echo >>/n; usleep 20000; done'
	[ "$(status c)" = RUNNING ]
	run ctr task exec --exec-id 1 --user 1000:1000 --cwd /etc c sh -c 'id -u; pwd; exit 4'
	assert_output $'1000\n/etc'
	assert_status 4
	ctr task exec --exec-id 2 -d c sleep 1000
	[ "$(ctr task ps c | wc -l)" -ge 3 ]
	ctr task pause c
	[ "$(status c)" = PAUSED ]
	ctr task resume c
	[ "$(status c)" = RUNNING ]
	run ctr task metrics c
	assert_ok
	assert_contains c
	ctr task kill --exec-id 2 -s KILL c
	ctr task kill -s TERM c
	retry 5 eval '[ "$(status c)" = STOPPED ]'
	run ctr task delete c
	assert_contains "exit code 9"
	run ctr task ls -q
	assert_output ""
}

@test "all processes killed at once, the same container again" {
	ctr_run -d $CTD c sh -c 'sleep 1000 & sleep 1000 & wait'
	retry 5 eval '[ "$(ctr task ps c | wc -l)" = 4 ]'
	ctr task kill -a -s KILL c
	retry 5 eval '[ "$(status c)" = STOPPED ]'
	run ctr task delete c
	assert_contains 137
	ctr task start -d c
	[ "$(status c)" = RUNNING ]
}

@test "mounts, directory, environment, capabilities, namespaces, devices" {
	mkdir host
	echo text >host/file
	run ctr_run --rm --mount "type=bind,src=$PWD/host,dst=/h,options=rbind:ro" $CTD c sh -c 'cat /h/file; touch /h/x'
	assert_contains text
	assert_contains "Read-only file system"
	run ctr_run --rm --read-only --cwd /tmp --env A=1 $CTD c sh -c 'touch /x; pwd; echo $A'
	assert_contains "Read-only file system"
	assert_contains $'/tmp\n1'
	run ctr_run --rm --cap-add CAP_SYS_ADMIN --cap-drop CAP_CHOWN $CTD c grep CapEff /proc/self/status
	assert_output $'CapEff:\t00000000a82425fa'
	run ctr_run --rm --net-host $CTD c readlink /proc/self/ns/net
	assert_output "$(readlink /proc/self/ns/net)"
	ctr_run -d $CTD d sleep 1000
	run ctr_run --rm --with-ns "ipc:/proc/$(ctr task ls | awk '$1 == "d" { print $2 }')/ns/ipc" $CTD c readlink /proc/self/ns/ipc
	assert_output "$(readlink "/proc/$(ctr task ls | awk '$1 == "d" { print $2 }')/ns/ipc")"
	run ctr_run --rm --device /dev/null $CTD c sh -c 'stat -c %t:%T /dev/null; cat /dev/null; mknod /x b 7 0 && head -c 1 /x'
	assert_contains 1:3
	assert_contains "Operation not permitted"
	run ctr_run --rm --seccomp $CTD c grep ^Seccomp: /proc/self/status
	assert_output $'Seccomp:\t2'
	run ctr_run --rm --privileged $CTD c grep CapEff /proc/self/status
	assert_output $'CapEff:\t'"$(awk '/^CapBnd/ { print $2 }' /proc/self/status)"
}

@test "the runtime is found as runc" {
	run ctr run --cpu-shares 0 --rm $CTD c echo found
	assert_output found
}

@test "a user namespace" {
	chmod 711 "$BATS_RUN_TMPDIR" "${SHARED%/*}" "$SHARED"
	run ctr_run --rm --uidmap 0:200000:1000 --gidmap 0:200000:1000 $CTD c sh -c 'id -u; stat -c %u /bin; cat /proc/self/uid_map'
	assert_matches $'^0\n0\n +0 +200000 +1000$'
}

@test "a bundle of one's own" {
	bundle b '.root.path = "'"$PWD/b/rootfs"'"' -- sh -c 'hostname; exit 3'
	run ctr run --runc-binary "$RUNTIME" --rm --config b/config.json c 3>&-
	assert_output bundle
	assert_status 3
}

@test "the shim is killed: containerd has the runtime clean up" {
	local pid
	ctr_run -d $CTD c sleep 1000
	pid=$(ctr task ls | awk '$1 == "c" { print $2 }')
	kill -KILL "$(pgrep -f 'containerd-shim-runc-v2 .*-id c ')"
	retry 5 eval '[ ! -d /proc/$pid ]'
	retry 5 eval '[ ! -e "$SHARED/runtime/default/c" ]'
}
