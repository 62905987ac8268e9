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
	for options in "" "-u 1000:1000" "-u 65534:65534" "--userns keep-id" "--uidmap 0:1:2000 --gidmap 0:5:2000 -u 3:3" "--network bridge -u 7:7"; do
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

@test "the default network: an address, the others, the world, ports with the client's address" {
	needs_outside
	need_image
	local port
	mkdir -p www/cgi-bin
	printf '#!/bin/sh\nprintf "Content-type: text/plain\\r\\n\\r\\n"\necho "$REMOTE_ADDR"\n' >www/cgi-bin/who
	chmod 755 www/cgi-bin/who
	port=$(free_port)
	bryo run -d --name web -p "$port:80" -v "$PWD/www:/srv:ro" $IMG httpd -f -h /srv -p 80
	[ "$(address web)" = 10.88.0.2 ]
	[ "$(bryo inspect --format '{{.HostConfig.NetworkMode}} {{range $n, $v := .NetworkSettings.Networks}}{{$n}} {{$v.IPAddress}} {{$v.Gateway}}{{end}}' web)" = "bridge bridge 10.88.0.2 10.88.0.1" ]
	[ "$(bryo ps --filter network=podman --format '{{.Networks}}')" = bridge ]
	[[ "$(bryo network inspect bridge)" = *10.88.0.2/16* ]]
	[[ "$(retry 5 curl -s --max-time 2 "http://10.77.0.2:$port/cgi-bin/who")" = *10.77.0.2* ]]
	run bryo run --rm --network default $IMG timeout 5 wget -q -O - http://10.88.0.2/cgi-bin/who
	assert_matches '10\.88\.0\.3'
	run bryo run --rm $IMG "${ASK[@]}"
	assert_output "10.77.0.2 hi"
	run bryo run --rm $IMG timeout 10 nslookup -type=a name.example
	assert_contains 10.77.0.1
	run bryo run --rm --ip 10.88.0.77 $IMG ip -4 -o addr show eth0
	assert_contains 10.88.0.77/16
	# Whoever does not want it says so.
	run bryo run --rm --network private $IMG ip -o link
	refute_contains eth0@
	# The engine reads "default" before any name of a network.
	run bryo network create default
	[ "$status" -ne 0 ]
}

@test "the default network: other networks come and go" {
	need_image
	bryo network create shop
	bryo create --name made $IMG sleep 1000
	bryo network connect shop made
	bryo run -d --name a $IMG sleep 1000
	bryo network connect shop a
	bryo start made
	run bryo ps --format '{{.Names}} {{.Networks}}'
	assert_contains "made bridge,shop"
	assert_contains "a bridge,shop"
	bryo network disconnect podman a
	run bryo exec a ip -4 -o addr
	refute_contains 10.88.
	assert_contains 10.89.0.
	bryo network disconnect shop a
	[ "$(bryo inspect --format '{{.HostConfig.NetworkMode}}:{{.NetworkSettings.IPAddress}}' a)" = none: ]
	bryo restart -t 0 a
	run bryo exec a ip -o link
	refute_contains eth0
}

@test "the default network: it heals, and goes with the last container" {
	need_image
	bryo run -d --name a --restart always $IMG sleep 1000
	bryo run -d --name joined --network container:a $IMG sleep 1000
	run bryo exec joined ip -4 -o addr show eth0
	assert_contains "$(address a)"
	bryo rm -f -t 0 joined
	# The process dies, and the policy starts it again; then the monitor, and the user does.
	local pid
	pid=$(bryo inspect --format '{{.State.Pid}}' a)
	kill -KILL "$pid"
	retry 10 eval '[ "$(bryo inspect --format "{{.State.Status}} {{.RestartCount}}" a)" = "running 1" ]'
	retry 5 eval '[[ "$(bryo exec a ip -4 -o addr show eth0)" = *"$(address a)"* ]]'
	kill -KILL "$(bryo inspect --format '{{.State.ConmonPid}}' a)"
	bryo restart -t 0 a
	pkill -KILL -x bryo-gateway
	run bryo run --rm $IMG ip route
	assert_contains "default via 10.88.0.1"
	pgrep -x bryo-gateway
	bryo rm -f -t 0 a
	retry 10 nothing_left
}

@test "the default network: many short containers, side by side and one after the other" {
	need_image
	local i pids=()
	for i in $(seq 20); do
		bryo run --rm $IMG true &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	# With ids of its own a container changes them while it is connected.
	for i in $(seq 25); do
		bryo run --rm $IMG true
		bryo run --rm --userns keep-id $IMG true
	done
	# One namespace has served all that came within its moment: the gateway is not made for each.
	retry 10 nothing_left
	run bryo ps -aq
	assert_output ""
}

@test "info says how containers reach the world" {
	run bryo info --format '{{with .host.networkBackendInfo}}{{.defaultNetwork}} {{.gateway.interface}} {{.gateway.ping}}{{.defaultNetworkReason}}{{end}}'
	assert_matches '^bridge (tun|veth) (true|false)$'
	retry 10 nothing_left
}
