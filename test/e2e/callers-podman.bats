# lab: -x 'echo shared:x:4711:bryotest >>/etc/group; mkdir -p /run/above/below; mount -t tmpfs none /run/above/below'
# lab: $([[ $name != *-root ]] || echo -r)
# Podman above `bryo oci`: what it does with a runtime, as an ordinary user. callers-podman-root.bats, a link to this
# file, is the same as root.
# not quick
load helpers

# One store for the whole file: nothing but the runtime is of interest here.
setup_file() {
	export SHARED=$BATS_FILE_TMPDIR
	mkdir "$SHARED/bin"
	E2E_DIR=$SHARED runtime
	export RUNTIME
	# Podman goes by the name whether a runtime can log in JSON.
	ln -s "$(realpath "$RUNTIME")" "$SHARED/bin/crun"
	cat >"$SHARED/containers.conf" <<-END
	[containers]
	netns = "none"
	pids_limit = 0
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	tmp_dir = "$SHARED/libpod"
	runtime_supports_nocgroup = ["$(basename "$RUNTIME")"]
	init_path = "$(command -v tini-static || true)"
	END
	cat >"$SHARED/storage.conf" <<-END
	[storage]
	driver = "overlay"
	graphroot = "$SHARED/graph"
	rootless_storage_path = "$SHARED/graph"
	runroot = "$SHARED/runroot"
	END
	export CONTAINERS_CONF=$SHARED/containers.conf CONTAINERS_STORAGE_CONF=$SHARED/storage.conf
	export HOME=$SHARED XDG_RUNTIME_DIR=$SHARED XDG_CONFIG_HOME=$SHARED
	chmod 700 "$SHARED"
	! command -v podman >/dev/null || podman load -q -i "$(BRYO_TEST_CACHE=$SHARED image_file $IMG)" >/dev/null
}

teardown_file() { ! command -v podman >/dev/null || podman system reset -f >/dev/null 2>&1 || true; }

setup() {
	needs podman
	E2E_DIR=$(mktemp -d /tmp/e2e.XXXXXX)
	export TMPDIR=$E2E_DIR
	cd "$E2E_DIR"
}

teardown() {
	command podman rm -fa -t 0 >/dev/null 2>&1 || true
	cd /
	rm -rf "$E2E_DIR"
}

# Without the descriptor that bats waits for; podman_fds passes what it gets.
podman() { podman_fds "$@" 3>&-; }
podman_fds() { command podman --log-level=error --runtime "$RUNTIME" "$@"; }
# All that there are: in a user namespace, or on this host.
all_capabilities() {
	local prefix=()
	! rootless || prefix=(podman unshare)
	"${prefix[@]}" awk '/^CapBnd/ { print $2 }' /proc/self/status
}
rootless() { [ "$(id -u)" -ne 0 ]; }

@test "run: output, errors, input, exit code" {
	run podman run --rm $IMG cat /etc/replaced
	assert_output upper
	podman run --rm $IMG sh -c 'echo out; echo err >&2; exit 11' >out 2>err && false || [ $? -eq 11 ]
	[ "$(cat out err)" = $'out\nerr' ]
	run podman run --rm -i $IMG cat <<<text
	assert_output text
	run podman run --rm $IMG sh -c 'exit 137'
	assert_status 137
	[ "$(podman run --rm $IMG head -c 1000000 /dev/zero | wc -c)" = 1000000 ]
	run podman ps -aq
	assert_output ""
}

@test "run and exec on a terminal" {
	run on_terminal podman --runtime "$RUNTIME" run --rm -it $IMG sh <<-'END'
	tty; stty size; ls -l /dev/console | cut -c1
	@expect /dev/pts/0
	@expect 24 80
	@expect c
	@size 33 99
	@sleep 0.2
	echo size: $(stty size)
	@expect size: 33 99
	exit 5
	END
	assert_status 5
	podman run -d --name c $IMG sleep 1000
	run on_terminal podman --runtime "$RUNTIME" exec -it c sh <<-'END'
	tty; echo D$((40+2))
	@expect /dev/pts/
	@expect D42
	exit 6
	END
	assert_status 6
	run podman exec -t c tty
	assert_matches '^/dev/pts/'
	run podman exec c tty
	assert_output "not a tty"
}

