# Names on networks of containers: who is called what, where, and what becomes of it
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

# sleeper NAME OPTION...
sleeper() { bryo run -d --name "$1" "${@:2}" $IMG sleep 1000 >/dev/null; }
# address CONTAINER NETWORK
address() { bryo inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"; }
# asked CONTAINER NAME: the address that it finds for the name, by its C library. (ping may do no more than that.)
asked() { bryo exec "$1" timeout 5 ping -c 1 -w 1 "$2" 2>/dev/null | sed -n 's/^PING [^ ]* (\([^)]*\)).*/\1/p'; }
finds() { [ "$(asked "$1" "$2")" = "$3" ]; }
keeper() { cut -d' ' -f1 "$XDG_RUNTIME_DIR/bryo/names/network"; }
aardvark() { pgrep -P "$(keeper)"; }
one_aardvark() { [ "$(aardvark | wc -l)" -eq 1 ]; }
zones() { ls "$XDG_RUNTIME_DIR/bryo/names/zones" 2>/dev/null; }

@test "names: containers, aliases and short ids, from the first moment on" {
	need_image
	bryo network create shop
	sleeper web --network shop --network-alias www --network-alias shop.example
	sleeper db --network shop:alias=store
	id=$(bryo inspect --format '{{.Id}}' web)
	for name in web www shop.example web.dns.podman "${id:0:12}"; do
		finds db "$name" 10.89.0.2
	done
	finds web store 10.89.0.3
	run bryo exec db cat /etc/resolv.conf
	assert_output $'search dns.podman\nnameserver 10.89.0.1'
	# The first act of a container is to ask.
	for _ in 1 2 3 4 5; do
		run bryo run --rm --network shop $IMG sh -c 'ping -c 1 -w 1 web 2>/dev/null | head -n 1'
		assert_contains '(10.89.0.2)'
	done
	finds web nobody ''
	bryo rename web shopfront
	finds db shopfront 10.89.0.2
	finds db web ''
	finds db www 10.89.0.2
}

@test "names: IPv6" {
	need_image
	bryo network create --ipv6 --subnet fd00:77::/64 --subnet 10.77.77.0/24 six
	sleeper web --network six
	sleeper db --network six
	run bryo exec db cat /etc/resolv.conf
	assert_contains 'nameserver fd00:77::1'
	run bryo exec db timeout 5 nslookup -type=aaaa web.dns.podman
	assert_contains 'fd00:77::2'
	run bryo exec web cat /etc/hosts
	assert_matches $'fd00:77::2\t[0-9a-f]{12} web'
}

@test "names: of one's own networks only; the default network has none" {
	need_image
	bryo network create shop
	bryo network create back
	sleeper web --network shop
	sleeper db --network back
	sleeper both --network shop --network back
	sleeper plain --network bridge
	finds both web 10.89.0.2
	finds both db 10.89.1.2
	finds web both 10.89.0.3
	finds db both 10.89.1.3
	finds web db ''
	finds plain web 10.77.0.1	# as the host's server answers every name
	run bryo exec plain cat /etc/resolv.conf
	assert_contains 'nameserver 169.254.1.1'
	refute_contains dns.podman
}

@test "names: of the world, by the host's servers, the network's own or the container's" {
	need_image
	bryo network create shop
	bryo network create --dns 10.77.0.99 own
	sleeper web --network shop
	sleeper db --network own
	sleeper mine --network own --dns 10.77.0.1
	finds web example.com 10.77.0.1
	finds mine example.com 10.77.0.1
	run bryo exec mine cat /etc/resolv.conf
	assert_contains 'nameserver 10.89.1.1'
	run bryo exec db timeout 1 nslookup example.com
	[ "$status" -ne 0 ]
	bryo network update --dns-add 10.77.0.1 --dns-drop 10.77.0.99 own
	run bryo network inspect -f '{{.NetworkDNSServers}}' own
	assert_output '[10.77.0.1]'
	retry 10 finds db example.com 10.77.0.1
	finds db mine 10.89.1.3
	run bryo network update --dns-drop 10.77.0.99 own
	assert_status 125
	assert_contains 'does not have all of the servers 10.77.0.99'
	for bad in '--dns-add x own' 'own' '--dns-add 10.77.0.1 bridge' '--dns-add 10.77.0.1 nope'; do
		run bryo network update $bad
		assert_status 125
	done
}

@test "names: an internal network asks nobody outside" {
	need_image
	bryo network create --internal quiet
	sleeper web --network quiet
	sleeper db --network quiet
	finds db web 10.89.0.2
	run bryo exec db timeout 2 nslookup example.com
	[ "$status" -ne 0 ]
	refute_contains 10.77.0.1
}

@test "names: host.containers.internal is the host" {
	need_image
	mkdir pages
	echo 'from the host' >pages/index.html
	port=$(free_port)
	python3 -m http.server -d pages "$port" >/dev/null 2>&1 3>&- &
	E2E_PIDS+=($!)
	wait_for_port "$port"
	bryo network create shop
	run bryo run --rm --network shop --add-host me:host-gateway $IMG sh -c "for h in host.containers.internal me; do timeout 5 wget -q -O - http://\$h:$port/; done"
	assert_output $'from the host\nfrom the host'
}

@test "names: --dns-search, --dns-option, --dns none, --no-hosts, --add-host" {
	need_image
	bryo network create shop
	run bryo run --rm --network shop --dns-search corp.example --dns-option ndots:2 $IMG cat /etc/resolv.conf
	assert_output $'search dns.podman corp.example\nnameserver 10.89.0.1\noptions ndots:2'
	run bryo run --rm --network shop --dns-search . $IMG cat /etc/resolv.conf
	assert_output 'nameserver 10.89.0.1'
	run bryo run --rm --network shop --name box --hostname boxhost --add-host db:192.0.2.7 $IMG cat /etc/hosts
	assert_contains $'192.0.2.7\tdb'
	assert_matches $'10\\.89\\.0\\.[0-9]+\tboxhost box'
	run bryo run --rm --network shop --no-hosts $IMG cat /etc/hosts
	refute_contains 10.89.0
}

@test "names: connect and disconnect change them while the container runs" {
	need_image
	bryo network create shop
	bryo network create back
	sleeper web --network shop
	sleeper db --network back
	bryo network connect --alias front --ip 10.89.1.77 back web
	finds db front 10.89.1.77
	finds web db 10.89.1.2
	run bryo exec web cat /etc/hosts
	assert_matches $'10\\.89\\.0\\.2\t[0-9a-f]{12} web\n10\\.89\\.1\\.77\t[0-9a-f]{12} web'
	run bryo exec web cat /etc/resolv.conf
	assert_output $'search dns.podman\nnameserver 10.89.0.1\nnameserver 10.89.1.1'
	run bryo network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}' back
	assert_contains 'web 10.89.1.77/24'
	assert_contains 'db 10.89.1.2/24'
	run bryo network connect back web
	assert_status 125
	assert_contains 'is already connected to network "back": network is already connected'
	# It is kept for the next start.
	bryo restart -t 0 web
	finds db front 10.89.1.77
	bryo network disconnect back web
	finds db front ''
	finds web db ''
	run bryo exec web cat /etc/hosts /etc/resolv.conf
	refute_contains 10.89.1
	run bryo network disconnect back web
	assert_status 125
	assert_contains 'is not connected to network "back"'
	bryo network disconnect shop web
	run bryo exec web ip -4 -o addr
	refute_contains eth0
	bryo network connect shop web
	bryo run --rm --network shop $IMG ping -c 1 -w 1 web | grep -q '10\.89\.0\.'
	run bryo events --stream=false --filter type=network --format '{{.Status}} {{.Name}}'
	assert_contains $'connect back\n'
	assert_contains $'disconnect back\n'
}

