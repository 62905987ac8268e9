# lab: -r
# `bryo oci`: what callers of runc and crun rely on
load helpers

# up ID [JQ-FILTER...]: a container in the background that sleeps
up() {
	local id=$1
	shift
	bundle "b-$id" "$@" -- sleep 1000
	oci run -d -b "b-$id" "$id" </dev/null >"log-$id" 2>&1 3>&-
}

@test "a user namespace is joined by path, with the container's own cgroup" {
	bundle -s b -- sleep 1000
	oci run -d -b b first </dev/null >log 2>&1 3>&-
	local user="/proc/$(oci state first | jq .pid)/ns/user"
	bundle -s c "(.linux.namespaces[] | select(.type == \"user\")).path = \"$user\"" 'del(.linux.uidMappings, .linux.gidMappings)' \
		'.linux.cgroupsPath = "/second"' -- sh -c 'id -u; cat /proc/self/uid_map; readlink /proc/self/ns/user'
	run oci run -b c second
	assert_matches $'^0\n +0 +100000 +65536\n'
	assert_contains "$(readlink "$user")"
}

@test "list is sorted" {
	up b
	up c
	up a
	run oci list -q
	assert_output $'a\nb\nc'
}

@test "a signal that comes too late is told as containerd knows it" {
	up a
	oci kill a KILL
	retry 5 eval '[ "$(oci_state a)" = stopped ]'
	run oci kill a TERM
	assert_status 1
	assert_contains "container not running"
	run oci kill --all a TERM
	assert_ok
}

@test "exec: groups given one by one, a process out of a pipe" {
	up a
	run oci exec --user 1000:1000 --additional-gids 100 --additional-gids 4711,4712 a id -G
	assert_output "1000 100 4711 4712"
	run oci exec --process <(echo '{"args": ["echo", "piped"], "cwd": "/"}') a
	assert_output piped
}

@test "a configuration out of a pipe" {
	bundle b -- echo piped
	run oci run -b b --config <(cat b/config.json) c
	assert_output piped
}

@test "/dev and a tmpfs with mounts in it can be read-only" {
	bundle b '(.mounts[] | select(.destination == "/dev")).options += ["ro"]' \
		'mount({destination: "/t", type: "tmpfs", options: ["ro"]})' \
		'mount({destination: "/t/below/it", type: "bind", source: "/etc", options: ["bind"]})' -- \
		sh -c 'touch /dev/x; touch /t/x; ls -d /dev/null /dev/pts/ptmx /t/below/it; touch /dev/shm/x && echo shm'
	run oci run -b b c
	assert_contains "touch: /dev/x: Read-only file system"
	assert_contains "touch: /t/x: Read-only file system"
	assert_contains $'/dev/null\n/dev/pts/ptmx\n/t/below/it\nshm'
}

@test "a tmpfs has the mode of the directory that it covers" {
	bundle b 'mount({destination: "/old", type: "tmpfs"}) | mount({destination: "/new", type: "tmpfs"})' \
		'mount({destination: "/old/said", type: "tmpfs", options: ["mode=0710"]})' -- stat -c %a /old /new /old/said
	mkdir b/rootfs/old
	chmod 3751 b/rootfs/old
	run oci run -b b c
	assert_output $'3751\n1777\n710'
}

@test "--no-pivot does not reveal the host's /proc" {
	bundle b '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])' -- \
		unshare -Umrpf sh -c 'mount -t proc proc /proc && echo revealed'
	run oci run --no-pivot -b b c
	refute_contains revealed
	assert_contains "ermission denied"
	bundle b -- echo alive
	run oci run --no-pivot -b b c
	assert_output alive
}

@test "a sysctl of the host is refused" {
	local before
	before=$(cat /proc/sys/kernel/shmmni)
	bundle b '.linux.sysctl = {"kernel.shmmni": "4095"}' 'without_namespace("ipc")' -- true
	run oci run -b b c
	assert_status 1
	assert_output 'config.json: .linux.sysctl["kernel.shmmni"]: there is no ipc namespace, so it would be the host'"'s"
	[ "$(cat /proc/sys/kernel/shmmni)" = "$before" ]
	bundle b '.linux.sysctl = {"vm.swappiness": "1"}' -- true
	run oci run -b b c
	assert_status 1
}

@test "a terminal's output in a file has no carriage returns" {
	bundle b '.process.terminal = true' -- sh -c 'tty; echo text'
	oci run -b b c >out </dev/null 2>log
	[ "$(cat out)" = $'/dev/console\ntext' ] || [ "$(cat out)" = $'/dev/pts/0\ntext' ]
	up a
	oci exec -t a sh -c 'echo text; echo more' >out </dev/null
	[ "$(cat out)" = $'text\nmore' ]
}
