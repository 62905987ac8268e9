# The way out of bridges: bryo-gateway without an engine, on a host made of namespaces (gateway-net)
load helpers

# gateway_net [OPTION...]: runs the script on standard input there.
gateway_net() {
	cat >"$E2E_DIR/script"
	timeout 50 "$BATS_TEST_DIRNAME/gateway-net" "$@" "$E2E_DIR/script"
}

setup() {
	e2e_setup
	needs nft ip python3
}

@test "a connection is accepted when the target has accepted it, and fails as the target does" {
	gateway_net <<-'END'
	serve OUT tcp-lines 0.0.0.0 80
	serve OUT tcp-lines fd99::2 80
	at OUT ip route add blackhole 203.0.113.0/24
	ip route add unreachable 192.0.2.0/24
	for target in 10.99.0.2 fd99::2; do
		expect hello ask A line $target 80
		expect connected ask A connect $target 80
		expect ECONNREFUSED ask A connect $target 81
	done
	expect EHOSTUNREACH ask A connect 192.0.2.1 80
	expect EHOSTUNREACH ask A connect 10.99.0.77 80 10
	expect timeout ask A connect 203.0.113.9 80 1.5
	ip -6 route del default
	expect ENETUNREACH ask A connect 2001:db8::1 80
	END
}

@test "the host's loopback and link-local addresses are out of reach; its own address is not" {
	gateway_net <<-'END'
	serve HOST tcp-lines 0.0.0.0 80
	serve HOST tcp-lines ::1 81
	for target in 169.254.169.254 fd62:7279:6f00::9 ::127.0.0.1 ::ffff:7f00:1; do
		case $(ask A connect $target 80 2) in connected) echo "$target was reached" >&2; exit 1 ;; esac
	done
	expect EHOSTUNREACH ask A connect 169.254.169.254 80
	expect ECONNREFUSED ask A connect 169.254.1.1 80
	expect hello ask A line 10.99.0.1 80
	END
}

@test "host.containers.internal is the host's own address" {
	gateway_net <<-'END'
	serve HOST tcp-lines 0.0.0.0 80
	serve HOST tcp-lines fd99::1 80
	serve HOST tcp-lines 127.0.0.1 81
	serve HOST udp-echo 0.0.0.0 82
	expect hello ask A line 169.254.1.2 80
	expect hello ask A line fd62:7279:6f00::2 80
	expect "the same" ask A udp 169.254.1.2 82
	expect ECONNREFUSED ask A connect 169.254.1.2 81
	END
}

@test "bytes arrive as they were sent, both ways; ends and resets are passed on" {
	gateway_net <<-'END'
	serve OUT tcp-end 10.99.0.2 80
	serve OUT tcp-much fd99::2 81
	serve OUT tcp-reset 10.99.0.2 82
	expect "the same" ask A send 10.99.0.2 80 50000007
	expect "the same" ask A send 10.99.0.2 80 0
	expect "the same" ask A receive fd99::2 81
	expect "the same" ask B receive fd99::2 81 1		# a slow reader
	expect ECONNRESET ask A reset 10.99.0.2 82
	serve OUT tcp-late 10.99.0.2 83				# little that does not fit any more
	expect "the same" ask A drip 10.99.0.2 83 6000
	END
}

@test "datagrams of all sizes, and the refused ones" {
	gateway_net <<-'END'
	serve OUT udp-echo 10.99.0.2 80
	serve OUT udp-echo fd99::2 80
	for size in 0 1 1400 1500 9000 65507; do
		expect "the same" ask A udp 10.99.0.2 80 $size
	done
	for size in 1 1452 65000; do
		expect "the same" ask A udp fd99::2 80 $size
	done
	expect "10 of 1000" ask A segments 10.99.0.2 80
	expect ECONNREFUSED ask A udp 10.99.0.2 81
	expect ECONNREFUSED ask A udp fd99::2 81
	ip route add prohibit 192.0.2.0/24
	expect EHOSTUNREACH ask A udp 192.0.2.1 80
	END
}