@test "connect: a container that does not run, options, and what is refused" {
	need_image
	bryo network create shop
	bryo network create back
	bryo create --name web --network shop --ip 10.89.0.50 --network-alias www $IMG sleep 1000
	bryo network connect --ip 10.89.1.60 --mac-address 92:00:00:00:00:01 back web
	bryo start web
	run bryo exec web ip -o addr
	assert_contains '10.89.0.50/24'
	assert_contains '10.89.1.60/24'
	run bryo exec web cat /sys/class/net/eth1/address
	assert_output 92:00:00:00:00:01
	sleeper db --network back
	finds db www ''		# the alias belongs to the other network
	sleeper host --network host
	refuse() {
		local why=$1
		shift
		run bryo network "$@"
		assert_status 125
		assert_contains "$why"
	}
	refuse '"host" is not supported: invalid network mode' connect shop host
	refuse 'unable to find network with name or ID nope' connect nope web
	refuse 'no container with ID or name "nope" found' connect shop nope
	refuse 'not in any subnet' connect --ip 10.9.9.9 shop db
	refuse 'invalid MAC address' connect --mac-address ff:ff:ff:ff:ff:ff shop db
	refuse 'invalid ip address' connect --ip x shop db
	refuse '10.89.0.50' connect --ip 10.89.0.50 shop db
	run bryo exec db ip -o link
	refute_contains eth1
	refuse 'accepts 2 arg' connect shop
	run bryo network rm back
	assert_status 2
	assert_contains '"back" has associated containers with it'
	bryo network rm -f -t 0 back
	run bryo ps -a --format '{{.Names}}'
	assert_output host
}

