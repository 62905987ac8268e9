# Socket bypass: connections made in the host's network (doc/design/socket-bypass.md)
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

NETWORKS="slirp4netns:bypass pasta:bypass"
HOSTILE=$BRYO_BUILD/test/e2e/bypass_hostile
ASK=(timeout 5 sh -c 'echo hi | nc 10.77.0.1 7000')

needs_outside() { ip -4 addr show dev eth0 2>/dev/null | grep -q 10.77.0.2 || skip "not in the lab's network"; }

# Kernels before 5.19 and other processors have no bypass, and say nothing: the normal path.
needs_bypass() {
	needs_outside
	[[ $(uname -m) = x86_64 || $(uname -m) = aarch64 ]] || skip "not offered on this processor"
	printf '5.19\n%s\n' "$(uname -r)" | sort -CV || skip "not offered by this kernel"
	need_image
}

# bypass_run ARG...: a container with the test's program at /hostile.
bypass_run() { bryo run --rm --network "${network:-slirp4netns:bypass}" -v "$HOSTILE:/hostile:ro" "$@"; }

# forbidden_start: a program of the host's on 127.0.0.1 alone; sets FORBIDDEN to its port and writes each visit to "visits".
forbidden_start() {
	FORBIDDEN=$(free_port)
	python3 -c 'if True:
	import socket, sys
	s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
	open("ready", "w").close()
	while True:
		print("visited from", s.accept()[1], file=open("visits", "a"), flush=True)' "$FORBIDDEN" 3>&- &
	E2E_PIDS+=("$!")
	retry 10 test -f ready
}

# hostile CHECK [OPTION...]: one of the program's checks holds, and nobody came to the forbidden port.
hostile() {
	local check=$1
	shift
	forbidden_start
	run timeout 60 bryo run --rm --network slirp4netns:bypass -v "$HOSTILE:/hostile:ro" "$@" $IMG \
		/hostile "$check" 10.77.0.1 7001 "$FORBIDDEN"
	assert_status 0
	assert_output ""
	[ ! -e visits ]
}

@test "a connection has the host's address, and the others still work" {
	needs_bypass
	for network in $NETWORKS bridge:bypass; do
		run bypass_run $IMG "${ASK[@]}"
		assert_output "10.77.0.2 hi"
		run bypass_run $IMG sh -c 'httpd -h /www -p 127.0.0.1:80; wget -q -O - http://127.0.0.1/'
		assert_output "hello from bryo"
		run bypass_run $IMG sh -c 'nc 10.77.0.1 7999 </dev/null'
		assert_contains "Connection refused"
	done
}

