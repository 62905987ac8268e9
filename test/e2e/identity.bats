# Who the user is in containers: ranges, the held namespace, what heals by itself, what each fault says
# lab: -k newuidmap=private -o test/e2e/admin
load helpers

setup() {
	e2e_setup
	[ -p /run/admin.done ] || retry 5 test -p /run/admin.done || skip "no administrator: run it by test/e2e/run as root"
}
teardown() {
	admin 'chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap; for h in newuidmap newgidmap; do
		[ ! -e /usr/bin/$h.away ] || mv /usr/bin/$h.away /usr/bin/$h; done; umount /usr/bin/newuidmap;
		for k in subuid subgid; do [ ! -e /etc/$k.was ] || mv /etc/$k.was /etc/$k; done; for f in passwd nsswitch.conf; do [ ! -e /etc/$f.was ] || mv /etc/$f.was /etc/$f; done' || true
	e2e_teardown
}

# admin COMMAND LINE: as root of this host
admin() {
	local code
	echo "${*//$'\n'/ }" >/run/admin
	read -r code </run/admin.done
	return "$code"
}
# ranges SUBUID-LINES [SUBGID-LINES]: replaces the files until the test's end
ranges() {
	admin "for k in subuid subgid; do [ -e /etc/\$k.was ] || cp -p /etc/\$k /etc/\$k.was; done"
	admin "printf '$1' >/etc/subuid; printf '${2-$1}' >/etc/subgid"
}
id_map() { bryo unshare cat /proc/self/uid_map | tr -s ' ' | sed 's/^ //'; }
ME() { id -un; }
holder() { pgrep -f "bryo-hold:$XDG_RUNTIME_DIR"; }

@test "own id is 0, the subordinate ids follow" {
	ranges "$(ME):200000:65536\n"
	run id_map
	assert_ok
	assert_output "0 $(id -u) 1
1 200000 65536"
	run bryo unshare id -u
	assert_output 0
	run bryo unshare cat /proc/self/gid_map
	assert_matches "1 +200000 +65536"
}

@test "several ranges, by name and by number, among comments and bad lines" {
	ranges "# c\n\nother:500000:65536\n$(ME):200000:1000\nbad line\n$(id -u):400000:70000\n$(ME):x:1\n"
	run id_map
	assert_output "0 $(id -u) 1
1 200000 1000
1001 400000 70000"
}

@test "a range with the own id inside works, without that id" {
	ranges "$(ME):$(($(id -u) - 10)):100\n"
	run id_map
	assert_output "0 $(id -u) 1
1 $(($(id -u) - 10)) 10
11 $(($(id -u) + 1)) 89"
}

@test "info shows the mappings as podman does" {
	ranges "$(ME):200000:65536\n"
	run bryo info --format '{{json .Host.IDMappings}}'
	assert_ok
	want='{"gidmap":[{"container_id":0,"host_id":GID,"size":1},{"container_id":1,"host_id":200000,"size":65536}],"uidmap":[{"container_id":0,"host_id":UID,"size":1},{"container_id":1,"host_id":200000,"size":65536}]}'
	want=${want/GID/$(id -g)}
	assert_output "${want/UID/$(id -u)}"
	run bryo info --format '{{.Host.Security.Rootless}} {{.Host.OCIRuntime.Name}} {{.Host.Arch}}'
	assert_contains "true bryo"
	run bryo info
	assert_contains "graphDriverName:"
	assert_contains "idMappings:"
}

@test "the working directory, the groups and the environment stay" {
	mkdir -p "$E2E_DIR/a b"
	cd "$E2E_DIR/a b"
	run env X=y "$BRYO" unshare sh -c 'pwd; echo $X'
	assert_output "$E2E_DIR/a b
y"
	cd /
}

@test "one holder for twenty first commands at once" {
	local pids=()
	for i in $(seq 20); do
		bryo unshare readlink /proc/self/ns/user >"$E2E_DIR/ns.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"	# not bats' own clock
	[ "$(sort -u "$E2E_DIR"/ns.* | wc -l)" = 1 ]
	[ "$(cat "$E2E_DIR"/ns.* | wc -l)" = 20 ]
	[ "$(holder | wc -l)" = 1 ]
}

@test "a killed holder is replaced without a word" {
	bryo unshare true
	kill -9 "$(holder)"
	run bryo unshare id -u
	assert_output 0
	echo "not a record" >"$XDG_RUNTIME_DIR/bryo/holder"
	run bryo unshare id -u
	assert_output 0
}

@test "changed ranges are taken when nothing runs" {
	ranges "$(ME):200000:65536\n"
	bryo unshare true
	ranges "$(ME):300000:65536\n"
	run id_map
	assert_output "0 $(id -u) 1
1 300000 65536"
}