@test "names: aardvark-dns is started again at once, its keeper by the next command, and both go with the last container" {
	need_image
	bryo network create shop
	bryo network create --disable-dns silent
	sleeper quiet --network silent
	[ -z "$(zones)" ]
	sleeper web --network shop
	sleeper other --network shop
	# A running container's names work again without any command. One that is killed as soon as it is seen, too: then it may
	# be two processes, of which one ends by itself at that moment.
	for _ in 1 2 3; do
		retry 10 aardvark >/dev/null
		aardvark | xargs -r kill -9 2>/dev/null || true
	done
	retry 20 one_aardvark
	retry 20 finds other web 10.89.0.2
	sleeper late --network shop
	finds other late 10.89.0.4
	pid=$(aardvark)
	kill -9 "$(keeper)"
	retry 10 eval "! kill -0 $pid 2>/dev/null"
	finds other web ''
	bryo network reload web
	finds other web 10.89.0.2
	bryo rm -f -t 0 other late
	kill -9 "$(keeper)"
	sleeper db --network shop
	finds db web 10.89.0.2
	pid=$(aardvark)
	bryo rm -f -t 0 web
	finds db web ''
	[ "$(aardvark)" = "$pid" ]
	# It can do nothing to anybody.
	for pid in $(keeper) $pid; do
		grep -q '^CapBnd:.0000000000000400' "/proc/$pid/status"
		grep -q '^NoNewPrivs:.1' "/proc/$pid/status"
	done
	pid="$(keeper) $(aardvark)"
	bryo rm -f -t 0 db
	retry 10 eval "! kill -0 $pid 2>/dev/null"
	[ -z "$(zones)" ]
}

@test "ps and check know networks; unshare --rootless-netns" {
	need_image
	bryo network create shop
	run bryo unshare --rootless-netns ip link
	assert_status 125
	assert_contains 'no container is on a network'
	sleeper web --network shop --network bridge
	sleeper none --network none
	run bryo ps --format '{{.Names}} {{.Networks}}' --sort names
	assert_output $'none \nweb shop,bridge'
	id=$(bryo network inspect -f '{{.ID}}' shop)
	for filter in shop "$id" "${id:0:12}" bridge podman; do
		run bryo ps --filter "network=$filter" --format '{{.Names}}'
		assert_output web
	done
	run bryo unshare --rootless-netns ip -o link
	assert_contains ' br1:'
	run bryo network ls -q -f dangling=false
	assert_output $'bridge\nshop'
	bryo stop -t 0 web
	rm "$XDG_DATA_HOME/bryo/networks/shop.json"
	run bryo start web
	assert_status 125
	assert_contains 'unable to find network with name or ID shop: network not found'
	run bryo system check --quick
	assert_status 125
	assert_contains 'its network shop is missing'
	bryo network create shop
	bryo start web
}

@test "names: twenty at once are all known" {
	need_image
	bryo network create shop
	for i in {1..20}; do
		sleeper "c$i" --network shop 2>"errors$i" &
		pids[i]=$!
	done
	for i in {1..20}; do wait "${pids[i]}" || cat "errors$i"; done
	run cat errors*
	assert_output ''
	# The fourth column of a line of its zone; and each is answered.
	[ "$(grep -c ' c[0-9]*,' "$XDG_RUNTIME_DIR/bryo/names/zones/shop")" -eq 20 ]
	run bryo exec c1 sh -c 'for i in $(seq 20); do ping -c 1 -w 1 c$i 2>/dev/null | head -n 1; done'
	[ "$(grep -c '(10\.89\.0\.' <<<"$output")" -eq 20 ]
	bryo rm -f -t 0 -a
	[ -z "$(zones)" ]
}
