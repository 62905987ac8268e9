# Faults of networks: what dies, is deleted, full or missing is made good, or refused with its reason; nothing is left
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf; chmod 666 /etc/resolv.conf; mkdir -p /few && mount -t tmpfs -o nr_inodes=300,mode=1777 tmpfs /few'
load helpers

# sleeper NAME OPTION...
sleeper() { bryo run -d --name "$1" "${@:2}" $IMG sleep 1000 >/dev/null; }
inside() { bryo exec "$1" timeout 5 "${@:2}"; }
# asked CONTAINER NAME: the address that its C library finds
asked() { inside "$1" ping -c 1 -w 1 "$2" 2>/dev/null | sed -n 's/^PING [^ ]* (\([^)]*\)).*/\1/p'; }
finds() { [ "$(asked "$1" "$2")" = "$3" ]; }
# reaches CONTAINER: a line to the host outside and back
reaches() { [ "$(inside "$1" sh -c '(echo hi; sleep 0.3) | nc -w 2 10.77.0.1 7000')" = "10.77.0.2 hi" ]; }
run_dir() { echo "$XDG_RUNTIME_DIR/bryo"; }
leases() { find "$(run_dir)/networks" -type l ! -name '.*' -printf '%f\n' 2>/dev/null | sort; }
in_rootless() { bryo unshare nsenter "--net=$(run_dir)/netns/rootless" "$@"; }
pairs() { in_rootless ip -o link show type veth | wc -l; }
supervisor() { cut -d' ' -f1 "$(run_dir)/netns/gateway"; }
worker() { pgrep -P "$(supervisor)"; }
keeper() { cut -d' ' -f1 "$(run_dir)/names/network"; }
# pid_of FORMAT CONTAINER
pid_of() { bryo inspect --format "{{.State.$1}}" "$2"; }
are_gone() {
	local pid
	for pid; do ! kill -0 "$pid" 2>/dev/null || return 1; done
}
# murder PID...: until they are dead
murder() { kill -9 "$@" && retry 10 are_gone "$@"; }
# nothing_left: no lease, namespace or helper, a moment after the last container
nothing_left() {
	[ -z "$(leases)" ] && [ ! -e "$(run_dir)/netns/rootless" ] && ! ps -eo comm= | grep -qxE 'bryo-(gateway.*|names|linger|forward)|aardvark-dns'
}
# all_gone: after all containers nothing is left, and the next start works
all_gone() {
	bryo rm -f -t 0 -a >/dev/null
	retry 10 nothing_left
	bryo run --rm --network "${1:-bridge}" $IMG true
	retry 10 nothing_left
}

@test "the namespace's file is deleted: running containers keep it" {
	need_image
	bryo network create shop
	sleeper web --network shop
	sleeper db --network shop
	local ns
	ns=$(in_rootless readlink /proc/self/ns/net)
	rm -f "$(run_dir)/netns/rootless"
	# The next command finds it through the gateway.
	bryo ps >/dev/null
	[ "$(in_rootless readlink /proc/self/ns/net)" = "$ns" ]
	finds web db 10.89.0.3
	reaches web
	# A start does, too; so do connect and disconnect.
	rm -f "$(run_dir)/netns/rootless"
	sleeper late --network shop
	finds web late 10.89.0.4
	[ "$(in_rootless readlink /proc/self/ns/net)" = "$ns" ]
	rm -f "$(run_dir)/netns/rootless"
	bryo network disconnect shop late
	[ "$(leases)" = $'10.89.0.2\n10.89.0.3' ]
	# When the gateway is dead, through the keeper of names.
	rm -f "$(run_dir)/netns/rootless"
	murder "$(supervisor)"
	bryo ps >/dev/null
	[ "$(in_rootless readlink /proc/self/ns/net)" = "$ns" ]
	reaches web
	all_gone shop
}

