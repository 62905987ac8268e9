# Volumes: their life, their first use, what containers see
load helpers

@test "create, ls, inspect, rm" {
	run bryo volume create --label a=b data
	assert_output data
	run bryo volume create data
	assert_status 125
	assert_contains 'already exists'
	run bryo volume create --ignore data
	assert_ok
	name=$(bryo volume create)
	[[ $name =~ ^[0-9a-f]{64}$ ]]
	run bryo volume ls -q --filter label=a=b
	assert_output data
	run bryo volume inspect --format '{{.Name}} {{.Driver}} {{.Scope}}' data
	assert_output 'data local local'
	[ -d "$(bryo volume inspect --format '{{.Mountpoint}}' data)" ]
	bryo volume rm data "$name"
	run bryo volume ls -q
	assert_output ''
	run bryo volume rm data
	assert_status 1
	assert_output 'error[no-such-volume]: no volume with name "data" found: no such volume'
	run bryo volume create ../x
	assert_status 125
	run bryo volume create -o type=ext4 -o device=/dev/sda x
	assert_status 125
	assert_contains 'cannot mount volumes of type ext4'
	run bryo volume ls --filter nonsense=1
	assert_status 125
}

@test "ls and prune by filters" {
	need_image
	bryo volume create --label env=prod --label team=a one
	bryo volume create --label env=test -o type=tmpfs two
	anonymous=$(bryo volume create)
	bryo create -v one:/v $IMG true
	while IFS='|' read -r filters expect; do
		# shellcheck disable=SC2086
		run bryo volume ls -q $filters
		assert_output "${expect//ANON/$anonymous}"
	done <<-'END'
	-f name=one|one
	-f name=nothing -f name=tw|two
	-f label=env=prod|one
	-f label=team|one
	-f label!=team -f anonymous=false|two
	-f dangling=false|one
	-f dangling=true -f driver=local -f anonymous=0|two
	-f anonymous=true|ANON
	-f opt=type=tmpfs|two
	-f until=1h|
	-f since=1h -f label=env=test|two
	-f scope=global|
	END
	run bryo volume ls --filter dangling
	assert_status 125
	run bryo volume prune -f --filter label=env=test
	assert_output two
	run bryo volume prune -f
	assert_output "$anonymous"
	run bryo volume ls -q
	assert_output one
	run bryo volume exists one
	assert_status 0
	run bryo volume exists two
	assert_status 1
}

@test "the first use copies the image's directory with owner, modes and links" {
	need_image
	bryo volume create v
	run bryo run --rm -v v:/home $IMG stat -c '%u:%g %a' /home/user/file /home/user
	assert_ok
	first=$output
	run bryo run --rm $IMG stat -c '%u:%g %a' /home/user/file /home/user
	assert_output "$first"
	run bryo run --rm -v v:/tmp $IMG sh -c 'ls /tmp; stat -c %a /tmp'
	assert_output $'user\n755'
	run bryo volume inspect --format '{{json .}}' v
	refute_contains NeedsCopyUp
}

@test "nocopy leaves the volume empty; a volume that has something is not filled" {
	need_image
	run bryo run --rm -v empty:/etc:nocopy $IMG ls /etc
	refute_contains replaced
	bryo volume create used
	echo mine >"$(bryo volume inspect --format '{{.Mountpoint}}' used)/mine"
	run bryo run --rm -v used:/etc $IMG cat /etc/mine
	assert_output mine
	run bryo run --rm -v used:/etc $IMG ls /etc
	refute_contains replaced
}

@test "data stays, is shared, and read-only is read-only" {
	need_image
	bryo run --rm -v v:/v $IMG sh -c 'echo one >/v/file'
	run bryo run --rm -v v:/v:ro $IMG sh -c 'cat /v/file; echo x >/v/file'
	assert_contains one
	[ "$status" -ne 0 ]
	run bryo run --rm -v v:/v $IMG cat /v/file
	assert_output one
}

@test "a volume in use is not removed, unless forced" {
	need_image
	id=$(bryo create -v v:/v $IMG true)
	run bryo volume rm v
	assert_status 2
	assert_output "error[in-use]: volume v is being used by the following container(s): $id: volume is being used"
	run bryo volume prune -f
	assert_ok
	run bryo volume ls -q
	assert_output v
	bryo volume rm -f v
	run bryo ps -aq
	assert_output ''
}

