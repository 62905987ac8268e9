# lab: -r
# `bryo oci checkpoint` and `restore`: with criu where it works, and what is said and asked of it where it does not
load helpers

setup() {
	e2e_setup
	PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
}

# needs_criu: skips the test, saying why, where no container could be restored.
needs_criu() {
	local why
	needs criu jq
	why=$(criu check 2>&1) || skip "criu does not work on this kernel: $(grep -m 1 Error <<<"$why" | sed 's/.*): //')"
	if [ ! -e "$BRYO_TEST_CACHE/criu-works" ]; then
		mkdir -p try
		setsid sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
		criu dump -D try -t $! --leave-running --shell-job >/dev/null 2>&1 || true
		kill $!
		why=$(criu restore -D try -d --shell-job 2>&1 </dev/null 3>&-) || true
		case $why in *RLIMIT_NOFILE*) skip "criu needs CAP_SYS_RESOURCE, which this machine's root does not have" ;; esac
		kill "$(pgrep -f '^sleep 1000$')" 2>/dev/null || true
		: >"$BRYO_TEST_CACHE/criu-works"
	fi
}

# quiet COMMAND...: with nothing of the terminal's or of bats' in its hands; its words are in ./said.
quiet() { "$@" </dev/null >said 2>&1 3>&- || { cat said >&2; return 1; }; }

# silent COMMAND...: the same for what keeps its streams; nothing is said.
silent() { "$@" </dev/null >/dev/null 2>&1 3>&-; }

# up ID [JQ-FILTER...] [-- ARG...]: a running container of the bundle ./ID; without ARG it counts in its /count.
up() {
	local id=$1 counts=(-- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; usleep 20000; done')
	shift
	case " $* " in *" -- "*) counts=() ;; esac
	bundle "$id" "$@" "${counts[@]}"
	silent oci run --detach --bundle "$id" "$id"
}

count() { cat "${1:-c}/rootfs/count"; }
counts() {
	local before
	before=$(count "$1")
	retry 5 sh -c "[ \$(cat '$1/rootfs/count') -gt ${before:-0} ]"
}
pid_of() { oci state "$1" | jq .pid; }

no_trace() {
	[ ! -e "$E2E_DIR/oci/$1" ] || { ls "$E2E_DIR/oci"; return 1; }
	! find /sys/fs/cgroup -name "bryo-$1" | grep . || return 1
	! grep -F "$E2E_DIR" /proc/self/mountinfo || return 1
}

# --- for real

@test "a container goes on where it was" {
	local before after
	needs_criu
	up c
	retry 5 [ -s c/rootfs/count ]
	retry 5 sh -c '[ $(cat c/rootfs/count) -gt 10 ]'
	quiet oci checkpoint --image-path img c
	no_trace c
	before=$(count)
	[ "$before" -gt 10 ]
	sleep 0.2
	[ "$(count)" = "$before" ]
	quiet oci restore --detach --bundle c --image-path img --pid-file pid c
	[ "$(cat pid)" = "$(pid_of c)" ]
	[ "$(oci_state c)" = running ]
	counts c
	after=$(count)
	[ "$after" -gt "$before" ] && [ "$after" -lt $((before + 400)) ]
	# It has what a container has: its own names, its cgroup, a loopback interface.
	run oci exec c sh -c 'hostname; echo $$; cat /proc/1/comm; cat /sys/class/net/lo/flags'
	assert_matches $'^bundle\n[0-9]+\nsh\n0x9$'
	grep -q /bryo-c "/proc/$(pid_of c)/cgroup"
	quiet oci kill c KILL
	retry 5 sh -c '[ ! -d /proc/'"$(cat pid)"' ] || grep -q "State:.Z" /proc/'"$(cat pid)"'/status'
	quiet oci delete c
	no_trace c
	# The files are good for more than once.
	quiet oci restore --detach --bundle c --image-path img d
	counts c
	[ "$(oci ps --format json d | jq length)" -ge 1 ]
	grep -q /bryo-d "/proc/$(pid_of d)/cgroup"
	quiet oci delete --force d
	no_trace d
}

@test "--leave-running, and a paused container" {
	needs_criu
	up c
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --leave-running --image-path img --work-path work c
	[ -s work/dump.log ] && [ ! -e img/dump.log ]
	counts c
	quiet oci pause c
	quiet oci checkpoint --leave-running --image-path img2 c
	[ "$(oci_state c)" = paused ]
	quiet oci resume c
	counts c
	oci delete --force c
	quiet oci restore --detach --bundle c --image-path img2 c
	counts c
}

