# The OCI runtime face: the life of a container, its command line, and what callers rely on
load helpers
load oci

# --- the operations

@test "create, start, state, kill, delete" {
	bundle b -- sh -c 'echo begun >/tmp/file; exec sleep 1000'
	quiet create --bundle b --pid-file pid life
	[ ! -e b/rootfs/tmp/file ]
	run oci state life
	assert_ok
	[ "$(jq -r '.id + " " + .status + " " + .ociVersion + " " + .bundle' <<<"$output")" = "life created 1.2.0 $E2E_DIR/b" ]
	[ "$(jq .pid <<<"$output")" = "$(cat pid)" ]
	[ "$(jq -r .rootfs <<<"$output")" = "$E2E_DIR/b/rootfs" ]
	[[ $(jq -r .created <<<"$output") = 20*T*Z ]]
	[ "$(ps -o ppid= -p "$(cat pid)")" -eq 1 ]
	quiet start life
	retry 5 [ -e b/rootfs/tmp/file ]
	has_status life running
	[ "$(pid_of life)" = "$(cat pid)" ]
	fails oci delete life
	assert_contains "delete container \`life\`: it is running"
	oci kill life KILL
	retry 5 has_status life stopped
	[ "$(pid_of life)" = 0 ]
	oci delete life
	no_trace life
	fails oci state life
	assert_output "container \`life\` does not exist"
}

@test "annotations are part of the state" {
	made noted '.annotations = {"org.example.key": "a value", "empty": ""}'
	[ "$(oci state noted | jq -c .annotations)" = '{"org.example.key":"a value","empty":""}' ]
}

@test "start: once, and only what was created" {
	fails oci start nosuch
	up one
	fails oci start one
	assert_contains "it is running: only a created one can be started"
	oci kill one 9
	retry 5 has_status one stopped
	fails oci start one
	assert_contains "it is stopped"
}

@test "two starts at once: one of them wins" {
	local i a b
	bundle b -- sh -c 'echo x >>/tmp/begun; exec sleep 1000'
	for i in 1 2 3 4 5; do
		quiet create --bundle b twice
		oci start twice >/dev/null 2>&1 3>&- & a=$!
		oci start twice >/dev/null 2>&1 3>&- & b=$!
		if wait $a; then a=0; else a=1; fi
		if wait $b; then b=0; else b=1; fi
		[ $((a + b)) = 1 ]
		has_status twice running
		oci delete --force twice
	done
	[ "$(wc -l <b/rootfs/tmp/begun)" = 5 ]
}

@test "two creates of one id at once: one of them wins, the other says so" {
	local i
	bundle b -- sleep 1000
	for i in 1 2 3 4 5; do
		(quiet create --bundle b same && echo won >>count || true) &
		oci create --bundle b same </dev/null >said2 2>&1 3>&- && echo won >>count || true
		wait $!
		[ "$(wc -l <count)" = 1 ]
		[ "$(cat said said2)" = "container \`same\` already exists" ] || { cat said said2; false; }
		has_status same created
		oci delete same
		rm count
	done
	no_trace same
}

@test "kill: signals by number and by name" {
	local name
	up sig -- sh -c 'for s in HUP INT QUIT USR1 USR2 TERM 35; do trap "echo $s >>/tmp/got" $s; done
		echo ready >/tmp/got; while :; do sleep 0.02; done'
	retry 5 [ -s sig/rootfs/tmp/got ]
	for name in HUP SIGINT int 3 USR1 sigusr2 15 35; do
		oci kill sig $name
		sleep 0.06
	done
	oci kill sig
	retry 5 [ "$(wc -l <sig/rootfs/tmp/got)" -ge 10 ] || retry 5 eval '[ "$(wc -l <sig/rootfs/tmp/got)" = 10 ]'
	[ "$(echo $(cat sig/rootfs/tmp/got))" = "ready HUP INT INT QUIT USR1 USR2 TERM 35 TERM" ]
	oci kill sig 0
	for name in SIGFOO 65 -1 "" 9x; do
		fails oci kill -- sig "$name"
	done
	has_status sig running
	oci kill sig 9
	retry 5 has_status sig stopped
	fails oci kill sig 9
	assert_contains "kill container \`sig\`: container not running"
	fails oci kill nosuch 9
	assert_output "container \`nosuch\` does not exist"
}

@test "kill of one that was only created" {
	made early
	oci kill early 9
	retry 5 has_status early stopped
	oci delete early
}

@test "kill --all reaches every process, also when the first one has ended" {
	local n
	up all '.linux.namespaces |= map(select(.type != "pid"))' 'without_mount("/proc")' \
		-- sh -c 'sleep 1001 & sleep 1002 & exec sleep 1000'
	n() { oci ps --format json all | jq length; }
	retry 5 eval '[ "$(n)" = 3 ]'
	oci kill all 9
	retry 5 has_status all stopped
	[ "$(n)" = 2 ]
	oci kill --all all TERM
	retry 5 eval '[ "$(n)" = 0 ]'
	# Callers do it once more to be sure.
	oci kill --all all 9
	oci delete all
}

