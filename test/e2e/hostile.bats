# Hostile images and hostile containers: each test is an incident that some engine had
# without the profile of other tools: bryo's own
# lab: -x 'test ! -d /usr/share/containers || mount -t tmpfs none /usr/share/containers'
load helpers

# hostile KIND [ARGUMENT]: loads the image localhost/hostile of this kind in place of the last one.
hostile() {
	local file=$E2E_DIR/hostile.tar
	"$BATS_TEST_DIRNAME/hostile-image" "$1" "$file" "${2:-}"
	bryo rmi -f localhost/hostile >/dev/null 2>&1 || true
	run timeout 60 "$BRYO" load -q -i "$file"
	rm "$file"
}

box() { timeout 30 "$BRYO" run --rm --network none "$@"; }

# A directory of the host that nothing may appear in.
bait() {
	BAIT=$E2E_DIR/bait
	mkdir "$BAIT"
	echo "of the host" >"$BAIT/secret"
}

assert_bait_untouched() {
	[ "$(cd "$BAIT" && find . | sort | tr '\n' ' ')" = ". ./secret " ] || { find "$BAIT"; return 1; }
	[ "$(cat "$BAIT/secret")" = "of the host" ]
}

@test "a working directory through links and .. makes nothing on the host" {
	bait
	for kind in workdir-link workdir-link-relative workdir-dotdot; do
		hostile $kind "$BAIT"
		assert_ok
		run box localhost/hostile pwd
		assert_ok
		assert_bait_untouched
	done
	run box localhost/hostile ls "$BAIT"
	assert_output ""
}

@test "a working directory in /proc/self/fd leads nowhere" {
	for fd in 3 4 5 6 7 8 9 10 12 14; do
		hostile workdir-fd $fd/../../../../../..
		run box localhost/hostile cat etc/passwd
		[ "$status" -ne 0 ] || { show; return 1; }
	done
}

@test "a working directory whose name begins like a volume's is made" {
	hostile workdir-beside-volume
	run box localhost/hostile pwd
	assert_output /database/files
}

@test "/dev, /proc, /sys, /etc and /run as links: nothing is made where they point" {
	bait
	for directory in dev proc sys etc run; do
		hostile link:$directory "$BAIT"
		run box localhost/hostile true
		assert_bait_untouched
		hostile link:$directory "../../../../../../..$BAIT"
		run box localhost/hostile true
		assert_bait_untouched
	done
}

@test "hosts, resolv.conf and hostname as links to files of the host" {
	bait
	hostile hosts-link "$BAIT/secret"
	run box localhost/hostile cat /etc/hosts
	refute_contains "of the host"
	assert_bait_untouched
}

@test "passwd and group: FIFO, huge, sparse, one long line, links to the host" {
	bait
	for file in passwd group; do
		hostile fifo:etc/$file
		run box -u daemon localhost/hostile true
		[ "$status" -eq 125 ] || { show; return 1; }
		run box -u 7:8 localhost/hostile id -u
		assert_ok
		hostile huge:etc/$file
		run box -u nobodyknows localhost/hostile true
		[ "$status" -eq 125 ] || { show; return 1; }
		hostile sparse:etc/$file
		assert_ok
		run box -u nobodyknows localhost/hostile true
		[ "$status" -eq 125 ] || { show; return 1; }
		run box -u 7:8 localhost/hostile id -u
		assert_ok
		hostile long-line:etc/$file
		run box -u 7 localhost/hostile true
		assert_ok
		hostile link:etc/$file "$BAIT/secret"
		run box -u 7 localhost/hostile true
		assert_ok
		refute_contains "of the host"
		assert_bait_untouched
	done
}

