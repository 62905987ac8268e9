# The OCI runtime face: what only root can ask of it
# lab: -r
load helpers
load oci

# tags_of PATH: the propagation of the last mount there. Of $output, a mountinfo.
tags_of() { awk -v at="$1" '$5 == at { tags = ""; for (i = 7; $i != "-"; i++) tags = tags " " $i } END { print tags }' <<<"$output"; }

@test "hard limits above the own ones, in a user namespace too, and for further processes" {
	ulimit -Hn 5000
	bash -c 'ulimit -Hn 6000' 2>/dev/null || skip "root may not raise limits here"
	for option in "" -s; do
		bundle $option up '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 6000, hard: 7000}, {type: "RLIMIT_NICE", soft: 30, hard: 30}]' -- sh -c 'ulimit -Hn; exec sleep 1000'
		quiet run --detach --bundle up up || { cat said; false; }
		[ "$(cat said)" = 7000 ]
		[ "$(oci exec up sh -c 'ulimit -Sn; ulimit -Hn')" = $'6000\n7000' ]
		oci delete -f up
	done
	# In one that is joined.
	bundle -s owner -- sleep 1000
	quiet run --detach --bundle owner owner
	pid=$(pid_of owner)
	box -s ".linux.namespaces |= map(if .type == \"user\" then .path = \"/proc/$pid/ns/user\" else . end)" \
		'.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 6000, hard: 7000}] | .process.oomScoreAdj = -500' -- sh -c 'ulimit -Hn; cat /proc/self/oom_score_adj; id -u'
	assert_output $'7000\n-500\n0'
}

@test "devices are made, with mode and owner" {
	local devices='.linux.devices = [
		{path: "/dev/one", type: "c", major: 1, minor: 3, fileMode: 384, uid: 0, gid: 7},
		{path: "/dev/sub/two", type: "u", major: 1, minor: 5, fileMode: 438, uid: 1000, gid: 1000},
		{path: "/dev/block", type: "b", major: 7, minor: 0, fileMode: 416},
		{path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 432}]'
	box "$devices" -- sh -c 'stat -c "%F %a %u:%g %t:%T" /dev/one /dev/sub/two /dev/block /dev/null; echo x >/dev/one; head -c2 /dev/sub/two | wc -c'
	assert_output "character special file 600 0:7 1:3
character special file 666 1000:1000 1:5
block special file 640 0:0 7:0
character special file 660 0:0 1:3
2"
	box -s "$devices" -- sh -c 'stat -c "%F %a %u:%g %t:%T" /dev/one /dev/sub/two /dev/null; echo x >/dev/one; head -c2 /dev/sub/two | wc -c'
	assert_ok
	assert_contains "character special file 600 0:7 1:3"
	assert_contains "character special file 666 1000:1000 1:5"
	[ "${lines[-1]}" = 2 ]
}

@test "mounts come in later where rslave says so, and go out where rshared does" {
	mkdir -p src/in src/out src/priv
	mount -t tmpfs none src
	mkdir -p src/in src/out
	mount --make-shared src
	up box "mount({destination: \"/slave\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"rslave\"]})" \
		"mount({destination: \"/private\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"rprivate\"]})" \
		"mount({destination: \"/plain\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\"]})" \
		"mount({destination: \"/shared\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"rshared\"]})" \
		"mount({destination: \"/unbindable\", type: \"bind\", source: \"$PWD/src\", options: [\"bind\", \"unbindable\"]})" \
		'.process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .process.capabilities.effective = .process.capabilities.bounding | .process.capabilities.permitted = .process.capabilities.bounding'
	mount -t tmpfs late src/in
	touch src/in/late
	[ "$(oci exec box sh -c 'ls /slave/in /shared/in; ls /private/in /plain/in | grep late')" = $'/shared/in:\nlate\n\n/slave/in:\nlate' ] ||
		{ oci exec box sh -c 'ls /slave/in /shared/in /private/in /plain/in'; false; }
	oci exec box sh -c 'mount -t tmpfs inner /shared/out && touch /shared/out/inner; mount -t tmpfs none /slave/out && touch /slave/out/hidden'
	[ "$(ls src/out)" = inner ]
	run oci exec box cat /proc/self/mountinfo
	[[ $(tags_of /unbindable) = *unbindable* ]]
	[[ $(tags_of /slave) = *master:* ]]
	[[ $(tags_of /shared) = *shared:* ]]
	[ -z "$(tags_of /plain)$(tags_of /private)" ]
	oci delete -f box
	umount -R src
}

