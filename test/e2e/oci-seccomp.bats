# The seccomp section of bundles: complaints, the cache, programs brought along, receivers of notifications
load helpers

setup() { e2e_setup; runtime; }

# receiver: sets RECEIVER (its socket); what it is told goes to the file "told".
receiver() {
	RECEIVER=$E2E_DIR/receiver
	python3 "$BATS_TEST_DIRNAME/seccomp-receiver.py" "$RECEIVER" told >receiver.log 2>&1 3>&- &
	RECEIVER_PID=$!
	E2E_PIDS+=("$RECEIVER_PID")
	retry 5 [ -S "$RECEIVER" ]
}

# notifying DIR [JQ-FILTER...]: a bundle whose getppid is answered by the receiver
notifying() {
	local dir=$1
	shift
	bundle "$dir" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$RECEIVER"'",
		syscalls: [{names: ["getppid"], action: "SCMP_ACT_NOTIFY"}]}' "$@" -- sh -c 'echo $PPID'
}

@test "complaints name the member" {
	local case
	for case in \
		'.linux.seccomp = {defaultAction: "X"}#.linux.seccomp.defaultAction: unknown action "X"' \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_KILL", syscalls: [{names: ["read"], action: "SCMP_ACT_ALLOW"}, {names: [], action: "SCMP_ACT_ALLOW"}]}#.linux.seccomp.syscalls[1].names: no system call is named' \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["F"]}#.linux.seccomp.flags[0]: unknown flag "F"' \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"}#.linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a receiver, and none is named' \
		'.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/none"}#.linux.seccomp.listenerPath: connect to the receiver /none: No such file or directory' \
		'.annotations = {"run.oci.seccomp_bpf_data": "AAAA"}#.annotations["run.oci.seccomp_bpf_data"]: 3 bytes are no whole instructions of 8'; do
		bundle b "${case%%#*}"
		run oci run -b b c
		assert_status 1
		assert_contains "config.json: ${case#*#}"
		[ -z "$(oci list -q)" ]
	done
}

@test "an unknown system call is left out, or an error for who asks for that" {
	local rules='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "newcall"], action: "SCMP_ACT_ERRNO"}]}'
	bundle b "$rules" -- mkdir /x
	run oci run -b b c
	assert_status 1
	assert_contains "Operation not permitted"
	bundle b "$rules" '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
	run oci run -b b c
	assert_status 1
	assert_contains 'config.json: .linux.seccomp.syscalls[0].names[1]: unknown system call "newcall"'
}

@test "a program in an annotation takes the place of the section" {
	# ld [0]; jeq #chroot, 0, 1; ret ERRNO(EXDEV); ret ALLOW
	local number program
	number=$(printf '#include <sys/syscall.h>\nSYS_chroot\n' | cc -E -P - | tail -n 1)
	program=$(python3 -c 'import base64, struct, sys
i = lambda code, jt, jf, k: struct.pack("=HBBI", code, jt, jf, k)
print(base64.b64encode(i(0x20, 0, 0, 0) + i(0x15, 0, 1, int(sys.argv[1])) + i(6, 0, 0, 0x50012) + i(6, 0, 0, 0x7fff0000)).decode())' "$number")
	bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_KILL"}' '.annotations["run.oci.seccomp_bpf_data"] = "'"$program"'"' \
		-- chroot / true
	run oci run -b b c
	assert_status 1
	assert_contains "link"	# "Invalid cross-device link"
}

@test "compiled filters are kept where nobody else can put one" {
	bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}' -- mkdir /x
	run oci run -b b c
	assert_status 1
	[ "$(ls oci/.cache | wc -l)" -eq 1 ]
	[ "$(stat -c %a oci/.cache)" = 700 ]
	run oci run -b b c
	assert_status 1
	assert_contains "Operation not permitted"
	[ "$(ls oci/.cache | wc -l)" -eq 1 ]
	# A directory of everybody's is neither read nor written.
	rm oci/.cache/*
	chmod 777 oci/.cache
	run oci run -b b c
	assert_status 1
	assert_contains "Operation not permitted"
	[ "$(ls oci/.cache | wc -l)" -eq 0 ]
}

@test "the receiver gets the listener at the start, with the state" {
	receiver
	notifying b '.annotations = {green: "moss"}' '.linux.seccomp.listenerMetadata = "of mine"'
	oci create -b b c >out 2>&1 3>&-
	[ ! -s told ]
	local pid
	pid=$(oci state c | jq .pid)
	oci start c
	retry 5 grep 4242 out
	[ "$(jq -c '[.fds, .pid, .metadata, .state.id, .state.status, .state.pid, .state.bundle, .state.annotations]' told)" = \
		"[[\"seccompFd\"],$pid,\"of mine\",\"c\",\"creating\",$pid,\"$(pwd -P)/b\",{\"green\":\"moss\"}]" ]
	oci delete -f c
}

@test "a startContainer hook is confined too, and nobody listens to it" {
	receiver
	notifying b '.hooks = {startContainer: [{path: "/bin/sh", args: ["sh", "-c", "grep ^Seccomp: /proc/self/status >/hook; ls /proc/self/fd >>/hook"]}]}'
	run oci run -b b c
	assert_output 4242
	[ "$(cat b/rootfs/hook)" = $'Seccomp:\t2\n0\n1\n2\n3' ]
}

@test "exec has a listener of its own" {
	receiver
	notifying b
	edit b '.process.args = ["sleep", "1000"]'
	oci run -d -b b c </dev/null >out 2>&1 3>&-
	run oci exec c sh -c 'echo $PPID'
	assert_output 4242
	[ "$(wc -l <told)" -eq 2 ]
	[ "$(tail -n 1 told | jq -r '.state.status, .state.pid')" = "$(printf 'running\n%s' "$(oci state c | jq .pid)")" ]
	[ "$(tail -n 1 told | jq .pid)" != "$(oci state c | jq .pid)" ]
	oci delete -f c
}

@test "the receiver may be named by an annotation or the environment" {
	receiver
	notifying b 'del(.linux.seccomp.listenerPath)' '.annotations["run.oci.seccomp.receiver"] = "'"$RECEIVER"'"'
	run oci run -b b c
	assert_output 4242
	notifying b 'del(.linux.seccomp.listenerPath)'
	RUN_OCI_SECCOMP_RECEIVER=$RECEIVER run oci run -b b c
	assert_output 4242
}

@test "a receiver that is gone by the start is an error, and nothing waits" {
	receiver
	notifying b '.linux.seccomp.defaultAction = "SCMP_ACT_NOTIFY"'
	oci create -b b c >out 2>&1 3>&-
	kill -9 "$RECEIVER_PID"
	run timeout 20 "$RUNTIME" --root oci start c
	assert_status 1
	assert_contains "hand the seccomp listener to its receiver"
	retry 5 [ "$(oci_state c)" = stopped ]
	oci delete c
}

@test "a filter that forbids the start says so" {
	bundle b '.linux.seccomp = {defaultAction: "SCMP_ACT_KILL", syscalls: [{names: ["read"], action: "SCMP_ACT_ALLOW"}]}'
	run oci run -b b c
	assert_status 1
	assert_contains "the seccomp filter forbids execve"
}
