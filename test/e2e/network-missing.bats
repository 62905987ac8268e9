# A host without the programs that networks need
# lab: -x 'for p in /usr/sbin/nft /usr/bin/pasta /usr/bin/slirp4netns; do [ ! -e $p ] || mount --bind /dev/null $p; done'
load helpers

run_dir() { echo "$XDG_RUNTIME_DIR/bryo"; }
nothing_left() {
	[ -z "$(find "$(run_dir)/networks" -type l ! -name '.*' 2>/dev/null)" ] && [ ! -e "$(run_dir)/netns/rootless" ] &&
		! bryo unshare grep -q netns/rootless /proc/self/mountinfo &&
		! ps -eo comm= | grep -qxE 'bryo-(gateway.*|names|linger|monitor)'
}
# refused WHAT HINT OPTION...: a start says what is missing and what helps, and leaves nothing
refused() {
	run bryo run --rm "${@:3}" $IMG true
	assert_status 125
	assert_contains "$1"
	assert_contains "$2"
	retry 10 nothing_left
	run bryo ps -aq
	assert_output ''
}
# with_nft SCRIPT: this is nft from now on
with_nft() {
	mkdir -p bin
	printf '#!/bin/sh\n%s\n' "$1" >bin/nft
	chmod 755 bin/nft
	export PATH=$PWD/bin:$PATH
}

@test "nft is missing, fails, or is killed" {
	[ ! -x /usr/sbin/nft ]
	need_image
	bryo network create shop
	refused 'could not find nft' 'apt install nftables' --network bridge
	refused 'could not find nft' '--network slirp4netns, pasta, host or none' --network shop
	with_nft 'cat >/dev/null; echo "Error: no such table" >&2; exit 1'
	refused 'set up the firewall of the networks: nft: Error: no such table' '' --network shop
	with_nft 'kill -9 $$'
	refused 'set up the firewall of the networks' '' --network shop
	# Only the network's own rules fail: the bridge is not made without them.
	bryo network create --internal inner
	with_nft '! grep -q "element inet bryo internal" || exit 1'
	refused 'set up the firewall of the networks' '' --network inner
	bryo run --rm --network none $IMG true
}

@test "the gateway is missing, or dies at once" {
	need_image
	with_nft 'cat >/dev/null'
	mkdir libexec own
	printf '#!/bin/sh\necho "no way out" >&2; exit 3\n' >libexec/bryo-gateway
	chmod 755 libexec/bryo-gateway
	export BRYO_LIBEXEC=$PWD/libexec
	refused 'start the gateway: no way out' '' --network bridge
	unset BRYO_LIBEXEC
	cp "$BRYO" own/
	ln -s "$BRYO_BUILD"/bryo-{monitor,init,hostlib,transfer} own/
	BRYO=$PWD/own/bryo refused 'bryo-gateway, a part of bryo, is not beside it' 'install bryo completely' --network bridge
	bryo run --rm --network none $IMG true
}

@test "pasta and slirp4netns are missing" {
	need_image
	refused 'pasta' 'apt install' --network pasta
	refused 'slirp4netns' 'apt install' --network slirp4netns
}
