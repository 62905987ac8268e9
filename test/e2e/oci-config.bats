# The OCI runtime face: what a configuration says is so in the container. oci-config-root.bats, a link to this file, is
# the same as root, with what only root can do.
# lab: -x 'echo shared:x:4711:bryotest >>/etc/group'
# lab: $([[ $name != *-root ]] || echo -r)
load helpers
load oci

# mount_of PATH: the last line about it of a mountinfo on the input, as "OPTIONS TAGS... - TYPE SOURCE SUPER".
mount_of() { awk -v at="$1" '$5 == at { $1 = $2 = $3 = $4 = $5 = ""; line = $0 } END { sub(/^ */, "", line); print line }'; }

# in_mount PATH WORD...: the mount there has these words; !WORD: it has not. Of $output, a mountinfo.
in_mount() {
	local path=$1 line word
	shift
	line=" $(mount_of "$path" <<<"$output" | tr ', ' '  ') "
	for word; do
		case $word in
		!*) [[ $line != *" ${word#!} "* ]] ;;
		*) [[ $line = *" $word "* ]] ;;
		esac || { echo "$path: $word? $line"; return 1; }
	done
}

# --- namespaces

@test "namespaces: new ones where they are asked for, the caller's otherwise" {
	local type name own
	for type in pid:pid network:net ipc:ipc uts:uts cgroup:cgroup time:time; do
		name=${type#*:} type=${type%:*}
		own=$(readlink /proc/self/ns/$name)
		box 'without_namespace("time")' "without_namespace(\"$type\")" 'del(.hostname)' -- readlink /proc/self/ns/$name
		assert_ok
		[ "${lines[-1]}" = "$own" ] || { echo "$type: $own"; show; return 1; }
		box "without_namespace(\"$type\") | namespace(\"$type\")" -- readlink /proc/self/ns/$name
		assert_ok
		[ "${lines[-1]}" != "$own" ] || { echo "$type"; return 1; }
	done
	box -- sh -c 'readlink /proc/self/ns/mnt; echo $$; cat /proc/1/comm; hostname; ip -o link | wc -l; ip -o addr | grep -o 127.0.0.1'
	[ "${lines[0]}" != "$(readlink /proc/self/ns/mnt)" ]
	[ "${lines[*]:1}" = "1 sh bundle 1 127.0.0.1" ]
}

@test "time: the clocks are moved by the offsets" {
	local host
	host=$(cut -d. -f1 /proc/uptime)
	box 'namespace("time") | .linux.timeOffsets = {boottime: {secs: 1000000, nanosecs: 5}, monotonic: {secs: 2000000}}' \
		-- sh -c 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets'
	assert_ok
	[ $((lines[0] - host)) -ge 1000000 ] && [ $((lines[0] - host)) -lt 1000100 ]
	[ "$(echo ${lines[*]:1})" = "monotonic 2000000 0 boottime 1000000 5" ]
	box 'namespace("time") | .linux.timeOffsets = {boottime: {secs: -1}}' -- true
	assert_ok
	box 'namespace("time") | .linux.timeOffsets = {boottime: {secs: -100000000000}}'
	assert_status 1
	assert_contains "set the offsets of the time namespace"
	box 'namespace("time") | .linux.timeOffsets = {realtime: {secs: 1}}'
	assert_status 1
	assert_contains 'config.json: .linux.timeOffsets: "realtime" is no clock that can be moved'
	box '.linux.timeOffsets = {boottime: {secs: 1}}'
	assert_contains "config.json: .linux.timeOffsets: there is no new time namespace"
}

@test "namespaces by path: each of them joined, with the user namespace that owns them" {
	local pid type name types=() ns
	up owner 'namespace("time")'
	pid=$(pid_of owner)
	ns() { readlink /proc/$1/ns/$2; }
	for type in pid:pid network:net ipc:ipc uts:uts time:time cgroup:cgroup; do
		name=${type#*:} type=${type%:*}
		is_root || types=('without_namespace("user") | .linux.namespaces += [{type: "user", path: "/proc/'$pid'/ns/user"}]'
			'.linux.uidMappings = [] | .linux.gidMappings = []')
		box "${types[@]}" 'del(.hostname)' "without_namespace(\"$type\")" ".linux.namespaces += [{type: \"$type\", path: \"/proc/$pid/ns/$name\"}]" \
			-- sh -c "readlink /proc/self/ns/$name; readlink /proc/self/ns/user; id -u"
		assert_ok
		[ "${lines[*]}" = "$(ns $pid $name) $(ns $pid user) 0" ] || { echo "$type"; show; return 1; }
	done
	# Into a mount namespace of others: there the root covers its own directory only.
	bundle box
	unshare $(is_root || echo --user --map-root-user) --mount --propagation private sleep 1000 3>&- &
	E2E_PIDS+=($!)
	retry 5 eval '[ "$(ns $! mnt)" != "$(ns self mnt)" ]'
	is_root || types[0]=${types[0]/"/proc/$pid/ns/user"/"/proc/$!/ns/user"}
	box "${types[@]}" 'without_namespace("mount")' ".linux.namespaces += [{type: \"mount\", path: \"/proc/$!/ns/mnt\"}]" \
		-- sh -c 'readlink /proc/self/ns/mnt; cat /etc/passwd | head -n 1; hostname'
	assert_ok
	[ "${lines[*]}" = "$(ns $! mnt) root:x:0:0:root:/root:/bin/sh bundle" ]
	is_root || types[0]=${types[0]/"/proc/$!/ns/user"/"/proc/$pid/ns/user"}
	# All at once, as the containers of a pod have it.
	box "${types[@]}" '.linux.namespaces |= map(if .type == "mount" then . else .path = "/proc/'$pid'/ns/" +
		(if .type == "network" then "net" else .type end) end)' 'del(.hostname)' \
		-- sh -c 'for n in pid net ipc uts cgroup; do readlink /proc/self/ns/$n; done; ps | grep -c "sleep 100[0]"; hostname'
	assert_ok
	[ "${lines[*]}" = "$(for n in pid net ipc uts cgroup; do ns $pid $n; done | tr '\n' ' ')1 bundle" ]
}

@test "namespaces by path: the wrong kind, no namespace, nothing" {
	local path words
	up owner
	pid=$(pid_of owner)
	while read -r path words; do
		box 'without_namespace("network")' ".linux.namespaces += [{type: \"network\", path: \"$path\"}]"
		assert_status 1
		assert_contains "$words"
		no_trace box
	done <<-END
	/proc/$pid/ns/uts join the network namespace /proc/$pid/ns/uts: Invalid argument
	/nosuch join the network namespace /nosuch: No such file or directory
	/etc/passwd join the network namespace /etc/passwd: Invalid argument
	/etc join the network namespace /etc: Invalid argument
	/dev/null join the network namespace /dev/null: Invalid argument
	ns/net config.json: .linux.namespaces[$(is_root && echo 5 || echo 6)].path: "ns/net" is not an absolute path
	END
	mkfifo fifo
	box 'without_namespace("network")' ".linux.namespaces += [{type: \"network\", path: \"$PWD/fifo\"}]"
	assert_status 1
}

@test "a user namespace: one extent, several, different ones for groups, and none that the caller may not have" {
	local uid=$(id -u) gid=$(id -g) sub subgid
	sub=$(awk -F: -v n="$(id -un)" '$1 == n { print $2 }' /etc/subuid)
	subgid=$(awk -F: -v n="$(id -un)" '$1 == n { print $2 }' /etc/subgid)
	is_root && sub=200000 subgid=300000
	maps() { box 'without_namespace("user") | namespace("user")' ".linux.uidMappings = $1 | .linux.gidMappings = $2" "${@:3}"; }
	maps '[{"containerID": 0, "hostID": '$uid', "size": 1}, {"containerID": 1, "hostID": '$sub', "size": 10},
		{"containerID": 5000, "hostID": '$((sub + 10))', "size": 100}]' \
		'[{"containerID": 7, "hostID": '$gid', "size": 1}, {"containerID": 0, "hostID": '$subgid', "size": 5}]' \
		'.mounts |= map(select(.destination != "/dev/pts"))' -- sh -c 'cat /proc/self/uid_map; echo; cat /proc/self/gid_map'
	assert_ok
	[ "$(echo $output)" = "0 $uid 1 1 $sub 10 5000 $((sub + 10)) 100 7 $gid 1 0 $subgid 5" ]
	# Mappings come with one new user namespace.
	box 'without_namespace("user")' '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings'
	assert_status 1
	assert_contains "config.json: .linux.uidMappings: there is no new user namespace to be mapped"
	is_root || {
		maps '[{"containerID": 0, "hostID": 0, "size": 1}]' '[{"containerID": 0, "hostID": '$gid', "size": 1}]'
		assert_status 1
		assert_contains "newuidmap failed"
		no_trace box
	}
}

