# Published ports of containers on bridges: forwarded by the monitor
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

UDP=$BRYO_BUILD/test/e2e/udp

# Silent: `retry` may come before the server.
get() { curl -s --max-time 5 "$@"; }

# web OPTION...: a container that serves /www, says at /cgi-bin/who who asks, and echoes UDP port 53 with the asker's address
web() {
	needs nft
	need_image
	mkdir -p www/cgi-bin
	cat >www/cgi-bin/who <<-'END'
		#!/bin/sh
		printf 'Content-type: text/plain\r\n\r\n'
		echo "$REMOTE_ADDR" | sed 's/^\[\(::ffff:\)*//; s/]$//'
	END
	chmod 755 www/cgi-bin/who
	echo hello >www/index.html
	bryo run -d --network bridge -v "$PWD/www:/srv:ro" -v "$UDP:/udp:ro" "$@" $IMG \
		sh -c '/udp who 53 & exec httpd -f -h /srv -p 80'
}

# outside PROTOCOL ADDRESS PORT TEXT: what a client beyond the lab's network is answered
outside() {
	ip -4 addr show dev eth0 2>/dev/null | grep -q 10.77.0.2 || skip "not in the lab's network"
	python3 - "$@" <<-'END'
		import socket, sys
		with socket.create_connection(("10.77.0.1", 7002), 10) as s:
		    s.sendall((" ".join(sys.argv[1:]) + "\n").encode())
		    s.shutdown(socket.SHUT_WR)
		    data = b"".join(iter(lambda: s.recv(65536), b""))
		print(data.decode().rpartition("\r\n\r\n")[2])
	END
}

monitor_of() { bryo inspect --format '{{.State.ConmonPid}}' "$1"; }
# forwarder_of CONTAINER: the process that serves its ports at the moment, or nothing
forwarder_of() { pgrep -P "$(monitor_of "$1")" -x bryo-forward; }