@test "exec: streams, user, directory, environment, capabilities" {
	podman run -d --name c -e A=1 $IMG sleep 1000
	run podman exec -i c cat <<<text
	assert_output text
	run podman exec -u user -w /etc -e B=2 c sh -c 'id -un; pwd; echo $A$B; exit 3'
	assert_output $'user\n/etc\n12'
	assert_status 3
	run podman exec -u 4711:4712 c sh -c 'id -u; id -g'
	assert_output $'4711\n4712'
	run podman exec c sh -c 'for n in pid mnt uts ipc net user cgroup; do [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n; done'
	assert_output ""
	[ "$(podman exec c grep CapEff /proc/self/status)" = "$(podman exec c grep CapEff /proc/1/status)" ]
	run podman exec --privileged c grep CapEff /proc/self/status
	assert_output $'CapEff:\t'"$(all_capabilities)"
	podman exec -d c touch /done
	retry 5 podman exec c test -e /done
}

@test "126 and 127, and the reason" {
	for RUNTIME in "$RUNTIME" "$SHARED/bin/crun"; do
		run podman run --rm $IMG nope
		assert_status 127
		assert_contains "nope"
		assert_contains "OCI runtime attempted to invoke a command that was not found"
		run podman run --rm $IMG /nope/nope
		assert_status 127
		run podman run --rm $IMG /etc
		assert_status 126
		assert_contains "OCI permission denied"
		run podman run --rm $IMG /etc/passwd
		assert_status 126
		run podman run --rm -w /nope/dir $IMG true
		[ "$status" -ne 125 ]
		podman run -d --name c $IMG sleep 1000
		run podman exec c nope
		assert_status 127
		run podman exec c /etc
		assert_status 126
		run podman exec -w /nope c true
		[ "$status" -ne 0 ]
		podman rm -f -t 0 c
	done
	run podman ps -aq
	assert_output ""
}

@test "pause and unpause" {
	podman run -d --name c $IMG sh -c 'while :; do echo >>/n; usleep 10000; done'
	run podman pause c
	assert_ok
	[ "$(podman inspect -f '{{.State.Status}}' c)" = paused ]
	run podman exec c true
	[ "$status" -ne 0 ]
	podman unpause c
	[ "$(podman inspect -f '{{.State.Status}}' c)" = running ]
	local before
	before=$(podman exec c wc -l /n)
	retry 5 eval '[ "$(podman exec c wc -l /n)" != "$before" ]'
	podman pause c
	podman rm -f -t 0 c
}

@test "stop, start, restart, wait, kill, rm -f" {
	podman run -d --name c $IMG sh -c 'trap "exit 9" TERM; echo up; while :; do usleep 10000; done'
	retry 5 eval '[ "$(podman logs c)" = up ]'
	podman stop -t 5 c
	[ "$(podman wait c)" = 9 ]
	podman start c
	[ "$(podman inspect -f '{{.State.Running}}' c)" = true ]
	podman restart -t 5 c
	podman kill -s TERM c
	[ "$(podman wait c)" = 9 ]
	podman start c
	podman kill c
	[ "$(podman wait c)" = 137 ]
	podman start c
	podman rm -f -t 0 c
	run podman ps -aq
	assert_output ""
}

@test "a container that was initialised is started or removed" {
	podman create --name a $IMG echo started
	podman create --name b $IMG true
	podman init a b
	[ "$(podman inspect -f '{{.State.Status}}' a)" = initialized ]
	run podman start -a a
	assert_output started
	podman rm -f -t 0 b
}

@test "logs and top" {
	podman run -d --name c --user user $IMG sh -c 'echo line 1; echo line 2 >&2; exec sleep 1000'
	retry 5 eval '[ "$(podman logs c 2>&1 | wc -l)" = 2 ]'
	run podman top c user pid args
	assert_matches 'user +1 +sleep 1000'
	run podman stats --no-stream --format '{{.Name}}' c
	assert_contains c
}

