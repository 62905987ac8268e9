# Which ids a container has and who it runs as: --userns, --uidmap, --user, groups, passwd entries, with each kind of driver
load helpers

# map [u|g]: the lines of a map, one blank between the numbers
MAP='map() { tr -s " " </proc/self/${1:-uid}_map | sed "s/^ //" | paste -sd,; }; '
ME() { id -un; }
ids() { find "$XDG_DATA_HOME/bryo/ids" -type l 2>/dev/null | wc -l; }

# What the kernel maps, who runs, whose the image's files are inside, and whose a new file of a volume is outside.
modes() {
	local me=$(id -u)
	while IFS='|' read -r options map who shown outside; do
		rm -rf vol && mkdir -m 777 vol
		run bryo run --rm --network none $options -v "$PWD/vol:/vol" $IMG sh -c "$MAP"'map; id -u; stat -c %u /home/user; >/vol/f'
		echo "$options"
		assert_ok
		assert_output "$map
$who
$shown"
		[ "$(stat -c %u vol/f)" = "$outside" ]
	done <<-END
	--userns host|0 $me 1,1 100000 65536|0|1000|$me
	--userns private|0 0 1,1 1 65536|0|1000|$me
	--userns keep-id|0 1 $me,$me 0 1,$((me + 1)) $((me + 1)) $((65536 - me))|$me|1000|$me
	--userns keep-id:uid=200,gid=210|0 1 200,200 0 1,201 201 65336|200|1000|$me
	--userns keep-id:size=2001,uid=1500|0 1 1500,1500 0 1,1501 1501 500|1500|1000|$me
	--userns keep-id --user 0|0 1 $me,$me 0 1,$((me + 1)) $((me + 1)) $((65536 - me))|0|1000|100000
	--userns keep-id --user user|0 1 $me,$me 0 1,$((me + 1)) $((me + 1)) $((65536 - me))|1000|1000|101000
	--userns nomap|0 1 65536|0|1000|100000
	--userns auto|0 1 1024|0|1000|100000
	--userns auto:size=5000 --user 4999|0 1 5000|4999|1000|104999
	--userns auto:uidmapping=7:0:1 --user 7|0 1 7,7 0 1,8 8 1016|7|1000|$me
	--uidmap 0:1:2000|0 1 2000|0|1000|100000
	--uidmap +5000:@$me:1 --user 5000|0 1 5000,5000 0 1,5001 5001 60536|5000|1000|$me
	--uidmap 0:0:1 --uidmap 1:@100009:4000|0 0 1,1 10 4000|0|1000|$me
	--userns private --uidmap u0:1:2000 --gidmap g0:1:3000|0 1 2000|0|1000|100000
	--user 1000:1000|0 $me 1,1 100000 65536|1000|1000|100999
	END
}

@test "every mode: map, user, owners inside and outside (objects)" {
	BRYO_DRIVER=objects
	need_image
	modes
}

@test "every mode: map, user, owners inside and outside (overlay)" {
	BRYO_DRIVER=overlay
	need_image
	modes
	[ "$(find "$XDG_DATA_HOME/bryo/layers" -path '*/maps/*' -name '*.json' | wc -l)" -gt 5 ]
}

