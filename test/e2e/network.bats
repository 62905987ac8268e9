# Networks of containers: none, host, container:, ns:, slirp4netns, pasta, and published ports
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

# Every helper must pass these.
HELPERS="slirp4netns pasta"
# UDP from a shell
UDP=$BRYO_BUILD/test/e2e/udp
# A line to the host outside and back. pasta may lose the end of a connection that is closed on one side before.
ASK=(timeout 3 sh -c '(echo hi; sleep 0.5) | nc 10.77.0.1 7000')

# A host with the lab's network, or a skip.
needs_outside() { ip -4 addr show dev eth0 2>/dev/null | grep -q 10.77.0.2 || skip "not in the lab's network"; }

get() { curl -s -S --max-time 5 "$@"; }

# helper_pids: the helpers of this test's containers.
helper_pids() { cat "$XDG_RUNTIME_DIR"/bryo/containers/*/network 2>/dev/null | cut -d' ' -f1; }

@test "none: loopback only, and it is up" {
	need_image
	run bryo run --rm --network none $IMG sh -c 'ip -o link | wc -l; ip -4 -o addr show lo; ip route | wc -l'
	assert_ok
	assert_contains 127.0.0.1/8
	assert_matches $'^1\n'
	assert_matches $'\n0$'
	run bryo run --rm --network none $IMG sh -c 'httpd -h /www -p 127.0.0.1:80; wget -q -O - http://127.0.0.1/'
	assert_output "hello from bryo"
}

@test "host: the host's interfaces and ports" {
	need_image
	local port
	port=$(free_port)
	run bryo run --rm --network host $IMG sh -c 'ls /sys/class/net | sort | tr "\n" " "'
	assert_output "$(ls /sys/class/net | sort | tr '\n' ' ')"
	bryo run -d --name web --network host $IMG httpd -f -h /www -p "127.0.0.1:$port"
	wait_for_port "$port"
	run get "http://127.0.0.1:$port/"
	assert_output "hello from bryo"
}

@test "container: two containers share one network" {
	need_image
	bryo run -d --name web --network none $IMG httpd -f -h /www -p 127.0.0.1:80
	run bryo run --rm --network container:web $IMG timeout 5 wget -q -O - http://127.0.0.1/
	assert_output "hello from bryo"
	run bryo run --rm --network container:nope $IMG true
	assert_status 125
}

@test "ns: joins a namespace by path" {
	need_image
	bryo run -d --name web --network none $IMG httpd -f -h /www -p 127.0.0.1:80
	local pid
	pid=$(bryo inspect --format '{{.State.Pid}}' web)
	run bryo run --rm --network "ns:/proc/$pid/ns/net" $IMG timeout 5 wget -q -O - http://127.0.0.1/
	assert_output "hello from bryo"
	run bryo run --rm --network ns:/no/such/path $IMG true
	assert_status 125
	assert_contains /no/such/path
}

@test "unknown networks are refused" {
	need_image
	run bryo run --rm --network mynet $IMG true
	assert_status 125
	assert_contains "unable to find network with name or ID mynet"
	run bryo run --rm --network slirp4netns:frob=1 $IMG true
	assert_status 125
	assert_contains 'unknown option for slirp4netns: "frob=1"'
}

@test "the default network reaches out" {
	needs_outside
	need_image
	run bryo run --rm $IMG "${ASK[@]}"
	assert_output "10.77.0.2 hi"
}

# outward HELPER: TCP, UDP, names, and much data out of a container
outward() {
	needs "$1"
	needs_outside
	need_image
	run bryo run --rm --network "$1" $IMG "${ASK[@]}"
	assert_output "10.77.0.2 hi"
	run bryo run --rm --network "$1" -v "$UDP:/udp:ro" $IMG /udp send 10.77.0.1 7000 hi
	assert_output "10.77.0.2 hi"
	run bryo run --rm --network "$1" $IMG timeout 10 sh -c 'nslookup -type=a name.example | tail -n 2; cat /etc/resolv.conf'
	assert_contains 10.77.0.1
	run bryo run --rm --network "$1" $IMG sh -c 'head -c 300000 /dev/zero | timeout 5 nc 10.77.0.1 7001 2>/dev/null; true'
	assert_contains 300000
}

@test "outward by slirp4netns" { outward slirp4netns; }
@test "outward by pasta" { outward pasta; }

# published HELPER: ports by TCP and UDP, one address, random, ranges, several
published() {
	needs "$1"
	need_image
	local a b c
	a=$(free_port) b=$(free_port) c=$(free_port)
	bryo run -d --name web --network "$1" -p "$a:80" -p "127.0.0.1:$b:80" -p "$c:5353/udp" -p 80 -v "$UDP:/udp:ro" $IMG \
		sh -c '/udp serve 5353 & exec httpd -f -h /www'
	wait_for_port "$a"
	run get "http://localhost:$a/"
	assert_output "hello from bryo"
	run get "http://127.0.0.1:$b/"
	assert_output "hello from bryo"
	run "$UDP" send 127.0.0.1 "$c" ping
	assert_output ping
	run bryo port web 80/tcp
	assert_ok
	assert_contains "0.0.0.0:$a"
	assert_contains "127.0.0.1:$b"
	local random
	random=$(bryo port web 80/tcp | sed -n "s/.*:\([0-9]*\)$/\1/p" | grep -vx -e "$a" -e "$b")
	run get "http://127.0.0.1:$random/"
	assert_output "hello from bryo"
	run bryo ps --format '{{.Ports}}'
	assert_contains "$a->80/tcp"
	run bryo run --rm --network "$1" -p "$a:80" $IMG true
	assert_status 126
	assert_contains "address already in use"
	bryo rm -f -t 0 web
	# The port is free again at once.
	run bryo run --rm --network "$1" -p "$a:80" $IMG echo free
	assert_output free
}

@test "published ports by slirp4netns" { published slirp4netns; }
@test "published ports by pasta" { published pasta; }

# ranges HELPER
ranges() {
	needs "$1"
	need_image
	local first=$(($(free_port) % 20000 + 20000))
	bryo run -d --name web --network "$1" -p "127.0.0.1:$first-$((first + 2)):8000-8002" $IMG \
		sh -c 'httpd -h /www -p 8000; httpd -h /www -p 8001; exec httpd -f -h /www -p 8002'
	local i
	for i in 0 1 2; do
		retry 5 sh -c "curl -s --max-time 2 http://127.0.0.1:$((first + i))/ | grep -q hello"
	done
}

@test "port ranges by slirp4netns" { ranges slirp4netns; }
@test "port ranges by pasta" { ranges pasta; }

@test "pasta publishes on IPv6 addresses, slirp4netns says that it cannot" {
	need_image
	run bryo run --rm --network slirp4netns -p '[::1]:8080:80' $IMG true
	assert_status 125
	assert_contains "--network pasta"
	needs pasta
	needs_outside
	local port
	port=$(free_port)
	bryo run -d --name web --network pasta -p "[::1]:$port:80" $IMG httpd -f -h /www
	run retry 5 curl -s --max-time 2 "http://[::1]:$port/"
	assert_output "hello from bryo"
}

# closed HELPER: nothing of the host's loopback is reachable from the container, and no port that was not published
closed() {
	needs "$1"
	needs_outside
	need_image
	local port gateway
	port=$(free_port)
	mkdir www
	echo secret >www/index.html
	busybox httpd -f -h www -p "127.0.0.1:$port" 3>&- &
	E2E_PIDS+=($!)
	wait_for_port "$port"
	run bryo run --rm --network "$1" $IMG sh -c '
		for host in 127.0.0.1 $(ip route | sed -n "s/^default via \([^ ]*\).*/\1/p") host.containers.internal; do
			timeout 2 wget -q -O - "http://$host:'"$port"'/"
		done; true'
	assert_ok
	refute_contains secret
	bryo run -d --name inner --network "$1" $IMG httpd -f -h /www -p 8765
	sleep 0.3
	run get --max-time 1 http://127.0.0.1:8765/
	[ "$status" -ne 0 ]
}

