# Networks as records: create, ls, inspect, rm, prune, exists
load helpers

# refused WHY ARG...: `network create ARG...` fails with 125, says WHY and makes nothing.
refused() {
	local why=$1
	shift
	run bryo network create "$@"
	assert_status 125
	assert_contains ": $why"
	[ "$(bryo network ls -q | wc -l)" -eq "${there:-1}" ]
}

@test "create, ls, inspect, rm" {
	run bryo network ls -q
	assert_output bridge
	run bryo network create shop
	assert_output shop
	run bryo network create shop
	assert_status 125
	assert_output 'error[name-taken]: network name shop already used: network already exists'
	run bryo network create --ignore shop
	assert_ok
	assert_output shop
	id=$(bryo network inspect -f '{{.ID}}' shop)
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	run bryo network ls
	assert_output "NETWORK ID    NAME        DRIVER
17f29b073143  bridge      bridge
${id:0:12}  shop        bridge"
	run bryo network ls --no-trunc --noheading --format 'table {{.ID}} {{.Name}}' -f name=shop
	assert_output "$id  shop"
	run bryo network inspect -f '{{.Name}} {{.Driver}} {{.NetworkInterface}} {{(index .Subnets 0).Subnet}} {{(index .Subnets 0).Gateway}} {{.Internal}} {{.DNSEnabled}} {{.IPv6Enabled}}' shop
	assert_output 'shop bridge br1 10.89.0.0/24 10.89.0.1 false true false'
	run bryo network rm "${id:0:7}"
	assert_output "${id:0:7}"
	run bryo network rm shop
	assert_status 1
	assert_output 'error[no-such-network]: unable to find network with name or ID shop: network not found'
	run bryo network rm -f shop
	assert_ok
	assert_output ''
	run bryo network rm bridge
	assert_status 125
	assert_output 'error[usage]: default network bridge cannot be removed'
	run bryo network rm
	assert_status 125
}

@test "the forms of Podman and of Docker" {
	bryo network create --label a=b --label c -o mtu=1400 --ipv6 --subnet 10.50.0.0/24 --gateway 10.50.0.9 shop
	run bryo network inspect shop
	python3 - <<-END
	import json
	n, = json.loads('''$output''')
	assert n["subnets"][0] == {"subnet": "10.50.0.0/24", "gateway": "10.50.0.9"}, n
	assert n["subnets"][1]["subnet"].startswith("fd") and n["subnets"][1]["gateway"].endswith("::1"), n
	assert n["labels"] == {"a": "b", "c": ""} and n["options"] == {"mtu": "1400"}, n
	assert n["ipv6_enabled"] is True and n["internal"] is False and n["dns_enabled"] is True, n
	assert n["ipam_options"] == {"driver": "host-local"} and n["containers"] == {}, n
	END
	run bryo network ls --format json
	python3 -c "import json; assert [n['name'] for n in json.loads('''$output''')] == ['bridge', 'shop']"
	run bryo network ls -f name=shop --format '{{.Name}} {{.Labels}}'
	assert_output 'shop a=b,c='
	run bryo network inspect -f '{{range .IPAM.Config}}{{.Gateway}} {{end}}{{.Scope}} {{.EnableIPv6}} {{index .Labels "a"}}' shop
	assert_contains '10.50.0.9 fd'
	assert_contains 'local true b'
	run bryo inspect -f '{{.Name}}' --type network shop podman
	assert_output $'shop\nbridge'
	run bryo inspect -f '{{.Name}}' shop
	assert_output shop
	run bryo network inspect nope
	assert_status 125
	assert_output $'[]\nerror[no-such-network]: unable to find network with name or ID nope: network not found'
	bryo network exists shop
	bryo network exists podman
	run bryo network exists nope
	assert_status 1
	assert_output ''
}