@test "preserved descriptors and LISTEN_FDS" {
	echo kept >file
	run podman_fds run --rm --preserve-fds 2 $IMG sh -c 'cat <&4; ls /proc/self/fd' 3</dev/null 4<file
	assert_output $'kept\n0\n1\n2\n3\n4\n5'
	run podman run --rm $IMG ls /proc/self/fd
	assert_output $'0\n1\n2\n3'
	podman run -d --name c $IMG sleep 1000
	run podman_fds exec --preserve-fds 1 c sh -c 'cat <&3' 3<file
	assert_output kept
	run bash -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec podman --log-level=error --runtime "$1" run --rm $2 \
		sh -c "echo \$LISTEN_FDS \$LISTEN_PID; cat <&3"' bash "$RUNTIME" $IMG 3<file
	assert_output $'1 1\nkept'
}

@test "build with RUN" {
	cat >Containerfile <<-END
	FROM $IMG
	RUN echo built >/built && id -u >>/built
	USER user
	RUN ["sh", "-c", "id -un >/tmp/who"]
	END
	run podman build --network none --isolation oci --runtime "$RUNTIME" -q -t built .
	assert_ok
	run podman run --rm built cat /built /tmp/who
	assert_output $'built\n0\nuser'
	printf 'FROM %s\nRUN exit 7\n' "$IMG" >Containerfile
	run podman build --network none --isolation oci --runtime "$RUNTIME" -q .
	[ "$status" -ne 0 ]
	assert_matches '(status|code):? 7'
	podman rmi -f built
}

@test "without cgroups, and with one that is named" {
	run podman run --rm --cgroups=disabled $IMG echo free
	assert_output free
	[ -z "$(command podman --log-level=error info -f '{{.Host.CgroupManager}}' 2>/dev/null | grep none)" ]
	podman run -d --name c --cgroups=disabled $IMG sleep 1000
	run podman exec c true
	assert_ok
	podman stop -t 0 c
}

@test "file systems: read-only, tmpfs with its copy, propagation, shm" {
	run podman run --rm --read-only $IMG sh -c 'touch /x 2>&1; touch /tmp/x && echo tmp; touch /dev/shm/x && echo shm'
	assert_output $'touch: /x: Read-only file system\ntmp\nshm'
	run podman run --rm --tmpfs /etc/opaque:mode=700 $IMG sh -c 'cat /etc/opaque/shown; stat -c %a /etc/opaque; grep -c " /etc/opaque .* tmpfs " /proc/self/mountinfo'
	assert_output $'upper\n700\n1'
	mkdir -p host/sub
	echo text >host/file
	run podman run --rm -v "$PWD/host:/h:ro" $IMG sh -c 'cat /h/file; touch /h/x'
	assert_contains text
	assert_contains "Read-only file system"
	run podman run --rm -v "$PWD/host/file:/new/deep/file" $IMG sh -c 'cat /new/deep/file; echo more >>/new/deep/file'
	assert_output text
	[ "$(cat host/file)" = $'text\nmore' ]
	run podman run --rm -v "$PWD/host:/h:rslave" -v "$PWD/host:/p" $IMG sh -c 'grep -E " /h .* master:" /proc/self/mountinfo | wc -l; grep -E " /p .* (master|shared):" /proc/self/mountinfo | wc -l'
	assert_output $'1\n0'
	run podman run --rm --shm-size 3m $IMG sh -c 'df -k /dev/shm | tail -n 1'
	assert_contains 3072
	run podman run --rm --mount type=tmpfs,destination=/m,tmpfs-mode=1750,tmpfs-size=1m $IMG stat -c %a /m
	assert_output 1750
	run podman run --rm -v "$PWD/host:/h:noexec,nosuid,nodev" $IMG sh -c 'cp /bin/busybox /h/x; /h/x true'
	assert_status 126
}

@test "bind mounts with and without what is mounted below" {
	run podman run --rm -v /run/above:/h:ro $IMG grep -c " /h/below " /proc/self/mountinfo
	assert_output 1
	rootless && return	# what root mounted stays together in a user's own namespace
	run podman run --rm --mount type=bind,source=/run/above,destination=/h,bind-nonrecursive $IMG grep -c " /h/below " /proc/self/mountinfo
	assert_output 0
}