@test "a configuration without a user namespace: root runs it as it is, a user gets one" {
	box -n -- sh -c 'id -u; cat /proc/self/uid_map; cat /etc/passwd >/dev/null; touch /own; stat -c %u /own'
	assert_ok
	[ "${lines[0]}" = 0 ]
	[ "${lines[-1]}" = 0 ]
	[ "$(stat -c %u box/rootfs/own)" = "$(id -u)" ]
	if is_root; then
		[ "$(echo ${lines[1]})" = "0 0 4294967295" ]
	else
		[[ $(echo ${lines[1]} ${lines[2]}) = "0 $(id -u) 1 1 "* ]]
	fi
	# Which is what later processes see as well.
	bundle -n later -- sleep 1000
	quiet run --detach --bundle later later
	[ "$(oci exec later cat /proc/self/uid_map)" = "$(cat /proc/$(pid_of later)/uid_map)" ]
}

# --- mounts

@test "mounts: the options of a new file system" {
	box 'mount({destination: "/a", type: "tmpfs", source: "name", options: ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "size=100k", "mode=700"]})' \
		'mount({destination: "/b/c/d", type: "tmpfs", source: "tmpfs", options: ["strictatime", "rw", "nosymfollow", "mode=1777", "nr_inodes=55"]})' \
		'mount({destination: "/e", type: "tmpfs", source: "tmpfs", options: ["ro", "rw", "noexec", "exec", "relatime", "defaults", "sync", "lazytime"]})' \
		'mount({destination: "relative/f", type: "tmpfs"})' \
		-- sh -c 'cat /proc/self/mountinfo; echo $(stat -c %a /a /b/c/d); touch /a/x; touch /e/x /relative/f/x && echo written'
	assert_contains "700 1777"
	assert_contains "/a/x: Read-only file system"
	assert_contains "written"
	in_mount /a ro nosuid nodev noexec noatime nodiratime tmpfs name size=100k
	in_mount /b/c/d rw !nosuid !noexec !relatime !noatime nosymfollow nr_inodes=55
	in_mount /e rw !noexec relatime sync
	in_mount /relative/f tmpfs rw
	box 'mount({destination: "/x", type: "tmpfs", options: ["nosuch"]})'
	assert_status 1
	assert_contains "mount tmpfs at /x"
	assert_contains "nosuch"
	box 'mount({destination: "/x", type: "nosuchfs"})'
	assert_status 1
	assert_contains "mount nosuchfs at /x"
}