@test "the namespace is lost with all that knew it: reload connects anew" {
	need_image
	bryo network create shop
	sleeper web --network shop
	sleeper db --network bridge --network shop
	rm -f "$(run_dir)/netns/rootless"
	murder "$(supervisor)" "$(keeper)"
	# The one that starts has a network; the others are cut off, and keep their addresses.
	sleeper late --network shop
	! reaches web || return 1
	bryo network reload -a
	for name in web db late; do reaches $name; done
	finds late web 10.89.0.2
	finds late db "$(bryo inspect --format '{{.NetworkSettings.Networks.shop.IPAddress}}' db)"
	[ "$(pairs)" = 4 ]
	bryo network disconnect shop db
	[ "$(pairs)" = 3 ]
	all_gone shop
}

@test "the holder is killed: containers go on, and so does the next start" {
	need_image
	bryo network create shop
	sleeper web --network shop
	murder "$(sed -n 's/^pid //p' "$(run_dir)/holder")"
	sleeper db --network shop
	finds web db 10.89.0.3
	reaches web
	reaches db
	[ "$(pairs)" = 2 ]
	murder "$(sed -n 's/^pid //p' "$(run_dir)/holder")" "$(supervisor)" "$(keeper)"
	bryo ps >/dev/null
	reaches web
	finds web db 10.89.0.3
	all_gone shop
}

