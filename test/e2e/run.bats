# `bryo run` and what a container sees
load helpers

@test "run prints the command's output and exits with its status" {
	need_image
	run bryo run --rm $IMG echo hello
	assert_ok
	assert_output hello
	run bryo run --rm $IMG sh -c 'exit 7'
	assert_status 7
	run bryo run --rm --init $IMG sh -c 'kill -TERM $$'
	assert_status 143
}

@test "the image's command is the default, --entrypoint replaces it" {
	need_image localhost/cmd --config '"Env":["PATH=/bin"],"Entrypoint":["/bin/echo","entry"],"Cmd":["cmd"]'
	run bryo run --rm localhost/cmd
	assert_output "entry cmd"
	run bryo run --rm localhost/cmd other words
	assert_output "entry other words"
	run bryo run --rm --entrypoint /bin/printf localhost/cmd '%s.' a b
	assert_output "a.b."
	run bryo run --rm --entrypoint '["/bin/echo","json"]' localhost/cmd x
	assert_output "json x"
}

@test "exit codes: 125 of bryo, 126 not executable, 127 not found" {
	need_image
	run bryo run --rm --pull=never localhost/nothing true
	assert_status 125
	run bryo run --no-such-flag $IMG true
	assert_status 125
	assert_contains "unknown flag: --no-such-flag"
	run bryo run --rm $IMG /etc
	assert_status 126
	run bryo run --rm $IMG /etc/passwd
	assert_status 126
	run bryo run --rm $IMG /no/such/command
	assert_status 127
	run bryo run --rm $IMG no-such-command
	assert_status 127
	assert_contains "not found"
	run bryo ps -aq
	assert_output ""
}

@test "layers: files are replaced, deleted and hidden as the image says" {
	need_image
	run bryo run --rm $IMG sh -c 'cat /etc/replaced; ls /etc/opaque; test ! -e /etc/deleted && echo gone; stat -c %i /etc/opaque/* | uniq | wc -l'
	assert_ok
	assert_output $'upper\nlinked\nshown\ngone\n1'
	run bryo run --rm $IMG stat -c '%u:%g' /home/user/file
	assert_output 1000:1000
}

@test "environment: image, PATH, HOME, HOSTNAME, container; -e and --env-file" {
	need_image
	printf '# a comment\nFROM_FILE=a b\nHOST_VAR\n\n' >env
	HOST_VAR=host run bryo run --rm -e ONE=1 -e HOST_VAR --env-file env $IMG env
	assert_ok
	assert_contains $'ONE=1'
	assert_contains $'FROM_FILE=a b'
	assert_contains $'HOST_VAR=host'
	assert_contains 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
	assert_contains 'HOME=/root'
	assert_matches $'(^|\n)container=[a-z]+'
	assert_matches $'HOSTNAME=[0-9a-f]{12}'
}

@test "-w, -u, --hostname, --group-add" {
	need_image
	run bryo run --rm -w /tmp $IMG pwd
	assert_output /tmp
	run bryo run --rm -u user $IMG sh -c 'id -u; id -g; echo $HOME'
	assert_output $'1000\n1000\n/home/user'
	run bryo run --rm -u 33:5 $IMG sh -c 'id -u; id -g'
	assert_output $'33\n5'
	run bryo run --rm -u 4711 $IMG id -u
	assert_output 4711
	run bryo run --rm -u nobodyknows $IMG true
	assert_status 125
	run bryo run --rm --hostname lab.example $IMG hostname
	assert_output lab.example
	run bryo run --rm -u user --group-add 4000 $IMG id -G
	assert_contains 4000
}

@test "the user namespace: root inside is the user outside" {
	need_image
	mkdir mine
	run bryo run --rm -v "$PWD/mine:/mine" $IMG sh -c 'touch /mine/file; id -u'
	assert_ok
	assert_output 0
	[ "$(stat -c %u mine/file)" = "$(id -u)" ]
	run bryo run --rm --userns keep-id $IMG id -u
	assert_output "$(id -u)"
}

