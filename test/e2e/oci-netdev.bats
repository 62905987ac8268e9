# lab: -r
# `bryo oci`: interfaces of the host in a container (linux.netDevices), and what is said about linux.intelRdt
load helpers

setup() {
	e2e_setup
	ip link add probe0 mtu 1400 address 02:00:00:01:02:03 type veth peer name probe1
	ip addr add 192.0.2.7/24 dev probe0
	ip -6 addr add 2001:db8::7/64 dev probe0 nodad
	ip link set probe0 up
}

teardown() {
	ip link del probe1 2>/dev/null || true
	ip netns del bryo-pod 2>/dev/null || true
	e2e_teardown
}

# devices JSON: as a filter of the bundle
devices() { echo ".linux.netDevices = $1"; }

@test "an interface moves with its addresses and is up" {
	bundle b "$(devices '{probe0: {name: "inner"}}')" -- ip addr show dev inner
	run oci run -b b c
	assert_ok
	assert_matches 'inner@.*[<,]UP[,>].* mtu 1400 '
	assert_contains "link/ether 02:00:00:01:02:03"
	assert_contains "inet 192.0.2.7/24"
	assert_contains "inet6 2001:db8::7/64"
	# The kernel has destroyed it with the container's network namespace.
	run retry 5 sh -c '! ip link show probe1 2>/dev/null'
	assert_ok
}

@test "it moves into a namespace that others have made, and stays there" {
	ip netns add bryo-pod
	bundle b "$(devices '{probe0: {}}')" '.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/bryo-pod" else . end)' \
		-- ip -o link show dev probe0
	run oci run -b b c
	assert_ok
	assert_matches 'probe0@.*UP'
	run ip -n bryo-pod -o -4 addr show dev probe0
	assert_contains 192.0.2.7/24
}

@test "the number of a pattern is the first that is free" {
	ip netns add bryo-pod
	ip -n bryo-pod link add net0 type veth peer name other
	bundle b "$(devices '{probe0: {name: "net%d"}, probe1: {name: "net%d"}}')" \
		'.linux.namespaces |= map(if .type == "network" then .path = "/run/netns/bryo-pod" else . end)' \
		-- sh -c 'cat /sys/class/net/net1/address; ls /sys/class/net'
	run oci run -b b c
	assert_ok
	assert_output $'02:00:00:01:02:03\nlo\nnet0\nnet1\nnet2\nother'
}

@test "in a user namespace of root's too" {
	bundle -s b "$(devices '{probe0: {name: "inner"}}')" -- ip -o -4 addr show dev inner
	run oci run -b b c
	assert_ok
	assert_contains 192.0.2.7/24
}

# A refusal leaves the host as it was.
refused() {
	run oci run -b b c
	assert_status 1
	assert_output "$1"
	ip -o -4 addr show dev probe0 | grep -q 192.0.2.7/24
	run oci state c
	assert_status 1
}

@test "what cannot be is refused, and nothing has moved" {
	bundle b "$(devices '{probe0: {name: "a/b"}}')"
	refused 'config.json: .linux.netDevices["probe0"].name: "a/b" has a character that no interface'"'"'s name has'
	bundle b "$(devices '{probe0: {name: "x"}, probe1: {name: "x"}}')"
	refused 'config.json: .linux.netDevices["probe1"].name: "x" is the name of "probe0" already'
	bundle b "$(devices '{probe0: {}, nothing: {}}')"
	refused 'config.json: .linux.netDevices["nothing"]: there is no such interface'
	bundle b "$(devices '{probe0: {name: "lo"}}')"
	refused 'config.json: .linux.netDevices["probe0"]: the container'"'"'s network namespace has an interface "lo" already'
	bundle b "$(devices '{probe0: {}}')" 'without_namespace("network")'
	refused 'config.json: .linux.netDevices: the container has no network namespace of its own to move them into'
	bundle b "$(devices '{probe0: {}}')" '.linux.namespaces |= map(if .type == "network" then .path = "/proc/self/ns/net" else . end)'
	refused 'config.json: .linux.netDevices: the container has no network namespace of its own to move them into'
}

@test "one that the kernel does not let go brings the others back" {
	bundle b "$(devices '{probe0: {name: "inner"}, lo: {name: "loop"}}')"
	run oci run -b b c
	assert_status 1
	assert_matches '^config.json: .linux.netDevices\["lo"\]: move it: .*Invalid argument'
	ip -o link show dev probe0 | grep -q '[<,]UP[,>]'
	ip -o addr show dev probe0 | grep -q 192.0.2.7/24
	ip -o addr show dev probe0 | grep -q 2001:db8::7/64
}

@test "nobody but root gives the host's interfaces away" {
	chmod 711 .
	mkdir -m 777 run2
	bundle -s b "$(devices '{probe0: {}}')"
	jq '.linux.uidMappings = [] | .linux.gidMappings = []' b/config.json >b/new && mv b/new b/config.json
	run setpriv --reuid 4242 --regid 4242 --clear-groups env XDG_RUNTIME_DIR="$PWD/run2" "$BRYO" oci run -b b c
	assert_status 1
	assert_contains 'config.json: .linux.netDevices: enter the network namespace: Operation not permitted'
	assert_contains 'hint: only root of the network namespace that an interface is in can give it away'
	ip -o link show dev probe0 | grep -q '[<,]UP[,>]'
}

@test "resource classes need resctrl" {
	[ ! -e /sys/fs/resctrl/schemata ] || skip "resctrl is mounted here"
	bundle b '.linux.intelRdt = {closID: "gold", memBwSchema: "MB:0=20"}'
	refused 'config.json: .linux.intelRdt: the resctrl file system is not mounted
hint: where the processor and the kernel have it (CONFIG_X86_CPU_RESCTRL): mount -t resctrl resctrl /sys/fs/resctrl'
	bundle b '.linux.intelRdt = {closID: "a/b"}'
	refused 'config.json: .linux.intelRdt.closID: it is not the name of one directory'
}
