# Faults of networks: what dies, is deleted, full or missing is made good, or refused with its reason; nothing is left
# lab: -o 'cd /; exec /srv/bryo/test/e2e/outside' -x 'echo nameserver 10.77.0.1 >/etc/resolv.conf'
load helpers

# sleeper NAME OPTION...
sleeper() { bryo run -d --name "$1" "${@:2}" $IMG sleep 1000 >/dev/null; }
inside() { bryo exec "$1" timeout 5 "${@:2}"; }
# asked CONTAINER NAME: the address that its C library finds
asked() { inside "$1" ping -c 1 -w 1 "$2" 2>/dev/null | sed -n 's/^PING [^ ]* (\([^)]*\)).*/\1/p'; }
finds() { [ "$(asked "$1" "$2")" = "$3" ]; }
# reaches CONTAINER: a line to the host outside and back
reaches() { [ "$(inside "$1" sh -c '(echo hi; sleep 0.3) | nc 10.77.0.1 7000')" = "10.77.0.2 hi" ]; }
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
	[ -z "$(leases)" ] && [ ! -e "$(run_dir)/netns/rootless" ] && ! pgrep -x 'bryo-(gateway|names|linger|forward)|aardvark-dns' >/dev/null
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