@test "capabilities, seccomp and no-new-privileges have the defaults of the field" {
	need_image
	run bryo run --rm $IMG sh -c 'grep -E "^(CapPrm|CapEff|CapBnd|CapInh|CapAmb|Seccomp|NoNewPrivs):" /proc/self/status | tr -d "\t"'
	assert_contains "CapEff:00000000800405fb"
	assert_contains "CapBnd:00000000800405fb"
	assert_contains "CapInh:0000000000000000"
	assert_contains "Seccomp:2"
	assert_contains "NoNewPrivs:0"
	run bryo run --rm --cap-drop all --cap-add net_raw --security-opt no-new-privileges $IMG grep -E 'CapEff|NoNewPrivs' /proc/self/status
	assert_contains 0000000000002000
	assert_matches $'NoNewPrivs:\t1'
	run bryo run --rm --security-opt seccomp=unconfined $IMG grep '^Seccomp:' /proc/self/status
	assert_matches $'Seccomp:\t0'
	run bryo run --rm -u user $IMG grep CapEff /proc/self/status
	assert_contains 0000000000000000
}

@test "masked and read-only paths" {
	need_image
	run bryo run --rm $IMG sh -c 'cat /proc/kcore 2>/dev/null | wc -c; ls /sys/firmware 2>/dev/null | wc -l; echo x >/proc/sys/kernel/hostname'
	assert_contains $'0\n0'
	assert_matches "(Read-only|denied)"
	run bryo run --rm --security-opt unmask=ALL $IMG sh -c 'ls /sys/firmware'
	assert_ok
}

@test "the root file system: changes are kept out of the image; --read-only" {
	need_image
	run bryo run --rm $IMG sh -c 'echo x >/new; cat /new'
	assert_output x
	run bryo run --rm $IMG test -e /new
	assert_status 1
	run bryo run --rm --read-only $IMG touch /new
	assert_status 1
	assert_contains "Read-only"
	run bryo run --rm --read-only $IMG sh -c 'touch /tmp/ok /run/ok /var/tmp/ok && echo writable'
	assert_output writable
}

@test "volumes: bind, read-only, named with copy-up, anonymous, --tmpfs, --mount" {
	need_image
	mkdir src
	echo data >src/file
	run bryo run --rm -v "$PWD/src:/dst:ro" $IMG sh -c 'cat /dst/file; touch /dst/x'
	assert_contains data
	assert_contains "Read-only"
	run bryo run --rm -v named:/www $IMG cat /www/index.html
	assert_output "hello from bryo"
	run bryo run --rm -v named:/www $IMG sh -c 'echo more >>/www/index.html'
	assert_ok
	run bryo run --rm -v named:/elsewhere $IMG tail -n 1 /elsewhere/index.html
	assert_output more
	run bryo volume ls -q
	assert_output named
	run bryo run --rm -v /anon $IMG sh -c 'touch /anon/x; grep -c " /anon " /proc/self/mountinfo'
	assert_output 1
	run bryo volume ls -q
	assert_output named
	run bryo run --rm --tmpfs /scratch:size=1m,mode=700 $IMG sh -c 'stat -f -c %T /scratch; stat -c %a /scratch'
	assert_output $'tmpfs\n700'
	run bryo run --rm --mount type=bind,src="$PWD/src",dst=/dst,ro $IMG cat /dst/file
	assert_output data
	run bryo run --rm -v /does/not/exist:/x $IMG true
	assert_status 125
	assert_contains "/does/not/exist"
}

