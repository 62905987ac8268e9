# The runtime inside of a container of bryo's: as its root, with and without a user namespace of the bundle's own
load helpers

setup() { e2e_setup; need_image; }
teardown() { e2e_teardown; }

# nested [OPTION...] -- BUNDLE-DIRECTORY: runs the bundle by the runtime inside; the host's userland is there for its sake.
nested() {
	local programs options=()
	programs=$(dirname "$(readlink -f "$BRYO")")
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	run bryo run --rm --network none -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v "$programs:/programs:ro" \
		-v "$2:/bundle" "${options[@]}" "$IMG" /programs/bryo oci --root /run/oci run -b /bundle inner
}

@test "a bundle of root's runs in a privileged container" {
	bundle -n "$E2E_DIR/b" -- sh -c 'id -u; hostname; echo $$; ls /proc/1/ns | wc -l'
	nested --privileged -- "$E2E_DIR/b"
	assert_ok
	assert_output "$(printf '0\nbundle\n1\n10')"
}

# user_bundle DIRECTORY ARG...: with ids 1 to 10 of the outer container
user_bundle() {
	local dir=$1
	shift
	bundle -n "$dir" 'namespace("user") | .linux.uidMappings = [{containerID: 0, hostID: 1, size: 10}]
		| .linux.gidMappings = .linux.uidMappings' -- "$@"
}

@test "a bundle with a user namespace of its own runs there too" {
	user_bundle "$E2E_DIR/b" cat /proc/self/uid_map
	bryo unshare chown -R 1:1 "$E2E_DIR/b/rootfs"
	nested --privileged -- "$E2E_DIR/b"
	bryo unshare chown -R 0:0 "$E2E_DIR/b/rootfs"
	assert_ok
	assert_matches '^ +0 +1 +10$'
}

@test "in a container that hides parts of /proc the cause is named, with a cure" {
	user_bundle "$E2E_DIR/b" true
	nested --cap-add sys_admin,net_admin,sys_resource --security-opt seccomp=unconfined -- "$E2E_DIR/b"
	assert_status 1
	assert_contains "mount proc at /proc"
	assert_contains "hint: parts of /proc are hidden here"
}