@test "echoes, where the host gives its user ping sockets; routers on the way are seen" {
	gateway_net <<-'END'
	at A ping -c 1 -W 2 10.99.0.2 | grep -q 'Packet filtered' || exit
	echo "0 0" >/proc/sys/net/ipv4/ping_group_range
	at A ping -c 1 -W 2 10.99.0.2 >/dev/null || exit
	at A ping -c 1 -W 2 -s 30000 fd99::2 >/dev/null || exit
	at A ping -c 1 -W 2 169.254.1.1 >/dev/null || exit
	# Three hops: the bridge, the gateway as part of this host, OUT.
	at OUT sysctl -q net.ipv4.ip_forward=1
	at A ping -c 1 -W 2 198.51.100.1 >/dev/null || exit
	at OUT ip addr del 198.51.100.1/32 dev lo
	at OUT ip route add unreachable 198.51.100.0/24
	at A ping -c 1 -W 2 198.51.100.1 | grep -q 'From 10.99.0.2.* Unreachable' || exit
	at OUT ip route replace 198.51.100.0/24 dev eth0
	at A ping -c 1 -W 2 -t 2 198.51.100.1 | grep -q 'From 10.99.0.2.* Time to live exceeded' || exit
	END
}

@test "names are asked of the host's servers, also those on its loopback" {
	echo "nameserver 127.0.0.53" >resolv.conf
	gateway_net -d "$PWD/resolv.conf" <<-'END'
	serve HOST dns 192.0.2.7 127.0.0.53
	expect 192.0.2.7 ask A lookup 169.254.1.1 a.example
	expect 192.0.2.7 ask A lookup fd62:7279:6f00::1 a.example
	expect 192.0.2.7 ask A lookup 169.254.1.1 a.example tcp
	expect 192.0.2.7 ask A garbage 169.254.1.1 500
	# A program in the namespace itself asks, too.
	expect 192.0.2.7 ask WAY lookup 169.254.1.1 a.example
	expect 192.0.2.7 ask WAY lookup 169.254.1.1 a.example tcp
	END
}

@test "a name server that refuses or is silent is followed by the next; without any the answer is a failure" {
	printf 'nameserver %s\n' 127.0.0.53 127.0.0.54 ::1 >resolv.conf
	gateway_net -d "$PWD/resolv.conf" <<-'END'
	expect "code 2" ask A lookup 169.254.1.1 a.example
	serve HOST dns silent 127.0.0.54
	serve HOST dns 192.0.2.8 ::1
	expect 192.0.2.8 ask A lookup 169.254.1.1 a.example
	expect 192.0.2.8 ask A lookup 169.254.1.1 a.example tcp
	# The host moves to another network.
	serve HOST dns 192.0.2.9 127.0.0.99
	echo "nameserver 127.0.0.99" >/etc/resolv.conf
	moved() { [[ $(ask A lookup 169.254.1.1 a.example) = 192.0.2.9 ]]; }
	retry 15 moved || exit
	END
}

@test "ten thousand short connections leave nothing behind" {
	gateway_net <<-'END'
	serve OUT tcp-lines 10.99.0.2 80
	expect x ask A line 10.99.0.2 80 x
	sockets() { ls -l "/proc/$(worker)/fd" | grep -c socket; }
	before=$(sockets)
	expect all ask A many 10.99.0.2 80 10000 20
	# The port of one that the server has ended can be used again at once.
	for target in 10.99.0.2 fd99::2; do
		serve OUT tcp-once $target 81
		expect all ask A same_port $target 81 4000 3
	done
	as_before() { [[ $(sockets) -le $before ]]; }
	retry 5 as_before || { echo "$before, then $(sockets)" >&2; exit 1; }
	END
}