@test "delete takes processes along that outlived the first one" {
	up left '.linux.namespaces |= map(select(.type != "pid"))' 'without_mount("/proc")' \
		-- sh -c 'sleep 1003 & echo $! >/tmp/pid; exec sleep 0.01'
	retry 5 has_status left stopped
	kill -0 "$(cat left/rootfs/tmp/pid)"
	oci delete left
	retry 5 is_gone "$(cat left/rootfs/tmp/pid)"
	no_trace left
}

@test "delete: unknown ones, several, by a regular expression" {
	fails oci delete nosuch
	assert_output "container \`nosuch\` does not exist"
	run oci delete --force nosuch
	assert_ok
	assert_output ""
	made web1
	up web2
	made other
	oci delete --force web1 nosuch
	! has_status web1 created
	made web1
	fails oci delete --force --regex '^web('
	oci delete --force --regex '^web[0-9]$'
	[ "$(oci list -q)" = other ]
	oci kill --regex '^oth' 9
	retry 5 has_status other stopped
	oci delete other
}

@test "list and ps" {
	run oci list
	assert_ok
	[ "$(wc -l <<<"$output")" = 1 ]
	run oci list --format json
	assert_output "[]"
	up shown
	made waits
	[ "$(oci list -q | sort)" = $'shown\nwaits' ]
	[ "$(oci list -f json | jq -r 'map(.id + "=" + .status) | sort | join(" ")')" = "shown=running waits=created" ]
	[ "$(oci list | awk '$1 == "shown" { print $3 }')" = running ]
	[ "$(oci ps --format json shown)" = "[$(pid_of shown)]" ]
	run oci ps shown
	assert_contains "sleep 1000"
	run oci ps shown -o pid,comm
	[ "$(sed -n '2s/^ *//p' <<<"$output")" = "$(pid_of shown) sleep" ]
	fails oci ps shown -o comm
	fails oci list --format yaml
	fails oci ps nosuch
}

@test "damaged records: said once, the others are listed, and they can be deleted" {
	made good
	mkdir oci/empty oci/bad oci/odd
	echo '{"id":' >oci/bad/state.json
	echo '{"id":"odd","bundle":7}' >oci/odd/state.json
	echo text >oci/file
	oci list -q >out 2>err
	[ "$(cat out)" = good ]
	[ "$(grep -c 'state.json' err)" = 2 ]
	fails oci state bad
	assert_contains "state.json"
	fails oci state empty
	fails oci delete bad
	oci delete --force bad
	oci delete --force odd
	oci delete --force empty
	# What an interrupted create leaves is taken over.
	mkdir oci/again
	bundle again -- true
	run oci run --bundle again again
	assert_ok
	[ "$(cd oci && echo *)" = "file good" ]
}

# --- ids

@test "ids: odd ones work, others are refused before anything is made" {
	local id long
	long=$(printf 'x%.0s' {1..244})
	bundle b -- true
	for id in a 0 A_b+c-d.e a..b _ "$long"; do
		run oci run --bundle b "$id"
		assert_ok
	done
	for id in "" . .. .hidden a/b ../b "a b" $'a\nb' ä a:b 'a*' "${long}x" /etc; do
		fails oci run --bundle b -- "$id"
		assert_contains "invalid container ID"
		[[ $id != *.* ]] || for command in create start state delete "delete --force" kill exec ps pause; do
			fails oci $command -- "$id"
		done
	done
	[ ! -e oci ] || [ ! "$(ls -A oci)" ]
	fails oci run --bundle b
	assert_contains "a container ID is needed"
	fails oci run --bundle b one two
}

@test "an id that is taken: the owner is not touched" {
	up taken
	bundle other -- true
	fails oci run --bundle other taken
	assert_output "container \`taken\` already exists"
	fails oci create --bundle other taken
	has_status taken running
	[ "$(oci exec taken echo alive)" = alive ]
	oci kill taken 9
	retry 5 has_status taken stopped
	fails oci create --bundle other taken
	assert_output "container \`taken\` already exists"
}

# --- the command line

@test "options before and after the command, with = and without" {
	local root=$E2E_DIR/elsewhere pid
	runtime
	bundle b -- sleep 1000
	with() { "$RUNTIME" "$@" </dev/null >said 2>&1 3>&-; }
	with --root "$root" --log log1 create --bundle b --pid-file pid c1
	with create --root="$root" --log=log2 --bundle=b --pid-file=pid c2
	with --root="$root" --log-format json --log log3 create -b b c3
	with --rootless=true --root "$root" create --no-new-keyring -b=b --log log4 c4
	with --systemd-cgroup=false --debug create c5 --root "$root" -bb
	with --rootless auto --cgroup-manager disabled create --root "$root" --bundle b --no-pivot c6
	with --log-level debug create --log=/dev/null --log-format=text --root "$root" --bundle b c7
	[ "$(with list -q --root "$root"; sort said | tr '\n' ' ')" = "c1 c2 c3 c4 c5 c6 c7 " ]
	with kill --root "$root" c1 9
	with kill c2 --root "$root" 9
	with --root "$root" kill c3 --all KILL
	with start --root="$root" c4
	with delete c4 --root="$root" --force
	with --root "$root" delete -f c1 c2 c3 c5 c6 c7
	[ "$(ls -A "$root")" = "" ]
	ls log1 log2 log3 log4
}

