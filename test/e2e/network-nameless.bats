# A host without aardvark-dns
# lab: -x 'for d in /usr/lib/podman /usr/libexec/podman; do [ ! -d $d ] || mount -t tmpfs none $d; done'
load helpers

@test "without aardvark-dns a warning says so, and /etc/hosts names who is there" {
	[ ! -e /usr/lib/podman/aardvark-dns ]
	need_image
	bryo network create shop
	run bryo run -d --name web --network shop --network-alias www $IMG sleep 1000
	assert_ok
	assert_contains 'aardvark-dns is not installed'
	assert_contains 'apt install aardvark-dns'
	run bryo run --rm --network shop $IMG cat /etc/hosts /etc/resolv.conf
	assert_matches $'10\\.89\\.0\\.2\tweb [0-9a-f]{12} www'
	assert_contains 'nameserver 169.254.1.1'
	# Nothing is said where nothing is missing.
	run bryo run --rm --network bridge $IMG true
	assert_output ''
	bryo network create --disable-dns quiet
	run bryo run --rm --network quiet $IMG true
	assert_output ''
}