@test "bytes do not pass the helper: it may stand still" {
	needs_bypass
	bryo run -d --name box --network slirp4netns:bypass $IMG sleep 1000
	local helper
	helper=$(cut -d' ' -f1 "$XDG_RUNTIME_DIR"/bryo/containers/*/network)
	kill -STOP "$helper"
	run bryo exec box "${ASK[@]}"
	kill -CONT "$helper"
	assert_output "10.77.0.2 hi"
}

@test "names are resolved and UDP goes the normal path" {
	needs_bypass
	run bypass_run $IMG timeout 5 nslookup example.test
	assert_contains 10.77.0.1
	run bypass_run $IMG timeout 5 sh -c 'echo hi | nc example.test 7000'
	assert_output "10.77.0.2 hi"
}

@test "the host's own address is reached, its loopback is not" {
	needs_bypass
	local port
	port=$(free_port)
	python3 -m http.server --bind 10.77.0.2 "$port" >/dev/null 2>&1 3>&- &
	E2E_PIDS+=("$!")
	retry 10 curl -s -o /dev/null --max-time 2 "http://10.77.0.2:$port/"
	run bypass_run $IMG timeout 5 wget -q -O /dev/null "http://10.77.0.2:$port/"
	assert_ok
	forbidden_start
	run bypass_run $IMG timeout 5 nc -w 2 10.77.0.2 "$FORBIDDEN"
	assert_status 1
	[ ! -e visits ]
}

@test "published ports still work" {
	needs_bypass
	local port
	port=$(free_port)
	bryo run -d --name web --network slirp4netns:bypass -p "127.0.0.1:$port:80" $IMG httpd -f -h /www -p 80
	retry 10 curl -s -f -o /dev/null --max-time 5 "http://127.0.0.1:$port/"
}

@test "hostile: the locks hold without the filter" {
	needs_bypass
	for check in no_loopback no_fast_open no_other_device no_other_port no_listening no_power; do
		hostile $check
	done
}

@test "hostile: races between threads" {
	needs_bypass
	hostile connect_raced
	hostile listen_raced
}

@test "hostile: a nested sandbox stays without network" {
	needs_bypass
	hostile nested --security-opt seccomp=unconfined
}

@test "what must take the normal path does" {
	needs_bypass
	hostile normal_path
}

@test "programs keep what they rely on: options, epoll, signals, children, a second try" {
	needs_bypass
	for check in keeps_properties epoll_knows again_after_refusal interrupted children; do
		hostile $check
	done
	network=bridge:bypass run bypass_run -e CONGESTION_CONTROL="$(</proc/sys/net/ipv4/tcp_congestion_control)" $IMG \
		/hostile keeps_properties 10.77.0.1 7001 1
	assert_status 0
	assert_output ""
}

@test "callers that are killed do not disturb the monitor" {
	needs_bypass
	hostile killed
}

@test "exec sessions are bypassed and as harmless" {
	needs_bypass
	bryo run -d --name box --network slirp4netns:bypass -v "$HOSTILE:/hostile:ro" $IMG sleep 1000
	forbidden_start
	for check in keeps_properties no_listening normal_path; do
		run bryo exec box /hostile $check 10.77.0.1 7001 "$FORBIDDEN"
		assert_status 0
		assert_output ""
	done
	run bryo exec -u 1000:1000 box /hostile keeps_properties 10.77.0.1 7001 "$FORBIDDEN"
	assert_status 0
	# More than there are listeners at a time, one after the other.
	for i in $(seq 70); do bryo exec box true; done
	run bryo exec box /hostile keeps_properties 10.77.0.1 7001 "$FORBIDDEN"
	assert_status 0
	bryo stop -t 0 box
	bryo start box
	run bryo exec box /hostile keeps_properties 10.77.0.1 7001 "$FORBIDDEN"
	assert_status 0
}

@test "servers listen, as any user" {
	needs_bypass
	run bypass_run -u 1000:1000 $IMG sh -c 'httpd -h /www -p 127.0.0.1:8080; wget -q -O - http://127.0.0.1:8080/'
	assert_output "hello from bryo"
}

@test "unprivileged, privileged, with ids of its own: bypassed all the same" {
	needs_bypass
	forbidden_start
	local options
	for options in "--security-opt no-new-privileges" "--privileged" "--security-opt seccomp=unconfined" "--cap-drop all" \
		"--user 1000" "--userns keep-id" "--userns nomap" "--init"; do
		# shellcheck disable=SC2086 # several words
		run bypass_run $options $IMG /hostile keeps_properties 10.77.0.1 7001 "$FORBIDDEN"
		assert_status 0
		assert_output ""
	done
}

# visited CHECK...: the program's checks hold for sockets that port 80 accepts, which is published and visited from outside.
visited() {
	needs nft
	forbidden_start
	local port
	port=$(free_port)
	# shellcheck disable=SC2016 # for the shell inside
	run timeout 55 bryo run --rm --network bridge:bypass -p "$port:80" -v "$HOSTILE:/hostile:ro" $IMG sh -c '
		for check in $1; do /hostile $check 10.77.0.1 7001 "$2" 10.77.0.2 "$3" || exit 1; done' sh "$*" "$FORBIDDEN" "$port"
	assert_output ""
	assert_status 0
	[ ! -e visits ]
}

@test "published: the container has its clients themselves, with all that they said, or as before" {
	needs_bypass
	visited accepted accepted_properties accepted_in_kernel accepted_neighbours accepted_refused
}

@test "published: many workers at one socket, some killed; nobody is lost" {
	needs_bypass
	visited accepted_by_many accept_raced accepted_alone
}

@test "hostile: what was accepted is locked as well" {
	needs_bypass
	visited no_loopback no_fast_open no_other_device no_listening no_power accepted_port connect_raced listen_raced
}

# python_web OPTION...: a server that keeps connections open, in a container; its port is PORT
python_web() {
	needs nft
	local path shared=()
	for path in /usr /lib /lib64; do [ ! -d $path ] || shared+=(-v "$path:$path:ro"); done
	PORT=$(free_port)
	cat >server.py <<-'END'
		import http.server, socket
		class Handler(http.server.BaseHTTPRequestHandler):
		    protocol_version = "HTTP/1.1"
		    def do_POST(self):
		        data = self.rfile.read(int(self.headers["content-length"]))
		        self.send_response(200)
		        self.send_header("content-length", str(len(data)))
		        self.send_header("x-client", self.client_address[0])
		        self.send_header("x-device", str(self.connection.getsockopt(socket.SOL_SOCKET, 62)))
		        self.end_headers()
		        self.wfile.write(data)
		    def log_message(self, *ignored): pass
		http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
	END
	bryo run -d --name web --network bridge:bypass -p "$PORT:80" "$@" "${shared[@]}" -v "$PWD/server.py:/server.py:ro" $IMG \
		/usr/bin/python3 /server.py
	retry 10 curl -s -o /dev/null --max-time 5 -d x "http://127.0.0.1:$PORT/"
}

@test "published: bytes do not pass the forwarder, it may stand still or die" {
	needs_bypass
	python_web
	python3 - "$PORT" "$(bryo inspect --format '{{.State.ConmonPid}}' web)" <<-'END'
		import http.client, os, signal, subprocess, sys
		def ask(c, data):
		    c.request("POST", "/", data)
		    r = c.getresponse()
		    assert r.read() == data
		    return r
		c = http.client.HTTPConnection("10.77.0.2", int(sys.argv[1]), timeout=10)
		r = ask(c, b"first")
		assert r.headers["x-client"] == "10.77.0.2" and int(r.headers["x-device"]) > 0, r.headers
		forwarder = int(subprocess.check_output(["pgrep", "-P", sys.argv[2], "-x", "bryo-forward"]))
		os.kill(forwarder, signal.SIGSTOP)
		ask(c, b"second" * 1000000)
		os.kill(forwarder, signal.SIGKILL)
		ask(c, b"third" * 100000)
		for _ in range(20):
		    other = http.client.HTTPConnection("10.77.0.2", int(sys.argv[1]), timeout=10)
		    ask(other, os.urandom(300000))
		    other.close()
		by_loopback = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
		assert ask(by_loopback, b"x").headers["x-device"] == "0"
	END
}

@test "published: servers that wait in accept, exec sessions, a restart" {
	needs_bypass
	needs nft
	local port
	port=$(free_port)
	bryo run -d --name web --network bridge:bypass -p "$port:80" $IMG httpd -f -h /www -p 80
	run retry 10 curl -s -f --max-time 5 "http://10.77.0.2:$port/"
	assert_output "hello from bryo"
	bryo restart -t 0 web
	run retry 10 curl -s -f --max-time 5 "http://10.77.0.2:$port/"
	assert_output "hello from bryo"
	bryo run -d --name box --network bridge:bypass -p "$((port + 1)):80" -v "$HOSTILE:/hostile:ro" $IMG sleep 1000
	run bryo exec box /hostile accepted 10.77.0.1 7001 1 10.77.0.2 "$((port + 1))"
	assert_output ""
	assert_status 0
}

@test "what contradicts it is refused" {
	need_image
	run bryo run --rm --network slirp4netns:bypass,outbound_addr=eth0 $IMG true
	assert_status 125
	assert_contains "bypass cannot be combined with outbound_addr=eth0"
}