@test "what is chosen: subnets, interfaces, names, gateways, ranges" {
	bryo network create --subnet 10.89.0.0/24 mine
	bryo network create one
	run bryo network create
	assert_output br3
	run bryo network inspect -f '{{(index .Subnets 0).Subnet}} {{.NetworkInterface}}' mine one br3
	assert_output $'10.89.0.0/24 br1\n10.89.1.0/24 br2\n10.89.2.0/24 br3'
	bryo network rm one
	bryo network create --interface-name shop0 again
	run bryo network inspect -f '{{(index .Subnets 0).Subnet}} {{.NetworkInterface}}' again
	assert_output '10.89.1.0/24 shop0'
	bryo network create -o com.docker.network.bridge.name=shop1 -o com.docker.network.driver.mtu=1300 docker
	run bryo network inspect -f '{{.NetworkInterface}} {{.Options.mtu}}' docker
	assert_output 'shop1 1300'
	# Bits after the prefix are left out, as in Podman; a range in either form; each gateway goes to its subnet.
	bryo network create --subnet 10.60.0.7/24 --subnet fd00:60::/64 --gateway fd00:60::5 --ip-range 10.60.0.128/25 wide
	run bryo network inspect -f '{{range .Subnets}}{{.Subnet}} {{.Gateway}} {{end}}{{(index .Subnets 0).LeaseRange.StartIP}}' wide
	assert_output '10.60.0.0/24 10.60.0.1 fd00:60::/64 fd00:60::5 10.60.0.129'
	bryo network create --subnet 10.61.0.0/24 --ip-range 10.61.0.50-10.61.0.99 range
	run bryo network inspect -f '{{(index .Subnets 0).LeaseRange.EndIP}}' range
	assert_output 10.61.0.99
	# An internal network needs its gateway for names only.
	bryo network create --internal --disable-dns quiet
	run bryo network inspect -f '{{.Internal}} {{.DNSEnabled}} <{{(index .Subnets 0).Gateway}}>' quiet
	assert_output 'true false <>'
	bryo network create --ipam-driver none bare
	run bryo network inspect -f '{{len .Subnets}} {{.DNSEnabled}}' bare
	assert_output '0 false'
	bryo network create --subnet 10.62.0.0/24 --route 192.0.2.0/24,10.62.0.5,7 --dns 192.0.2.53,192.0.2.54 routed
	run bryo network inspect -f '{{(index .Routes 0).destination}} {{(index .Routes 0).metric}} {{.NetworkDNSServers}}' routed
	assert_output '192.0.2.0/24 7 [192.0.2.53 192.0.2.54]'
}

@test "bad names and interfaces are refused" {
	refused 'network name ../x invalid: names must match' ../x
	refused 'network name a b invalid' 'a b'
	refused 'network name -x invalid' -- -x
	refused 'network name xxxxxxxxxxxxxxxxxxxx... invalid: it has more than 200' "$(printf 'x%.0s' {1..201})"
	for mode in none host bridge private default pasta slirp4netns container ns; do
		refused "cannot create network with name \"$mode\" because it conflicts with a valid network mode" $mode
	done
	refused 'network name podman already used' podman
	refused 'accepts at most 1 arg' x y
	refused 'unsupported driver overlay' -d overlay x
	refused 'parent interface eth99 does not exist' -d macvlan -o parent=eth99 --subnet 10.5.0.0/24 x
	refused 'macvlan driver needs at least one subnet' -d macvlan x
	for name in a/b toolongforaninterface 'x;y' ..; do
		refused "$name is no name for a network interface" --interface-name "$name" x
	done
	refused 'bridge name out0 is reserved' --interface-name out0 x
	refused 'bridge name veth7 is reserved' --interface-name veth7 x
	bryo network create --interface-name shop0 shop
	there=2 refused 'bridge name shop0 already in use' --interface-name shop0 x
	there=2 refused 'bridge name br0 already in use' -o com.docker.network.bridge.name=br0 x
}

