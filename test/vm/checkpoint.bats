# vm: plain
# Checkpoints by a criu that works: the end-to-end tests of them, which need a kernel that criu knows and the whole of root
load helpers

@test "what test/e2e says of checkpoints is so" {
	local suite=/srv/bryo/test/e2e/oci-checkpoint.bats
	chmod -R a+rX /srv/bryo
	run sudo env BATS_TEST_TIMEOUT=300 bats --tap $suite
	grep -E '^(not )?ok|^#' <<<"$output" >&3
	assert_ok
	refute_contains '# skip'
}
