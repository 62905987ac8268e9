# lab: -r
# `bryo oci`: devices of a bundle
load helpers

# device TYPE MAJOR MINOR [MEMBERS]
device() { echo ".linux.devices = [{path: \"/dev/mine\", type: \"$1\", major: $2, minor: $3${4:+, $4}}]"; }

@test "devices are made with their mode and owner" {
	bundle b "$(device c 1 3 'fileMode: 416, uid: 10, gid: 11')" -- stat -c '%F %t:%T %a %u:%g' /dev/mine
	run oci run -b b c
	assert_output "character special file 1:3 640 10:11"
	bundle b '.linux.devices = [{path: "/deep/er/fifo/", type: "p"}]' -- stat -c '%F %a' /deep/er/fifo
	run oci run -b b c
	assert_output "fifo 666"
}

@test "in a user namespace of root's too, without touching the host's" {
	bundle -s b "$(device c 1 5 'fileMode: 416, uid: 10, gid: 11')" -- \
		sh -c 'stat -c "%F %t:%T %a %u:%g" /dev/mine; head -c 2 /dev/mine | wc -c; ls -A /dev/pts; pwd'
	run oci run -b b c
	assert_output $'character special file 1:5 640 10:11\n2\nptmx\n/'
	[ ! -e /dev/mine ]
	bundle -s b "$(device c 1 5 'uid: 70000')" -- true
	run oci run -b b c
	assert_status 1
	assert_output "config.json: .linux.devices[0].uid: not among the ids of the user namespace"
}

@test "/dev/ptmx is always the container's own" {
	bundle b '.linux.devices = [{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]' -- readlink /dev/ptmx
	run oci run -b b c
	assert_output pts/ptmx
	bundle -s b '.linux.devices = [{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]' -- readlink /dev/ptmx
	run oci run -b b c
	assert_output pts/ptmx
}

@test "what a container mounts on a device node stays with it" {
	bundle -s b '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"] | unique)' -- \
		sh -c 'grep -E "(shared|master):" /proc/self/mountinfo; mount -o bind /etc/passwd /dev/zero && head -c 4 /dev/zero'
	run oci run -b b c
	assert_output root
	[ -c /dev/zero ]
	[ "$(head -c 1 /dev/zero | tr '\0' z)" = z ]
}