@test "called as bryo oci, bryo-oci, crun or runc; the version" {
	local name
	for name in bryo-oci crun runc; do
		ln -sf "$BRYO" $name
		run ./$name --version
		assert_ok
		[ "${lines[0]%% *} ${lines[1]}" = "bryo-oci spec: 1.2.0" ]
	done
	run "$BRYO" oci --version
	assert_ok
	assert_contains "spec: 1.2.0"
	run ./crun --help
	assert_ok
	for name in create start run exec state kill delete list ps pause resume update events features spec; do
		assert_contains " $name "
		run oci $name --help
		assert_ok
		assert_contains "bryo oci $name"
		run ./crun --help
	done
}

@test "a wrong command line: exit code 1, and nothing is made" {
	fails oci
	fails oci nosuch
	assert_contains "unrecognized command"
	fails oci sate
	assert_contains "state"
	fails oci create --nosuch x
	fails oci create --preserve-fds many x
	fails oci create --preserve-fds -1 x
	fails oci create --bundle
	fails oci create
	fails oci kill
	fails oci start a b
	fails oci exec c
	fails oci --cgroup-manager nosuch state x
	[ ! -e oci ]
}

@test "--log: the file is there and has the error, whatever fails" {
	local words n=0
	bundle b -- true
	bundle bad '.process.cwd = 7'
	bundle nocommand -- /nosuch
	bundle secret
	chmod 0 secret/config.json
	says() {
		local json="^\\{\"msg\":\".*$words.*\",\"level\":\"error\",\"time\":\"20[^\"]*Z\"\\}\$"
		n=$((n + 1))
		fails oci --log text$n "$@"
		grep -qE "error: .*$words" text$n || { cat text$n; return 1; }
		[ "$(wc -l <text$n)" = 1 ]
		fails oci --log=json$n --log-format=json "$@"
		grep -qE "$json" json$n || { cat json$n; return 1; }
		# Also when the options come last, behind what is wrong.
		fails oci "$@" --log file:last$n --log-format json
		grep -qE "$json" last$n || { cat last$n; return 1; }
		[[ $output =~ $words ]]
	}
	words="unrecognized command" says nosuch
	words="unknown flag: --nosuch" says create --nosuch x
	words="a container ID is needed" says create
	words="bundle /nosuch: No such file or directory" says create --bundle /nosuch x
	words="/config.json: No such file or directory" says create --bundle "$PWD/b/rootfs" x
	words="config.json: .process.cwd: expected string, got number" says run --bundle bad x
	words="/config.json: Permission denied" says run --bundle secret x
	words="invalid container ID" says run --bundle b ../x
	words="executable file ./nosuch. not found" says run --bundle nocommand x
	words="container \`x\` does not exist" says state x
	words="container \`x\` does not exist" says start x
	words="unknown log level" says --log-level loud state x
	# One that cannot be opened is said where it can be.
	fails oci --log /nosuch/log state x
	assert_contains "open the log /nosuch/log: No such file or directory"
	fails oci --log-format xml --log l state x
	assert_contains 'unknown log format "xml"'
}

@test "--log takes warnings too, and appends" {
	bundle b '.process.capabilities.bounding += ["CAP_MOON"]' -- true
	run oci --log l --log-format json run --bundle b c
	assert_ok
	[ "$(jq -r .level l)" = warning ]
	[[ $(jq -r .msg l) = "config.json: .process.capabilities.bounding["*'unknown capability "CAP_MOON"' ]]
	oci --log l --log-format json run --bundle b c
	[ "$(wc -l <l)" = 2 ]
}

# --- calls with a poor environment

