# The network of a container for which none was named, and what ping says there
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf; echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range'
load helpers

# A host with the lab's network, or a skip.
needs_outside() { ip -4 addr show dev eth0 2>/dev/null | grep -q 10.77.0.2 || skip "not in the lab's network"; }
# A line to the host outside and back.
ASK=(timeout 3 sh -c '(echo hi; sleep 0.5) | nc 10.77.0.1 7000')

address() { bryo inspect --format '{{.NetworkSettings.IPAddress}}' "$1"; }
leases() { find "$XDG_RUNTIME_DIR/bryo/networks" -type l ! -name '.*' -printf '%f\n' 2>/dev/null | sort; }
# nothing_left: no lease, no namespace, no process; a moment after the last container
nothing_left() {
	[ -z "$(leases)" ] && [ ! -e "$XDG_RUNTIME_DIR/bryo/netns/rootless" ] && ! pgrep -x bryo-gateway >/dev/null &&
		! pgrep -x bryo-linger >/dev/null && ! bryo unshare grep -q netns/rootless /proc/self/mountinfo
}

# need_ping: IMG with the ping of this machine, which is not busybox's: that of 2022 knows no sockets for ordinary users.
need_ping() {
	local file program
	program=$(type -P ping) || skip "ping is not installed"
	mkdir -p tree/usr/bin
	cp "$program" tree/usr/bin/iputils-ping
	for file in $(ldd "$program" | grep -o '/[^ ]*'); do
		mkdir -p "tree$(dirname "$file")"
		cp -L "$file" "tree$file"
	done
	need_image "$IMG" --tree "$PWD/tree"
}
# pings CONTAINER-OPTIONS... -- PING-OPTIONS...
pings() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	run bryo run --rm "${options[@]}" $IMG iputils-ping -n -c 1 -W 3 "${@:2}"
}

@test "ping: as root, as an ordinary user, in a user namespace of its own" {
	need_ping
	bryo run -d --name other $IMG sleep 1000
	local options
	for options in "" "-u 1000:1000" "-u 65534:65534" "--userns keep-id" "--uidmap 0:1:1000 --gidmap 0:5:1000 -u 3:3" "--network bridge -u 7:7"; do
		pings $options -- "$(address other)"
		assert_ok
		assert_contains "1 received"
	done
	pings --network none -- 127.0.0.1
	assert_ok
	pings --sysctl "net.ipv4.ping_group_range=1 0" -- "$(address other)"
	[ "$status" -ne 0 ]
	assert_contains "not permitted"
}

@test "ping: the world, who is in the way, and IPv6" {
	needs_outside
	need_ping
	pings -- 10.77.0.1
	assert_contains "1 received"
	pings -u 1000 -- -t 1 10.77.0.1
	assert_matches 'From 10\.88\.0\.1.*Time to live exceeded'
	bryo network create --ipv6 --subnet 10.99.3.0/24 --subnet fd99:3::/64 six
	bryo run -d --name other --network six --ip6 fd99:3::9 $IMG sleep 1000
	pings --network six -u 1000 -- -6 fd99:3::9
	assert_contains "1 received"
	pings --network six -- -6 -t 1 2001:db8::1
	assert_contains "From fd99:3::1"
}