@test "auto: disjoint ids, under creations at once, kept until the container is removed" {
	local pids=()
	need_image
	for i in $(seq 12); do
		bryo create --name c$i --network none --userns auto $IMG sh -c "$MAP map" >/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	for i in $(seq 12); do bryo start -a c$i; done | sort -t ' ' -k 2n >maps
	diff -u maps <(for i in $(seq 0 11); do echo "0 $((i * 1024 + 1)) 1024"; done)
	[ "$(ids)" = 12 ]
	# Started again it has the same, and its files are still its own.
	run bryo start -a c7
	before=$output
	run bryo start -a c7
	assert_output "$before"
	bryo rm c3 c7 >/dev/null
	run bryo run --rm --network none --userns auto $IMG sh -c "$MAP map"
	assert_matches "^0 [0-9]+ 1024$"
	[ "$(echo "$output" | cut -d' ' -f2)" -lt $((12 * 1024)) ]
	# One that needs more than the gaps goes behind them.
	run bryo run --rm --network none --userns auto:size=3000 $IMG sh -c "$MAP map"
	assert_output "0 12289 3000"
	# What a killed creation left counts for nothing.
	ln -s 1-65536 "$XDG_DATA_HOME/bryo/ids/$(printf '%064d' 7)"
	run bryo run --rm --network none --userns auto $IMG true
	assert_ok
	[ ! -L "$XDG_DATA_HOME/bryo/ids/$(printf '%064d' 7)" ]
	run bryo run --rm --network none --userns auto:size=60000 $IMG true
	assert_status 125
	assert_contains "60000 ids are needed, and of $(ME)'s 65536 subordinate ids 55296 are free: 10 other containers have the rest"
	assert_contains "--userns auto:size=55296"
	assert_contains "usermod --add-subuids 165536-231071 --add-subgids 165536-231071 $(ME)"
	run bryo run --rm --network none --userns auto:size=70000 $IMG true
	assert_contains "70000 ids are needed, and $(ME) has 65536 subordinate ids"
	bryo rm -a >/dev/null
	run bryo run --rm --network none --userns auto:size=65536 $IMG sh -c "$MAP map"
	assert_output "0 1 65536"
	[ "$(ids)" -le 1 ]
}

@test "auto: as many ids as the image's files, its passwd and group files, and the request need" {
	need_image
	mkdir image && cd image
	run bryo run --network none --name c $IMG sh -c 'echo "big:x:3000:20:::" >>/etc/passwd; echo "team:x:4000:" >>/etc/group; echo "nobody:x:65534:65534:::" >>/etc/passwd'
	bryo commit -q c localhost/passwd >/dev/null
	bryo run --network none --name d $IMG sh -c '>/f; chown 5:7000 /f'
	bryo commit -q d localhost/owner >/dev/null
	bryo rm c d >/dev/null
	for line in "$IMG|1024" "localhost/passwd|4001" "localhost/owner|7001" "--user 2000:1 $IMG|2001" "--group-add 8000 $IMG|8001"; do
		run bryo run --rm --network none --userns auto ${line%|*} sh -c "$MAP map"
		assert_output "0 1 ${line#*|}"
	done
}

@test "container: and ns: join a user namespace, with the same owners" {
	need_image
	bryo run -d --name a --network none --userns keep-id:uid=77,gid=78 $IMG sleep 1000 >/dev/null
	bryo run -d --name plain --network none $IMG sleep 1000 >/dev/null
	ns=$(bryo exec a readlink /proc/self/ns/user) pid=$(bryo inspect -f '{{.State.Pid}}' a)
	for mode in container:a ns:/proc/$pid/ns/user; do
		run bryo run --rm --network none --userns $mode $IMG sh -c "$MAP"'readlink /proc/self/ns/user; map; id -u; stat -c %u /home/user /etc/passwd; >/x; stat -c %u /x'
		assert_ok
		assert_output "$ns
0 1 77,77 0 1,78 78 65459
0
1000
0
0"
	done
	for mode in container:plain ns:/proc/$(bryo inspect -f '{{.State.Pid}}' plain)/ns/user; do
		run bryo run --rm --network none --userns $mode $IMG readlink /proc/self/ns/user
		assert_output "$(bryo unshare readlink /proc/self/ns/user)"
	done
	bryo create --name later --network none --userns container:a $IMG cat /etc/hostname >/dev/null
	run bryo run --rm --network none --userns ns:/proc/self/ns/net $IMG true
	assert_contains "is not a user namespace"
	run bryo run --rm --network none --userns ns:/nothing $IMG true
	assert_contains "No such file"
	run bryo run --rm --network none --userns container:nobody $IMG true
	assert_contains "no container with ID or name \"nobody\""
	bryo rm -f -t 0 a >/dev/null
	run bryo start -a later
	assert_status 125
	bryo run -d --name a --network none --userns keep-id $IMG sleep 1000 >/dev/null
	run bryo start -a later
	assert_status 125
	assert_contains "another id map now than when the container was created"
	bryo rm -f -t 0 a plain >/dev/null
}