@test "XDG_RUNTIME_DIR alone is enough for all but the process itself" {
	runtime
	bundle b -- sleep 1000
	poor() { env -i XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR" "$RUNTIME" "$@" </dev/null >said 2>&1 3>&-; }
	poor create --bundle b c
	poor state c
	[ -d "$XDG_RUNTIME_DIR/bryo/oci/c" ]
	poor start c
	poor exec c true
	poor kill c 0
	poor pause c
	poor resume c
	poor list -q
	[ "$(cat said)" = c ]
	poor kill c 9
	retry 5 eval 'poor state c; [ "$(jq -r .status said)" = stopped ]'
	poor delete c
	poor delete --force c
}

@test "--root alone is enough, in an empty environment" {
	local dir=$E2E_DIR/root
	runtime
	bundle -s b -- sleep 1000
	bare() { env -i "$RUNTIME" --root "$dir" "$@" </dev/null >said 2>&1 3>&-; }
	# newuidmap is found without a PATH.
	bare create --bundle b c
	bare start c
	bare exec c cat /proc/self/uid_map
	[ "$(wc -l <said)" = 2 ]
	bare kill c 9
	bare delete --force c
	# With neither there is a private directory.
	env -i "$RUNTIME" list >said 2>&1
	env -i "$RUNTIME" create --bundle b none-$$ </dev/null >/dev/null 2>&1 3>&-
	[ "$(stat -c %a-%u /tmp/bryo-$(id -u))" = "700-$(id -u)" ]
	env -i "$RUNTIME" delete -f none-$$
	[ ! -e "$XDG_RUNTIME_DIR/bryo" ]
}

# --- the state directory

@test "a state directory that others can write to is refused" {
	mkdir -m 777 open
	bundle b -- true
	runtime
	fails "$RUNTIME" --root open run --bundle b c
	assert_contains "it can be changed by other users"
	fails "$RUNTIME" --root open state c
	chmod 775 open
	fails "$RUNTIME" --root "$PWD/open" run --bundle b c
	chmod 755 open
	run "$RUNTIME" --root open run --bundle b c
	assert_ok
	fails "$RUNTIME" --root b/config.json run --bundle b c
	assert_contains "Not a directory"
}

@test "a state directory that cannot be written to: its containers can be looked at" {
	[ "$(id -u)" -ne 0 ] || skip "root writes everywhere"
	up seen
	chmod 555 oci oci/seen
	bundle b -- true
	fails oci run --bundle b new
	assert_contains "make the state of container \`new\`: Permission denied"
	has_status seen running
	[ "$(oci exec seen echo in)" = in ]
	oci kill seen 9
	fails oci delete seen
	chmod 755 oci oci/seen
	oci delete --force seen
}

# --- bundles and configurations

@test "the bundle: relative, absolute, the working directory, through a link; the configuration elsewhere" {
	mkdir deep
	bundle deep/b -- cat /proc/self/cmdline
	ln -s deep/b link
	for bundle in deep/b "$PWD/deep/b" link deep/../deep/b; do
		run oci run --bundle "$bundle" c
		assert_ok
		quiet create --bundle "$bundle" d
		[ "$(oci state d | jq -r .bundle)" = "$PWD/deep/b" ]
		oci delete d
	done
	cd deep/b
	run oci run c
	assert_ok
	mv config.json ../other.json
	run oci run --config ../other.json c
	assert_ok
	cd ../..
	run oci run --bundle deep/b --config deep/other.json c
	assert_ok
	edit_file() { jq "$1" deep/other.json >broken.json; }
	edit_file '.hostname = 5'
	fails oci run --bundle deep/b -f broken.json c
	assert_contains "broken.json: .hostname: expected string, got number"
	fails oci run --bundle deep/other.json c
	fails oci run --bundle deep c
	assert_contains "config.json: No such file or directory"
}

@test "no process: it can be created, not started" {
	bundle b 'del(.process)'
	quiet create --bundle b idle
	has_status idle created
	fails oci start idle
	assert_contains "config.json: .process: missing, and required to start"
	has_status idle created
	oci delete idle
	fails oci run --bundle b idle
	assert_contains ".process: missing, and required to run"
	no_trace idle
}

@test "commands that are missing or cannot be executed, in the words that engines look for" {
	local command words
	bundle b -- @
	mv b/config.json template.json
	echo text >b/rootfs/bin/text
	chmod 644 b/rootfs/bin/text
	printf '\177ELFnonsense' >b/rootfs/bin/broken
	printf '#!/nosuch/interpreter\n' >b/rootfs/bin/script
	chmod 755 b/rootfs/bin/broken b/rootfs/bin/script
	ln -s loop b/rootfs/bin/loop
	up c
	cp -a b/rootfs/bin/{text,broken,script,loop} c/rootfs/bin/
	while read -r command words; do
		sed "s|@|$command|" template.json >b/config.json
		fails oci run --bundle b x
		assert_contains "$words"
		[ -z "$(oci_state x)" ]
		no_trace x
		fails oci exec c "$command"
		assert_contains "$words"
	done <<-'END'
	nosuch executable file `nosuch` not found in $PATH: no such file or directory
	/nosuch executable file `/nosuch` not found: no such file or directory
	/bin/busybox/x executable file `/bin/busybox/x` not found: not a directory
	/bin/text open executable `/bin/text`: permission denied
	text open executable `text`: permission denied
	/etc the path `/etc` is not a regular file: permission denied
	/bin/broken open executable `/bin/broken`: exec format error
	/bin/script executable file `/bin/script` not found: no such file or directory
	/bin/loop open executable `/bin/loop`: too many levels of symbolic links
	END
	edit b '.process.args = ["true"] | .process.cwd = "/etc/passwd"'
	fails oci run --bundle b x
	assert_contains "make the directory /etc/passwd: Not a directory"
	fails oci exec --cwd /nosuch c true
	assert_contains "chdir to \`/nosuch\`: no such file or directory"
}

# --- run

@test "run: the exit code is the command's, 128 and the signal's number, and nothing is left" {
	local n
	bundle b -- sh -c 'exit $CODE'
	for n in 0 1 7 125 126 127 137 255; do
		edit b ".process.env = [\"PATH=/bin\", \"CODE=$n\"]"
		run oci run --bundle b code
		assert_status $n
	done
	for n in 6 9 15; do
		edit b ".process.args = [\"sh\", \"-c\", \"kill -$n \$\$; sleep 5\"]"
		edit b '.linux.namespaces |= map(select(.type != "pid"))'
		edit b '.mounts |= map(select(.destination != "/proc"))'
		run oci run --bundle b code
		assert_status $((128 + n))
	done
	no_trace code
}

@test "run --keep and run --detach" {
	bundle b -- sh -c 'exit 3'
	run oci run --keep --bundle b kept
	assert_status 3
	has_status kept stopped
	oci delete kept
	edit b '.process.args = ["sleep", "1000"]'
	quiet run --detach --pid-file pid --bundle b away
	has_status away running
	[ "$(pid_of away)" = "$(cat pid)" ]
	oci delete --force away
	quiet run -d --bundle=b away
	oci delete -f away
	no_trace away
}

@test "run: input, output and errors are the caller's" {
	bundle b -- sh -c 'echo out; echo err >&2; cat'
	oci run --bundle b io >out 2>err <<<in
	[ "$(cat out)" = $'out\nin' ]
	[ "$(cat err)" = err ]
	edit b '.process.args = ["cat"]'
	head -c 3000000 /dev/urandom >random
	oci run --bundle b io <random | cmp - random
	edit b '.process.args = ["sh", "-c", "exec cat /dev/zero"]'
	# One who reads no more ends it.
	oci run --bundle b io | head -c 1000000 | cmp -n 1000000 - /dev/zero
}

@test "closed standard streams are no way into the runtime" {
	bundle b -- sh -c 'for n in 0 1 2; do readlink /proc/self/fd/$n; done >/tmp/fds; ls /proc/self/fd >>/tmp/fds'
	seen() { tr '\n' ' ' <b/rootfs/tmp/fds; }
	oci run --bundle b closed <&- >&- 2>&-
	[ "$(seen)" = "/dev/null /tmp/fds /dev/null 0 1 2 3 " ] || { seen; false; }
	edit b '.process.args = ["sh", "-c", "readlink /proc/self/fd/0 >/tmp/fds; exec sleep 1000"]'
	oci create --bundle b closed <&- >&- 2>&-
	oci start closed <&- >&- 2>&-
	retry 5 eval '[ "$(seen)" = "/dev/null " ]' || { seen; false; }
	oci exec closed sh -c 'for n in 0 2; do readlink /proc/self/fd/$n; done >/tmp/fds' <&- >&- 2>&-
	[ "$(seen)" = "/dev/null /dev/null " ] || { seen; false; }
}

@test "run passes signals on, also those that come early" {
	local runner
	bundle b -- sh -c 'trap "exit 42" USR1; trap "exit 43" TERM; trap "exit 44" INT; trap "exit 45" HUP
		echo ready >/tmp/ready; while :; do sleep 0.02; done'
	for signal in USR1:42 TERM:43 INT:44 HUP:45; do
		rm -f b/rootfs/tmp/ready
		runtime
		"$RUNTIME" --root "$E2E_DIR/oci" run --bundle b sig </dev/null >/dev/null 2>&1 3>&- &
		runner=$!
		retry 5 [ -e b/rootfs/tmp/ready ]
		kill -${signal%:*} $runner
		wait $runner && false || [ $? -eq ${signal#*:} ]
	done
	no_trace sig
	# A signal while it is made is not lost, and leaves nothing behind.
	edit b '.process.args = ["sleep", "1000"]'
	"$RUNTIME" --root "$E2E_DIR/oci" run --bundle b sig </dev/null >/dev/null 2>&1 3>&- &
	runner=$!
	sleep 0.01
	kill -KILL $runner 2>/dev/null
	wait $runner || true
	oci delete --force sig
	no_trace sig
}

@test "run killed outright: the container lives on and can be deleted" {
	local runner
	runtime
	bundle b -- sleep 1000
	"$RUNTIME" --root "$E2E_DIR/oci" run --bundle b orphan </dev/null >/dev/null 2>&1 3>&- &
	runner=$!
	retry 5 has_status orphan running
	kill -9 $runner
	wait $runner || true
	has_status orphan running
	oci delete --force orphan
	no_trace orphan
}

# --- files that callers ask for

@test "--pid-file: relative to the caller, whole, and an error undoes all" {
	mkdir sub ro
	bundle b -- sleep 1000
	cd sub
	quiet create --bundle ../b --pid-file out/../pid c && false
	quiet create --bundle ../b --pid-file pid c
	[ "$(cat pid)" = "$(pid_of c)" ]
	[ "$(ls)" = $'pid\nsaid' ]
	quiet start c
	oci exec --detach --pid-file ../exec.pid c sleep 1000 </dev/null >/dev/null 2>&1 3>&-
	[ "$(oci ps --format json c | jq -c sort)" = "$(jq -nc --argjson a "$(cat pid)" --argjson b "$(cat ../exec.pid)" '[$a, $b] | sort')" ]
	oci delete --force c
	fails oci create --bundle ../b --pid-file /nosuch/pid c
	assert_contains "write the pid file /nosuch/pid: No such file or directory"
	no_trace c
	fails oci run --bundle ../b --pid-file /nosuch/pid c
	no_trace c
}

# console NAME COMMAND...: listens at ./NAME while the command runs; what is printed on the terminal is in ./NAME.out.
console() {
	local name=$1
	shift
	rm -f "$name"
	python3 - "$name" >"$name.out" 2>"$name.err" 3>&- <<-'END' &
	import array, os, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1]); s.listen(1); s.settimeout(10)
	c = s.accept()[0]
	data, parts, flags, where = c.recvmsg(100, socket.CMSG_SPACE(64))
	master = array.array("i", parts[0][2])
	sys.stderr.write("%d %d %s %s\n" % (len(parts), len(master), os.ttyname(master[0]) if False else os.isatty(master[0]), data.decode()))
	sys.stderr.flush()
	os.write(master[0], b"typed\n")
	while True:
	    try:
	        d = os.read(master[0], 1000)
	    except OSError:
	        break
	    sys.stdout.write(d.decode().replace("\r", "")); sys.stdout.flush()
	END
	CONSOLE_PID=$!
	E2E_PIDS+=($CONSOLE_PID)
	retry 5 [ -S "$name" ]
	"$@"
}

@test "--console-socket: create, exec, and what cannot be" {
	bundle b '.process.terminal = true | .process.consoleSize = {height: 33, width: 101}' \
		-- sh -c 'tty; stty size; read line; echo "<$line>"; ls -l /dev/console | cut -c1; stat -c %u $(tty); exec sleep 1000'
	console sock quiet create --bundle b --console-socket "$PWD/sock" tty
	retry 5 grep -q typed sock.out
	quiet start tty
	retry 5 grep -q '^0$' sock.out
	[ "$(cat sock.err)" = "1 1 True /dev/ptmx" ]
	[ "$(cat sock.out)" = $'typed\n/dev/pts/0\n33 101\n<typed>\nc\n0' ]
	console sock2 quiet exec --tty --detach --console-socket sock2 tty sh -c 'tty; read x; echo "[$x]"'
	retry 5 grep -q '\[typed\]' sock2.out
	grep -qx /dev/pts/1 sock2.out
	oci delete --force tty
	wait $CONSOLE_PID
	fails oci create --bundle b --console-socket "$PWD/nosuch" tty
	assert_contains "console socket $PWD/nosuch: No such file or directory"
	no_trace tty
	fails oci create --bundle b --console-socket "/$(printf 'x%.0s' {1..120})" tty
	assert_contains "longer than 107 bytes"
	fails oci create --bundle b tty
	assert_contains "process.terminal is set: for a container in the background use --console-socket"
	fails oci run --detach --bundle b tty
	edit b '.process.terminal = false'
	fails oci create --bundle b --console-socket "$PWD/sock" tty
	assert_contains "process.terminal is not set"
	no_trace tty
}

@test "run with a terminal in the foreground" {
	runtime
	bundle b '.process.terminal = true' -- sh
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" run --bundle b fg <<-'END'
	@expect #
	tty; stty size; echo "on $((6 * 7))"
	@expect on 42
	@size 40 120
	@sleep 0.1
	stty size
	@expect 40 120
	sleep 30; echo "$((10 * 10)) after"
	@sleep 0.3
	@raw 03
	@expect #
	exit 9
	END
	) && false || [ $? -eq 9 ]
	[[ $output = *"/dev/pts/0"*"24 80"* ]]
	[[ $output != *"100 after"* ]]
	no_trace fg
	# Input that is no terminal.
	edit b '.process.args = ["sh", "-c", "read line; echo got $line; tty"]'
	run oci run --bundle b fg <<<text
	assert_ok
	assert_contains "got text"
	assert_contains "/dev/pts/0"
}