@test "binds: directories and files, made where they are missing, relative ones from the bundle" {
	bundle box
	mkdir -p src/deep box/beside
	echo deep >src/deep/file
	echo single >src/single
	echo beside >box/beside/file
	ln -s deep src/link
	box "mount({destination: \"/new/dir\", type: \"bind\", source: \"$PWD/src\", options: [\"ro\", \"rbind\"]})" \
		"mount({destination: \"/etc/passwd\", type: \"bind\", source: \"$PWD/src/single\", options: [\"bind\"]})" \
		"mount({destination: \"/new/file\", source: \"$PWD/src/single\", options: [\"bind\", \"ro\", \"noexec\"]})" \
		'mount({destination: "/rel", type: "bind", source: "beside", options: ["rbind"]})' \
		'mount({destination: "up", type: "bind", source: "../src", options: ["bind", "nosuid"]})' \
		"mount({destination: \"/linked\", type: \"rbind\", source: \"$PWD/src/link\"})" \
		"mount({destination: \"/var/run/via\", type: \"bind\", source: \"$PWD/src\"})" \
		-- sh -c 'cat /proc/self/mountinfo; cat /new/dir/deep/file /etc/passwd /new/file /rel/file /up/single /linked/file /run/via/single
			touch /new/dir/x; echo y >/new/file; touch /up/made'
	assert_contains $'deep\nsingle\nsingle\nbeside\nsingle\ndeep\nsingle'
	assert_contains "/new/dir/x: Read-only file system"
	assert_contains "/new/file: Read-only file system"
	in_mount /new/dir ro
	in_mount /new/file ro noexec
	in_mount /up rw nosuid
	[ -e src/made ]
	[ -f box/rootfs/new/file ] && [ -d box/rootfs/new/dir ]
	# Other kinds than what is there.
	box "mount({destination: \"/etc\", type: \"bind\", source: \"$PWD/src/single\"})"
	assert_status 1
	assert_contains "mount $PWD/src/single at /etc"
	box "mount({destination: \"/etc/passwd\", type: \"bind\", source: \"$PWD/src\"})"
	assert_status 1
	box 'mount({destination: "/x", type: "bind", source: "/nosuch"})'
	assert_status 1
	assert_contains "mount /nosuch at /x: No such file or directory"
	assert_contains "hint: the host path /nosuch does not exist"
	no_trace box
}

@test "binds: flags for all that is mounted below, without touching the source" {
	# The lab's /dev has file systems below it.
	box 'mount({destination: "/one", type: "bind", source: "/dev", options: ["rbind", "ro", "nosuid"]})' \
		'mount({destination: "/all", type: "bind", source: "/dev", options: ["rbind", "rro", "rnosuid", "rnoexec", "rnodev"]})' \
		'mount({destination: "/times", type: "bind", source: "/dev", options: ["rbind", "rnoatime", "rnosymfollow"]})' \
		-- cat /proc/self/mountinfo
	assert_ok
	in_mount /one ro nosuid
	in_mount /one/shm rw
	in_mount /all ro nosuid noexec nodev
	in_mount /all/shm ro nosuid noexec nodev
	in_mount /all/pts ro nosuid noexec nodev
	in_mount /times nosymfollow
	in_mount /times/shm nosymfollow
	# What the host has decided about times binds its users.
	! is_root || in_mount /times/shm noatime
	output=$(cat /proc/self/mountinfo)
	in_mount /dev rw !nosymfollow !noatime
	in_mount /dev/shm rw
}