@test "processes, IPC and host names of containers with other ids" {
	need_image
	bryo run -d --name k --network none --userns keep-id $IMG sleep 1000 >/dev/null
	bryo run -d --name h --network none --hostname whole $IMG sleep 1000 >/dev/null
	for other in k h; do
		for userns in host keep-id container:k; do
			run bryo run --rm --network none --userns $userns --ipc container:$other $IMG readlink /proc/self/ns/ipc
			assert_ok
			assert_output "$(bryo exec $other readlink /proc/self/ns/ipc)"
			run bryo run --rm --network none --userns $userns --uts container:$other $IMG hostname
			assert_ok
			assert_output "$(bryo exec $other hostname)"
		done
	done
	[ "$(bryo exec h hostname)" = whole ]
	for userns in host container:k; do
		run bryo run --rm --network none --userns $userns --pid container:k $IMG cat /proc/1/comm
		assert_output sleep
	done
	for other in k h; do
		run bryo run --rm --network none --userns keep-id --pid container:$other $IMG true
		assert_status 125
		assert_contains "--pid container:$other: these processes belong to another user namespace"
		assert_contains "--userns container:$other"
	done
	bryo rm -f -t 0 k h >/dev/null
}

@test "ids that are not mapped are named, with what there is" {
	need_image
	no() { run bryo run --rm --network none "$@" $IMG true; assert_status 125; }
	no --user 70000
	assert_contains "user 70000 is not mapped: $(ME) has the ids 0..65536, and 4464 more would be needed"
	assert_contains "usermod --add-subuids 165536-231071 --add-subgids 165536-231071 $(ME)"
	no --user 5:70000
	assert_contains "group 70000 is not mapped"
	no --group-add 70000
	assert_contains "group 70000 is not mapped"
	no --userns keep-id:size=2000 --user 3000
	assert_contains "user 3000 is not mapped: the container's id map leaves it out"
	assert_contains "0..1998, $(id -u)..$(id -u)"
	no --uidmap 0:1:70000
	assert_contains "needs the ids up to 70000, and $(ME) has those up to 65536: 4464 more are needed"
	assert_contains "usermod --add-subuids 165536-231071"
	no --uidmap 0:@99:1
	assert_contains "99 is not an id that you may use"
	for BRYO_DRIVER in objects overlay; do
		no --userns keep-id:size=100
		assert_matches "home/user[^ ]* belongs to 1000:"
		assert_contains "a size= of 1001 or more"
	done
	BRYO_DRIVER=
	no --userns atuo
	assert_contains "did you mean \"auto\""
	for options in "--userns keep-id:what=1" "--userns auto:size=0" "--userns auto:size=x" "--userns nomap:1" "--userns container:" \
		"--userns auto --uidmap 0:1:1000" "--uidmap 0:1:10 --subuidname $(ME)" "--subuidname nobodyhere" "--uidmap 0:1:9:9"; do
		no $options
		[ "${#lines[@]}" -le 2 ]
	done
	run bryo ps -aq
	assert_output ""
}

@test "users and groups of the image by name and number, and what there is instead" {
	need_image
	for line in "user|1000 1000 1000 10|/home/user" "user:root|1000 0 0|/home/user" "1000|1000 1000 1000 10|/home/user" "user:5|1000 5 5|/home/user" \
		"4711|4711 0 0|/" "4711:12|4711 12 12|/" "root|0 0 0 10|/root" "|0 0 0 10|/root"; do
		IFS='|' read -r user want home <<<"$line"
		run bryo run --rm --network none --user "$user" $IMG sh -c 'echo $(id -u) $(id -g) $(id -G); echo $HOME'
		assert_output "$want
$home"
	done
	run bryo run --rm --network none --user usr $IMG true
	assert_status 125
	assert_contains "unable to find user usr: no matching entries in passwd file"
	assert_matches "users of /etc/passwd: root, .*user"
	run bryo run --rm --network none --user user:staf $IMG true
	assert_contains "unable to find group staf"
	assert_matches "groups of /etc/group: root, "
	run bryo run --rm --network none --group-add staf $IMG true
	assert_contains "unable to find group staf"
	run bryo run --rm --network none --user user --group-add wheel --group-add 4000 $IMG id -G
	assert_output "1000 10 4000"
	run bryo run --rm --network none --group-add keep-groups --group-add 5 $IMG true
	assert_contains "not allowed with any other --group-add options"
	# exec likewise
	bryo run -d --name c --network none --userns keep-id $IMG sleep 1000 >/dev/null
	for line in "|$(id -u)|/" "user|1000|/home/user" "0|0|/root" "4711|4711|/"; do
		IFS='|' read -r user want home <<<"$line"
		run bryo exec ${user:+--user "$user"} c sh -c 'id -u; echo $HOME'
		assert_output "$want
$home"
	done
	run bryo exec --user usr c true
	assert_contains "users of /etc/passwd: root, "
	run bryo exec --user 70000 c true
	assert_status 125
	assert_contains "user 70000 is not mapped"
	bryo rm -f -t 0 c >/dev/null
}