@test "exec with a terminal in the foreground" {
	runtime
	up c
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" exec -t c sh <<-'END'
	@expect #
	tty; stty size; echo $((6 * 7))
	@expect 42
	exit 8
	END
	) && false || [ $? -eq 8 ]
	[[ $output = *"/dev/pts/0"*"24 80"* ]]
}

@test "a terminal whose program does not read: signals still come through" {
	local runner i
	runtime
	bundle b '.process.terminal = true' -- sh -c 'trap "exit 5" TERM; echo ready >/tmp/ready; while :; do sleep 0.02; done'
	head -c 300000 /dev/zero | tr '\0' 'x' >much
	"$RUNTIME" --root "$E2E_DIR/oci" run --bundle b deaf <much >/dev/null 2>&1 3>&- &
	runner=$!
	retry 5 [ -e b/rootfs/tmp/ready ]
	sleep 0.1
	kill -TERM $runner
	for i in {1..100}; do
		kill -0 $runner 2>/dev/null || break
		sleep 0.05
	done
	! kill -0 $runner 2>/dev/null || { kill -9 $runner; false; }
	wait $runner && false || [ $? -eq 5 ]
	# Both directions at once.
	edit b '.process.args = ["sh", "-c", "stty -echo -icanon; echo go; cat | wc -c & head -c 300000 /dev/zero | tr \"\\\\0\" y; sleep 0.5"]'
	timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" run --bundle b deaf <much >out 2>&1 3>&-
	[ "$(tr -cd y <out | wc -c)" = 300000 ]
}