is_closed() { ! (exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

@test "TCP and UDP, an address, random ports, ranges, and what port, ps and inspect say" {
	local a b c d
	a=$(free_port) b=$(free_port) c=$(free_port)
	d=$(($(free_port) % 20000 + 20000))
	web --name web -p "$a:80" -p "127.0.0.1:$b:80" -p "$c:53/udp" -p 80 -p "$d-$((d + 2)):79-81"
	local port random
	for port in "$a" "$b" "$((d + 1))"; do
		run retry 5 get "http://127.0.0.1:$port/"
		assert_output hello
	done
	run "$UDP" send 127.0.0.1 "$c" ping
	assert_output "10.88.0.1 ping"
	run bryo port web 80/tcp
	assert_ok
	assert_contains "0.0.0.0:$a"
	assert_contains "127.0.0.1:$b"
	random=$(bryo port web 80/tcp | sed -n 's/.*:\([0-9]*\)$/\1/p' | grep -vx -e "$a" -e "$b" -e "$((d + 1))")
	run get "http://127.0.0.1:$random/"
	assert_output hello
	run bryo port web
	assert_contains "53/udp -> 0.0.0.0:$c"
	assert_contains "81/tcp -> 0.0.0.0:$((d + 2))"
	run bryo ps --format '{{.Ports}}'
	assert_contains "$a->80/tcp"
	run bryo inspect --format '{{(index (index .NetworkSettings.Ports "53/udp") 0).HostPort}}' web
	assert_output "$c"
}

@test "the client's address reaches the container" {
	local a b
	a=$(free_port) b=$(free_port)
	web --name web -p "$a:80" -p "$b:53/udp"
	retry 5 get "http://127.0.0.1:$a/" >/dev/null
	run outside tcp 10.77.0.2 "$a" "GET /cgi-bin/who HTTP/1.0"
	assert_output 10.77.0.1
	run outside udp 10.77.0.2 "$b" text
	assert_output "10.77.0.1 text"
	# The host by its address in the network, too; by its loopback it is the bridge's gateway.
	run get "http://10.77.0.2:$a/cgi-bin/who"
	assert_output 10.77.0.2
	run get "http://127.0.0.1:$a/cgi-bin/who"
	assert_output 10.88.0.1
	# Without an address of that family it is the gateway, too.
	run outside tcp fd77::2 "$a" "GET /cgi-bin/who HTTP/1.0"
	assert_output 10.88.0.1
}

@test "IPv6" {
	local port
	needs nft
	need_image
	port=$(free_port)
	bryo network create --ipv6 six
	web --name web --network six -p "$port:80" -p "[::1]:$((port + 1)):80"
	run retry 5 get "http://[::1]:$port/"
	assert_output hello
	run get "http://[::1]:$((port + 1))/"
	assert_output hello
	run get "http://127.0.0.1:$((port + 1))/"
	[ "$status" -ne 0 ]
	run outside tcp fd77::2 "$port" "GET /cgi-bin/who HTTP/1.0"
	assert_contains fd77::1
}

@test "-P publishes what the image and --expose name" {
	local port
	web --name web -P --expose 80 --expose 53/udp
	port=$(bryo port web 80/tcp)
	run retry 5 get "http://127.0.0.1:${port#*:}/"
	assert_output hello
	port=$(bryo port web 53/udp)
	run "$UDP" send 127.0.0.1 "${port#*:}" x
	assert_output "10.88.0.1 x"
}

@test "a port that is taken: at once, and by whom" {
	local port
	port=$(free_port)
	web --name web -p "$port:80"
	run bryo run --rm --network bridge -p "$port:80" $IMG true
	assert_status 126
	assert_contains "address already in use"
	assert_contains "published by the container web"
	python3 -c 'import socket, time; s = socket.socket(); s.bind(("", 0)); s.listen(); print(s.getsockname()[1], flush=True); time.sleep(60)' \
		>other 3>&- &
	E2E_PIDS+=($!)
	retry 5 test -s other
	run bryo run --rm --network bridge -p "127.0.0.1:$(cat other):80" $IMG true
	assert_status 126
	assert_contains "ss -ltnp 'sport = :$(cat other)'"	# whose it is cannot be seen from the rootless namespace
	run bryo run --rm --network bridge -p 198.51.100.77:8080:80 $IMG true
	assert_status 126
	assert_contains "198.51.100.77"
	run bryo ps -q
	assert_matches '^[0-9a-f]{12}$'
}

@test "ports below 1024, SCTP, and one port twice are refused with the reason" {
	needs nft
	need_image
	[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ] || skip "ports from 80 on are allowed here"
	run bryo run --rm --network bridge -p 80:80 $IMG true
	assert_status 126
	assert_contains "ip_unprivileged_port_start=80"
	run bryo run --rm --network bridge -p 8080:80/sctp $IMG true
	assert_status 125
	assert_contains "sctp"
	run bryo run --rm --network bridge -p 48080:80 -p 48080:81 $IMG true
	assert_status 125
	assert_contains "conflicting port mappings for host port 48080"
	run bryo ps -aq
	assert_output ""
}

@test "the port is free however the container ends" {
	local port end pid
	port=$(free_port)
	for end in "bryo stop -t 0 web" "bryo rm -f -t 0 web" "bryo kill web" 'kill -KILL $(monitor_of web)' \
		'kill -KILL $(bryo inspect --format "{{.State.Pid}}" web)'; do
		web --name web -p "$port:80"
		retry 5 get "http://127.0.0.1:$port/" >/dev/null
		exec 8<>"/dev/tcp/127.0.0.1/$port"
		eval "$end"
		retry 5 is_closed "$port"
		exec 8>&-
		bryo rm -f -t 0 web >/dev/null
	done
	web --name web -p "$port:80"
	run retry 5 get "http://127.0.0.1:$port/"
	assert_output hello
}

@test "stop and start; a restart by policy keeps the port, also a random one, and clients wait for it" {
	local port pid
	port=$(free_port)
	web --name web -p "$port:80"
	bryo restart -t 0 web
	run retry 5 get "http://127.0.0.1:$port/"
	assert_output hello
	bryo stop -t 0 web
	is_closed "$port"
	bryo start web
	run retry 5 get "http://127.0.0.1:$port/"
	assert_output hello
	bryo rm -f -t 0 web

	web --name web --restart always -p 80
	port=$(bryo port web 80/tcp)
	port=${port#*:}
	run retry 5 get "http://127.0.0.1:$port/"
	assert_output hello
	pid=$(bryo inspect --format '{{.State.Pid}}' web)
	kill -KILL "$pid"
	run retry 5 curl -s --max-time 5 "http://127.0.0.1:$port/"
	assert_output hello
	[ "$(bryo inspect --format '{{.State.Pid}}' web)" != "$pid" ]
	[ "$(bryo port web 80/tcp)" = "0.0.0.0:$port" ]
}

@test "ten thousand short connections, and silent ones, leave nothing" {
	local port monitor before
	port=$(free_port)
	web --name web -p "$port:53" -p "$((port + 1)):80"
	bryo exec -d web sh -c 'while :; do nc -l -p 53 -e true; done'
	retry 5 get "http://127.0.0.1:$((port + 1))/" >/dev/null
	python3 - "$port" "$((port + 1))" <<-'END'
		import socket, struct, sys
		for i in range(10000):		# most are reset by the forwarder, because the container refuses them
		    try:
		        s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
		    except ConnectionResetError:
		        continue
		    if i % 2:
		        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    s.close()
		silent = [socket.create_connection(("127.0.0.1", int(sys.argv[2])), 10) for i in range(100)]
		s = socket.create_connection(("127.0.0.1", int(sys.argv[2])), 10)
		s.sendall(b"GET / HTTP/1.0\r\n\r\n")
		assert b"hello" in b"".join(iter(lambda: s.recv(65536), b""))
	END
	few() { [ "$(ls "/proc/$(forwarder_of web)/fd" 2>/dev/null | wc -l)" -lt 45 ]; }
	retry 40 few		# the server has a short queue: what did not fit is tried again by the kernel
	[ "$(ls "/proc/$(monitor_of web)/fd" | wc -l)" -lt 30 ]
	run get "http://127.0.0.1:$((port + 1))/"
	assert_output hello
}

@test "more ports than a login has descriptors" {
	needs nft
	need_image
	local first=$(($(free_port) % 10000 + 20000))
	web --name web -p "127.0.0.1:$first-$((first + 1199)):1-1200"
	run retry 5 get "http://127.0.0.1:$((first + 79))/"
	assert_output hello
	[ "$(bryo port web | wc -l)" = 1200 ]
}

@test "ports follow their container to another network" {
	local port
	port=$(free_port)
	bryo network create other
	web --name web -p "$port:80"
	run retry 5 get "http://127.0.0.1:$port/cgi-bin/who"
	assert_output 10.88.0.1
	bryo network connect other web
	bryo network disconnect bridge web
	run retry 5 get --max-time 1 "http://127.0.0.1:$port/cgi-bin/who"
	assert_output "$(bryo network inspect --format '{{range .Subnets}}{{.Gateway}}{{end}}' other)"
	bryo network disconnect other web
	run get "http://127.0.0.1:$port/"
	[ "$status" -ne 0 ]
}