@test "tmpcopyup, copy-symlink, remount" {
	bundle box
	mkdir -p box/rootfs/data/sub
	echo kept >box/rootfs/data/sub/file
	ln -s sub/file box/rootfs/data/link
	chmod 750 box/rootfs/data/sub
	chmod 600 box/rootfs/data/sub/file
	ln -s /target/of/link link
	box 'mount({destination: "/data", type: "tmpfs", options: ["tmpcopyup", "mode=755"]})' \
		'mount({destination: "/none", type: "tmpfs", options: ["tmpcopyup"]})' \
		"mount({destination: \"/etc/link\", type: \"bind\", source: \"$PWD/link\", options: [\"bind\", \"copy-symlink\"]})" \
		'mount({destination: "/tmp", type: "tmpfs"})' \
		'mount({destination: "/tmp", options: ["remount", "bind", "ro", "noexec"]})' \
		-- sh -c 'cat /proc/self/mountinfo; cat /data/link; stat -c "%a %u %N" /data/sub /data/sub/file; echo new >/data/sub/file; readlink /etc/link; touch /tmp/x'
	assert_contains "kept"
	assert_contains $'750 0 /data/sub\n600 0 /data/sub/file\n/target/of/link'
	assert_contains "/tmp/x: Read-only file system"
	in_mount /tmp ro noexec
	[ "$(cat box/rootfs/data/sub/file)" = kept ]
	[ "$(readlink box/rootfs/etc/link)" = /target/of/link ]
	# Once more: the link is there.
	run oci run --bundle box box
	assert_contains "/target/of/link"
	ln -sfn /other box/rootfs/etc/link
	fails oci run --bundle box box
	assert_contains "File exists"
}

@test "what is made in the container's tree is for its users, whatever the caller's umask" {
	bundle -s box '.process.cwd = "/new/dir" | .process.user = {uid: 1000, gid: 1000}' 'mount({destination: "/a/b/c", type: "tmpfs"})' \
		'mount({destination: "/a/b/f", type: "bind", source: "/etc/passwd"})' '.linux.devices = [{path: "/dev/x/fifo", type: "p", fileMode: 438}]' \
		-- sh -c 'pwd; ls -d /a/b/c /a/b/f /new/dir; stat -c %a /a /a/b /new /new/dir /dev/x /dev/x/fifo; umask'
	for mask in 0077 0000; do
		umask $mask
		run oci run --bundle box box
		umask 0022
		assert_ok
		[ "$(echo $output)" = "/new/dir /a/b/c /a/b/f /new/dir 755 755 755 755 755 666 0022" ] || { show; false; }
		rm -r box/rootfs/new box/rootfs/a
	done
}

@test "overlay with options longer than 255 bytes" {
	local long=$PWD/$(printf 'directory-with-a-long-name-%.0s' 1 2 3 4 5 6 7)
	mkdir -p "$long"/{lower1,lower2,upper,work}
	echo one >"$long/lower1/one"
	echo two >"$long/lower2/two"
	box "mount({destination: \"/over\", type: \"overlay\", source: \"overlay\", options:
		[\"lowerdir=$long/lower1:$long/lower2\", \"upperdir=$long/upper\", \"workdir=$long/work\", \"userxattr\", \"noexec\", \"nosuid\"]})" \
		-- sh -c 'cat /proc/self/mountinfo; cat /over/one /over/two; echo new >/over/new'
	assert_ok
	assert_contains $'one\ntwo'
	in_mount /over noexec nosuid overlay
	[ "$(cat "$long/upper/new")" = new ]
}

@test "/dev: the usual devices, links, and those of the list" {
	box '.linux.devices = [
		{path: "/dev/fifo", type: "p", fileMode: 416},
		{path: "/dev/deep/null", type: "c", major: 1, minor: 3},
		{path: "/dev/zero", type: "c", major: 1, minor: 5, fileMode: 384, uid: 0, gid: 0}]' \
		-- sh -c 'for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo no $d; done
			stat -c "%F %a" /dev/fifo; for l in fd stdin stdout stderr core ptmx; do readlink /dev/$l; done
			echo x >/dev/null; head -c 3 /dev/zero | wc -c; ls /dev/shm /dev/mqueue; [ -d /dev/pts ]'
	if is_root; then
		assert_output $'fifo 640\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/proc/kcore\npts/ptmx\n3\n/dev/mqueue:\n\n/dev/shm:'
	else
		# A user's devices are the host's of the same name.
		assert_status 1
		assert_contains "mount /dev/deep/null at /dev/deep/null: No such file or directory"
		edit box '.linux.devices |= map(select(.path != "/dev/deep/null"))'
		run oci run --bundle box box
		assert_ok
		assert_output $'fifo 640\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\n/proc/kcore\npts/ptmx\n3\n/dev/mqueue:\n\n/dev/shm:'
	fi
}