# --- descriptors

@test "--preserve-fds and LISTEN_FDS: these descriptors and no others" {
	bundle b -- sh -c 'env | grep ^LISTEN_ | sort; cat <&3; for n in 4 5 6; do readlink /proc/self/fd/$n; done; ls /proc/self/fd | tail -n 1'
	edit b '.process.env = ["PATH=/bin"]'
	echo three >f3
	echo five >f5
	mkdir d
	with() { oci run "$@" --bundle b fds 3<f3 4<d 5<f5 7<d; }
	run with --preserve-fds 1
	assert_output $'three\n4'		# which is what ls reads
	run with --preserve-fds=3
	assert_output "three
$PWD/d
$PWD/f5
6"
	# One that is missing keeps its place.
	edit b '.process.args[2] |= "ls /proc/self/fd"'
	run with --preserve-fds=5
	assert_output $'0\n1\n2\n3\n4\n5\n6\n7'
	bundle b -- sh -c 'env | grep ^LISTEN_ | sort; cat <&3; for n in 4 5 6; do readlink /proc/self/fd/$n; done; ls /proc/self/fd | tail -n 1'
	export LISTEN_FDS=1 LISTEN_PID=1
	run with
	assert_output $'LISTEN_FDS=1\nLISTEN_PID=1\nthree\n4'
	run with --preserve-fds 2
	[ "${lines[4]}" = "$PWD/f5" ]
	unset LISTEN_FDS
	# What the runtime has open itself is not to be had.
	edit b '.process.args[2] |= "ls /proc/self/fd"'
	run oci --log l run --preserve-fds 2 --bundle b fds 3>&- 4>&-
	assert_output $'0\n1\n2\n3'
	fails with --preserve-fds 100000
	[ ! -s oci/fds ]
	no_trace fds
}