@test "changed ranges wait for running containers, and that is said" {
	ranges "$(ME):200000:65536\n"
	need_image
	bryo run -d --name stays --network none $IMG sleep 100
	ranges "$(ME):300000:65536\n"
	run bryo ps
	assert_ok
	assert_contains "200000:65536 to 300000:65536"
	refute_contains migrate
	bryo rm -f -t 0 stays
	run id_map
	assert_contains "1 300000 65536"
}

@test "migrate makes a new namespace" {
	bryo unshare true
	before=$(holder)
	run bryo system migrate
	assert_ok
	[ -z "$(holder)" ]
	bryo unshare true
	[ "$(holder)" != "$before" ]
}

@test "inside of unshare bryo is the same" {
	before=$(bryo unshare readlink /proc/self/ns/user)
	run bryo unshare "$BRYO" unshare readlink /proc/self/ns/user
	assert_output "$before"
	run bryo unshare "$BRYO" info --format '{{len .Host.IDMappings.UIDMap}}'
	assert_output 2
}

@test "without ranges one id is mapped; it is said once, with the cure" {
	ranges '# none\n'
	run bryo info --format '{{json .Host.IDMappings.UIDMap}}'
	assert_ok
	assert_contains "[{\"container_id\":0,\"host_id\":$(id -u),\"size\":1}]"
	assert_contains "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(ME)"
	run bryo info --format '{{.Host.IDMappingsReason}}'
	assert_contains "no subordinate user and group ids"
	run bryo images
	refute_contains usermod
	need_image
	run bryo run --rm --network none $IMG id -u
	assert_ok
	assert_output 0
	ranges "$(ME):200000:65536\n"		# given later, they are taken
	run id_map
	assert_contains "1 200000 65536"
}

@test "an account and ranges that only a directory service knows" {
	export LD_LIBRARY_PATH=$BRYO_BUILD/test/e2e
	ranges '# none\n'
	admin "cp -p /etc/passwd /etc/passwd.was; cp -p /etc/nsswitch.conf /etc/nsswitch.conf.was; sed -i /^$(ME):/d /etc/passwd"
	run bryo info --format "{{.Host.IDMappingsReason}}"
	assert_contains "$(id -u) has no subordinate user and group ids"
	admin "sed -i 's/^passwd:.*/passwd: files bryotest/' /etc/nsswitch.conf"
	bryo system migrate
	run bryo info --format "{{.Host.IDMappingsReason}}"
	assert_contains "dirk has no subordinate user and group ids"
	run env -u HOME -u XDG_DATA_HOME "$BRYO" info --format '{{.Store.GraphRoot}}'
	assert_output "/tmp/dirk/.local/share/bryo"
	admin "echo 'subid: nosuchsource' >>/etc/nsswitch.conf"
	bryo system migrate
	run bryo info --format "{{.Host.IDMappingsReason}}"
	assert_contains "dirk has no subordinate user and group ids (the source that nsswitch.conf names)"
}

@test "ranges in one file only" {
	ranges "$(ME):200000:65536\n" ''
	run bryo info --format x
	assert_contains "no subordinate group ids (/etc/subgid)"
	assert_contains "as root: usermod --add-subgids "
}

@test "helper missing" {
	admin 'mv /usr/bin/newgidmap /usr/bin/newgidmap.away'
	run bryo info --format x
	assert_contains "newgidmap is not installed"
	assert_contains "as root: apt install uidmap"
	run bryo explain --system
	assert_status 1
	assert_matches "bad +id-helpers +\[newuidmap-missing\] newgidmap is not installed"
	assert_contains "as root: apt install uidmap"
	admin 'mv /usr/bin/newgidmap.away /usr/bin/newgidmap'
	run id_map
	assert_contains "1 100000 65536"
}

@test "setuid bit lost" {
	admin 'chmod u-s /usr/bin/newuidmap'
	run bryo info --format x
	assert_contains "/usr/bin/newuidmap has lost its setuid bit"
	assert_contains "chmod u+s /usr/bin/newuidmap"
	run bryo explain --system --format json
	assert_status 1
	[ "$(jq -r '.checks[] | select(.state == "bad") | .code, .fixes[0].admin' <<<"$output")" = \
		$'newuidmap-unprivileged\nchown root: /usr/bin/newuidmap && chmod u+s /usr/bin/newuidmap' ]
	admin 'chmod u+s /usr/bin/newuidmap'	# the cure works, at once
	run id_map
	assert_contains "1 100000 65536"
}