@test "devices: what is there already must be it" {
	bundle box 'without_mount("/dev") | without_mount("/dev/pts") | without_mount("/dev/shm") | without_mount("/dev/mqueue")'
	rm -rf box/rootfs/dev
	mkdir box/rootfs/dev
	echo text >box/rootfs/dev/plain
	mkfifo box/rootfs/dev/pipe
	edit box '.linux.devices = [{path: "/dev/pipe", type: "p"}]'
	run oci run --bundle box box
	assert_ok
	edit box '.linux.devices = [{path: "/dev/plain", type: "p"}]'
	fails oci run --bundle box box
	assert_contains "/dev/plain"
	assert_contains "another file is there"
	[ "$(cat box/rootfs/dev/plain)" = text ]
	# Not the device that was meant.
	edit box '.linux.devices = [{path: "/dev/null", type: "c", major: 1, minor: 5}]'
	if is_root; then
		run oci run --bundle box box
	else
		fails oci run --bundle box box
		assert_contains "/dev/null"
		edit box '.linux.devices = [{path: "/dev/null", type: "b", major: 1, minor: 3}]'
		fails oci run --bundle box box
		edit box '.linux.devices = [{path: "/etc/passwd", type: "c", major: 0, minor: 0}]'
		fails oci run --bundle box box
		edit box '.linux.devices = [{path: "/etc/passwd", type: "c"}]'
		fails oci run --bundle box box
	fi
}

# --- the process

@test "limits, oom score, umask, groups, no new privileges" {
	box '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 60}, {type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_FSIZE", soft: 1048576, hard: 2097152}]
		| .process.oomScoreAdj = 500 | .process.user.umask = 63 | .process.noNewPrivileges = true' \
		-- sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; ulimit -Sf; cat /proc/self/oom_score_adj; umask; grep NoNewPrivs /proc/self/status'
	[ "$(echo $output)" = "50 60 0 2048 500 0077 NoNewPrivs: 1" ]
	box '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 50, hard: 18446744073709551615}]'
	assert_status 1
	box -- sh -c 'umask; grep NoNewPrivs /proc/self/status'
	[ "$(echo $output)" = "0022 NoNewPrivs: 0" ]
	box -s '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 77]}' -- sh -c 'id -u; id -g; id -G; pwd; echo $HOME'
	[ "$(echo $output)" = "1000 1001 1001 5 77 / /root" ]
	box -s '.process.env = ["PATH=/bin"] | .process.user = {uid: 1000, gid: 1000}' -- sh -c 'echo $HOME'
	assert_output /home
	is_root || {
		box "without_mount(\"/sys\") | .process.rlimits = [{type: \"RLIMIT_NPROC\", soft: 1, hard: $(($(ulimit -Hu) + 1))}]"
		assert_status 1
		assert_contains "set the limit RLIMIT_NPROC"
		assert_contains "hint: an ordinary user may not raise the hard limit above his own"
	}
}

@test "keep_original_groups: the caller's own groups stay" {
	local with=()
	runtime
	# The lab's user is in a further group; root takes some.
	! is_root || with=(setpriv --groups 4711,4712)
	bundle box '.annotations = {"run.oci.keep_original_groups": "1"}' -- grep Groups /proc/self/status
	run "${with[@]}" "$RUNTIME" --root "$E2E_DIR/oci" run --bundle box box
	assert_ok
	[ "$(wc -w <<<"$output")" -ge 2 ] || { show; false; }
	bundle -s box -- grep Groups /proc/self/status
	run "${with[@]}" "$RUNTIME" --root "$E2E_DIR/oci" run --bundle box box
	assert_output $'Groups:\t '
}

@test "personality, scheduler, I/O priority, processors" {
	box '.linux.personality = {domain: "LINUX32"}' -- sh -c 'uname -m; cat /proc/self/personality'
	assert_output $'i686\n00000008'
	box '.linux.personality = {domain: "LINUX"}' -- uname -m
	assert_output "$(uname -m)"
	box '.process.scheduler = {policy: "SCHED_BATCH", nice: 5} | .process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 0}' \
		-- sh -c 'cut -d" " -f19,41 /proc/self/stat; ionice'
	assert_ok
	[ "${lines[0]}" = "5 3" ]
	[[ ${lines[1]} = idle* ]]
	box '.process.scheduler = {policy: "SCHED_IDLE"} | .process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}' \
		-- sh -c 'cut -d" " -f41 /proc/self/stat; ionice'
	assert_output $'5\nbest-effort: prio 6'
	box '.process.scheduler = {policy: "SCHED_FIFO", priority: 10}' -- cut -d" " -f41 /proc/self/stat
	if is_root; then
		assert_output 1
	else
		assert_status 1
		assert_contains "set the scheduler SCHED_FIFO: Operation not permitted"
		no_trace box
	fi
	# Of further processes only; this one has all processors again.
	run taskset -c 0 "$BRYO" oci --root "$E2E_DIR/oci" run --bundle box box
	box '.process.execCPUAffinity = {initial: "0", final: "0"}' -- grep Cpus_allowed_list /proc/self/status
	all=$output
	runtime
	run taskset -c 0 "$RUNTIME" --root "$E2E_DIR/oci" run --bundle box box
	assert_output "$all"
}

