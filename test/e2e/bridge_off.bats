# A host without nft: bridges are refused with the cure, nothing is left, other networks work, and the default is one of them
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

# default_mode CONTAINER: what its start has made of the default network
default_mode() { bryo inspect --format '{{.HostConfig.NetworkMode}}' "$1"; }

@test "without nft: the default network is a helper's, and a bridge again once nft is there" {
	needs_no_nft
	need_image
	bryo run -d --name a -p 127.0.0.1::80 $IMG httpd -f -h /www
	[ "$(default_mode a)" = slirp4netns ]
	[ "$(bryo inspect --format '{{.NetworkSettings.IPAddress}}' a)" = 10.0.2.100 ]
	run retry 5 curl -s --max-time 2 "http://$(bryo port a 80)/"
	assert_output "hello from bryo"
	[ "$(bryo ps --format '{{.Networks}}')" = "" ]
	bryo network create mynet
	run bryo network connect mynet a
	assert_status 125
	assert_contains "networks did not work here when it was started"
	# Who says what only a bridge can do has asked for one.
	run bryo run --rm --ip 10.88.0.77 $IMG true
	assert_status 125
	assert_contains "could not find nft"
	# What was asked is kept, not what it came to.
	cp "$(type -P true)" nft
	PATH=$E2E_DIR:$PATH bryo restart -t 0 a
	[ "$(default_mode a)" = bridge ]
	[ "$(bryo inspect --format '{{.NetworkSettings.IPAddress}}' a)" = 10.88.0.2 ]
}

@test "without nft: info says why the default network is none of bridges" {
	needs_no_nft
	run bryo info --format '{{.host.rootlessNetworkCmd}} {{.host.networkBackendInfo.defaultNetwork}} {{.host.networkBackendInfo.defaultNetworkReason}}'
	assert_contains "slirp4netns slirp4netns"
	assert_contains "could not find nft"
	assert_contains "apt install nftables"
}

@test "a kernel without what the firewall takes: found by trying, once a minute, and said" {
	need_image
	cat >nft <<-END
		#!/bin/sh
		echo tried >>$E2E_DIR/tries
		echo "Error: Could not process rule: No such file or directory" >&2
		exit 1
	END
	chmod 755 nft
	tries() { wc -l <tries; }
	PATH=$E2E_DIR:$PATH
	bryo run -d --name a $IMG sleep 1000
	[ "$(default_mode a)" = slirp4netns ]
	[ "$(tries)" = 1 ]
	run bryo run --rm $IMG true
	assert_output ""
	[ "$(tries)" = 1 ]
	run bryo run --rm --network bridge $IMG true
	assert_status 125
	assert_contains "nft: Error: Could not process rule"
	run bryo info --format '{{.host.networkBackendInfo.defaultNetworkReason}}'
	assert_contains "Could not process rule"
	[ "$(tries)" = 3 ]
	touch -d '2 minutes ago' "$XDG_RUNTIME_DIR/bryo/netns/unable"
	bryo run --rm $IMG true
	[ "$(tries)" = 4 ]
	# What passes is no reason to take another network.
	rm "$XDG_RUNTIME_DIR/bryo/netns/unable"
	local killed
	for killed in '$PPID' '$$'; do
		printf '#!/bin/sh\nkill -9 %s\n' "$killed" >nft
		run bryo run --rm $IMG true
		assert_status 125
		[ ! -e "$XDG_RUNTIME_DIR/bryo/netns/unable" ]
		[ ! -e "$XDG_RUNTIME_DIR/bryo/netns/rootless" ]
	done
}