@test "standard streams go on as the caller's, and so does the exit code" {
	needs_criu
	bundle c -- sh -c 'i=0; while [ ! -e /stop ]; do i=$((i + 1)); echo out$i; echo err$i >&2; usleep 20000; done; read word; echo "<$word>"; exit 7'
	mkfifo in
	sleep 100 >in 3>&- & E2E_PIDS+=($!)
	oci run --bundle c c <in 2>err 3>&- | cat >out.1 & E2E_PIDS+=($!)
	retry 5 grep -q out10 out.1
	quiet oci checkpoint --image-path img c
	wait $!
	: >c/rootfs/stop
	(echo hello; sleep 1) | oci restore --bundle c --image-path img c 2>other | cat >out.2
	[ "$(tail -n 1 out.2)" = "<hello>" ]
	# A file goes on as itself.
	[ "$(tail -n 1 err)" = "err$(grep -c err err)" ] && [ ! -s other ]
	no_trace c
	(echo hello; sleep 1) | oci restore --bundle c --image-path img c >out.3 && false || [ $? -eq 7 ]
	[ "$(tail -n 1 out.3)" = "<hello>" ]
	rm err
	run oci restore --bundle c --image-path img c
	assert_status 1
	assert_output "restore container \`c\`: what was the container's standard error: $PWD/err: No such file or directory"
	no_trace c
}

@test "mounts of the host are those of the bundle it is restored with" {
	needs_criu
	mkdir -p here/sub there/sub
	echo one >here/file; echo two >there/file; echo sub >there/sub/x; echo f >single
	mount -t tmpfs sub "$PWD/here/sub" && echo mounted >here/sub/x
	up c "mount({destination: \"/data\", type: \"bind\", source: \"$PWD/here\", options: [\"rbind\"]})" \
		"mount({destination: \"/etc/single\", type: \"bind\", source: \"$PWD/single\", options: [\"bind\", \"ro\"]})" \
		'mount({destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["mode=1777"]})' \
		-- sh -c 'echo kept >/scratch/file; i=0; while :; do i=$((i + 1)); echo $i >/count; usleep 20000; done'
	retry 5 [ -s c/rootfs/count ]
	run oci exec c cat /data/file /data/sub/x /etc/single
	assert_output $'one\nmounted\nf'
	quiet oci checkpoint --image-path img c
	umount "$PWD/here/sub"
	[ "$(jq -c sort img/external-mounts.json)" = '["/data","/data/sub","/etc/single","/proc/keys","/proc/timer_list"]' ]
	rmdir c/rootfs/data; rm c/rootfs/etc/single
	edit c "(.mounts[] | select(.destination == \"/data\")).source = \"$PWD/there\""
	quiet oci restore --detach --bundle c --image-path img c
	counts c
	run oci exec c sh -c 'cat /data/file /data/sub/x /etc/single /scratch/file; wc -c </proc/keys; touch /etc/single'
	assert_contains $'two\nsub\nf\nkept\n0\n'
	assert_contains 'Read-only file system'
	oci delete --force c
	no_trace c
}

@test "several processes, and a user namespace" {
	needs_criu
	up c -- sh -c '(sleep 1000; echo) & sleep 1001 & i=0; while :; do i=$((i + 1)); echo $i >/count; usleep 20000; done'
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --image-path img c
	quiet oci restore --detach --bundle c --image-path img c
	counts c
	[ "$(oci ps --format json c | jq length)" -ge 4 ]
	oci delete --force c
	bundle -s d -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; usleep 20000; done'
	chmod 777 d/rootfs
	silent oci run --detach --bundle d d
	retry 5 [ -s d/rootfs/count ]
	quiet oci checkpoint --image-path img2 d
	quiet oci restore --detach --bundle d --image-path img2 d
	counts d
	run oci exec d cat /proc/1/uid_map
	assert_matches '^ +0 +100000 +65536$'
	[ "$(stat -c '%a %u %g' img2)" = "700 0 0" ]
}

@test "a socket listens on" {
	needs_criu
	up c -- nc -ll -p 77 -e cat /etc/group
	retry 5 oci exec c sh -c 'grep -hq :004D /proc/net/tcp*' </dev/null
	if ! quiet oci checkpoint --image-path img c; then
		grep -q "sockets: Can't get" said && skip "criu does not know the sockets of this kernel"
		false
	fi
	quiet oci restore --detach --bundle c --image-path img c
	run oci exec c sh -c 'nc 127.0.0.1 77 | head -n 1'
	assert_output root:x:0:
}

@test "a network namespace that others have made" {
	needs_criu
	ip netns add bryo-one
	ip -n bryo-one link set lo up
	up c '.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/bryo-one" else . end)'
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --image-path img c
	ip netns del bryo-one
	ip netns add bryo-two
	edit c '.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/bryo-two" else . end)'
	quiet oci restore --detach --bundle c --image-path img c
	counts c
	[ "$(stat -Lc %i /proc/"$(pid_of c)"/ns/net)" = "$(stat -Lc %i /run/netns/bryo-two)" ]
	oci delete --force c
	ip netns del bryo-two
}

