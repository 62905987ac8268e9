# The OCI runtime face: further processes in a container
load helpers
load oci

# as JSON: execs a process of this text in the container c.
as() {
	printf '%s' "$1" >process.json
	oci exec --process process.json c
}

@test "input, output, errors, exit code and signals" {
	local runner
	up c
	oci exec c sh -c 'echo out; echo err >&2; cat; exit 9' >out 2>err <<<in && false || [ $? -eq 9 ]
	[ "$(cat out err)" = $'out\nin\nerr' ]
	run oci exec c sh -c 'kill -9 $$'
	assert_status 137
	# What looks like an option of ours is the command's.
	run oci exec c echo --tty -e --
	assert_output "--tty -e --"
	run oci exec c -- echo one
	[ "$status" -eq 0 ] || assert_status 1
	runtime
	"$RUNTIME" --root "$E2E_DIR/oci" exec c sh -c 'trap "exit 21" TERM; echo ready >/tmp/ready; while :; do sleep 0.02; done' </dev/null >/dev/null 3>&- &
	runner=$!
	retry 5 [ -e c/rootfs/tmp/ready ]
	kill $runner
	wait $runner && false || [ $? -eq 21 ]
}

@test "it is in all namespaces and in the cgroup of the container" {
	up c 'namespace("time")'
	run oci exec c sh -c 'for n in pid mnt uts ipc net cgroup user time; do
		[ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done; cat /proc/self/cgroup; pwd; hostname'
	[ "$(grep -v ':/$' <<<"$output")" = $'/\nbundle' ]
	[ "$(oci exec c sh -c 'echo $PPID')" = 0 ]
	# Nobody but the container's processes is in its cgroup afterwards.
	retry 5 eval '[ "$(oci ps --format json c)" = "[$(pid_of c)]" ]'
}

@test "into a container that was only created" {
	bundle c -- sleep 1000
	quiet create --bundle c c
	run oci exec c sh -c 'hostname; ls /proc/1/fd >/dev/null && echo seen'
	assert_ok
	[ "${lines[0]}" = bundle ]
	quiet start c
	has_status c running
	[ "$(oci exec c cat /proc/1/comm)" = sleep ]
}

@test "into a paused one only when asked; into a stopped one never" {
	local runner
	up c
	oci pause c
	fails oci exec c true
	assert_contains "exec in container \`c\`: it is paused"
	runtime
	"$RUNTIME" --root "$E2E_DIR/oci" exec --ignore-paused c sh -c 'echo done >/tmp/done' </dev/null >/dev/null 2>&1 3>&- &
	runner=$!
	sleep 0.2
	[ ! -e c/rootfs/tmp/done ]
	oci resume c
	wait $runner
	[ -e c/rootfs/tmp/done ]
	oci kill c 9
	retry 5 has_status c stopped
	fails oci exec c true
	assert_contains "it is stopped, not running"
	fails oci exec nosuch true
	assert_output "container \`nosuch\` does not exist"
}

@test "--user takes numbers, whole and in range, and nothing else" {
	local user
	up -s c 2>/dev/null || up c
	for user in 0 0:0; do
		[ "$(oci exec --user "$user" c id -u)" = 0 ]
	done
	for user in "" root user -1 +1 " 1" "1 " 0x1 1.0 1e3 4294967295 4294967296 18446744073709551616 00000000000000000000001 1: :1 1:x 1:-1 \
		1:4294967295 1:1:1 "1,2" $'1\n' ; do
		fails oci exec --user "$user" c id
		assert_contains "not UID[:GID] in numbers"
	done
	fails oci exec --additional-gids 1,x c id
	fails oci exec --additional-gids 4294967295 c id
	# One that is not mapped.
	fails oci exec --user 400000000 c id
	assert_contains "setuid"
}

@test "ids with subordinate ones: user, groups, HOME" {
	bundle -s c -- sleep 1000
	quiet run --detach --bundle c c || { cat said; false; }
	[ "$(oci exec -u 1000:1000 c id | cut -d' ' -f1,2)" = "uid=1000(user) gid=1000(user)" ]
	[ "$(oci exec -u 1000 c id -G)" = "0" ]
	[ "$(oci exec -u 1000:1000 -g 5,7 c id -G)" = "1000 5 7" ]
	edit c '.process.env = ["PATH=/bin"]'
	oci delete -f c
	quiet run --detach --bundle c c
	[ "$(oci exec -u 1000 c sh -c 'echo $HOME')" = /home ]
	[ "$(oci exec -u 1001 c sh -c 'echo $HOME')" = / ]
	[ "$(oci exec c sh -c 'echo $HOME')" = /root ]
	[ "$(oci exec -u 1000 -e HOME=/mine c sh -c 'echo $HOME')" = /mine ]
}

@test "--env, --cwd, --no-new-privs" {
	up c '.process.env += ["KEPT=1", "CHANGED=old"] | .process.cwd = "/usr"'
	run oci exec --env CHANGED=new --env=NEW= -e 'A=b=c' c sh -c 'echo $KEPT $CHANGED "[$NEW]" $A; pwd'
	assert_output $'1 new [] b=c\n/usr'
	[ "$(oci exec -e KEPT=2 c env | grep -c ^KEPT=)" = 1 ]
	[ "$(oci exec --cwd /bin c pwd)" = /bin ]
	for env in KEPT "*" =x ""; do
		fails oci exec --env "$env" c true
		assert_contains "not NAME=VALUE"
	done
	fails oci exec --cwd bin c pwd
	assert_contains "is not an absolute path"
	[ "$(oci exec c grep NoNewPrivs /proc/self/status)" = $'NoNewPrivs:\t0' ]
	[ "$(oci exec --no-new-privs c grep NoNewPrivs /proc/self/status)" = $'NoNewPrivs:\t1' ]
}

@test "capabilities: those of the process, and what --cap adds, never inheritable or ambient" {
	up c
	caps() { oci exec "$@" c sh -c 'echo $(grep ^Cap /proc/self/status | cut -f2)'; }
	all=$(caps)
	read -r inheritable permitted effective bounding ambient <<<"$all"
	[ $((16#$inheritable)) = 0 ]
	[ $((16#$ambient)) = 0 ]
	[ "$permitted $effective" = "$bounding $bounding" ]
	[ $((16#$bounding & 1 << 12)) = 0 ]
	read -r inheritable permitted effective bounding ambient <<<"$(caps --cap CAP_NET_ADMIN)"
	[ $((16#$inheritable)) = 0 ]
	[ $((16#$ambient)) = 0 ]
	[ $((16#$effective & 1 << 12)) != 0 ]
	run caps --cap CAP_MOON
	assert_contains 'unknown capability "CAP_MOON"'
	assert_contains "$all"
}

@test "--process: a process as JSON" {
	up c '.process.env += ["OWN=1"] | .process.cwd = "/usr" | .process.capabilities.bounding += ["CAP_NET_RAW"]'
	run as '{"args": ["sh", "-c", "echo $OWN $MINE; pwd; umask; grep CapBnd /proc/self/status"], "cwd": "/bin",
		"env": ["PATH=/bin", "MINE=2"], "user": {"uid": 0, "gid": 0, "umask": 63}}'
	assert_ok
	[ "${lines[0]} ${lines[1]} ${lines[2]}" = "2 /bin 0077" ]
	# Capabilities that it leaves out are the container's.
	[ "${lines[3]}" = "$(oci exec c grep CapBnd /proc/1/status)" ]
	run as '{"args": ["grep", "CapBnd", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"], "capabilities": {}}'
	assert_output $'CapBnd:\t0000000000000000'
	run as '{"args": ["sh", "-c", "ulimit -n; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status"], "cwd": "/",
		"env": ["PATH=/bin"], "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}], "oomScoreAdj": 777,
		"noNewPrivileges": true}'
	assert_output $'33\n777\nNoNewPrivs:\t1'
	run as '{"args": ["sh", "-c", "cat /proc/self/stat | cut -d\" \" -f41; grep Cpus_allowed_list /proc/self/status"], "cwd": "/",
		"env": ["PATH=/bin"], "scheduler": {"policy": "SCHED_BATCH"}, "execCPUAffinity": {"initial": "0", "final": "0"}}'
	assert_output $'3\nCpus_allowed_list:\t0'
	# Without a PATH the usual places are searched.
	run as '{"args": ["true"], "cwd": "/"}'
	assert_ok
	# Members that nobody knows, and null, are no error.
	run as '{"args": ["true"], "cwd": "/", "unknown": {"a": [1]}, "env": null, "user": null}'
	assert_ok
	cd /
	run oci exec -p "$E2E_DIR/process.json" c
	assert_ok
}

@test "--process: broken and hostile ones are refused with the position" {
	local json words
	up c
	while IFS='|' read -r json words; do
		fails as "$json"
		assert_contains "$words"
	done <<-'END'
	|process.json:
	[]|process.json: expected object, got list
	{}|process.json: .cwd: missing, and required
	{"cwd": "/"}|process.json: .args: no command to run
	{"cwd": "/", "args": []}|process.json: .args: no command to run
	{"cwd": "/", "args": [""]}|process.json: .args: no command to run
	{"cwd": "/", "args": [1]}|process.json: .args[0]: expected string, got number
	{"cwd": "/", "args": "true"}|process.json: .args: expected list, got string
	{"cwd": "etc", "args": ["true"]}|process.json: .cwd: the working directory "etc" is not an absolute path
	{"cwd": "", "args": ["true"]}|process.json: .cwd:
	{"cwd": "/", "args": ["true"], "env": ["NAME"]}|process.json: .env[0]: "NAME" has no "="
	{"cwd": "/", "args": ["true"], "env": ["*"]}|process.json: .env[0]: "*" has no "="
	{"cwd": "/", "args": ["true"], "user": {"uid": 4294967296}}|process.json: .user.uid: beyond 32 bits
	{"cwd": "/", "args": ["true"], "user": {"uid": 4294967295}}|process.json: .user.uid: beyond 32 bits
	{"cwd": "/", "args": ["true"], "user": {"uid": -1}}|process.json: .user.uid: expected a number of at least 0
	{"cwd": "/", "args": ["true"], "user": {"uid": "root"}}|process.json: .user.uid: expected number, got string
	{"cwd": "/", "args": ["true"], "user": {"gid": 1e3}}|process.json: .user.gid: expected an integer, got a fraction
	{"cwd": "/", "args": ["true"], "user": {"additionalGids": [4294967296]}}|process.json: .user.additionalGids[0]: beyond 32 bits
	{"cwd": "/", "args": ["true"], "user": {"umask": 512}}|process.json: .user.umask: more than 0777
	{"cwd": "/", "args": ["true"], "rlimits": [{"type": "RLIMIT_MOON", "soft": 1, "hard": 1}]}|process.json: .rlimits[0].type: unknown resource limit "RLIMIT_MOON"
	{"cwd": "/", "args": ["true"], "rlimits": [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]}|process.json: .rlimits[0].soft
	{"cwd": "/", "args": ["true"], "oomScoreAdj": 1001}|process.json: .oomScoreAdj
	{"cwd": "/", "args": ["true"], "scheduler": {"policy": "SCHED_MOON"}}|process.json: .scheduler.policy
	{"cwd": "/", "args": ["true"], "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 8}}|process.json: .ioPriority.priority
	{"cwd": "/", "args": ["true"], "execCPUAffinity": {"initial": "3-1"}}|process.json: .execCPUAffinity.initial
	{"cwd": "/", "args": ["a\u0000b"]}|process.json: 
	{"cwd": "/", "cwd": "/bin", "args": ["true"]}|process.json:
	{"cwd": "/", "args": ["true"]|process.json:
	END
	mkfifo fifo
	for file in fifo /dev/zero /dev/null . /nosuch; do
		fails timeout 5 "$RUNTIME" --root "$E2E_DIR/oci" exec --process $file c
	done
	head -c 5000000 /dev/zero | tr '\0' ' ' >big
	fails oci exec --process big c
	# Nothing of them was left in the container.
	[ "$(oci ps --format json c)" = "[$(pid_of c)]" ]
	# 100000 variables are a matter of moments, be they too many for the kernel or not.
	python3 -c 'import json; print(json.dumps({"cwd": "/", "args": ["true"], "env": ["V%d=x" % i for i in range(100000)]}))' >many.json
	timeout 10 "$RUNTIME" --root "$E2E_DIR/oci" exec --process many.json c
	python3 -c 'import json; print(json.dumps({"cwd": "/", "args": ["true", "x" * 200000]}))' >long.json
	fails timeout 10 "$RUNTIME" --root "$E2E_DIR/oci" exec --process long.json c
	assert_contains "argument list too long"
}

@test "--detach, --pid-file" {
	local pid
	up c
	quiet exec --detach --pid-file pid c sh -c 'echo out; exec sleep 1000'
	pid=$(cat pid)
	kill -0 "$pid"
	[[ $(oci ps --format json c) = *"$pid"* ]]
	kill -9 "$pid"
	fails oci exec --detach --pid-file /nosuch/pid c sleep 1000
	retry 5 eval '[ "$(oci ps --format json c)" = "[$(pid_of c)]" ]'
	fails oci exec --detach --tty c sh
	assert_contains "needs --console-socket"
	fails oci exec --detach c nosuch
	assert_contains "not found in \$PATH"
}

@test "--preserve-fds, and no other descriptors" {
	up c
	echo three >f3
	mkdir d
	run oci exec c sh -c 'ls /proc/self/fd' 3<f3 4<d 9<d
	assert_output $'0\n1\n2\n3'
	run oci exec --preserve-fds 2 c sh -c 'cat <&3; readlink /proc/self/fd/4; ls /proc/self/fd' 3<f3 4<d 9<d
	assert_output "three
$PWD/d
0
1
2
3
4
5"
	run oci exec --preserve-fds 2 c sh -c 'ls /proc/self/fd' 3>&- 4<d
	assert_output $'0\n1\n2\n3\n4'		# 3 is what ls reads
	# What the runtime has open itself is not to be had.
	run oci --log log exec --preserve-fds 2 c ls /proc/self/fd 3>&- 4>&-
	assert_output $'0\n1\n2\n3'
}

@test "a process that is quicker than the helper that made it" {
	needs strace
	runtime
	up c
	# Whoever calls clone3 comes back late from it; the child does not.
	late() { timeout -k 1 20 strace -f -o /dev/null -e trace=clone3 -e inject=clone3:delay_exit=200000 "$RUNTIME" --root "$E2E_DIR/oci" "$@"; }
	run late exec --pid-file pid c sh -c 'exit 7'
	assert_status 7
	[ "$(cat pid)" -gt 1 ]
	bundle d 'namespace("time") | .linux.timeOffsets = {monotonic: {secs: 1000}}' -- sh -c 'exit 8'
	[ "$(id -u)" -eq 0 ] || edit d 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	run late run --bundle d d
	[ "$status" -eq 8 ] || assert_contains "newuidmap"
}

@test "killed at any moment it leaves nothing in the container" {
	local i runner delay
	runtime
	up c
	for i in {0..14}; do
		printf -v delay '0.%04d' $((i * i))
		"$RUNTIME" --root "$E2E_DIR/oci" exec --pid-file pid c true </dev/null >/dev/null 2>&1 3>&- &
		runner=$!
		sleep $delay
		kill -9 $runner 2>/dev/null || true
		wait $runner 2>/dev/null || true
	done
	retry 5 eval '[ "$(oci ps --format json c)" = "[$(pid_of c)]" ]'
	[ "$(oci exec c echo fine)" = fine ]
	[ -z "$(ls -d pid.tmp* 2>/dev/null)" ] || ls
}

@test "20 at once" {
	local i pids=()
	up c
	for i in {1..20}; do
		oci exec c sh -c "echo $i" </dev/null >>out 2>&1 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(sort -n out | tr '\n' ' ')" = "$(echo {1..20}) " ]
	retry 5 eval '[ "$(oci ps --format json c)" = "[$(pid_of c)]" ]'
}

@test "a container that ends meanwhile: an error or its end, never a hang" {
	local i runner
	bundle c -- sleep 1000
	runtime
	for i in {0..9}; do
		quiet run --detach --bundle c c
		timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" exec c sleep 10 </dev/null >/dev/null 2>&1 3>&- &
		runner=$!
		sleep 0.00$i
		oci delete --force c
		wait $runner && false || [ $? -ne 124 ]
	done
}

@test "a container without a user namespace, or with one of another" {
	up c
	ns=/proc/$(pid_of c)/ns
	bundle d '.linux.namespaces |= map(select(.type != "user" and .type != "pid"))' \
		"if $(id -u) > 0 then .linux.namespaces += [{type: \"user\", path: \"$ns/user\"}] else . end" \
		'.linux.uidMappings = [] | .linux.gidMappings = []' 'without_mount("/proc")' -- sleep 1000
	quiet run --detach --bundle d d || { cat said; false; }
	[ "$(oci exec d id -u)" = 0 ]
	[ "$(oci exec d hostname)" = bundle ]
}