@test "users beyond 32 bits and unknown ones are refused, never root" {
	for kind in user-wrap user-negative user-unknown user-passwd-wrap; do
		hostile $kind
		run box localhost/hostile id -u
		assert_status 125
	done
	run box -u minus localhost/hostile id -u
	assert_status 125
	run box -u 4294967295 localhost/hostile id -u
	assert_status 125
	run box -u 0:4294967296 localhost/hostile id -u
	assert_status 125
	hostile groups-many
	run box localhost/hostile id -u
	[ "$status" -eq 125 ] || [ "$output" = 5 ] || { show; return 1; }
}

@test "variables of the image bring nothing of the host's" {
	hostile env
	SECRET=leak run box localhost/hostile env
	assert_ok
	refute_contains leak
	refute_contains "$E2E_DIR"
	assert_contains GOOD=yes
	hostile env-many
	run box localhost/hostile sh -c 'echo $V19999'
	assert_output 19999
}

@test "labels and unknown members of the configuration are no policy" {
	hostile labels-policy "$E2E_DIR/hook"
	run box localhost/hostile sh -c 'grep CapEff /proc/self/status; id -G; cat /proc/self/attr/current 2>/dev/null || true'
	assert_ok
	assert_contains 00000000800405fb
	[ ! -e "$E2E_DIR/hook" ]
}

@test "volumes through links, absurd ones, and what is copied into them" {
	bait
	hostile volume-link "$BAIT"
	run box localhost/hostile true
	assert_bait_untouched
	hostile volume-absurd
	run box localhost/hostile sh -c 'stat -c %F /ok'
	[ "$output" = directory ] || [ "$status" -eq 125 ] || { show; return 1; }
	hostile volume-content "$BAIT/secret"
	run box -v keep:/data localhost/hostile readlink /data/link
	assert_output "$BAIT/secret"
	assert_bait_untouched
	run box -v keep:/data localhost/hostile cat /data/link
	refute_contains "of the host"
}

@test "volumes, mounts and tmpfs on files, pipes and links of the image" {
	bait
	mkdir mine
	for place in /plain /plain/below /loop/x /pipe /out /out/climbed /../../../../../etc/made; do
		hostile "volume-at:$place" "$BAIT"
		run box localhost/hostile true
		[ "$status" -eq 0 ] || [ "$status" -eq 125 ] || { show; return 1; }
		assert_bait_untouched
	done
	[ ! -e /etc/made ]
	for place in /plain /plain/below /loop /pipe /out /out/climbed; do
		for mount in "-v=$PWD/mine:$place" "-v=named:$place" "--tmpfs=$place" "-v=$PWD/mine:$place:O" "-v=$BAIT/secret:/dir:ro" \
			"--mount=type=image,src=localhost/hostile,dst=$place" "--mount=type=image,src=localhost/hostile,dst=/i,subpath=out"; do
			run box "$mount" localhost/hostile true
			[ "$status" -eq 0 ] || [ "$status" -eq 125 ] || { show; return 1; }
		done
		assert_bait_untouched
	done
	[ -z "$(ls mine)" ]
	run box "-v=$PWD/mine:/plain" localhost/hostile true
	assert_status 125
	assert_contains 'a directory can be mounted on a directory only'
	run box "-v=$BAIT/secret:/dir" localhost/hostile true
	assert_status 125
}

@test "extended attributes of the image do not steer the overlay" {
	hostile overlay-xattrs
	assert_ok
	run box localhost/hostile cat /etc/secret
	assert_output "of the image"
}

@test "setuid files and device nodes of layers" {
	hostile setuid
	assert_ok
	run box localhost/hostile sh -c 'stat -c %a:%u /bin/suid; ls /dev/sda'
	assert_contains 6755:0
	assert_contains "No such file"
}

@test "the program's own file does not run inside a container" {
	hostile exe
	bryo run -d --name c --network none localhost/hostile sleep 1000
	for program in /self /proc/self/exe /script /nested; do
		run box localhost/hostile $program --version
		refute_contains bryo\ version
		[ "$status" -ne 0 ] || { show; return 1; }
		run bryo exec c $program --version
		refute_contains bryo\ version
		[ "$status" -ne 0 ] || { show; return 1; }
	done
	run box localhost/hostile /loop
	[ "$status" -ne 0 ]
	run timeout 10 "$BRYO" exec c /loop
	[ "$status" -ne 0 ]
}