@test "bad subnets, gateways and ranges are refused" {
	refused 'invalid CIDR address: bogus' --subnet bogus x
	refused 'invalid CIDR address: 10.1.0.0' --subnet 10.1.0.0 x
	refused 'invalid CIDR address: 10.1.0.0/33' --subnet 10.1.0.0/33 x
	refused 'subnet 10.1.0.0/32 is too small' --subnet 10.1.0.0/32 x
	refused 'subnet 0.0.0.0/0 cannot be used' --subnet 0.0.0.0/0 x
	refused 'subnet 127.0.0.0/8 cannot be used: 127.0.0.0/8 is for loopback' --subnet 127.0.0.0/8 x
	refused 'subnet 169.254.1.0/24 cannot be used' --subnet 169.254.1.0/24 x
	refused 'subnet 224.0.0.0/8 cannot be used' --subnet 224.0.0.0/8 x
	refused 'subnet fe80::/64 cannot be used' --subnet fe80::/64 x
	refused 'subnet 10.88.5.0/24 is already used on the host or by another config' --subnet 10.88.5.0/24 x
	assert_contains 'network bridge has 10.88.0.0/16'
	refused 'subnets 10.1.0.0/24 and 10.1.0.128/25 overlap' --subnet 10.1.0.0/24 --subnet 10.1.0.128/25 x
	refused 'cannot set gateway or range without subnet' --gateway 10.1.0.1 x
	refused 'cannot set gateway or range without subnet' --ip-range 10.1.0.0/25 x
	refused 'cannot set more gateways than subnets' --subnet 10.1.0.0/24 --gateway 10.1.0.1 --gateway 10.1.0.2 x
	refused 'gateway 10.2.0.1 not in subnet 10.1.0.0/24' --subnet 10.1.0.0/24 --gateway 10.2.0.1 x
	refused 'gateway 10.1.0.0 cannot be used' --subnet 10.1.0.0/24 --gateway 10.1.0.0 x
	refused 'gateway 10.1.0.255 cannot be used' --subnet 10.1.0.0/24 --gateway 10.1.0.255 x
	refused 'invalid argument "x" for "--gateway" flag' --subnet 10.1.0.0/24 --gateway x x
	refused 'lease range start ip 10.2.0.1 not in subnet 10.1.0.0/24' --subnet 10.1.0.0/24 --ip-range 10.2.0.0/24 x
	refused 'lease range of subnet 10.1.0.0/24 ends before it starts' --subnet 10.1.0.0/24 --ip-range 10.1.0.9-10.1.0.8 x
	refused 'lease range of subnet 10.1.0.0/24 has no address for a container' --subnet 10.1.0.0/24 --ip-range 10.1.0.1-10.1.0.1 x
}

@test "bad options, routes and labels are refused" {
	refused 'unsupported bridge network option foo' -o foo=bar x
	refused 'mtu "x" must be between 0 and 65535' -o mtu=x x
	refused 'mtu "1000" is too small: IPv6 needs 1280' -o mtu=1000 --subnet fd00:7::/64 x
	refused 'vlan "9999" must be between 0 and 4094' -o vlan=9999 x
	refused 'isolate "x" of bridge network x is none of' -o isolate=x x
	refused 'unsupported ipam driver "bogus"' --ipam-driver bogus x
	refused 'ipam driver dhcp is not offered' --ipam-driver dhcp x
	refused 'none ipam driver is set but subnets are given' --ipam-driver none --subnet 10.1.0.0/24 x
	refused 'failed to parse labels: invalid label format: "=b"' --label =b x
	refused 'invalid route: 192.0.2.0/24' --route 192.0.2.0/24 x
	refused 'route 192.0.2.0/24 via 10.2.0.1: the gateway is in no subnet' --subnet 10.1.0.0/24 --route 192.0.2.0/24,10.2.0.1 x
	refused 'unable to parse ip x' --dns x x
	refused 'cannot set DNS servers if DNS is not enabled' --dns 192.0.2.1 --disable-dns x
	refused 'unknown flag: --nonsense' --nonsense x
}

@test "the host's own networks are not taken" {
	connected=$(ip -4 -o route show scope link | awk '$1 ~ "/" {print $1; exit}')
	[ -n "$connected" ]
	refused "subnet $connected is already used on the host or by another config" --subnet "$connected" x
	assert_contains "the host has "
}

@test "an exhausted pool says so and how to go on" {
	bryo network create --subnet 10.89.0.0/16 --subnet 10.90.0.0/15 --subnet 10.92.0.0/14 --subnet 10.96.0.0/11 --subnet 10.128.0.0/9 all
	there=2 refused 'could not find free subnet from subnet pools' x
	assert_contains '--subnet 192.168.77.0/24'
	bryo network create --subnet 192.168.77.0/24 x
	bryo network rm all
	bryo network create y
}