@test "user, groups, capabilities, limits" {
	run podman run --rm --user user $IMG sh -c 'id -u; id -g; grep CapEff /proc/self/status'
	assert_output $'1000\n1000\nCapEff:\t0000000000000000'
	run podman run --rm --user 4711:33 --group-add 10 $IMG id
	assert_contains "uid=4711(4711) gid=33(www-data)"
	assert_contains "10(wheel)"
	run podman run --rm --cap-drop all --cap-add net_admin,setuid $IMG grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status
	assert_output $'CapInh:\t0000000000000000\nCapPrm:\t0000000000001080\nCapEff:\t0000000000001080\nCapBnd:\t0000000000001080\nCapAmb:\t0000000000000000'
	run podman run --rm --user user --cap-add net_admin $IMG grep -E 'CapEff|CapAmb' /proc/self/status
	assert_output $'CapEff:\t0000000000001000\nCapAmb:\t0000000000001000'
	run podman run --rm --ulimit nofile=100:200 --ulimit nproc=99:99 --ulimit core=0 $IMG sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
	assert_output $'100\n200\n0'
	run podman run --rm --security-opt no-new-privileges $IMG grep NoNewPrivs /proc/self/status
	assert_output $'NoNewPrivs:\t1'
	run podman run --rm --umask 0077 $IMG sh -c umask
	assert_output 0077
	run podman run --rm --oom-score-adj 500 $IMG cat /proc/self/oom_score_adj
	assert_output 500
	run podman run --rm --hostname there $IMG hostname
	assert_output there
}

@test "privileged" {
	run podman run --rm --privileged $IMG sh -c 'mkdir /m && mount -t tmpfs tmpfs /m && grep -E "^(Seccomp|CapEff):" /proc/self/status'
	assert_output $'CapEff:\t'"$(all_capabilities)"$'\nSeccomp:\t0'
}

@test "the groups of the user are kept" {
	local groups=()
	rootless || groups=(setpriv --groups 4711)
	mkdir -m 755 host
	chmod 755 .
	echo secret >host/file
	"${groups[@]}" chgrp 4711 host/file
	chmod 040 host/file
	run "${groups[@]}" podman --runtime "$RUNTIME" run --rm --group-add keep-groups --user user -v "$PWD/host:/h" $IMG cat /h/file
	assert_output secret
	run podman run --rm --user user -v "$PWD/host:/h" $IMG cat /h/file
	assert_contains "Permission denied"
}

@test "user namespaces" {
	if rootless; then
		run podman run --rm --userns keep-id -v "$PWD:/h" $IMG sh -c 'id -u; touch /h/mine; cat /proc/self/uid_map'
		assert_matches "^$(id -u)"
		[ "$(stat -c %u mine)" = "$(id -u)" ]
		podman run -d --name c --userns keep-id $IMG sleep 1000
		run podman exec c id -u
		assert_output "$(id -u)"
		run podman exec -u 0 c id -u
		assert_output 0
	else
		chmod 755 "$E2E_DIR"
		run podman run --rm --uidmap 0:200000:1000 --gidmap 0:200000:1000 $IMG sh -c 'id -u; cat /proc/self/uid_map; touch /x && stat -c %u /x'
		assert_matches $'^0\n +0 +200000 +1000\n0$'
		podman run -d --name c --uidmap 0:200000:1000 --gidmap 0:200000:1000 --user 5:6 $IMG sleep 1000
		[ "$(stat -c %u:%g "/proc/$(podman inspect -f '{{.State.Pid}}' c)")" = 200005:200006 ]
		run podman exec c id -u
		assert_output 5
	fi
}

@test "namespaces of the host and of another container" {
	local kind
	podman run -d --name c --hostname first $IMG sleep 1000
	run podman run --rm --pid container:c $IMG sh -c 'ps | grep -c "sleep 1000"'
	[ "$output" -ge 1 ]
	for kind in pid ipc network uts; do
		run podman run --rm "--$kind" container:c $IMG readlink "/proc/self/ns/${kind/network/net}"
		if [ $kind = uts ]; then
			[ "$status" -ne 99 ]		# this Podman may not know it
		else
			assert_output "$(podman exec c readlink "/proc/self/ns/${kind/network/net}")"
		fi
		run podman run --rm "--$kind" host $IMG readlink "/proc/self/ns/${kind/network/net}"
		assert_output "$(readlink "/proc/self/ns/${kind/network/net}")"
	done
	run podman run --rm --cgroupns host $IMG readlink /proc/self/ns/cgroup
	assert_output "$(readlink /proc/self/ns/cgroup)"
}

