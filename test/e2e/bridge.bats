# Containers on bridges: addresses, who reaches whom, what is left at the end
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

# A host with the lab's network, or a skip.
needs_outside() { ip -4 addr show dev eth0 2>/dev/null | grep -q 10.77.0.2 || skip "not in the lab's network"; }
# A line to the host outside and back.
ASK=(timeout 3 sh -c '(echo hi; sleep 0.5) | nc 10.77.0.1 7000')

# inside CONTAINER COMMAND...: with a limit, so that what is dropped ends.
inside() { bryo exec "$1" timeout 5 "${@:2}"; }
# web NAME OPTION...: a container that serves a page at port 80
web() { bryo run -d --name "$1" "${@:2}" $IMG httpd -f -h /www -p 80 >/dev/null; }
# address CONTAINER NETWORK
address() { bryo inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
# get CONTAINER ADDRESS: the page, from there
get() { inside "$1" wget -q -O - "http://$2/"; }
# serves CONTAINER ADDRESS: once its server has started
serves() { [ "$(get "$1" "$2" 2>/dev/null)" = "hello from bryo" ]; }

leases() { find "$XDG_RUNTIME_DIR/bryo/networks" -type l ! -name '.*' -printf '%f\n' 2>/dev/null | sort; }
# in_rootless COMMAND...: in the network namespace of the bridges
in_rootless() { bryo unshare nsenter "--net=$XDG_RUNTIME_DIR/bryo/netns/rootless" "$@"; }
pairs() { in_rootless ip -o link show type veth 2>/dev/null | wc -l; }
# nothing_left: no lease, no namespace; a moment after the last container
nothing_left() {
	[ -z "$(leases)" ] && [ ! -e "$XDG_RUNTIME_DIR/bryo/netns/rootless" ] && ! pgrep -x bryo-gateway >/dev/null &&
		! bryo unshare grep -q netns/rootless /proc/self/mountinfo
}

@test "bridge: two containers reach each other by address, and nothing is left at the end" {
	need_image
	web a --network bridge
	bryo run -d --name b --network bridge $IMG sleep 1000
	[ "$(address a bridge)" = 10.88.0.2 ]
	[ "$(address b bridge)" = 10.88.0.3 ]
	retry 10 serves b 10.88.0.2
	run inside b ip -4 -o addr show eth0
	assert_contains "10.88.0.3/16 brd 10.88.255.255"
	run inside b ip route
	assert_contains "default via 10.88.0.1 dev eth0"
	run inside b cat /proc/sys/net/ipv4/tcp_congestion_control
	assert_output reno
	[ "$(leases)" = $'10.88.0.2\n10.88.0.3' ]
	[ "$(pairs)" = 2 ]
	bryo rm -f -t 0 a
	[ "$(leases)" = 10.88.0.3 ]
	retry 10 eval '[ "$(pairs)" = 1 ]'
	bryo rm -f -t 0 b
	retry 10 nothing_left
}

@test "bridge: a foreground container leaves nothing either" {
	need_image
	local control
	control=$(</proc/sys/net/ipv4/tcp_congestion_control)
	run bryo run --rm --network bridge --sysctl net.ipv4.tcp_congestion_control="$control" $IMG \
		sh -c 'ip -4 -o addr show eth0; echo control: $(cat /proc/sys/net/ipv4/tcp_congestion_control)'
	assert_contains 10.88.0.2/16
	assert_contains "control: $control"
	retry 10 nothing_left
	run bryo run --rm --network bridge $IMG /no/such/command
	assert_status 127
	retry 10 nothing_left
}

@test "bridge: the world is reached, but not from an internal network" {
	needs_outside
	need_image
	run bryo run --rm --network bridge $IMG "${ASK[@]}"
	assert_output "10.77.0.2 hi"
	bryo network create --internal inside
	run bryo run --rm --network inside --cap-add net_admin $IMG sh -c "ip route add default via 10.89.0.1; ${ASK[4]}"
	refute_contains hi
	# Nothing that reaches the gateway's namespace on another way than by its interface.
	run bryo run --rm --network inside --network bridge $IMG "${ASK[@]}"
	assert_output "10.77.0.2 hi"
}

@test "bridge: what inspect says" {
	need_image
	bryo network create --subnet 10.99.1.0/24 net1
	bryo run -d --name a --network bridge $IMG sleep 1000
	bryo run -d --name b --network net1 --network-alias db $IMG sleep 1000
	run bryo inspect --format '{{.NetworkSettings.IPAddress}} {{.NetworkSettings.IPPrefixLen}} {{.NetworkSettings.Gateway}} {{.HostConfig.NetworkMode}}' a
	assert_output "10.88.0.2 16 10.88.0.1 bridge"
	# As in Podman and Docker: of other networks only in the map.
	run bryo inspect --format '{{.NetworkSettings.IPAddress}}|{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}} {{.MacAddress}} {{.Aliases}}{{end}}' b
	assert_output "|10.99.1.2 10.99.1.1 $(inside b cat /sys/class/net/eth0/address) [db $(bryo inspect --format '{{.Id}}' b | cut -c1-12)]"
	bryo stop -t 0 b
	run bryo inspect --format '{{range $name, $net := .NetworkSettings.Networks}}{{$name}}={{$net.IPAddress}}{{end}}' b
	assert_output net1=
}

@test "bridge: open networks reach each other, isolated ones do not" {
	need_image
	bryo network create --subnet 10.99.1.0/24 open1
	bryo network create --subnet 10.99.2.0/24 open2
	bryo network create --subnet 10.99.3.0/24 -o isolate=true shut1
	bryo network create --subnet 10.99.4.0/24 -o isolate=true shut2
	bryo network create --subnet 10.99.5.0/24 -o isolate=strict strict
	local n
	for n in open1 open2 shut1 shut2 strict; do web "$n" --network "$n"; done
	retry 10 serves open1 10.99.2.2		# open to open
	retry 10 serves shut1 10.99.1.2		# isolated to open
	retry 10 serves open1 10.99.3.2
	bryo run -d --name shut1b --network shut1 $IMG sleep 1000
	retry 10 serves shut1b 10.99.3.2	# within one
	retry 10 serves shut2 127.0.0.1
	run ! get shut1 10.99.4.2
	retry 10 serves strict 127.0.0.1
	run ! get open1 10.99.5.2
	run ! get strict 10.99.1.2
	run ! get shut1 10.99.5.2
}

@test "bridge: an internal network leads nowhere" {
	need_image
	bryo network create --subnet 10.99.1.0/24 open
	bryo network create --subnet 10.99.2.0/24 --internal inside
	web open --network open
	web a --network inside
	bryo run -d --name b --network inside $IMG sleep 1000
	retry 10 serves b 10.99.2.2
	run inside b ip route
	refute_contains default
	run ! get b 10.99.1.2
	# Not even with a route of its own.
	bryo run -d --name c --network inside --cap-add net_admin $IMG sleep 1000
	inside c ip route add default via 10.99.2.1
	retry 10 serves open 127.0.0.1
	run ! get c 10.99.1.2
	run ! get open 10.99.2.2
}

@test "bridge: several networks for one container" {
	need_image
	bryo network create --subnet 10.99.1.0/24 net1
	bryo network create --subnet 10.99.2.0/24 --route 172.30.0.0/16,10.99.2.254 net2
	web a --network net1
	web b --network net2
	bryo run -d --name both --network net1 --network net2:interface_name=inner $IMG sleep 1000
	retry 10 serves both 10.99.1.2
	retry 10 serves both 10.99.2.2
	run inside both ip -o -4 addr
	assert_contains "eth0    inet 10.99.1.3/24"
	assert_contains "inner    inet 10.99.2.3/24"
	run inside both ip route
	assert_contains "default via 10.99.1.1 dev eth0  metric 100"
	assert_contains "default via 10.99.2.1 dev inner  metric 101"
	assert_contains "172.30.0.0/16 via 10.99.2.254 dev inner"
	run bryo run --rm --network net1 --network none $IMG true
	assert_status 125
	assert_contains "cannot set multiple networks without bridge network mode, selected mode none"
	run bryo run --rm --network net1 --network net1 $IMG true
	assert_status 125
	run bryo run --rm --network nope $IMG true
	assert_status 125
	assert_contains "unable to find network with name or ID nope: network not found"
}

@test "bridge: addresses that the user chooses" {
	need_image
	bryo network create --subnet 10.99.1.0/24 --subnet fd99:1::/64 net1
	bryo run -d --name a --network net1 --ip 10.99.1.77 --ip6 fd99:1::77 --mac-address 92:5f:0a:01:02:03 $IMG sleep 1000
	run inside a sh -c 'ip -o addr show eth0; cat /sys/class/net/eth0/address'
	assert_contains 10.99.1.77/24
	assert_contains fd99:1::77/64
	assert_contains 92:5f:0a:01:02:03
	run bryo run --rm --network net1 --ip 10.99.1.77 $IMG true
	assert_status 125
	assert_contains "requested ip address 10.99.1.77 is already allocated to container ID $(bryo inspect --format '{{.Id}}' a)"
	run bryo run --rm --network net1 --ip 10.88.0.9 $IMG true
	assert_status 125
	assert_contains "requested static ip 10.88.0.9 not in any subnet on network net1"
	run bryo run --rm --network net1 --ip 10.99.1.1 $IMG true
	assert_status 125
	assert_contains "it is the gateway's"
	run bryo run --rm --network none --ip 10.99.1.5 $IMG true
	assert_status 125
	assert_contains "can only be used with Bridge mode networking"
	run bryo run --rm --network net1:frob=1 $IMG true
	assert_status 125
	assert_contains 'unknown option of network net1: "frob=1"'
	[ "$(leases)" = $'10.99.1.77\nfd99:1::77' ]
	# It keeps them over a restart.
	bryo restart -t 0 a
	[ "$(address a net1)" = 10.99.1.77 ]
	bryo rm -f -t 0 a
	run bryo run --rm --network net1:ip=10.99.1.77,mac=92:5f:0a:01:02:04 $IMG cat /sys/class/net/eth0/address
	assert_output 92:5f:0a:01:02:04
}

@test "bridge: IPv6" {
	need_image
	bryo network create --subnet fd99:2::/64 six
	web a --network six
	bryo run -d --name b --network six $IMG sleep 1000
	retry 10 serves b '[fd99:2::2]'
	run inside b ip -6 route
	assert_contains "default via fd99:2::1 dev eth0"
	run bryo inspect --format '{{range .NetworkSettings.Networks}}{{.GlobalIPv6Address}}/{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}' b
	assert_output "fd99:2::3/64 fd99:2::1"
}

@test "bridge: 20 parallel starts get 20 addresses" {
	need_image
	local i pids=()
	for i in {1..20}; do
		bryo run -d --network bridge $IMG sleep 1000 >/dev/null 2>"err$i" &
		pids+=("$!")
	done
	wait "${pids[@]}"
	run cat err*
	assert_output ""
	[ "$(leases | wc -l)" = 20 ]
	run bryo inspect --format '{{.NetworkSettings.IPAddress}}' $(bryo ps -q)
	[ "$(sort -u <<<"$output" | wc -l)" = 20 ]
	bryo rm -fa -t 0
	retry 10 nothing_left
}

@test "bridge: a network without free addresses" {
	need_image
	bryo network create --subnet 10.99.1.0/30 tiny
	bryo run -d --name a --network tiny $IMG sleep 1000
	run bryo run --rm --network tiny $IMG true
	assert_status 125
	assert_contains "failed to find free IP in range: 10.99.1.1 - 10.99.1.2"
	bryo rm -f -t 0 a
	bryo run --rm --network tiny $IMG true
	retry 10 nothing_left
}

@test "bridge: a container that shares the network of another" {
	need_image
	web a --network bridge
	bryo run -d --name b --network container:a $IMG sleep 1000
	retry 10 serves b 127.0.0.1
	run inside b ip -4 -o addr show eth0
	assert_contains 10.88.0.2/16
	[ "$(bryo inspect --format '{{.NetworkSettings.IPAddress}}' b)" = 10.88.0.2 ]
	# When the first one ends, its address goes.
	bryo rm -f -t 0 a
	run inside b ip -o link
	refute_contains eth0
	retry 10 nothing_left
}

@test "bridge: with ids of its own" {
	need_image
	web a --network bridge
	bryo run -d --name b --network bridge --userns keep-id $IMG sleep 1000
	retry 10 serves b 10.88.0.2
}

@test "bridge: what was killed is noticed by the next command" {
	need_image
	local pids
	bryo run -d --name a --network bridge $IMG sleep 1000
	bryo run -d --name b --network bridge $IMG sleep 1000
	pids=$(bryo inspect --format '{{.State.ConmonPid}} {{.State.Pid}}' a)
	kill -9 $pids
	retry 10 eval '! kill -0 ${pids#* } 2>/dev/null'
	bryo run --rm --network bridge $IMG true
	[ "$(leases)" = 10.88.0.3 ]
	retry 10 eval '[ "$(pairs)" = 1 ]'
	pids=$(bryo inspect --format '{{.State.ConmonPid}} {{.State.Pid}}' b)
	kill -9 $pids
	retry 10 eval '! kill -0 ${pids#* } 2>/dev/null'
	bryo ps
	retry 10 nothing_left
	# With everything else that helps.
	bryo run -d --name c --network bridge $IMG sleep 1000
	pids=$(bryo inspect --format '{{.State.ConmonPid}} {{.State.Pid}}' c)
	kill -9 $pids $(sed -n 's/^pid //p' "$XDG_RUNTIME_DIR/bryo/holder")
	retry 10 eval '! kill -0 ${pids#* } 2>/dev/null'
	run bryo run --rm --network bridge $IMG ip -4 -o addr show eth0
	assert_contains 10.88.0.
	retry 10 nothing_left
}

@test "bridge: a monitor's death leaves the container its address" {
	need_image
	web a --network bridge
	kill -9 "$(bryo inspect --format '{{.State.ConmonPid}}' a)"
	bryo run -d --name b --network bridge $IMG sleep 1000
	[ "$(address b bridge)" = 10.88.0.3 ]
	retry 10 serves b 10.88.0.2
}

@test "bridge: the namespace's file is deleted" {
	need_image
	bryo run -d --name a --network bridge $IMG sleep 1000
	rm -f "$XDG_RUNTIME_DIR/bryo/netns/rootless"
	bryo rm -f -t 0 a
	retry 10 nothing_left
	bryo run -d --name a --network bridge $IMG sleep 1000
	rm -f "$XDG_RUNTIME_DIR/bryo/netns/rootless"
	web b --network bridge
	bryo run -d --name c --network bridge $IMG sleep 1000
	[ "$(address b bridge)" != "$(address a bridge)" ]
	retry 10 serves c "$(address b bridge)"
	bryo rm -fa -t 0
	retry 10 nothing_left
}

@test "bridge: containers one after the other find the namespace of the last one" {
	need_image
	local first
	bryo run -d --name a --network bridge $IMG sleep 1000
	first=$(in_rootless readlink /proc/self/ns/net)
	bryo rm -f -t 0 a
	bryo run -d --name a --network bridge $IMG sleep 1000
	[ "$(in_rootless readlink /proc/self/ns/net)" = "$first" ]
	bryo rm -f -t 0 a
	[ "$(pgrep -xc bryo-gateway)" -gt 0 ]
	# The end of the user namespace does not wait.
	bryo system migrate
	run pgrep -x bryo-gateway
	assert_status 1
}

@test "bridge: stop, start and restart" {
	need_image
	web a --network bridge
	bryo stop -t 0 a
	retry 10 nothing_left
	bryo start a
	[ "$(address a bridge)" = 10.88.0.2 ]
	bryo run -d --name b --network bridge $IMG sleep 1000
	bryo restart -t 0 a
	retry 10 serves b "$(address a bridge)"
	bryo init b 2>/dev/null || bryo stop -t 0 b
	bryo container init b
	[ "$(leases | wc -l)" = 2 ]
	bryo start b
	retry 10 serves b "$(address a bridge)"
}