@test "floods of one container are bounded, and another one goes on" {
	gateway_net <<-'END'
	serve OUT tcp-lines 10.99.0.2 80
	serve OUT udp-echo 10.99.0.2 80
	at OUT ip route add blackhole 203.0.113.0/24
	ulimit -n 4096
	coproc ask A flood 203.0.113.1 1024 3000
	read -r line <&"${COPROC[0]}"
	expect sent ask A raw syn 10.89.0.2 203.0.113.2 5000
	expect hello ask B line 10.99.0.2 80 hello 10
	expect sent ask A spray 203.0.113.1 20000
	expect "the same" ask B udp 10.99.0.2 80 5 10
	expect sent ask A raw rubbish 10.89.0.2 10.99.0.2 2000
	expect hello ask B line 10.99.0.2 80 hello 10
	END
}

@test "a worker that dies is replaced; a supervisor by the next command" {
	gateway_net <<-'END'
	serve OUT tcp-lines 10.99.0.2 80
	ask A hold 10.99.0.2 80 5 /run/held >/run/held.end &
	retry 10 test -e /run/held
	old=$(worker)
	kill -9 "$old"
	new_worker() { [[ $(worker) && $(worker) != "$old" ]]; }
	retry 10 new_worker || exit
	expect hello ask A line 10.99.0.2 80
	ended() { [[ -s /run/held.end ]]; }
	retry 10 ended || { echo "the connections of the dead hang" >&2; exit 1; }
	boss=$(supervisor) old=$(worker)
	kill -9 "$boss"
	worker_ended() { ! kill -0 "$old" 2>/dev/null; }
	retry 10 worker_ended || exit
	expect ENETUNREACH ask A connect 10.99.0.2 80
	way running && exit 1
	way start && expect hello ask A line 10.99.0.2 80
	way start && [[ $(supervisor) != "$boss" ]] && way running || exit
	way stop
	way running && exit 1
	[[ ! -e /run/way/gateway ]]
	END
}

@test "a segment of a connection that does not exist is reset" {
	gateway_net <<-'END'
	expect reset ask A raw ack 10.89.0.2 10.99.0.2
	END
}

@test "neither process has capabilities; the worker can open nothing" {
	gateway_net <<-'END'
	for pid in $(worker) $(supervisor); do
		grep -q '^CapEff:.0000000000000000' /proc/$pid/status && grep -q '^CapPrm:.0000000000000000' /proc/$pid/status &&
			grep -q '^NoNewPrivs:.1' /proc/$pid/status || exit
	done
	grep -q __asan_init "$BRYO_BUILD/bryo-gateway" || grep -q '^Seccomp:.2' "/proc/$(worker)/status" || exit
	# Descriptors of the namespace, and none of the host's.
	! ls -l "/proc/$(worker)/fd" | grep -E '/(run|proc|home)'
	END
}

@test "without a TUN device all is the same" {
	echo "nameserver 127.0.0.53" >resolv.conf
	gateway_net -p -d "$PWD/resolv.conf" <<-'END'
	at WAY ip link show out1 >/dev/null || exit
	serve OUT tcp-end 10.99.0.2 80
	serve OUT udp-echo fd99::2 80
	serve OUT udp-echo 10.99.0.2 80
	serve HOST dns 192.0.2.7 127.0.0.53
	expect "the same" ask A send 10.99.0.2 80 3000000
	expect ECONNREFUSED ask A connect 10.99.0.2 81
	expect ECONNREFUSED ask A connect fd99::2 81
	expect "the same" ask A udp 10.99.0.2 80 65507
	expect "the same" ask A udp fd99::2 80 1400
	expect "10 of 1000" ask A segments 10.99.0.2 80
	expect ECONNREFUSED ask A udp 10.99.0.2 81
	expect 192.0.2.7 ask A lookup 169.254.1.1 a.example
	echo "0 0" >/proc/sys/net/ipv4/ping_group_range
	at A ping -c 1 -W 2 10.99.0.2 >/dev/null || exit
	kill -9 "$(supervisor)"
	stopped() { ! way running; }
	retry 10 stopped || exit
	way start && expect "the same" ask A send 10.99.0.2 80 3000
	END
}