@test "masked and read-only paths, /proc options" {
	run podman run --rm $IMG sh -c 'cat /proc/kcore | wc -c; echo 1 >/proc/sys/kernel/domainname; ls /proc/acpi /sys/firmware 2>/dev/null | wc -l'
	assert_contains "Read-only file system"
	run podman run --rm --security-opt mask=/etc/passwd:/www $IMG sh -c 'cat /etc/passwd; ls /www'
	assert_output ""
	run podman run --rm --security-opt unmask=ALL $IMG sh -c 'grep -c " /proc/[a-z]" /proc/self/mountinfo'
	assert_output 0
}

@test "a seccomp profile" {
	cat >profile.json <<-END
	{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
	 {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28},
	 {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}
	END
	run podman run --rm --security-opt seccomp=profile.json $IMG sh -c 'mkdir /x; grep ^Seccomp: /proc/self/status'
	assert_contains "No space left on device"
	assert_contains $'Seccomp:\t2'
	run podman run --rm $IMG grep ^Seccomp: /proc/self/status
	assert_output $'Seccomp:\t2'
	run podman run --rm --security-opt seccomp=unconfined $IMG grep ^Seccomp: /proc/self/status
	assert_output $'Seccomp:\t0'
	podman run -d --name c --security-opt seccomp=profile.json $IMG sleep 1000
	run podman exec c mkdir /x
	assert_contains "No space left on device"
}

@test "sysctl" {
	run podman run --rm --sysctl net.ipv4.ip_default_ttl=17 --sysctl kernel.shm_rmid_forced=1 $IMG \
		cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shm_rmid_forced
	assert_output $'17\n1'
	run podman run --rm --sysctl net.ipv4.no_such=1 $IMG true
	[ "$status" -ne 0 ]
	assert_contains no_such
}

@test "devices" {
	run podman run --rm --device /dev/null:/dev/mine:rw $IMG sh -c 'echo x >/dev/mine && stat -c "%t:%T" /dev/mine'
	assert_output 1:3
	run podman run --rm $IMG sh -c 'for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo $d; done; readlink /dev/fd; readlink /dev/ptmx; echo x >/dev/full'
	assert_contains $'/proc/self/fd\npts/ptmx'
	assert_contains "No space left on device"
	refute_contains null
}

@test "an init process" {
	command -v tini-static >/dev/null || skip "tini-static is not installed"
	run podman run --rm --init $IMG sh -c 'cat /proc/1/comm; exit 4'
	assert_status 4
	assert_matches 'init|tini'
}

@test "a health check" {
	podman run -d --name c --health-cmd 'test -e /healthy' --health-interval disable $IMG sleep 1000
	run podman healthcheck run c
	assert_status 1
	podman exec c touch /healthy
	run podman healthcheck run c
	assert_ok
}

@test "hooks" {
	mkdir hooks
	local stage
	for stage in prestart createRuntime createContainer startContainer poststart poststop; do
		cat >"hooks/$stage.json" <<-END
		{"version": "1.0.0", "when": {"always": true}, "stages": ["$stage"],
		 "hook": {"path": "/bin/sh", "args": ["sh", "-c", "cat >$E2E_DIR/$stage.json || cat >/$stage.json"]}}
		END
	done
	podman --hooks-dir hooks run --name c $IMG cat /startContainer.json >inside.json
	for stage in prestart createRuntime createContainer poststart poststop; do
		retry 5 test -s "$stage.json"
		jq -e '.id and .ociVersion and .bundle and .status' "$stage.json" >/dev/null
	done
	[ "$(jq -r .status createRuntime.json)" != stopped ]
	[ "$(jq -r .status poststop.json)" = stopped ]
	jq -e .id inside.json
}

@test "side by side" {
	local i pids=()
	for i in 1 2 3 4 5 6; do
		podman run --rm --name c$i $IMG echo $i >out$i &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cat out?)" = $'1\n2\n3\n4\n5\n6' ]
}