@test "lines of passwd and group for who is not in the image" {
	need_image
	entries() { run bryo run --rm --network none -w /tmp "$@" $IMG sh -c 'tail -n 1 /etc/passwd; tail -n 1 /etc/group; echo $HOME'; }
	last=$(bryo run --rm --network none $IMG tail -n 1 /etc/passwd) last_group=$(bryo run --rm --network none $IMG tail -n 1 /etc/group)
	me=$(ME) uid=$(id -u) gid=$(id -g)
	entries --userns keep-id
	assert_output "$me:*:$uid:$gid::/tmp:/bin/sh
$me:x:$gid:$me
/tmp"
	entries --userns keep-id:uid=1000,gid=1000
	assert_output "$last
$last_group
/home/user"
	entries --user 4711:12
	assert_output "4711:*:4711:12:container user:/tmp:/bin/sh
12:x:12:4711
/tmp"
	entries --user 4711 --passwd-entry '$USERNAME:x:$UID:$GID:I am $NAME, $WHO:/home/$USERNAME:/bin/ash' --group-entry '$GROUPNAME:x:$GID:a,$USERLIST'
	assert_output "4711:x:4711:0:I am container user, \$WHO:/home/4711:/bin/ash
$last_group
/home/4711"
	entries --userns keep-id --passwd-entry '$USERNAME:x:$UID:$GID:$NAME:$HOME:/bin/ash' --group-entry 'mine:x:$GID:$USERLIST'
	assert_output "$me:x:$uid:$gid:$me:/tmp:/bin/ash
mine:x:$gid:$me
/tmp"
	entries --userns keep-id --passwd=false
	assert_output "$last
$last_group
/"
	entries --hostuser games
	assert_matches "^games:\*:5:60:games:/usr/games:/bin/sh
$last_group
/root$"
	entries --hostuser nobodyhere
	assert_status 125
	assert_contains "--hostuser nobodyhere: this host has no such user"
	entries --user 4711 --passwd-entry 'a:b'
	assert_contains '--passwd-entry: one line as $USERNAME'
	# In copies: the image and the container's own files stay.
	bryo run --name c --network none --userns keep-id $IMG true
	run bryo diff c
	refute_contains passwd
	refute_contains group
}

@test "supplementary groups of the host are kept when asked, and shown by top" {
	need_image
	mkdir -m 770 team && echo secret >team/file
	for option in "--group-add keep-groups" "--annotation run.oci.keep_original_groups=1"; do
		for user in 0 1000; do
			run bryo run --rm --network none --user $user $option $IMG grep ^Groups: /proc/self/status
			assert_ok
			[ "$(echo ${output#Groups:} | wc -w)" -ge "$(id -G | wc -w)" ]
		done
	done
	run bryo run --rm --network none --user 1000 $IMG grep -c '^Groups:.*65534' /proc/self/status
	assert_output 0
	bryo run -d --name c --network none --user 1000:1000 $IMG sleep 1000 >/dev/null
	run bryo top c user,huser,uid,hgroup
	assert_output "USER  HUSER   UID   HGROUP
user  100999  1000  100999"
	bryo rm -f -t 0 c >/dev/null
}