@test "closed by default: slirp4netns" { closed slirp4netns; }
@test "closed by default: pasta" { closed pasta; }

# ends HELPER: with its container, with rm -f, and after the monitor was killed
ends() {
	needs "$1"
	need_image
	local pid monitor
	bryo run -d --name c --network "$1" $IMG sleep 100
	pid=$(helper_pids)
	[ -n "$pid" ] && kill -0 "$pid"
	bryo stop -t 0 c
	retry 5 bash -c "! kill -0 $pid 2>/dev/null"
	bryo start c
	pid=$(helper_pids)
	kill -0 "$pid"
	bryo rm -f -t 0 c
	retry 5 bash -c "! kill -0 $pid 2>/dev/null"
	bryo run -d --name c --network "$1" $IMG sleep 100
	pid=$(helper_pids)
	monitor=$(bryo inspect --format '{{.State.ConmonPid}}' c)
	kill -KILL "$monitor"
	bryo rm -f -t 0 c
	retry 5 bash -c "! kill -0 $pid 2>/dev/null"
}

@test "the helper ends with its container: slirp4netns" { ends slirp4netns; }
@test "the helper ends with its container: pasta" { ends pasta; }

@test "ports below 1024: the message has the cure" {
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ] || skip "ports from 80 on are allowed here"
	need_image
	run bryo run --rm -p 80:80 $IMG true
	assert_status 126
	assert_contains "permission denied"
	assert_contains "ip_unprivileged_port_start=80"
	run bryo ps -aq
	assert_output ""
}