@test "anonymous volumes go with --rm and rm -v, named ones stay" {
	need_image
	bryo run --rm -v /anonymous -v named:/named $IMG true
	run bryo volume ls -q
	assert_output named
	id=$(bryo create -v /anonymous $IMG true)
	[ "$(bryo volume ls -q | wc -l)" -eq 2 ]
	bryo rm -v "$id"
	run bryo volume ls -q
	assert_output named
	bryo volume prune -f
	run bryo volume ls -q
	assert_output ''
}

@test "a directory of the user's under a name" {
	need_image
	mkdir mine
	echo hello >mine/file
	bryo volume create -o type=none -o o=bind -o device="$PWD/mine" m
	run bryo run --rm -v m:/m $IMG cat /m/file
	assert_output hello
	bryo volume rm m
	[ -e mine/file ]
}

@test "a damaged record is named, disturbs nobody, and can be removed" {
	bryo volume create good
	bryo volume create bad
	echo '{' >"$XDG_DATA_HOME/bryo/volumes/bad/volume.json"
	run bryo volume ls -q
	assert_ok
	assert_contains good
	assert_contains 'volume bad is damaged'
	bryo volume rm bad
	run bryo volume ls -q
	assert_output good
}

@test "volume export and import go round, from files, pipes and compressed" {
	need_image
	bryo volume create a
	bryo volume create b
	bryo run --rm -v a:/v $IMG sh -c 'mkdir -p /v/d; echo 1 >/v/d/f; ln -s d/f /v/l; chown 33:33 /v/d/f; chmod 600 /v/d/f'
	bryo volume export a -o a.tar
	run tar tvf a.tar --numeric-owner
	assert_contains 33/33
	bryo volume import b a.tar
	run bryo run --rm -v b:/v $IMG sh -c 'cat /v/l; stat -c "%u:%g %a" /v/d/f'
	assert_output $'1\n33:33 600'
	# What is there stays where nothing replaces it.
	bryo run --rm -v b:/v $IMG sh -c 'echo 2 >/v/d/f; echo kept >/v/kept'
	bryo volume export a | gzip | bryo volume import b -
	run bryo run --rm -v b:/v $IMG cat /v/l /v/kept
	assert_output $'1\nkept'
	run on_terminal "$BRYO" volume export a </dev/null
	assert_contains 'refusing to export to terminal. Use -o flag or redirect'
	run bryo volume export nope -o nope.tar
	assert_status 125
	assert_output 'error[no-such-volume]: no such volume nope'
	[ ! -e nope.tar ]
	run bryo volume import nope a.tar
	assert_output 'error[no-such-volume]: no such volume nope'
	echo garbage >garbage
	run bryo volume import a garbage
	assert_status 125
	run bryo volume import a missing.tar
	assert_contains 'missing.tar'
}

@test "a hostile archive cannot leave the volume" {
	bryo volume create v
	mkdir -p outside x
	python3 - "$PWD" <<-'END'
	import io, sys, tarfile
	top = sys.argv[1]
	def add(tar, name, data=None, link=None, hard=None):
	    t = tarfile.TarInfo(name)
	    if link or hard:
	        t.type, t.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.LNKTYPE, hard)
	        return tar.addfile(t)
	    t.size = len(data)
	    tar.addfile(t, io.BytesIO(data))
	with tarfile.open("evil.tar", "w") as tar:
	    add(tar, "../up", b"x")
	    add(tar, "../../../../../../../.." + top + "/outside/dots", b"x")
	    add(tar, top + "/outside/absolute", b"x")
	    add(tar, "link", link=top + "/outside")
	    add(tar, "link/through", b"x")
	    add(tar, "dotdot", link="../../..")
	    add(tar, "dotdot/escaped", b"x")
	    add(tar, "end", b"end")
	END
	# Refused or contained: what counts is that nothing lies outside.
	bryo volume import v evil.tar || true
	[ -z "$(ls outside)" ]
	[ ! -e "$XDG_DATA_HOME/bryo/volumes/up" ] && [ ! -e "$XDG_DATA_HOME/bryo/volumes/v/up" ]
	[ ! -e "$XDG_DATA_HOME/escaped" ] && [ ! -e "$XDG_DATA_HOME/bryo/escaped" ]
	python3 -c 'import tarfile, io
with tarfile.open("hard.tar", "w") as tar:
    t = tarfile.TarInfo("hard"); t.type = tarfile.LNKTYPE; t.linkname = "../volume.json"; tar.addfile(t)'
	run bryo volume import v hard.tar
	assert_status 125
}