@test "detached: ps, logs, exec, top, inspect, stop, rm" {
	need_image
	run bryo run -d --name web --label a=b $IMG sh -c 'echo out; echo err >&2; trap "exit 3" TERM; while :; do sleep 0.1; done'
	assert_ok
	assert_matches '^[0-9a-f]{64}$'
	run bryo ps --format '{{.Names}} {{.Image}} {{.Status}}'
	assert_matches "^web localhost/box(:latest)? Up"
	retry 5 sh -c '"$1" logs web 2>&1 | grep -q err' sh "$BRYO"
	run bash -c '"$1" logs web 2>/dev/null' bash "$BRYO"
	assert_output out
	run bryo exec web sh -c 'echo $$; id -u'
	assert_ok
	run bryo exec -e X=y -w /tmp -u user web sh -c 'echo $X $PWD; id -u'
	assert_output $'y /tmp\n1000'
	run bryo exec web no-such
	assert_status 127
	run bryo exec web /etc
	assert_status 126
	run bryo exec web sh -c 'exit 9'
	assert_status 9
	run bryo top web user,huser,args
	assert_ok
	assert_contains "root"
	assert_matches "root +($(id -u)|$(id -un))"
	run bryo inspect --format '{{.State.Status}} {{.Name}} {{.Config.Labels.a}}' web
	assert_output "running web b"
	run bryo rm web
	assert_status 2
	run bryo stop -t 5 web
	assert_ok
	run bryo inspect --format '{{.State.Status}} {{.State.ExitCode}}' web
	assert_output "exited 3"
	run bryo rm web
	assert_ok
	run bryo ps -aq
	assert_output ""
}

@test "create, start, wait, restart, kill, rename" {
	need_image
	run bryo create --name one $IMG sh -c 'sleep 0.3; exit 5'
	assert_ok
	run bryo ps -a --format '{{.Names}} {{.Status}}'
	assert_matches "^one Created"
	bryo start one
	run bryo wait one
	assert_output 5
	run bryo start -a one
	assert_status 5
	bryo rename one two
	run bryo inspect --format '{{.Name}}' two
	assert_output two
	run bryo run -d --name three $IMG sleep 100
	bryo kill -s KILL three
	run bryo wait three
	assert_output 137
	bryo restart three
	run bryo inspect --format '{{.State.Running}}' three
	assert_output true
	bryo rm -f three
	run bryo rm nope
	assert_status 1
	assert_contains 'no container with ID or name "nope" found: no such container'
}

@test "pause and unpause" {
	need_image
	bryo run -d --name p $IMG sh -c 'while :; do echo tick; sleep 0.05; done'
	run bryo pause p
	if [ "$status" -ne 0 ]; then
		[[ $output == *cgroup* ]] && skip "no cgroup to freeze here: $output"
		show; return 1
	fi
	run bryo inspect --format '{{.State.Status}}' p
	assert_output paused
	bryo unpause p
	run bryo inspect --format '{{.State.Status}}' p
	assert_output running
}

@test "stdin: -i passes it on, without it there is none" {
	need_image
	fed() { printf 'a\nb\n' | bryo run --rm "$@"; }
	run fed -i $IMG sh -c 'wc -l'
	assert_output 2
	run fed $IMG wc -l
	assert_output 0
	flooded() { head -c 3000000 /dev/zero | bryo run --rm -i $IMG wc -c; }
	run flooded
	assert_output 3000000
	flooding() { bryo run --rm $IMG sh -c 'head -c 3000000 /dev/zero' | wc -c; }
	run flooding
	assert_output 3000000
}

@test "stdout and stderr stay apart" {
	need_image
	bryo run --rm $IMG sh -c 'echo out; echo err >&2' >o 2>e
	[ "$(cat o)" = out ]
	grep -qx err e
}

@test "a terminal: -it, its size, resize, exec -it, detach keys" {
	need_image
	run on_terminal "$BRYO" run --rm -it $IMG sh <<-'END'
	stty size; echo READY
	@expect 24 80
	@expect READY
	@size 33 99
	@sleep 0.3
	stty size; test -t 0 && echo TTY$((1+1))
	@expect 33 99
	@expect TTY2
	exit 4
	END
	assert_status 4
	bryo run -d --name t $IMG sleep 100
	run on_terminal "$BRYO" exec -it t sh <<-'END'
	tty; echo A$((40+2))
	@expect A42
	exit 6
	END
	assert_status 6
	assert_contains /dev/pts/
	run on_terminal "$BRYO" run -it --name d $IMG sh <<-'END'
	echo B$((40+3))
	@expect B43
	@raw 10
	@sleep 0.2
	@raw 11
	@sleep 0.3
	END
	assert_ok
	run bryo inspect --format '{{.State.Status}}' d
	assert_output running
}