@test "twenty at once get twenty subnets and bridges" {
	for i in {1..20}; do
		bryo network create "n$i" >/dev/null 2>"errors$i" &
		pids[i]=$!
	done
	for i in {1..20}; do wait "${pids[i]}" || cat "errors$i"; done
	[ "$(bryo network ls -q | wc -l)" -eq 21 ]
	[ "$(bryo network ls --format '{{(index .Subnets 0).Subnet}}' | sort -u | wc -l)" -eq 21 ]
	[ "$(bryo network ls --format '{{.NetworkInterface}}' | sort -u | wc -l)" -eq 21 ]
	# One name, twenty who want it.
	for i in {1..20}; do
		bryo network create same >"out$i" 2>&1 &
		pids[i]=$!
	done
	for i in {1..20}; do wait "${pids[i]}" || true; done
	[ "$(cat out* | grep -cx same)" -eq 1 ]
	[ "$(cat out* | grep -c 'already used')" -eq 19 ]
}

@test "filters" {
	bryo network create --label x=y --label z shop
	bryo network create -d macvlan --subnet 10.5.0.0/24 lan
	filtered() { run bryo network ls -q -f "$1" ${2:+-f "$2"}; assert_ok; }
	filtered name=^sh && assert_output shop
	filtered name=shop name=lan && assert_output $'lan\nshop'
	filtered driver=macvlan && assert_output lan
	filtered driver=mac && assert_output ''
	filtered label=x && assert_output shop
	filtered label=x=y label=z && assert_output shop
	filtered label=x=z && assert_output ''
	filtered label!=x && assert_output $'bridge\nlan'
	filtered id=17f29b && assert_output bridge
	filtered type=custom && assert_output $'lan\nshop'
	filtered type=builtin && assert_output bridge
	filtered dangling=true && assert_output $'lan\nshop'
	filtered dangling=false && assert_output bridge
	filtered until=1h && assert_output bridge
	filtered until=0s type=custom && assert_output $'lan\nshop'
	for bad in foo=bar 'name=(' until=x dangling=x; do
		run bryo network ls -f "$bad"
		assert_status 125
		assert_contains "invalid filter"
	done
	run bryo network ls -f foo
	assert_contains 'filter input must be in the form of filter=value: foo is invalid'
}

@test "prune leaves what is named otherwise, and the default" {
	bryo network create --label keep=no a
	bryo network create b
	run bryo network prune -f --filter label=keep
	assert_output a
	run bryo network prune -f --filter name=b
	assert_status 125
	run bryo network prune -f
	assert_output b
	run bryo network prune -f
	assert_output ''
	run bryo network ls -q
	assert_output bridge
	bryo network create c
	run bryo system prune -f
	assert_contains 'Deleted Networks'
	run bryo network ls -q
	assert_output bridge
}

@test "a damaged record is named, disturbs nobody, and can be removed" {
	bryo network create good
	bryo network create bad
	echo '{"name": "bad", "id": "../../x"' >"$XDG_DATA_HOME/bryo/networks/bad.json"
	run bryo network ls -q
	assert_ok
	assert_contains good
	assert_contains 'network bad is damaged'
	run bryo network inspect bad
	assert_status 125
	assert_contains 'the record of network bad is damaged'
	run bryo system check
	assert_status 125
	assert_contains 'network bad: its record is damaged'
	bryo network create another
	run bryo network create bad
	assert_status 125
	bryo network rm bad
	run bryo network ls -q
	assert_output $'another\nbridge\ngood'
}

@test "completion knows networks" {
	bryo network create shop
	run bryo __complete network rm s
	assert_contains shop
	run bryo __complete network create --driver ''
	assert_contains macvlan
	run bryo __complete network ''
	assert_contains prune
	run bryo __complete run --network s
	assert_contains shop
	assert_contains slirp4netns
}

@test "events tell of networks" {
	bryo network create shop
	bryo network rm shop
	run bryo events --stream=false --filter type=network --format '{{.Type}} {{.Status}} {{.Name}}'
	assert_output $'network create shop\nnetwork remove shop'
}