@test "a container that waits or runs in the background keeps nothing of its maker open" {
	local pid
	mkfifo pipe lock
	bundle b -- sleep 1000
	# The pipe's other end sees its end as soon as the command is through.
	exec 8<>lock
	(oci create --bundle b free 9>pipe 7<b </dev/null >/dev/null 2>&1 3>&-) &
	timeout 10 cat pipe
	pid=$(pid_of free)
	[ "$(ls /proc/$pid/fd | wc -l)" -le 6 ] || { ls -l /proc/$pid/fd; false; }
	! ls -l /proc/$pid/fd | grep -E "$PWD/(b|pipe|lock|oci/free)( |$)"
	exec 8>&-
	quiet start free
	[ "$(ls /proc/$pid/fd | tr '\n' ' ')" = "0 1 2 " ]
	oci delete -f free
	(oci run --detach --bundle b free 9>pipe </dev/null >/dev/null 2>&1 3>&-) &
	timeout 10 cat pipe
	[ "$(ls /proc/$(pid_of free)/fd | tr '\n' ' ')" = "0 1 2 " ]
}

# --- many, and interrupted ones

@test "30 containers at once" {
	local i pids=()
	bundle b -- sleep 1000
	for i in {1..30}; do
		oci run --detach --bundle b many$i </dev/null >>many.out 2>&1 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cat many.out)" = "" ] || { cat many.out; false; }
	[ "$(oci list | grep -c ' running ')" = 30 ]
	pids=()
	for i in {1..30}; do
		oci delete --force many$i &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(oci list -q)" = "" ]
	no_trace many\*
}

# killed COMMAND...: kills it after some milliseconds, and then all must be as if it had never been.
killed() {
	local i runner delay
	runtime
	for i in {0..29}; do
		# More of the early moments: on a busy machine all takes longer.
		printf -v delay '0.%04d' $((i * i * 4 / 10))
		"$RUNTIME" --root "$E2E_DIR/oci" "$@" --bundle b cut </dev/null >/dev/null 2>&1 3>&- &
		runner=$!
		sleep $delay
		kill -9 $runner 2>/dev/null || true
		wait $runner 2>/dev/null || true
		case $((i % 3)) in
		0)	timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" delete --force cut ;;
		1)	oci list >/dev/null
			oci state cut >said 2>&1 || grep -qE "does not exist|being created" said
			timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" delete --force cut ;;
		2)	has_status cut running || has_status cut created || has_status cut stopped || {
				# What has no record is taken over.
				timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" create --bundle b cut </dev/null >said 2>&1 3>&- || { cat said; return 1; }
			}
			timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" delete --force cut ;;
		esac
		no_trace cut
	done
	# Nobody is left who waits for his maker.
	retry 5 eval '! pgrep -f "$RUNTIME"'
}