@test "what is typed before the detach keys arrives, even in one piece with them" {
	need_image
	run on_terminal "$BRYO" run -it --name d $IMG sh <<-'END'
	@expect #
	@raw 746f756368202f746d702f660a1011
	END
	assert_ok
	run retry 5 "$BRYO" exec d test -e /tmp/f
	assert_ok
}

@test "started again at once, a container is not touched by the cleanup of its last run" {
	need_image
	bryo create -i --name s $IMG sh -c 'read x; sleep 0.05; echo got $x; exit 3' >/dev/null
	local i
	for i in 1 2 3 4 5 6 7 8; do
		run bryo start -a -i s <<<$i
		assert_status 3
		assert_output "got $i"
	done
}

@test "signals are proxied to the container" {
	need_image
	"$BRYO" run --rm --name s $IMG sh -c 'trap "echo got; exit 11" USR1; echo up; while :; do sleep 0.05; done' >o 3>&- &
	local pid=$!
	retry 10 grep -q up o
	kill -USR1 $pid
	local code=0
	wait $pid || code=$?
	[ "$code" -eq 11 ]
	grep -q got o
}

@test "--init: a pid 1 that reaps" {
	need_image
	run bryo run --rm --init $IMG sh -c 'echo $$; cat /proc/1/comm'
	assert_ok
	refute_contains $'1\nsh'
	run bryo run --rm --init $IMG sh -c 'exit 12'
	assert_status 12
}

@test "--rm leaves nothing; names are freed; names are unique" {
	need_image
	bryo run --rm --name once $IMG true
	run bryo ps -a -q
	assert_output ""
	bryo run --name once $IMG true
	run bryo run --name once $IMG true
	assert_status 125
	assert_contains "already in use"
	run bryo run --replace --name once $IMG echo again
	assert_ok
	assert_contains again
}

@test "--restart on-failure counts; the exit code is the last" {
	need_image
	mkdir count
	bryo run -d --name r --restart on-failure:2 -v "$PWD/count:/c" $IMG sh -c 'echo x >>/c/n; exit 1'
	retry 10 sh -c '[ "$(wc -l <count/n)" = 3 ]'
	run bryo wait r
	assert_output 1
	[ "$(wc -l <count/n)" = 3 ]
}

@test "start, restart and stop of a container that restarts act at once" {
	local i
	need_image
	bryo run -d --name h --restart always --network none $IMG sh -c 'exit 3' >/dev/null
	for i in 1 2 3 4 5; do
		run bryo start h
		assert_output h
		run bryo restart h
		assert_output h
	done
	run bryo stop h
	assert_output h
	run bryo inspect -f '{{.State.Status}}' h
	assert_output exited
}

@test "limits: --memory and --cpus warn at most, --ulimit and --shm-size hold" {
	need_image
	run bryo run --rm --memory 64m --cpus 0.5 $IMG echo ok
	assert_ok
	assert_contains ok
	run bryo run --rm --ulimit nofile=100:200 $IMG sh -c 'ulimit -n; ulimit -Hn'
	assert_output $'100\n200'
	run bryo run --rm --shm-size 1m $IMG sh -c 'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f2'
	assert_output 1024
}

@test "devices and /dev: the usual nodes and no others" {
	need_image
	run bryo run --rm $IMG sh -c 'for n in null zero full tty random urandom; do test -c /dev/$n || echo no $n; done; ls /dev | tr "\n" " "'
	assert_ok
	refute_contains "no "
	refute_contains "sda"
	refute_contains kmsg
	run bryo run --rm --device /dev/fuse $IMG test -c /dev/fuse
	assert_ok
}

@test "--privileged gives all capabilities and no seccomp" {
	need_image
	run bryo run --rm --privileged $IMG grep -E '^(CapEff|Seccomp):' /proc/self/status
	assert_matches $'Seccomp:\t0'
	assert_matches 'CapEff:.*[0-9a-f]*1ff'
}