@test "memory policy" {
	[ -e /proc/self/numa_maps ] || skip "the kernel has no NUMA"
	box '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' -- grep -m1 stack /proc/self/numa_maps
	assert_ok
	assert_contains "bind=static:0"
	box '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0"}' -- grep -m1 stack /proc/self/numa_maps
	assert_contains "interleave:0"
	box '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "900"}'
	assert_status 1
}

@test "capabilities: the sets as they are given, unknown ones with a warning, none without" {
	local caps='grep ^Cap /proc/self/status | cut -f2'
	box '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_CHOWN"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}' -- sh -c "$caps"
	[ "$(echo $output)" = "0000000000000020 00000000000000a1 00000000000000a1 00000000000000a1 0000000000000020" ] ||
		[ "$(echo $output)" = "0000000000000020 0000000000000021 0000000000000021 00000000000000a1 0000000000000020" ] || { show; false; }
	box 'del(.process.capabilities)' -- sh -c "$caps"
	[ "$(echo $output)" = "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000" ]
	box '.process.capabilities.bounding = ["CAP_NOSUCH", "CAP_CHOWN", "chown", "cap_kill"]' -- true
	assert_ok
	assert_contains 'config.json: .process.capabilities.bounding[0]: unknown capability "CAP_NOSUCH"'
	# A user other than root has them by the ambient set alone.
	box -s '.process.user = {uid: 1000, gid: 1000} | .process.capabilities.ambient = ["CAP_NET_BIND_SERVICE"] | .process.capabilities.inheritable = ["CAP_NET_BIND_SERVICE"]' \
		-- sh -c "$caps"
	[ "$(echo $output | cut -d' ' -f1-3,5)" = "0000000000000400 0000000000000400 0000000000000400 0000000000000400" ]
	box -s '.process.user = {uid: 1000, gid: 1000}' -- sh -c "$caps"
	[ "$(echo $output | cut -d' ' -f1-3,5)" = "0000000000000000 0000000000000000 0000000000000000 0000000000000000" ]
}

@test "host and domain name, and only in a namespace of its own" {
	box '.hostname = "me" | .domainname = "example.org"' -- sh -c 'hostname; cat /proc/sys/kernel/domainname'
	assert_output $'me\nexample.org'
	box 'without_namespace("uts")'
	assert_status 1
	assert_contains "config.json: .hostname: there is no uts namespace"
	box 'without_namespace("uts") | del(.hostname) | .domainname = "x"'
	assert_contains "config.json: .domainname: there is no uts namespace"
	box ".hostname = \"$(printf 'x%.0s' {1..65})\""
	assert_status 1
	assert_contains "set the host name"
}

@test "sysctl: of the container's namespaces, written forms alike" {
	box '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ping_group_range": "0\t0", "kernel.msgmax": "4444", "fs.mqueue.msg_max": "7"}' \
		-- sh -c 'cd /proc/sys; cat net/ipv4/ip_forward net/ipv4/ping_group_range kernel/msgmax fs/mqueue/msg_max; echo 0 >net/ipv4/ip_forward'
	assert_contains $'1\n0\t0\n4444\n7'
	assert_contains "Read-only file system"
	box '.linux.sysctl = {"net.ipv4.nosuch": "1"}'
	assert_status 1
	assert_contains "set /proc/sys/net/ipv4/nosuch to 1: No such file or directory"
	# Values as they are: what goes wrong here would change the machine.
	for name in kernel.core_pattern vm.swappiness kernel.msgmni; do
		box 'without_namespace("ipc")' ".linux.sysctl = {\"$name\": \"$(cat /proc/sys/${name//.//})\"}"
		assert_status 1
		assert_contains "config.json: .linux.sysctl[\"$name\"]: "
	done
	box 'without_namespace("network")' ".linux.sysctl = {\"net.ipv4.ip_forward\": \"$(cat /proc/sys/net/ipv4/ip_forward)\"}"
	assert_status 1
	assert_contains 'config.json: .linux.sysctl["net.ipv4.ip_forward"]: '
}

# --- root and paths

@test "masked and read-only paths, a read-only root" {
	bundle box
	mkdir box/rootfs/secret box/rootfs/fixed
	echo hidden >box/rootfs/secret/file
	echo hidden >box/rootfs/etc/shadow
	box '.root.readonly = true | .linux.maskedPaths += ["/secret", "/etc/shadow", "/nosuch", "/etc/passwd/x"] | .linux.readonlyPaths += ["/fixed", "/dev/shm", "/nosuch"]' \
		-- sh -c 'ls -A /secret; cat /etc/shadow; head -c1 /proc/kcore; ls /sys/firmware; touch /x /fixed/x /dev/shm/x /secret/x; touch /dev/x && echo fine'
	for path in /x /fixed/x /dev/shm/x /secret/x; do
		assert_contains "$path: Read-only file system"
	done
	refute_contains hidden
	assert_contains fine
	box 'del(.linux.maskedPaths, .linux.readonlyPaths)' -- sh -c 'cat /secret/file; touch /fixed/x && echo fine'
	assert_output $'hidden\nfine'
}