@test "hooks set the network up before the container goes on" {
	local hook
	needs_criu
	cat >hook <<-END
	#!/bin/sh
	pid=\$(jq .pid)
	echo "\$1 \$pid \$(cat /proc/\$pid/comm)" >>$PWD/hooks.log
	[ ! -e $PWD/fail ] || { echo no network today >&2; exit 3; }
	END
	chmod +x hook
	hook="[{path: \"$PWD/hook\", args: [\"hook\", \"NAME\"], env: [\"PATH=$PATH\"]}]"
	up c ".hooks = {prestart: ${hook/NAME/prestart}, createRuntime: ${hook/NAME/runtime}, poststop: ${hook/NAME/poststop}}"
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --image-path img c
	! ls img | grep netdev
	: >hooks.log
	quiet oci restore --detach --bundle c --image-path img c
	[ "$(cut -d' ' -f1,2 hooks.log)" = "prestart $(pid_of c)"$'\n'"runtime $(pid_of c)" ]
	run oci exec c cat /sys/class/net/lo/flags
	assert_output 0x9
	oci delete --force c
	: >fail
	: >hooks.log
	run oci restore --detach --bundle c --image-path img c </dev/null
	assert_status 1
	assert_contains "restore container \`c\`: config.json: .hooks.prestart[0]: $PWD/hook: ended with 3: no network today"
	[ "$(cut -d' ' -f1 hooks.log)" = $'prestart\npoststop' ]
	no_trace c
}

@test "a terminal, handed over and in the foreground" {
	needs_criu
	runtime
	cat >listen.py <<-'END'
	import array, os, select, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1]); s.listen(1); s.settimeout(20)
	c = s.accept()[0]
	master = array.array("i", c.recvmsg(100, socket.CMSG_SPACE(64))[1][0][2])[0]
	typed = os.open(sys.argv[1] + ".in", os.O_RDWR)
	out = open(sys.argv[1] + ".out", "wb", buffering=0)
	while True:
	    for fd in select.select([master, typed], [], [])[0]:
	        try:
	            data = os.read(fd, 1000)
	        except OSError:
	            sys.exit(0)
	        os.write(master, data) if fd == typed else out.write(data)
	END
	for name in one two; do
		mkfifo $name.in
		python3 listen.py $name 2>$name.err 3>&- & E2E_PIDS+=($!)
	done
	retry 5 [ -S one ] && retry 5 [ -S two ]
	bundle c '.process.terminal = true' -- sh -c 'while read line; do echo "<$line> $(tty)"; done'
	quiet oci run --detach --bundle c --console-socket one c
	echo first >one.in
	retry 5 grep -q '<first> /dev/pts/0' one.out
	quiet oci checkpoint --image-path img c
	quiet oci restore --detach --bundle c --image-path img --console-socket two c
	echo second >two.in
	retry 5 grep -q '<second> /dev/pts/0' two.out
	run oci exec c sh -c 'ls -l /dev/console | cut -c1'
	assert_output c
	oci delete --force c
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" restore --bundle c --image-path img c <<-'END'
	@sleep 0.5
	third
	@expect <third>
	@raw 04
	END
	)
	[[ $output = *"<third> /dev/pts/0"* ]]
	no_trace c
	run oci restore --detach --bundle c --image-path img c
	assert_status 1
	assert_contains "use --console-socket"
}

@test "a restore that fails leaves nothing" {
	needs_criu
	up c
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --image-path img c
	cp -r img bad
	: >"$(ls bad/core-*.img | head -n 1)"
	run oci restore --detach --bundle c --image-path bad c </dev/null
	assert_status 1
	assert_contains "restore container \`c\`: criu: "
	assert_contains "hint: all that criu says is in $PWD/bad/restore.log"
	no_trace c
	! pgrep -f /count || return 1
	run oci restore --detach --bundle c --image-path img --pid-file /nowhere/pid c </dev/null
	assert_status 1
	assert_contains "restore container \`c\`: write the pid file /nowhere/pid: No such file or directory"
	no_trace c
	! pgrep -f /count || return 1
	quiet oci restore --detach --bundle c --image-path img c
	counts c
	run oci restore --detach --bundle c --image-path img c </dev/null
	assert_status 1
	assert_contains "already exists"
	counts c
}

@test "--pre-dump and --parent-path" {
	needs_criu
	up c
	retry 5 [ -s c/rootfs/count ]
	if ! criu check --feature mem_dirty_track >/dev/null 2>&1; then
		run oci checkpoint --pre-dump --image-path pre c
		assert_status 1
		assert_contains "a pre-dump is not possible: this kernel does not track changes of memory"
		counts c
		skip "this kernel does not track changes of memory (CONFIG_MEM_SOFT_DIRTY)"
	fi
	quiet oci checkpoint --pre-dump --image-path pre c
	counts c
	quiet oci checkpoint --image-path last --parent-path ../pre c
	[ -L last/parent ]
	quiet oci restore --detach --bundle c --image-path last c
	counts c
}