@test "a root that is a slave receives what is mounted below it later" {
	bundle box
	mount --bind box/rootfs box/rootfs
	mount --make-shared box/rootfs
	for word in rslave rprivate; do
		up box ".linux.rootfsPropagation = \"$word\""
		mount -t tmpfs late box/rootfs/mnt
		touch box/rootfs/mnt/late
		[ "$(oci exec box ls /mnt)" = "$([ $word = rprivate ] || echo late)" ]
		umount box/rootfs/mnt
		oci delete -f box
	done
	umount box/rootfs
}

@test "mounts that show other ids" {
	mkdir -p src/below
	mount -t tmpfs none src
	mkdir -p src/below
	mount -t tmpfs none src/below
	touch src/mine src/below/deep
	chown 1000:2000 src/mine src/below/deep
	local maps='uidMappings: [{containerID: 1000, hostID: 0, size: 1}, {containerID: 0, hostID: 1000, size: 1}], gidMappings: [{containerID: 2000, hostID: 5, size: 1}]'
	local stat='stat -c "%u:%g" /m/mine /m/below/deep'
	box "mount({destination: \"/m\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"idmap\"], $maps})" -- sh -c "$stat; touch /m/made"
	[[ $output != *"map its ids: Invalid argument"* ]] || skip "this kernel cannot map the ids of a tmpfs"
	assert_output $'0:5\n1000:2000' || assert_contains "0:5"
	[ "$(stat -c %u src/made)" = 1000 ] || [ ! -e src/made ]
	box "mount({destination: \"/m\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"ridmap\"], $maps})" -- sh -c "$stat"
	assert_output $'0:5\n0:5'
	box "mount({destination: \"/m\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\"], $maps})" -- sh -c "$stat"
	assert_contains "0:5"
	# As the container's own user namespace has it.
	bundle -s box "mount({destination: \"/m\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"ridmap\"]})" -- sh -c "$stat"
	run oci run --bundle box box
	assert_output $'1000:2000\n1000:2000'
	box "mount({destination: \"/m\", type: \"bind\", source: \"$PWD/src\", options: [\"rbind\", \"ridmap=uids=1000-7-1;gids=2000-8-1\"]})" -- sh -c "$stat"
	assert_output $'7:8\n7:8'
	umount -R src
}

@test "a full state directory: an error that says so, nothing left, and deleting works" {
	mkdir state
	mount -t tmpfs -o size=8k,mode=700 none state
	runtime
	bundle box '.annotations = {long: ("x" * 20000)}' -- sleep 1000
	fails "$RUNTIME" --root state create --bundle box box
	assert_contains "No space left on device"
	[ "$(ls -A state)" = "" ]
	no_trace box
	mount -o remount,size=64k state
	"$RUNTIME" --root state run --detach --bundle box box </dev/null >/dev/null 2>&1 3>&-
	head -c 100000 /dev/zero >state/filler || true
	[ "$(cat state/box/config.json | wc -c)" -gt 20000 ]
	"$RUNTIME" --root state kill box 9
	"$RUNTIME" --root state delete --force box
	[ "$(ls -A state)" = filler ]
	umount state
}

@test "too few descriptors: an error, nothing left" {
	local n
	runtime
	bundle box -- true
	for n in 3 4 5 6 7 8 10 12 14; do
		run bash -c "ulimit -n $n; exec '$RUNTIME' --root '$E2E_DIR/oci' run --bundle box box"
		[ "$status" -eq 0 ] || { assert_status 1; assert_contains "Too many open files"; } || [ "$status" -eq 127 ]
		[ ! -e oci/box ]
		no_trace box
	done
}
