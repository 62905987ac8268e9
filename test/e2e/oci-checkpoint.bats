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
	[ "$(jq -c 'map(select(startswith("/proc/") | not)) | sort' img/external-mounts.json)" = '["/data","/data/sub","/etc/single"]' ]
	jq -e 'index("/proc/keys")' img/external-mounts.json >/dev/null
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
	[ "$(oci ps --format json c | jq length)" -ge 3 ]
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
	[ \$1 != prestart ] || { mkdir -p $PWD/hooked && mount -t tmpfs hook $PWD/hooked; }
	[ ! -e $PWD/fail ] || { echo no network today >&2; exit 3; }
	END
	chmod +x hook
	hook="[{path: \"$PWD/hook\", args: [\"hook\", \"NAME\"], env: [\"PATH=$PATH\"]}]"
	up c ".hooks = {prestart: ${hook/NAME/prestart}, createRuntime: ${hook/NAME/runtime}, poststop: ${hook/NAME/poststop}}"
	retry 5 [ -s c/rootfs/count ]
	quiet oci checkpoint --image-path img c
	! ls img | grep netdev
	: >hooks.log
	umount hooked
	quiet oci restore --detach --bundle c --image-path img c
	# What a hook mounts is on the host.
	[ "$(grep -c "$PWD/hooked" /proc/self/mountinfo)" = 1 ]
	umount hooked
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
	umount hooked
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
	bundle c '.process.terminal = true' \
		-- sh -c 'while [ "$line" != end ]; do if read -t 1 line; then echo "<$line> $(tty)"; else echo waiting; fi; done'
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
	@expect waiting
	third
	@expect <third>
	end
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

# --- what is asked of criu, and what is said when it does not help

# fakes_criu: a criu that answers and remembers (see fake-criu), in place of any other.
fakes_criu() {
	export FAKE_CRIU=$E2E_DIR/fake
	mkdir fake
	ln -s "$BATS_TEST_DIRNAME/fake-criu" fake/criu
	PATH=$FAKE_CRIU:$PATH
	: >fake/asked
}

# asked TYPE FILTER: of the last request of this type.
asked() { jq -c "select(.type == \"$1\")" fake/asked | tail -n 1 | jq -c "$2"; }

@test "what a checkpoint asks of criu" {
	fakes_criu
	mkdir bound
	up c "mount({destination: \"/etc/../bound\", type: \"bind\", source: \"$PWD/bound\", options: [\"rbind\"]})" -- sleep 1000
	quiet oci checkpoint --image-path img --work-path work --tcp-established --ext-unix-sk --shell-job --file-locks \
		--manage-cgroups-mode strict --network-lock skip --empty-ns network --page-server '[::1]:77' --leave-running c
	[ "$(asked dump '[."2"[0], ."3", ."4", ."5", ."7", ."8", ."16"]')" = "[$(pid_of c),[1],[1],[1],[1],[1],null]" ]
	[ "$(asked dump '[."34", ."64", ."38", ."11"]')" = '[[5],[3],[1073741824],[["::1",77]]]' ]
	[ "$(asked dump '."23" | map(select(.[0] == "/bound" or .[0] == "/proc/keys"))')" = '[["/bound","/bound"],["/proc/keys","/proc/keys"]]' ]
	[ "$(asked dump '[."10", ."13", ."44", ."50", ."12"]')" = "[[\"dump.log\"],[\"$PWD/c/rootfs\"],[\"/sys/fs/cgroup/bryo-c\"],[1],[1]]" ]
	[ "$(asked dump '."1"[0] != ."17"[0]')" = true ]
	asked dump '."37"[0]' | grep -Eq '^"file\[[0-9a-f]+:[0-9a-f]+\]"$'
	jq -r '.[1]' img/descriptors.json | grep -Eq '^file\[[0-9a-f]+:[0-9a-f]+\] /dev/null$'
	[ "$(oci_state c)" = running ]
	quiet oci checkpoint --image-path img2 c
	[ "$(asked dump '[."3", ."4", ."5", ."34", ."38", ."17", ."11"]')" = '[null,null,null,[3],null,null,null]' ]
	[ "$(stat -c %a img2)" = 700 ]
	no_trace c
	[ "$(grep -c version fake/asked)" = 2 ]
}