@test "the root: no pivot, propagation, a name in the root's directory with blanks" {
	local word tag
	bundle "with blank" -- sh -c 'pwd; ls -d /proc/1/root/bin'
	run oci run --bundle "with blank" box
	assert_ok
	box -- cat /proc/self/mountinfo
	run oci run --no-pivot --bundle box box
	assert_ok
	in_mount / rw
	for word in private rprivate slave rslave shared rshared unbindable runbindable; do
		box ".linux.rootfsPropagation = \"$word\"" -- cat /proc/self/mountinfo
		assert_ok
		case $word in
		*private | *slave) [[ $(mount_of / <<<"$output") != *shared:* ]] ;;
		*shared) [[ $(mount_of / <<<"$output") = *shared:* ]] ;;
		*unbindable) [[ $(mount_of / <<<"$output") = *unbindable* ]] ;;
		esac || { echo $word; show; return 1; }
	done
	box '.linux.rootfsPropagation = "moon"'
	assert_status 1
	assert_contains 'config.json: .linux.rootfsPropagation: "moon" is none of shared, slave, private, unbindable'
}

@test "a session keyring of its own" {
	[ -e /proc/keys ] || skip "the kernel has no keyrings"
	box 'del(.linux.maskedPaths)' -- cat /proc/keys
	assert_contains "_ses.box"
	run oci run --no-new-keyring --bundle box other
	assert_ok
	refute_contains "_ses.other"
}

@test "a cgroup mount shows the container's cgroup alone" {
	grep -q '^0::' /proc/self/cgroup || skip "no cgroup v2"
	box 'mount({destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"]})' \
		-- sh -c 'cat /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs | head -n 1; mkdir /sys/fs/cgroup/x'
	in_mount /sys/fs/cgroup ro nosuid noexec nodev
	case $output in
	*cgroup2*) assert_contains $'\n1\n' ;;
	esac
	assert_contains "/sys/fs/cgroup/x': Read-only file system"
}

# --- hooks

