# explain: what the model says, what the kernel says, what the fixes do
load helpers

# ask ARG...: the JSON of explain with --try, whose exit status is kept; what the kernel denies the model must deny
ask() {
	run bryo explain --try --format json "$@"
	refute_contains 'the kernel says'
}

setup() {
	e2e_setup
	# Not every machine has the programs for ACLs.
	mkdir bin
	ln -s "$BATS_TEST_DIRNAME/set-acl" bin/setfacl
	PATH=$PATH:$PWD/bin
}

# field PATH: of the JSON in $output
field() { python3 -c 'import json, sys
j = json.loads(sys.argv[1])
for part in sys.argv[2].split("."):
    j = j[int(part)] if part.isdigit() else j[part]
print(j)' "$output" "$1"; }

fix_ids() { python3 -c 'import json, sys; print(*[f["id"] for f in json.loads(sys.argv[1])["fixes"]])' "$output"; }
# fix ID KEY
fix() { python3 -c 'import json, sys; print([f for f in json.loads(sys.argv[1])["fixes"] if f["id"] == sys.argv[2]][0][sys.argv[3]])' \
	"$output" "$1" "$2"; }

@test "hundreds of situations by chance: the model and the kernel agree" {
	chmod 711 "$E2E_DIR"
	mkdir -m 755 s
	bryo unshare python3 "$BATS_TEST_DIRNAME/make-situations" "$PWD/s" "${SITUATIONS_SEED:-1}" "${SITUATIONS:-400}" >batch
	run bryo explain --try --batch batch
	echo "$output"
	assert_ok
	assert_contains ' 0 disagreements'
	# Not one kind alone.
	[[ $output =~ ([0-9]+)\ allowed,\ ([0-9]+)\ denied,\ 0\ left ]]
	((BASH_REMATCH[1] > 50 && BASH_REMATCH[2] > 50))
	for code in uid-shift acl-mask acl-entry unmapped-owner cap-dropped host-mount-ro sticky not-owner chown-denied; do
		assert_contains "$code "
	done
}

@test "the classic walk: a directory of the user's, a user of the container's" {
	need_image
	mkdir -m 755 vol
	echo x >vol/f
	run_line=(--rm --user 1000:1000 -v "$PWD/vol:/data" $IMG)
	ask --access create --path /data/new -- "${run_line[@]}"
	assert_status 1
	[ "$(field verdict)" = denied ]
	[ "$(field errno)" = 13 ]
	[ "$(field reason)" = uid-shift ]
	[ "$(field block.container)" = /data ]
	[ "$(field block.host)" = "$PWD/vol" ]
	[ "$(field subject.hostUid)" = "$((100000 + 999))" ]
	[ "$(fix_ids)" = 'keep-id drop-user acl group-write chown-volume unshare-chown' ]
	ask --access read --path /data/f -- "${run_line[@]}"
	assert_ok
	[ "$(field verdict)" = allowed ]
	[ "$(field fixes)" = '[]' ]
	ask --access write --path /data/f run "${run_line[@]}"
	assert_status 1
	# Nothing is left of the questions.
	run bryo ps -aq
	assert_output ''
	run bryo events --stream=false --since 1h --filter type=container
	refute_contains remove
}

# try_fix ID: does what fix ID of $answer says, and runs the command of the line in $probe
try_fix() {
	local id=$1 run host
	output=$answer
	run=$(fix "$id" run 2>/dev/null) || run=$line
	host=$(fix "$id" host 2>/dev/null) || host=true
	echo "fix $id: $host; $run"
	(PATH=$(dirname "$BRYO"):$PATH && eval "$host" && eval "${run/ $IMG/ --rm $IMG} sh -c '$probe'")
}

@test "each fix does what it promises" {
	need_image
	local probe='echo new >/data/new && test -s /data/new' answer line ids id
	fresh() {
		bryo unshare rm -rf "$PWD/vol"
		mkdir -m 755 vol
	}
	fresh
	line="bryo run --user 1000:1000 -v $PWD/vol:/data $IMG"
	run bryo run --rm --user 1000:1000 -v "$PWD/vol:/data" $IMG sh -c "$probe"
	[ "$status" != 0 ]
	ask --access create --path /data/new -- --user 1000:1000 -v "$PWD/vol:/data" $IMG
	answer=$output ids=$(fix_ids)
	for id in $ids; do
		fresh
		chmod 711 "$E2E_DIR"
		try_fix "$id"
	done
	# Two faults at once need two things.
	fresh
	ask --access create --path /data/new -- --user 1000:1000 -v "$PWD/vol:/data:ro" $IMG
	assert_status 1
	[ "$(field blocks.0.reason) $(field blocks.1.reason)" = 'mount-ro uid-shift' ]
	answer=$output ids=$(fix_ids) line="bryo run --user 1000:1000 -v $PWD/vol:/data:ro $IMG"
	[ "${ids%% *}" = writable-mount+keep-id ]
	for id in $ids; do
		fresh
		try_fix "$id"
	done
}

@test "ACLs, modes, capabilities, groups: why, and what helps" {
	need_image
	mkdir -m 755 vol
	echo x >vol/f
	local on=(-v "$PWD/vol:/data" $IMG) u=$((100000 + 999))
	setfacl -m u:1000:rw vol/f
	ask --access write --path /data/f -- --user 1000 "${on[@]}"
	[ "$(field reason)" = acl-wrong-id ]
	setfacl -b -m "u:$u:rw" vol/f
	ask --access write --path /data/f -- --user 1000 "${on[@]}"
	[ "$(field verdict)" = allowed ]
	chmod g-w vol/f
	ask --access write --path /data/f -- --user 1000 "${on[@]}"
	[ "$(field reason)" = acl-mask ]
	eval "$(fix acl-mask host)"
	ask --access write --path /data/f -- --user 1000 "${on[@]}"
	[ "$(field verdict)" = allowed ]
	setfacl -b vol/f
	chmod 444 vol/f
	ask --access write --path /data/f -- "${on[@]}"
	[ "$(field verdict)" = allowed ]
	ask --access write --path /data/f -- --cap-drop DAC_OVERRIDE "${on[@]}"
	[ "$(field reason)" = cap-dropped ]
	[[ " $(fix_ids) " == *' keep-capability '* ]]
	ask --access exec --path /data/f -- "${on[@]}"
	[ "$(field reason)" = no-exec-bit ]
	chmod 755 vol/f
	ask --access exec --path /data/f -- -v "$PWD/vol:/data:noexec" $IMG
	[ "$(field reason)" = mount-noexec ]
	[[ " $(fix_ids) " == *' executable-mount '* ]]
	ask --access chown --arg 70000 --path /data/f -- "${on[@]}"
	[ "$(field reason) $(field errno)" = 'chown-unmapped 22' ]
	ask --access chown --arg 5:5 --path /data/f -- --user 7 "${on[@]}"
	[ "$(field reason) $(field errno)" = 'chown-denied 1' ]
}

@test "the container's own files, devices, the kernel's settings" {
	need_image
	ask --access write --path /etc/passwd -- --user 1000 $IMG
	[ "$(field reason)" = mode-bits ]
	ask --access create --path /etc/x -- --read-only $IMG
	[ "$(field reason) $(field errno)" = 'root-ro 30' ]
	ask --access create --path /tmp/x -- --read-only --user 5 $IMG
	[ "$(field verdict)" = allowed ]
	ask --access write --path /dev/null -- --user 5 $IMG
	[ "$(field verdict)" = allowed ]
	ask --access mknod --arg c --path /x -- $IMG
	[ "$(field reason)" = mknod-device ]
	ask --access write --path /proc/sys/kernel/msgmax -- $IMG
	[ "$(field reason) $(field errno)" = 'readonly-path 30' ]
	ask --access write --path /proc/sys/kernel/msgmax -- --security-opt unmask=/proc/sys $IMG
	[ "$(field verdict)" = allowed ]
	ask --access write --path /proc/sys/net/ipv4/ip_forward -- $IMG
	[ "$(field reason) $(field errno)" = 'sysctl-denied 13' ]
}

@test "renaming over a mounted file, links out of a volume, keep-id" {
	need_image
	mkdir -m 755 vol
	echo x >vol/f
	ln -s "$PWD/vol/f" vol/absolute
	ln -s f vol/relative
	ask --access rename --path /etc/new --arg /etc/conf -- -v "$PWD/vol/f:/etc/conf" $IMG
	[ "$(field errno)" = 2 ]
	ask --access rename --path /etc/group --arg /etc/conf -- -v "$PWD/vol/f:/etc/conf" $IMG
	[ "$(field reason) $(field errno)" = 'busy-mount 16' ]
	ask --access read --path /data/absolute -- -v "$PWD/vol:/data" $IMG
	[ "$(field reason) $(field errno)" = 'absolute-link 2' ]
	ask --access read --path /data/relative -- -v "$PWD/vol:/data" $IMG
	[ "$(field verdict)" = allowed ]
	ask --access write --path /data/f -- --userns keep-id:uid=1000,gid=1000 -v "$PWD/vol:/data" $IMG
	[ "$(field verdict)" = allowed ]
	ask --access write --path /data/f -- --userns keep-id:uid=1000,gid=1000 --user 999 -v "$PWD/vol:/data" $IMG
	[ "$(field reason)" = uid-shift ]
	ask --access read --path /data/f -- --userns nomap -v "$PWD/vol:/data" $IMG
	[ "$(field verdict)" = allowed ]
	ask --access write --path /data/f -- --userns nomap -v "$PWD/vol:/data" $IMG
	[ "$(field reason)" = unmapped-owner ]
	ask --access create --path /tmp/new -- -v named:/tmp --user 33 $IMG
	[ "$(field verdict)" = allowed ]
	run bryo volume ls -q
	assert_output ''
}

@test "a container that runs, and one that does not" {
	need_image
	mkdir -m 755 vol
	echo x >vol/f
	bryo run -d --name c --user 7:7 -v "$PWD/vol:/data" $IMG sleep 100 >/dev/null
	ask --access write c /data/f
	assert_status 1
	[ "$(field reason) $(field block.host)" = "uid-shift $PWD/vol/f" ]
	[[ "$(fix keep-id run)" == *--userns=keep-id:uid=7,gid=7* ]]
	ask --access read c /data/f
	assert_ok
	ask --access write c /etc/passwd
	[ "$(field reason)" = mode-bits ]
	bryo kill c >/dev/null
	bryo wait c >/dev/null
	ask --access write c /data/f
	[ "$(field reason)" = uid-shift ]
	bryo inspect c >/dev/null
}

@test "the host's side: what a container left behind" {
	need_image
	mkdir vol
	bryo run --rm --user 5 -v "$PWD/vol:/data:U" $IMG sh -c 'mkdir /data/sub && echo x >/data/sub/f'
	ask --access unlink --host "$PWD/vol/sub/f"
	assert_status 1
	[ "$(field side) $(field reason)" = 'host subuid-owned' ]
	[ "$(field block.hostUid)" = 100004 ]
	PATH=$(dirname "$BRYO"):$PATH eval "$(fix unshare-chown-back host)"
	ask --access unlink --host "$PWD/vol/sub/f"
	assert_ok
	ask --side host --access write --path /etc/passwd
	[ "$(field reason) $(field fixes)" = 'other-owner []' ]	# the system's files are not given away
}

@test "what would not even start, and questions that are none" {
	need_image
	ask --access read --path /data/f -- -v "$PWD/nowhere:/data" $IMG
	assert_status 1
	[ "$(field reason) $(fix_ids)" = 'source-missing make-source' ]
	ask --access read --path /data/f -- --user 70000 $IMG
	[ "$(field reason)" = user-out-of-range ]
	run bryo explain --access fly --path /x -- $IMG
	assert_status 125
	run bryo explain
	assert_status 125
	run bryo explain --path /x -- localhost/none
	assert_status 125
}