@test "a pre-dump, and what comes after it" {
	fakes_criu
	up c -- sleep 1000
	quiet oci checkpoint --pre-dump --image-path pre c
	[ "$(asked pre-dump '[."15", ."14", ."23"]')" = '[[1],null,null]' ]
	[ ! -e pre/descriptors.json ] && [ "$(oci_state c)" = running ]
	quiet oci checkpoint --leave-running --image-path last --parent-path ../pre c
	[ "$(asked dump '[."15", ."14"]')" = '[[1],["../pre"]]' ]
	run oci checkpoint --image-path last --parent-path "$PWD/pre" c
	assert_status 1
	assert_output "checkpoint container \`c\`: --parent-path $PWD/pre: it must be relative to the image path"
	run oci checkpoint --image-path last --parent-path ../nowhere c
	assert_output "checkpoint container \`c\`: --parent-path ../nowhere (in $PWD/last): No such file or directory"
	: >fake/no-features
	run oci checkpoint --pre-dump --image-path pre c
	assert_status 1
	assert_contains "this kernel does not track changes of memory"
	[ "$(oci_state c)" = running ]
}

@test "what a restore asks of criu" {
	fakes_criu
	mkdir img bound
	: >img/inventory.img
	echo '["pipe:[11]","file[1a:2b]| /some/fifo","file[1a:3c] /dev/null"]' >img/descriptors.json
	echo '["/bound/sub","/proc/keys","/dev/fuse"]' >img/external-mounts.json
	ip netns add bryo-net
	bundle c "mount({destination: \"/bound\", type: \"bind\", source: \"$PWD/bound\", options: [\"rbind\"]})" \
		'.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/bryo-net" elif .type == "ipc" then .path = "/proc/1/ns/ipc" else . end)'
	quiet oci restore --detach --bundle c --image-path img --tcp-established --lsm-profile apparmor:other --pid-file pid c
	[ "$(cat pid)" = "$(pid_of c)" ] && [ "$(cat "/proc/$(cat pid)/comm")" = sleep ]
	[ "$(asked restore '[."5", ."26", ."50", ."12", ."53", ."13", ."38", ."34"]')" = "[[1],[1],[1],[1],[\"apparmor:other\"],[\"$PWD/c/rootfs\"],null,[3]]" ]
	[ "$(asked restore '."27" | map(.[0]) | sort')" = '["extRootNetNS","file[1a:2b]","file[1a:3c]","pipe:[11]"]' ]
	[ "$(asked restore '."27" | map(select(.[0] == "pipe:[11]" or .[0] == "file[1a:2b]") | .[1])')" = '[0,1]' ]
	[ "$(asked restore '."39"')" = '[["ipc","/proc/1/ns/ipc"]]' ]
	[ "$(asked restore '."25"')" = '[["","/bryo-c"]]' ]
	for mount in "[\"/bound\",\"$PWD/bound\"]" "[\"/bound/sub\",\"$PWD/bound/sub\"]" '["/proc/keys","/dev/null"]' '["/dev/fuse","/dev/fuse"]'; do
		asked restore '."23"' | grep -qF "$mount"
	done
	[ -d c/rootfs/bound ]
	oci delete --force c
	ip netns del bryo-net
	# Its own network without a configuration in the files: an empty one.
	bundle d
	quiet oci restore --detach --bundle d --image-path img d
	[ "$(asked restore '[."38", ."39"]')" = '[[1073741824],null]' ]
	: >img/netns-9.img
	oci delete --force d
	quiet oci restore --detach --bundle d --image-path img --manage-cgroups-mode ignore d
	[ "$(asked restore '[."38", ."34"]')" = '[null,[0]]' ]
	grep -q /bryo-d "/proc/$(pid_of d)/cgroup"
	oci delete --force d
	no_trace d
}

# refused WORDS COMMAND...: it fails so.
refused() {
	local words=$1
	shift
	run "$@"
	assert_status 1
	assert_contains "$words"
}