@test "--plan prints the operations and starts nothing" {
	need_image
	run bryo run --plan --name planned $IMG true
	assert_ok
	assert_contains mount
	assert_contains /proc
	run bryo ps -aq
	assert_output ""
}

@test "--pull policies" {
	need_image
	run bryo run --rm --pull never $IMG echo never
	assert_output never
	run bryo run --rm --pull missing $IMG echo missing
	assert_output missing
	run bryo run --rm --pull never localhost/absent echo x
	assert_status 125
	assert_contains "image not known"
}

@test "absurd input is refused with a message and leaves nothing" {
	need_image
	local bad
	for bad in "--name=-x" "--name=a/b" "--memory=lots" "--cpus=many" "--ulimit=nofile=x" "-p=70000:80" "-v=relative/../..:x" \
		"--network=nonet" "--cap-add=CAP_FLY" "--security-opt=seccomp=/none" "--stop-signal=SIGFOO" "--restart=maybe" \
		"--user=$(printf 'x%.0s' {1..5000})" "--hostname=$(printf 'h%.0s' {1..300})" "--add-host=x" "--tmpfs=rel" \
		"--log-driver=nodriver" "--userns=what" "--workdir=rel" "--device=/dev/nope"; do
		run bryo run --rm "$bad" $IMG true
		[ "$status" -ge 125 ] || { echo "accepted: ${bad:0:60}"; show; return 1; }
		assert_contains "error["
	done
	run bryo run --rm "UPPER CASE!!" true
	assert_status 125
	run bryo run --rm "" true
	assert_status 125
	run bryo ps -aq
	assert_output ""
}

@test "twenty containers at once" {
	[ -z "${BRYO_TEST_QUICK:-}" ] || skip "not in the quick round"
	need_image
	local i pids=()
	for i in {1..20}; do
		bryo run -d --network none --name "n$i" $IMG sleep 100 >/dev/null 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(bryo ps -q | wc -l)" = 20 ]
	bryo rm -fa -t 0 >/dev/null
	[ "$(bryo ps -aq | wc -l)" = 0 ]
}

@test "a reader that leaves ends what --rm runs" {
	need_image
	first() { bryo run --rm --network none $IMG yes | head -1; }
	run first
	assert_output y
	retry 5 bash -c "[ -z \"\$('$BRYO' ps -aq)\" ]"
}

@test "groups: the main one too, none twice" {
	need_image
	run bryo run --rm --network none -u user --group-add 33 --group-add wheel $IMG id -G
	assert_output "1000 10 33"
	run bryo run --rm --network none -u 5:6 $IMG grep Groups /proc/self/status
	assert_matches '^Groups:[[:space:]]*6 *$'
}

@test "what could never start is refused before anything is made" {
	need_image
	run bryo create --sysctl kernel.panic=1 $IMG true
	assert_status 125
	assert_contains "sysctl 'kernel.panic' is not allowed"
	run bryo create --log-opt path=/x $IMG true
	assert_status 125
	local bad
	for bad in --shm-size=-1 --umask=999 --oom-score-adj=5000 --pid=bogus --ipc=b --add-host=a --add-host=a:b --tz=No/Where \
		--attach=foo --log-opt=max-size=x --timeout=x --cidfile=/nowhere/x --init-path=/nope\ --init; do
		# shellcheck disable=SC2086
		run bryo create $bad $IMG true
		assert_status 125
	done
	run bryo run --rm --network none --sysctl kernel.msgmax=1000 --sysctl net.ipv4.ip_forward=1 $IMG cat /proc/sys/kernel/msgmax
	assert_output 1000
	run bryo ps -aq
	assert_output ""
}

@test "a joined network brings its names" {
	need_image
	bryo run -d --name a --network none --add-host x:1.2.3.4 $IMG sleep 100 >/dev/null
	run bryo run --rm --network container:a $IMG cat /etc/hosts
	assert_contains "1.2.3.4"
	run bryo run --rm --network container:a --add-host y:4.3.2.1 $IMG cat /etc/hosts
	assert_contains "4.3.2.1"
	run bryo run --rm --network none --ipc none $IMG grep /dev/shm /proc/mounts
	assert_status 1
}