@test "create killed at any moment leaves nothing that delete --force and create cannot take" {
	bundle b -- sleep 1000
	killed create
}

@test "run killed at any moment leaves nothing that delete --force and create cannot take" {
	bundle b '.hooks = {createRuntime: [{path: "/bin/true"}], poststart: [{path: "/bin/true"}]}' -- sleep 1000
	killed run
}

@test "start killed at any moment: the container waits, runs or has ended" {
	local i runner
	runtime
	bundle b -- sleep 1000
	for i in {0..9}; do
		quiet create --bundle b cut
		"$RUNTIME" --root "$E2E_DIR/oci" start cut 2>/dev/null 3>&- &
		runner=$!
		sleep "0.00$((i / 2))$((i * 7 % 10))"
		kill -9 $runner 2>/dev/null || true
		wait $runner 2>/dev/null || true
		# One who connects and says nothing is not the last chance.
		# It may start yet, after the killed one's word.
		! has_status cut created || quiet start cut || retry 5 has_status cut running || { cat said; false; }
		retry 5 has_status cut running
		timeout 20 "$RUNTIME" --root "$E2E_DIR/oci" delete --force cut
	done
	no_trace cut
}

@test "delete killed at any moment can be repeated" {
	local i runner delay
	runtime
	bundle b -- sleep 1000
	for i in {0..14}; do
		quiet run --detach --bundle b cut
		printf -v delay '0.%04d' $((i * i))
		"$RUNTIME" --root "$E2E_DIR/oci" delete --force cut >/dev/null 2>&1 3>&- &
		runner=$!
		sleep $delay
		kill -9 $runner 2>/dev/null || true
		wait $runner 2>/dev/null || true
		timeout -k 1 20 "$RUNTIME" --root "$E2E_DIR/oci" delete --force cut
		no_trace cut
	done
}

@test "all operations on one id at once: each has an answer, and nothing is left" {
	local pids=() end=$((SECONDS + 4))
	runtime
	bundle b -- sleep 1000
	again() {
		local began until=$end
		[ $1 != pause ] || until=$((end - 2))	# what it froze in between is resumed
		while [ $SECONDS -lt $until ]; do
			began=$SECONDS
			timeout -k 1 10 "$RUNTIME" --root "$E2E_DIR/oci" "$@" </dev/null >>answers 2>&1 ||
				[[ $? != 13[49] ]] || echo "crashed: $*" >>silence
			[ $((SECONDS - began)) -lt 9 ] || echo "no answer: $*" >>silence
		done
	}
	for operation in "create --bundle b x" "run --detach --bundle b x" "start x" "kill x 9" "delete x" "delete --force x" "state x" \
		list "exec x true" "exec -d x sleep 1000" "ps --format json x" "pause x" "resume x"; do
		again $operation 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ ! -e silence ] || { cat silence; false; }
	! grep -E "Success|[Bb]ug" answers
	grep -q "already exists" answers
	oci delete --force x
	no_trace x
	retry 5 eval '! pgrep -f "$RUNTIME"'
}

# --- documents

@test "features: what engines ask for" {
	run oci features
	assert_ok
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.2.0"
		and (.hooks | length) == 6
		and (.mountOptions | index("rro") and index("idmap") and index("tmpcopyup") and index("rslave"))
		and (.linux.namespaces | sort) == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]
		and (.linux.capabilities | index("CAP_SYS_ADMIN") and index("CAP_CHECKPOINT_RESTORE"))
		and .linux.cgroup == {v1: true, v2: true, systemd: true, systemdUser: true, rdma: true}
		and .linux.seccomp.enabled and .linux.apparmor.enabled and .linux.selinux.enabled
		and .linux.mountExtensions.idmap.enabled
		and (.potentiallyUnsafeConfigAnnotations | index("run.oci."))' <<<"$output"
}

@test "spec: what it writes can be run" {
	local rootless=--rootless
	runtime
	[ "$(id -u)" -ne 0 ] || rootless=
	bundle b
	rm b/config.json
	cd b
	oci spec $rootless
	jq -e '.ociVersion == "1.2.0" and .process.args == ["sh"] and .root == {path: "rootfs", readonly: true}' config.json
	fails oci spec
	assert_contains "File exists"
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" run fresh <<-'END'
	@expect #
	hostname; touch /file; exit 4
	END
	) && false || [ $? -eq 4 ]
	[[ $output = *"bryo"*"Read-only file system"* ]]
	cd ..
	mkdir other
	oci spec --bundle other
	[ -s other/config.json ]
	fails oci spec -b nosuch
}