@test "criu that fails, does not answer, or cannot work" {
	fakes_criu
	up c -- sleep 1000
	printf '(00.1) Warn (a.c:1): not this\n(00.2) Error (criu/b.c:2): net: this it is\n(00.3) Error (c.c:3): nor this\n' >fake/fail
	refused "checkpoint container \`c\`: criu: net: this it is
hint: all that criu says is in $PWD/img/dump.log" oci checkpoint --image-path img c
	[ "$(oci_state c)" = running ]
	echo 'no such line' >fake/fail
	refused "criu: of the message" oci checkpoint --image-path img c
	: >img/inventory.img
	refused "restore container \`d\`: criu: of the message" oci restore --detach --bundle c --image-path img d
	no_trace d
	printf 'Error (criu/vdso.c:381): vdso: Unexpected bounds\nError (x.c:1): more' >fake/check
	refused "criu 4.1.1 does not work on this machine: vdso: Unexpected bounds
hint: a newer criu may work" oci checkpoint --image-path img c
	rm fake/check fake/fail
	: >fake/mute
	refused "criu: it ended without an answer" oci checkpoint --image-path img c
	refused "criu: it ended without an answer" oci restore --detach --bundle c --image-path img d
	no_trace d
	rm fake/mute
	: >fake/die
	refused "criu: it ended without an answer" oci restore --detach --bundle c --image-path img d
	no_trace d
	! pgrep -f '^sleep 1234$' || return 1
	echo 3.11.0 >fake/version
	refused "checkpoint needs criu 3.15 or newer: $PWD/fake/criu is 3.11.0" oci checkpoint --image-path img c
	refused "restore needs criu 3.15 or newer" oci restore --bundle c --image-path img d
	echo 3.15.0 >fake/version
	refused "other labels than before need criu 3.16" oci restore --bundle c --image-path img --lsm-profile a:b d
	printf '#!/bin/sh\nexit 1\n' >fake/other
	ln -sf other fake/criu
	chmod +x fake/other
	refused "checkpoint container \`c\`: $PWD/fake/criu does not tell its version" oci checkpoint --image-path img c
	[ "$(oci_state c)" = running ]
}

@test "what cannot be" {
	fakes_criu
	bundle c -- sleep 1000
	silent oci create --bundle c c
	refused "it is created: only a running one" oci checkpoint --image-path img c
	quiet oci start c
	refused "--manage-cgroups-mode" oci checkpoint --manage-cgroups-mode soup c
	refused "--network-lock" oci checkpoint --network-lock rope c
	refused '--empty-ns: "pid" is not possible: network is' oci checkpoint --empty-ns pid c
	refused 'page server "nowhere": ADDRESS:PORT is needed' oci checkpoint --page-server nowhere c
	refused 'page server "host:70000"' oci checkpoint --page-server host:70000 c
	refused "container \`x\` does not exist" oci checkpoint x
	[ "$(oci_state c)" = running ]
	refused "image path: nowhere: No such file or directory" oci restore --bundle c --image-path nowhere d
	mkdir empty
	refused "$PWD/empty has no files of a checkpoint" oci restore --bundle c --image-path empty d
	: >empty/inventory.img
	echo '{}' >empty/descriptors.json
	refused "descriptors.json: expected list, got object" oci restore --bundle c --image-path empty d
	echo '["file[1:2"]' >empty/descriptors.json
	refused "descriptors.json: [0]: no file" oci restore --bundle c --image-path empty d
	echo '["pipe:[1]", 7]' >empty/descriptors.json
	refused "descriptors.json: [1]: expected string, got number" oci restore --bundle c --image-path empty d
	rm empty/descriptors.json
	refused "already exists" oci restore --bundle c --image-path empty c
	edit c '.linux.namespaces |= map(if .type == "mount" then .path = "/proc/1/ns/mnt" else . end)'
	refused 'config.json: .linux.namespaces: criu cannot restore into a given namespace of type "mount"' \
		oci restore --bundle c --image-path empty d
	no_trace d
}

@test "neither without root nor without criu" {
	bundle c -- sleep 1000
	chmod 711 .
	mkdir -m 777 open
	refused "restore needs root: criu does not work for other users" setpriv --reuid 4242 --regid 4242 --clear-groups \
		env XDG_RUNTIME_DIR="$PWD/open" "$BRYO" oci restore --bundle c --image-path open d
	mount -t tmpfs none /usr/sbin
	PATH=/usr/bin:/bin
	if command -v criu >/dev/null || [ -e "$BRYO_BUILD/criu" ]; then
		umount /usr/sbin
		skip "criu is somewhere else than in /usr/sbin"
	fi
	refused "checkpoint needs criu, which is not installed" oci checkpoint --image-path img c
	umount /usr/sbin
}
