# A host without nft: bridges are refused with the cure, nothing is left, and other networks work
# lab: -x 'mount --bind /dev/null /usr/sbin/nft'
load helpers

needs_no_nft() { [ ! -x /usr/sbin/nft ] || skip "nft is there: run it in the lab"; }

@test "without nft: the message names the package, and nothing is left" {
	needs_no_nft
	need_image
	run bryo run --rm --network bridge $IMG true
	assert_status 125
	assert_contains "could not find nft, which networks of bridges need"
	assert_contains "apt install nftables"
	[ ! -e "$XDG_RUNTIME_DIR/bryo/netns/rootless" ]
	[ -z "$(find "$XDG_RUNTIME_DIR/bryo/networks" -type l 2>/dev/null)" ]
	run bryo ps -aq
	assert_output ""
	run bryo run --rm --network none $IMG echo fine
	assert_output fine
}