@test "setuid bit without effect on a nosuid mount" {
	admin 'mkdir -p /run/ns; mount -t tmpfs -o nosuid x /run/ns; cp -p /usr/bin/newuidmap /run/ns; mount --bind /run/ns/newuidmap /usr/bin/newuidmap'
	run bryo info --format x
	assert_contains "/usr/bin/newuidmap is mounted nosuid"
	assert_contains "remount,bind,suid /usr/bin/newuidmap"
	run bryo explain --system
	assert_status 1
	assert_contains "[newuidmap-unprivileged] the setuid bit of /usr/bin/newuidmap has no effect"
}

@test "the helper's own words are kept" {
	ranges "$(ME):200000:65536\nroot:4000000000:1\n"
	admin 'mv /usr/bin/newuidmap /usr/bin/newuidmap.away; printf "#!/bin/sh\necho newuidmap: no luck today >&2; exit 1\n" >/usr/bin/newuidmap; chmod 4755 /usr/bin/newuidmap'
	run bryo info --format x
	assert_contains "no luck today"
}

@test "small and overlapping ranges work, and info says what is wrong with them" {
	ranges "$(ME):200000:10\n"
	run id_map
	assert_output "0 $(id -u) 1
1 200000 10"
	run bryo info --format '{{.Host.IDMappingsReason}}'
	assert_contains "only 10 subordinate uids"
	ranges "$(ME):200000:65536\nneighbour:230000:65536\n"
	run bryo info --format '{{.Host.IDMappingsReason}}'
	assert_contains "gives ids of $(ME) (200000:65536) to neighbour too"
	assert_contains "as root: usermod --del-subuids 200000-265535 --add-subuids 295536-361071 $(ME)"
	run bryo explain --system
	assert_status 1
	assert_matches "bad +ids-unshared +\[subid-overlap\]"
}

@test "a killed holder of running containers is replaced in their namespace" {
	need_image
	bryo run -d --name lives --network none $IMG sleep 100
	before=$(bryo unshare readlink /proc/self/ns/user)
	kill -9 "$(holder)"
	run bryo unshare readlink /proc/self/ns/user
	assert_output "$before"
	run bryo exec lives echo in
	assert_output in
	bryo rm -f -t 0 lives
}

@test "a fallback runtime directory must be ours and closed" {
	admin "chmod 000 /run/user/$(id -u)"
	unset XDG_RUNTIME_DIR
	run bryo unshare id -u
	[ "$output" = 0 ]
	[ "$(stat -c '%a %u' "/tmp/bryo-$(id -u)")" = "700 $(id -u)" ]
	pkill -9 -f "bryo-hold:/tmp/bryo-$(id -u)"
	rm -r "/tmp/bryo-$(id -u)"
	mkdir "$E2E_DIR/elsewhere"
	ln -s "$E2E_DIR/elsewhere" "/tmp/bryo-$(id -u)"
	run bryo unshare id -u
	assert_status 125
	[ -z "$(ls "$E2E_DIR/elsewhere")" ]
	rm "/tmp/bryo-$(id -u)"
	mkdir -m 777 "/tmp/bryo-$(id -u)"
	chmod 777 "/tmp/bryo-$(id -u)"
	run bryo unshare id -u
	assert_status 125
	assert_contains "others can write"
	rmdir "/tmp/bryo-$(id -u)"
	admin "mkdir -m 700 /tmp/bryo-$(id -u)"
	run bryo unshare id -u
	assert_status 125
	assert_contains "belongs to user 0"
	admin "rmdir /tmp/bryo-$(id -u); chmod 700 /run/user/$(id -u)"
	export XDG_RUNTIME_DIR=$E2E_DIR/run
}

@test "nested: an engine inside a container, with the ids that are there" {
	need_image
	local programs
	programs=$(dirname "$(readlink -f "$BRYO")")
	# The userland of this host in the container, so that the programs find their libraries.
	run bryo run --rm --privileged --network none -v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v "$programs:/programs:ro" \
		-v "$(image_file $IMG):/image.tar:ro" $IMG sh -c 'export PATH=/programs:$PATH HOME=/tmp
			bryo load -q -i /image.tar &&
			bryo run --rm --network none '"$IMG"' sh -c "echo nested; cat /proc/self/uid_map" &&
			bryo --storage-driver=vfs run --rm --network none '"$IMG"' ls -A /etc /etc/opaque'
	assert_ok
	assert_contains nested
	# What a layer takes away, where the file system can have no whiteouts.
	assert_contains replaced
	refute_contains deleted
	refute_contains hidden
	assert_matches $'\n +0 +0 +1\n +1 +1 +[0-9]+'
}
