# Layers that no honest tool makes: each is refused with its cause or contained (test/e2e/hostile/layers.py)
# not quick
load helpers

check() {
	run "$BATS_TEST_DIRNAME/hostile/check" "$@"
	assert_ok
}

@test "names and links that lead out of a layer" { check traversal; }
@test "whiteouts of nothing, of everything and in odd places" { check whiteouts; }
@test "devices, FIFOs, odd types and attributes that steer" { check types; }
@test "the same with plain layers" {
	check --driver overlay traversal whiteouts types
	check --driver vfs --only "link|opaque|before|after|FIFO" traversal whiteouts types
}
@test "owners and times that are none" { check owners; }
@test "sizes that lie" { check sizes; }
@test "PAX and GNU headers that lie" { check headers; }
@test "names of all kinds" { check names; }
@test "what is small and becomes large, in flat memory" { check bombs; }