@test "bad port texts are refused" {
	need_image
	local bad
	for bad in 70000:80 0:80 a:80 80:b 8000-8001:80 1.2.3:80:80 80/sctp 80:80:80:80; do
		run bryo run --rm -p "$bad" $IMG true
		assert_status 125
		assert_contains "error["
	done
}

@test "hosts: localhost, the container's names, --add-host, host.containers.internal; --no-hosts" {
	need_image
	run bryo run --rm --name named --hostname box --add-host db:1.2.3.4 $IMG cat /etc/hosts
	assert_ok
	assert_matches $'127.0.0.1[ \t]+localhost'
	assert_matches $'1.2.3.4[ \t]+db'
	assert_matches $'[ \t]box named'
	run bryo run --rm --network slirp4netns --add-host gw:host-gateway $IMG sh -c 'grep -c host.containers.internal /etc/hosts; grep gw /etc/hosts'
	assert_ok
	run bryo run --rm --no-hosts $IMG sh -c 'grep -c localhost /etc/hosts'
	refute_contains 1
}

@test "resolv.conf: --dns, --dns-search, --dns-option replace the host's" {
	need_image
	run bryo run --rm --dns 9.9.9.9 --dns-search x.example --dns-option ndots:3 $IMG cat /etc/resolv.conf
	assert_output $'search x.example\nnameserver 9.9.9.9\noptions ndots:3'
	run bryo run --rm --dns none $IMG cat /etc/resolv.conf
	refute_contains nameserver
}

@test "a container of its own user namespace has a network too" {
	needs_outside
	need_image
	local helper
	for helper in $HELPERS; do
		run bryo run --rm --userns keep-id --network "$helper" $IMG "${ASK[@]}"
		assert_ok
		assert_output "10.77.0.2 hi"
	done
}

@test "ports are discarded with a warning where nothing can forward them" {
	need_image
	run bryo run --rm --network none -p 8099:80 $IMG echo ran
	assert_ok
	assert_contains ran
	assert_contains "published ports are discarded: --network none"
}