@test "processes that outlive their container do not keep its address" {
	need_image
	local leftover
	# Without cgroups, and without a process namespace of its own, nothing kills them with their container.
	bryo run -d --name away --network bridge --pid host --cgroups disabled $IMG sh -c 'setsid sleep 7654 & exec sleep 1000' >/dev/null
	retry 10 pgrep -fx 'sleep 7654'
	leftover=$(pgrep -fx 'sleep 7654')
	sleeper stays --network bridge
	kill -9 "$(pid_of Pid away)"
	retry 10 eval '[ "$(leases)" = 10.88.0.3 ]'
	retry 10 eval '[ "$(pairs)" = 1 ]'
	kill -0 "$leftover"
	run bryo unshare nsenter -n -t "$leftover" ip -o link
	refute_contains eth0
	bryo rm away
	bryo run -d --name next --network bridge --ip 10.88.0.2 $IMG httpd -f -h /www -p 80 >/dev/null
	serves() { inside stays wget -q -O - http://10.88.0.2/ | grep -qx 'hello from bryo'; }
	retry 10 serves
	kill "$leftover"
	all_gone
}

@test "two stores in one runtime directory do not get into each other's networks" {
	need_image
	bryo network create --subnet 10.99.1.0/24 one
	sleeper a --network one
	local first=$XDG_DATA_HOME
	export XDG_DATA_HOME=$E2E_DIR/second
	mkdir "$XDG_DATA_HOME"
	need_image
	bryo network create --subnet 10.99.2.0/24 two		# br1 there, too
	bryo network create --subnet 10.99.1.0/25 --interface-name other three
	run bryo run --rm --network two $IMG true
	assert_status 125
	assert_contains "its bridge br1 is another network's"
	run bryo run --rm --network three $IMG true
	assert_status 125
	assert_contains 'subnet 10.99.1.0/25 overlaps 10.99.1.0/24, which the bridge br1 has'
	bryo network create --subnet 10.99.2.0/24 --interface-name br7 four 2>/dev/null || {
		bryo network rm two
		bryo network create --subnet 10.99.2.0/24 --interface-name br7 four
	}
	sleeper b --network four
	[ "$(leases)" = $'10.99.1.2\n10.99.2.2' ]
	bryo rm -f -t 0 b
	export XDG_DATA_HOME=$first
	[ "$(leases)" = 10.99.1.2 ]
	bryo exec a true
	bryo unshare rm -rf "$E2E_DIR/second"
	all_gone one
}

@test "an option that the kernel does not offer is refused with its reason, and leaves nothing" {
	need_image
	bryo network create -o vlan=42 tagged
	if unshare -rn ip link add br0 type bridge vlan_filtering 1 2>/dev/null; then
		sleeper a --network tagged
		run in_rootless bridge vlan show
		assert_matches 'br1 +42 PVID'
		assert_matches 'veth[0-9]+ +42 PVID'
		finds a a 10.89.0.2
	else
		run bryo run --rm --network tagged $IMG true
		assert_status 125
		assert_contains "this kernel's bridges know no VLANs"
	fi
	bryo network create -d macvlan --subnet 10.5.0.0/24 lan
	run bryo run --rm --network lan $IMG true
	assert_status 125
	assert_contains 'network lan has the driver macvlan'
	assert_contains 'which an unprivileged user cannot share'
	sleeper b --network bridge
	run bryo network connect lan b
	assert_status 125
	assert_contains 'network lan has the driver macvlan'
	all_gone
}

@test "the gateway's worker is killed under load: a transfer breaks, the next connection works" {
	need_image
	sleeper a --network bridge
	bryo exec a sh -c 'head -c 100000000000 /dev/zero | nc 10.77.0.1 7001' >transfer 2>&1 3>&- &
	E2E_PIDS+=($!)
	local pid=$! old monitor
	monitor=$(pid_of ConmonPid a)
	for _ in 1 2 3; do
		old=$(worker)
		murder "$old"
		retry 2 reaches a
		[ "$(worker)" != "$old" ]
	done
	wait "$pid" || true
	[ ! -s transfer ] || ! grep -q '^[0-9]' transfer	# it did not come to its end
	kill -0 "$monitor"
	# With its supervisor nobody is left; any command that looks at containers starts both.
	murder "$(supervisor)"
	bryo ps >/dev/null
	reaches a
	all_gone
}

@test "rubbish for aardvark-dns and the forwarder; names go on" {
	need_image
	bryo network create shop
	sleeper web --network shop
	sleeper db --network shop
	local before
	before=$(pgrep -P "$(keeper)")
	in_rootless python3 - <<-'END'
		import os, random, socket, struct
		random.seed(7)
		good = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3web\3dns\6podman\0\0\1\0\1"
		odd = [b"", b"\0", good[:11], good[:12], good[:-1], good[:12] + b"\xc0\x0c\0\1\0\1", good[:12] + b"\x3f" * 200,
		       good[:4] + b"\xff" * 8 + good[12:], good[:2] + b"\x81\x80" + good[4:], good + os.urandom(4000)]
		for address in ("10.89.0.1", "169.254.1.1"):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.connect((address, 53))
		    for i in range(2000):
		        data = bytearray(odd[i % len(odd)] if i < 100 else good)
		        for _ in range(random.randrange(4) if i >= 100 else 0):
		            data[random.randrange(len(data))] = random.randrange(256)
		        try:
		            s.send(bytes(data))
		        except ConnectionRefusedError:
		            pass
		    try:
		        t = socket.create_connection((address, 53), 2)
		        t.sendall(b"\xff\xff" + os.urandom(60000))
		        t.close()
		    except OSError:
		        pass
	END
	retry 20 finds db web 10.89.0.2
	retry 20 finds db example.com 10.77.0.1
	[ "$(pgrep -P "$(keeper)" | wc -l)" = 1 ]
	all_gone shop
}

@test "a host without a name server that answers: containers know each other, and the rest fails" {
	need_image
	bryo network create shop
	echo 'nameserver 10.77.0.99' >/etc/resolv.conf		# nobody is there
	sleeper web --network shop
	sleeper db --network shop
	bryo exec -d db nslookup nobody.example
	finds db web 10.89.0.2
	run inside db nslookup nobody.example
	[ "$status" -ne 0 ]
	: >/etc/resolv.conf			# not even one
	sleeper late --network shop
	finds late web 10.89.0.2
	echo 'nameserver 10.77.0.1' >/etc/resolv.conf
	retry 20 finds late example.com 10.77.0.1
	all_gone shop
}

@test "a full runtime directory: whatever a start has taken it gives back" {
	mountpoint -q /few || skip "no small file system at /few (test/e2e/run makes one)"
	need_image
	bryo system migrate
	export XDG_RUNTIME_DIR=/few/run
	mkdir -m 700 /few/run /few/filler
	bryo network create shop
	sleeper stays --network shop
	retry 10 eval '! pgrep -x bryo-linger'
	(cd /few/filler && seq 300 | xargs touch 2>/dev/null) || true
	local i worked=
	for i in {1..40}; do
		run bryo run --rm --network shop $IMG true
		[ "$status" -ne 0 ] || { worked=1; break; }
		# The last of them has run when there is no place to write how it ended.
		[[ $output = *"No space left on device"* || $i -gt 7 ]] || { echo "with $((i - 1)) files:" >&2; show; return 1; }
		[[ $output != *"already running"* ]]
		retry 10 eval '[ "$(leases)" = 10.89.0.2 ]'
		rm "/few/filler/$i"
	done
	[ "$worked" ] && [ "$i" -gt 5 ]
	retry 10 eval '[ "$(leases)" = 10.89.0.2 ]'
	rm -r /few/filler
	sleeper next --network shop
	finds next stays 10.89.0.2
	all_gone shop
}

@test "clients that connect to a published port and say nothing make room for others" {
	[ -z "${BRYO_TEST_QUICK:-}" ] || skip "they may be silent for ten seconds"
	need_image
	local port
	port=$(free_port)
	# With few descriptors the table is small, and there are more silent ones than it has places.
	(ulimit -n 600; bryo run -d --name web --network bridge -p "$port:80" $IMG httpd -f -h /www -p 80 >/dev/null)
	retry 10 curl -s "http://127.0.0.1:$port/" >/dev/null
	python3 - "$port" <<-'END'
		import socket, sys, time
		address = ("127.0.0.1", int(sys.argv[1]))
		silent = [socket.socket() for i in range(260)]
		for s in silent:
		    s.setblocking(False)
		    s.connect_ex(address)
		def get(seconds):
		    s = socket.create_connection(address, seconds)
		    s.settimeout(seconds)
		    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
		    assert b"hello" in b"".join(iter(lambda: s.recv(65536), b""))
		get(40)
		for i in range(20):
		    get(10)
	END
	run curl -s --max-time 10 "http://127.0.0.1:$port/"
	assert_output "hello from bryo"
	all_gone
}

@test "starts and stops at once while commands, monitors and helpers are killed: nothing is left" {
	need_image
	bryo network create --subnet 10.99.0.0/24 --ip-range 10.99.0.2-10.99.0.99 shop
	sleeper stays --network shop
	local i
	several() {
		local k
		for k in 1 2 3; do
			"$BRYO" run --rm --network shop --ip "10.99.0.$((100 + $1))" $IMG true
			"$BRYO" run -d --name "c$1-$k" --network shop $IMG sleep 1000
			"$BRYO" rm -f -t 0 "c$1-$k"
		done
	}
	for i in {1..10}; do
		several "$i" >/dev/null 2>&1 3>&- &
		workers[i]=$!
	done
	for i in {1..40}; do
		sleep 0.05
		victims=($(ps -eo pid=,comm= | awk '$2 ~ /^(bryo|bryo-monitor|bryo-names|bryo-gateway.*|aardvark-dns|bryo-linger)$/ {print $1}'))
		[ -z "$victims" ] || kill -9 "${victims[RANDOM % ${#victims[@]}]}" 2>/dev/null || true
	done
	wait "${workers[@]}" || true
	bryo rm -f -t 0 -a >/dev/null
	retry 20 nothing_left
	[ -z "$(ls -A "$(run_dir)/containers")" ]
	run bryo system check --quick --max 0s
	assert_ok
	sleeper web --network shop --ip 10.99.0.101
	sleeper db --network shop
	finds db web 10.99.0.101
	all_gone shop
}