@test "hooks: all six in their order, in their namespaces, with the state on their input" {
	local ns hooks='' name
	bundle box
	cat >hook <<-'END'
	#!/bin/sh
	state=$(cat)
	pid=${state#*'"pid":'}
	status=${state#*'"status":"'}
	echo "$1 ${status%%\"*} ${pid%%[,\}]*} $(readlink /proc/self/ns/mnt) $(readlink /proc/self/ns/pid) $(pwd) ${MARK-unset} $HOME" >>/hooks
	echo "$state" >>/states
	END
	chmod +x hook
	mkdir -p box/rootfs"$PWD"
	cp hook box/rootfs"$PWD"
	# Where they write: on the host, or in the container.
	sed -i "s,/hooks,$PWD/hooks,; s,/states,$PWD/states," hook
	sed -i "s,/hooks,/tmp/hooks,; s,/states,/tmp/states," box/rootfs"$PWD/hook"
	hook() { echo "$1: [{path: \"$PWD/hook\", args: [\"hook\", \"$1\"], env: [\"MARK=$1\", \"PATH=/bin:/usr/bin\"]}]"; }
	edit box ".hooks = {$(hook prestart), $(hook createRuntime), $(hook createContainer), $(hook startContainer), $(hook poststart), $(hook poststop)}"
	edit box '.annotations = {key: "value"} | .process.args = ["sh", "-c", "readlink /proc/self/ns/mnt >/tmp/ns; exec sleep 1000"]'
	quiet create --bundle box --pid-file pid box || { cat said; false; }
	[ "$(cut -d' ' -f1 hooks | tr '\n' ' ')" = "prestart createRuntime createContainer " ]
	[ ! -e box/rootfs/tmp/hooks ]
	quiet start box
	retry 5 [ -s box/rootfs/tmp/ns ]
	[ "$(cut -d' ' -f1 box/rootfs/tmp/hooks)" = startContainer ]
	oci delete --force box
	[ "$(cut -d' ' -f1 hooks | tr '\n' ' ')" = "prestart createRuntime createContainer poststart poststop " ]
	pid=$(cat pid) host=$(readlink /proc/self/ns/mnt) inner=$(cat box/rootfs/tmp/ns)
	field() { awk -v name="$1" -v n="$2" '$1 == name { print $n }' hooks box/rootfs/tmp/hooks; }
	for name in prestart createRuntime poststart poststop; do
		[ "$(field $name 4)" = "$host" ]
		[ "$(field $name 6)" = "$PWD/box" ] || [ $name = poststart ] || [ $name = poststop ]
	done
	[ "$(field createContainer 4)" = "$inner" ]
	[ "$(field startContainer 4)" = "$inner" ]
	[ "$(field prestart 3) $(field createRuntime 3) $(field poststart 3)" = "$pid $pid $pid" ]
	[ "$(field createContainer 3) $(field startContainer 3)" = "1 1" ]
	[ "$(field poststart 2) $(field poststop 2)" = "running stopped" ]
	for name in prestart createRuntime createContainer startContainer poststart poststop; do
		[ "$(field $name 7)" = $name ]
		[ -z "$(field $name 8)" ]
	done
	jq -se 'length == 5 and all(.id == "box" and .annotations.key == "value" and .ociVersion == "1.2.0" and (.bundle | endswith("/box")))' states
	jq -e '.id == "box"' box/rootfs/tmp/states
}

@test "hooks: one that fails ends it, is told with its last words, and poststop follows" {
	local name
	bundle box
	for name in prestart createRuntime; do
		edit box ".hooks = {$name: [{path: \"/bin/true\"}, {path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo out of order >&2; exit 3\"]}, {path: \"/bin/sh\", args: [\"sh\", \"-c\", \"touch $PWD/never\"]}],
			poststop: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"cat >$PWD/stopped\"]}]}"
		rm -f stopped
		fails oci create --bundle box box
		assert_contains ".hooks.$name[1]: /bin/sh: ended with 3: out of order"
		[ ! -e never ]
		grep -q '"status":"stopped"' stopped
		no_trace box
	done
	edit box '.hooks = {createContainer: [{path: "/bin/false"}]}'
	fails oci create --bundle box box
	assert_contains ".hooks.createContainer[0]"
	assert_contains "/bin/false: it ended with an error"
	no_trace box
	edit box '.hooks = {startContainer: [{path: "/bin/false"}]}'
	quiet create --bundle box box
	fails oci start box
	assert_contains ".hooks.startContainer[0]"
	retry 5 has_status box stopped
	oci delete box
	fails oci run --bundle box box
	assert_contains ".hooks.startContainer[0]"
	no_trace box
	# Those afterwards are worth a warning.
	edit box '.hooks = {poststart: [{path: "/bin/false"}, {path: "/bin/true"}], poststop: [{path: "/nosuch"}]}'
	run oci run --bundle box box
	assert_ok
	assert_contains ".hooks.poststart[0]: /bin/false: ended with 1"
	assert_contains ".hooks.poststop[0]: /nosuch"
}

@test "hooks: missing, not executable, too slow" {
	local json words
	bundle box
	echo text >plain
	while IFS='|' read -r json words; do
		edit box ".hooks = {$json}"
		fails oci create --bundle box box
		assert_contains "$words"
		no_trace box
	done <<-END
	prestart: [{path: "/nosuch"}]|.hooks.prestart[0]: /nosuch
	prestart: [{path: "$PWD/plain"}]|.hooks.prestart[0]: $PWD/plain
	createContainer: [{path: "/nosuch"}]|.hooks.createContainer[0]
	createRuntime: [{path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1}]|.hooks.createRuntime[0]: /bin/sleep: it did not end within 1 s
	createContainer: [{path: "/bin/sleep", args: ["sleep", "1001"], timeout: 1}]|it did not end in its time
	END
	! pgrep -fx 'sleep 100[01]'
}

@test "hooks: where they print, and a startContainer hook is the container's user" {
	bundle -s box '.hooks = {
		createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "echo to runtime; echo err runtime >&2"]}],
		createContainer: [{path: "/bin/sh", args: ["sh", "-c", "echo to container"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", "id -u; id -g; grep CapEff /proc/self/status"], env: ["PATH=/bin"]}],
		poststop: [{path: "/bin/sh", args: ["sh", "-c", "echo to end"]}]}
		| .process.user = {uid: 1000, gid: 1000}' -- echo command
	run oci run --bundle box box
	assert_ok
	assert_output $'to container\n1000\n1000\nCapEff:\t0000000000000000\ncommand'
	edit box ".annotations = {\"run.oci.hooks.stdout\": \"$PWD/hooks.out\", \"run.oci.hooks.stderr\": \"$PWD/hooks.err\"}"
	run oci run --bundle box box
	assert_output command
	[ "$(cat hooks.out)" = $'to runtime\nto container\n1000\n1000\nCapEff:\t0000000000000000\nto end' ]
	[ "$(cat hooks.err)" = "err runtime" ]
	edit box '.annotations = {"run.oci.hooks.stdout": "/nosuch/file"}'
	fails oci run --bundle box box
	assert_contains 'annotations["run.oci.hooks.stdout"]: /nosuch/file: No such file or directory'
}

@test "hooks get no descriptor of the runtime or its caller" {
	mkdir d
	bundle box ".hooks = {
		createRuntime: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"ls -l /proc/self/fd >$PWD/fds.runtime\"]}],
		createContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"ls -l /proc/self/fd >$PWD/fds.create\"]}],
		startContainer: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"ls -l /proc/self/fd >/tmp/fds\"], env: [\"PATH=/bin\"]}]}"
	run oci run --bundle box box 6<d 7>out
	assert_ok
	for file in fds.runtime fds.create box/rootfs/tmp/fds; do
		[ "$(awk '{ print $9 }' $file | grep -c '^[0-9]')" = 4 ] || { echo $file; cat $file; return 1; }
	done
}