@test "a program file that its user may change runs from a sealed copy" {
	need_image
	mkdir bin
	cp "$BRYO" bin/bryo
	export BRYO_LIBEXEC=$BRYO_BUILD
	bin/bryo run -d --name c --network none $IMG sleep 1000
	bin/bryo exec c sleep 1000 &
	E2E_PIDS+=($!)
	retry 10 sh -c "readlink /proc/$!/exe | grep -q memfd:bryo"
	run bin/bryo exec -e BRYO_SELF c env
	assert_ok
	refute_contains BRYO_SELF
	run bin/bryo info --format '{{.Host.OCIRuntime.Path}}'
	assert_output "$E2E_DIR/bin/bryo"
	run bin/bryo run --rm --network none $IMG true
	assert_ok
	# a container that changes what is executed while it is executed
	bryo exec -d c sh -c 'cp /bin/busybox /prog; while :; do ln -sf /proc/self/exe /next; mv /next /prog; cp /bin/busybox /next; mv /next /prog; done'
	bryo exec -d c sh -c 'while :; do for p in /proc/[0-9]*; do { echo x >>$p/exe; } 2>/dev/null; done; done'
	before=$(sha256sum <bin/bryo)
	for i in $(seq 1 30); do bin/bryo exec c /prog --version >/dev/null 2>&1 || true; done
	[ "$(sha256sum <bin/bryo)" = "$before" ]
}

@test "control characters of an image do not reach the terminal" {
	hostile escape-codes
	assert_ok
	for command in "images" "history localhost/hostile" "ps -a --no-trunc" "inspect localhost/hostile" \
		"inspect --format {{.Config.Labels}} localhost/hostile" "images --format {{.Labels}}"; do
		bryo create --network none localhost/hostile >/dev/null
		on_terminal "$BRYO" $command </dev/null >printed || true
		if LC_ALL=C grep -q $'\e]0\|\e\\[31\|\a\|\x9b' printed; then echo "$command"; cat -v printed; return 1; fi
	done
	hostile escape-codes-name
	assert_status 125
	if printf %s "$output" | LC_ALL=C grep -q $'\e\|\a'; then show | cat -v >&2; return 1; fi
}

@test "an exec from a terminal without -t does not give the terminal away" {
	need_image
	bryo run -d --name c --network none $IMG sleep 1000
	on_terminal "$BRYO" exec -i c sh -c 'for fd in 0 1 2; do readlink /proc/self/fd/$fd; test -t $fd && echo is a terminal; done; echo done' \
		</dev/null >printed
	cat printed
	grep -q done printed
	if grep -q 'is a terminal\|/dev/pts' printed; then return 1; fi
	echo private >file
	bryo exec -i c sh -c 'cat; echo changed >/proc/self/fd/0' <file || true
	[ "$(cat file)" = private ]
	bryo exec c sh -c 'for i in 1 2 3; do echo out$i; echo err$i >&2; done; exit 5' >both 2>&1 || [ $? -eq 5 ]
	[ "$(tr '\n' ' ' <both)" = "out1 err1 out2 err2 out3 err3 " ]
	bryo exec c sh -c 'head -c 3000000 /dev/zero' >zeros
	[ "$(stat -c %s zeros)" -eq 3000000 ]
	bryo exec -i c wc -c <zeros >count
	[ "$(cat count)" -eq 3000000 ]
	timeout 10 "$BRYO" exec -i c true <zeros
	timeout 10 "$BRYO" exec c sh -c 'sleep 100 & echo started' >started
	[ "$(cat started)" = started ]
}

