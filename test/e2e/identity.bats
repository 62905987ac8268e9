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

@test "second-level maps over several ranges, and ranges of another name" {
	need_image
	ranges "$(ME):200000:1000\n$(ME):400000:2000\n$(ME):500000:70000\nteam:400500:100\nteam:200000:10\nother:900000:10\n"
	run bryo run --rm --network none --userns keep-id:uid=1500,gid=1500 $IMG sh -c 'tr -s " " </proc/self/uid_map; id -u; stat -c %u /home/user'
	assert_ok
	assert_output " 0 1 1000
 1000 1001 500
 1500 0 1
 1501 1501 1500
 3001 3001 70000
1500
1000"
	for options in "--userns nomap" "--userns auto:size=65536" "--uidmap 0:0:3000" "--userns private" "--userns auto:size=2500,uidmapping=3:0:1"; do
		run bryo run --rm --network none $options $IMG stat -c %u /home/user
		assert_ok
		assert_output 1000
	done
	# user 70000 is one of these
	run bryo run --rm --network none --user 70000 $IMG id -u
	assert_output 70000
	run bryo run --rm --network none --subuidname team $IMG true
	assert_status 125
	assert_contains "a size= of 1001 or more"
	mkdir root
	id=$(bryo create --subuidname team --rootfs "$PWD/root" true)
	run jq -r '.uidMap, .gidMap' "$XDG_DATA_HOME/bryo/containers/$id/config.json"
	assert_output "0 1501 100
100 1 10

0 1501 100
100 1 10"
	run bryo run --rm --network none --subuidname other $IMG true
	assert_status 125
	assert_contains "--subuidname other: --uidmap 0:@900000:10: 900000 is not an id that you may use"
}

@test "a container of before and ranges that became smaller" {
	need_image
	ranges "$(ME):200000:65536\n"
	bryo create --name kept --network none --userns keep-id:size=3000 $IMG sh -c 'stat -c %u /home/user' >/dev/null
	bryo create --name wide --network none --userns nomap $IMG true >/dev/null
	bryo create --name plain --network none --user 3500 $IMG id -u >/dev/null
	ranges "$(ME):200000:4000\n"
	run bryo start -a kept
	assert_output 1000
	run bryo start -a plain
	assert_output 3500
	run bryo start -a wide
	assert_status 125
	assert_contains "container wide was created with the subordinate user ids up to 65536, and now $(ME) has 4000"
	assert_contains "usermod --add-subuids 204000-269535 --add-subgids 204000-269535 $(ME)"
	ranges "$(ME):200000:3000\n"
	run bryo start -a plain
	assert_status 125
	assert_contains "user 3500 is not mapped: $(ME) has the ids 0..3000, and 500 more would be needed"
	bryo rm -a >/dev/null
}

@test "without ranges keep-id works, and what needs more ids says so" {
	ranges '# none\n'
	bryo images 2>/dev/null
	need_image
	mkdir -m 755 mine
	run bryo run --rm --network none --userns keep-id -v "$PWD/mine:/mine" $IMG sh -c 'id -u; >/mine/f; stat -c %u /mine/f'
	assert_ok
	assert_output "$(id -u)
$(id -u)"
	[ "$(stat -c %u mine/f)" = "$(id -u)" ]
	for options in "--userns nomap" "--userns auto" "--user 5" "--uidmap 0:0:2"; do
		run bryo run --rm --network none $options $IMG true
		assert_status 125
		assert_contains "$(ME)"
	done
	assert_contains "1 more are needed"
	assert_contains "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(ME)"
}

@test "an image with owners above the range" {
	need_image
	bryo run --name c --network none $IMG sh -c '>/srv.file; chown 60000:50000 /srv.file'
	bryo commit -q c localhost/high >/dev/null
	bryo save -q -o high.tar localhost/high
	bryo rm c >/dev/null
	ranges "$(ME):200000:2000\n"
	run bryo run --rm --network none localhost/high stat -c %u:%g /srv.file
	assert_status 125
	assert_contains "srv.file"
	assert_contains "60000:50000"
	assert_contains "usermod --add-subuids 202000-267535 --add-subgids 202000-267535 $(ME)"
	bryo rmi localhost/high >/dev/null
	run bryo load -q -i high.tar
	assert_status 125
	assert_contains "srv.file"
	assert_contains "60000:50000"
	assert_contains "usermod --add-subuids 202000-267535 --add-subgids 202000-267535 $(ME)"
	ranges "$(ME):200000:65536\n"
	bryo load -q -i high.tar
	run bryo run --rm --network none localhost/high stat -c %u:%g /srv.file
	assert_output 60000:50000
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
