# vm: plain
# Checkpoints by a criu that works: the end-to-end tests of them, which need a kernel that criu knows and the whole of root
load helpers

@test "what test/e2e says of checkpoints is so" {
	local suite=/srv/bryo/test/e2e/oci-checkpoint.bats
	run sudo env BATS_TEST_TIMEOUT=300 bats --tap $suite
	grep -E '^(not )?ok|^#' <<<"$output" >&3
	assert_ok
	refute_contains '# skip'
}

# root_podman ARG...: Debian's Podman with this runtime.
root_podman() { sudo podman --runtime "$BATS_FILE_TMPDIR/bryo-oci" --cgroup-manager cgroupfs "$@"; }

@test "Podman's checkpoint and restore, with a terminal, a network namespace and limits" {
	ln -sf "$BRYO" "$BATS_FILE_TMPDIR/bryo-oci"
	sudo podman load -q -i /srv/bryo/box.tar
	root_podman run -d -t --name box --memory 64m --network none -v /srv:/srv:ro $IMG \
		sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 1; done'
	retry 60 sh -c "[ \$(sudo podman exec box cat /count) -gt 2 ]"
	root_podman container checkpoint --leave-running box
	root_podman exec box cat /count
	root_podman container checkpoint box
	[ "$(sudo podman inspect --format '{{.State.Checkpointed}}' box)" = true ]
	before=$(sudo podman cp box:/count - | tar -xO)
	root_podman container restore box
	retry 60 sh -c "[ \$(sudo podman exec box cat /count) -gt $before ]"
	run root_podman exec box sh -c 'cat /sys/fs/cgroup/memory.max; ls /srv/bryo/box.tar'
	assert_output $'67108864\n/srv/bryo/box.tar'
	root_podman container checkpoint --export "$BATS_FILE_TMPDIR/box.tar.gz" box
	root_podman rm -f box
	root_podman container restore --import "$BATS_FILE_TMPDIR/box.tar.gz" --name other
	retry 60 sh -c "[ \$(sudo podman exec other cat /count) -gt $before ]"
	root_podman rm -f -t 0 other
}