@test "a decompression bomb is unpacked with flat memory" {
	"$BATS_TEST_DIRNAME/hostile-image" bomb bomb.tar
	run timeout 120 /usr/bin/env python3 -c '
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$BRYO" load -q -i bomb.tar
	assert_ok
	set -- ${lines[-1]}
	[ "$1" -eq 0 ] || [ "$1" -eq 125 ]
	[ "$2" -lt 400000 ] || { show; return 1; }
}

@test "an archive's member with a negative size is refused" {
	hostile member-size
	assert_status 125
	assert_contains "negative size"
}

@test "inside: descriptors, capabilities, masks, cgroups, seccomp" {
	need_image
	bryo run -d --name c --network none $IMG sleep 1000
	inside='ls /proc/self/fd | wc -l'
	run box $IMG sh -c "$inside"
	assert_output 4
	run bryo exec c sh -c "$inside"
	assert_output 4
	run bryo exec c sh -c 'ls /proc/1/fd | tr "\n" " "'
	assert_output "0 1 2 "
	caps='grep ^Cap /proc/self/status | tr -d "\t\n"'
	default=CapInh:0000000000000000CapPrm:00000000800405fbCapEff:00000000800405fbCapBnd:00000000800405fbCapAmb:0000000000000000
	none=CapInh:0000000000000000CapPrm:0000000000000000CapEff:0000000000000000CapBnd:00000000800405fbCapAmb:0000000000000000
	run box $IMG sh -c "$caps"
	assert_output $default
	run bryo exec c sh -c "$caps"
	assert_output $default
	run box -u 1000 $IMG sh -c "$caps"
	assert_output $none
	run bryo exec -u 1000 c sh -c "$caps"
	assert_output $none
	run box $IMG sh -c 'wc -c </proc/kcore; wc -c </proc/timer_list; ls /proc/scsi /sys/firmware | wc -l; cat /proc/keys | wc -c'
	refute_contains "root"
	run box $IMG sh -c 'echo 1 >/proc/sys/kernel/panic; echo 1 >/proc/sysrq-trigger; mkdir /sys/fs/cgroup/x; touch /sys/x; mount -t tmpfs x /tmp; mknod /x b 8 0; ls /x /sys/fs/cgroup/x'
	[ "$status" -ne 0 ]
	refute_contains $'\n/x'
	refute_contains $'\n/sys/fs/cgroup/x'
}

@test "system calls that reach deep into the kernel are refused" {
	need_image
	calls=$BRYO_BUILD/test/e2e/calls
	run box -v "$calls:/calls:ro" $IMG /calls
	assert_ok
	refute_contains " works"
}

@test "abstract sockets of the host are not reached" {
	need_image
	python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("\0bryo-test-'$$'"); s.listen(); time.sleep(60)' 3>&- &
	E2E_PIDS+=($!)
	retry 5 grep -q "@bryo-test-$$" /proc/net/unix
	run box -v "$BRYO_BUILD/test/e2e/calls:/calls:ro" $IMG /calls abstract bryo-test-$$
	assert_output "abstract ECONNREFUSED"
}

@test "with the host's network the host's cgroups stay read-only" {
	need_image
	run timeout 30 "$BRYO" run --rm --network host $IMG sh -c 'cd /sys/fs/cgroup && for d in $(find . -type d); do mkdir $d/bryo-was-here 2>/dev/null && rmdir $d/bryo-was-here && echo made $d; done; echo end'
	assert_ok
	assert_output end
}

@test "exec without input where the container has put something else in the place of /dev/null" {
	local evil
	need_image
	bryo run -d --name c --cap-add SYS_ADMIN --security-opt seccomp=unconfined $IMG sleep 1000 >/dev/null
	bryo exec c umount /dev/null
	for evil in "ln -s /proc/self/exe" "ln -s /proc/self/fd/0" "ln -s /etc/replaced" mkfifo mkdir true; do
		bryo exec -i c sh -c "rm -rf /dev/null; $evil /dev/null" <<<x
		run timeout 20 "$BRYO" exec c sh -c 'cat; readlink /proc/self/fd/0'
		assert_ok
		assert_output /dev/null
	done
}
