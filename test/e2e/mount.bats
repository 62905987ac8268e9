# Files of images and containers at a path: mount and unmount, in the rootless namespace
load helpers

# inside SCRIPT: in `bryo unshare`, where $B is the program.
inside() { B="$BRYO ${BRYO_DRIVER:+--storage-driver=$BRYO_DRIVER}" bryo unshare sh -c "$1"; }

@test "mounting is refused outside of the namespace" {
	need_image
	for command in mount 'image mount' 'volume mount' unmount 'image unmount' 'volume unmount'; do
		run bryo $command box
		assert_status 125
		assert_contains "error[denied]: cannot run command \"bryo $command\" in rootless mode, must execute \`bryo unshare\` first"
	done
}

@test "an image is mounted read-only, listed, and unmounted" {
	need_image
	id=$(bryo inspect --format '{{.Id}}' $IMG)
	run inside 'd=$($B image mount box) && cat $d/etc/replaced && ! test -e $d/etc/deleted && ls $d/etc/opaque && touch $d/x'
	assert_contains $'upper\nlinked\nshown'
	assert_contains 'Read-only'
	# It stays, for other commands too.
	run inside '$B image mount'
	assert_matches "^localhost/box:latest +$XDG_DATA_HOME/bryo/mounts/$id\$"
	inside '$B image mount --format json' | jq -e --arg id "$id" '.[0].id == $id and .[0].Repositories == ["localhost/box:latest"]
		and (.[0].mountpoint | endswith($id))'
	run bryo rmi box
	assert_status 2
	assert_contains 'is mounted'
	run inside '$B image unmount box && $B image mount; $B image unmount box'
	assert_output "$id
$id"
	[ -z "$(ls "$XDG_DATA_HOME/bryo/mounts")" ]
	run inside '$B image mount nope'
	assert_status 125
	assert_output 'error[no-such-image]: nope: image not known'
	run inside '$B image mount --format x'
	assert_output 'error[usage]: unknown --format argument: "x"'
	run inside '$B image unmount'
	assert_output 'error[usage]: image name or ID must be specified'
}

@test "all images are mounted; a forced rmi unmounts" {
	need_image
	need_image localhost/b --variant b
	run inside '$B image mount -a'
	assert_ok
	[ "${#lines[@]}" -eq 2 ]
	bryo rmi -f box
	run inside '$B image mount | wc -l; $B image unmount -a; $B image mount'
	assert_output "1
$(bryo inspect --format '{{.Id}}' b)"
}

@test "images are mounted with the other drivers, too" {
	need_image
	for BRYO_DRIVER in vfs fuse-overlayfs; do
		run inside 'd=$($B image mount box) && cat $d/etc/replaced && $B image unmount box >/dev/null; ls $d'
		assert_contains upper
		assert_contains 'No such file'
	done
}

@test "a stopped container: what is written there is in it" {
	need_image
	for BRYO_DRIVER in '' vfs fuse-overlayfs; do
		[ "$BRYO_DRIVER" != fuse-overlayfs ] || command -v fuse-overlayfs >/dev/null || continue
		id=$(bryo create --name c $IMG cat /put)
		inside 'd=$($B mount c) && echo put >$d/put'
		if [ "$BRYO_DRIVER" != vfs ]; then
			run inside '$B mount'
			assert_matches "^${id:0:12} +/.*/merged\$"
			inside '$B mount --format json' | jq -e --arg id "$id" '.[0].id == $id and .[0].Names == ["c"]'
		fi
		# Started while it is mounted: both are the same tree.
		run bryo start -a c
		assert_output put
		run inside '$B unmount c; $B mount'
		assert_output c
		run bryo start -a c
		assert_output put
		run bryo rm c
		assert_ok
	done
}

@test "a running container, and one that is removed while it is mounted" {
	need_image
	bryo run -d --name c -v vol:/mnt $IMG sh -c 'echo in >/in; echo v >/mnt/v; exec sleep 1000'
	retry 10 bryo exec c test -e /in
	run inside 'd=$($B mount c) && cat $d/in && ls $d/mnt $d/proc && echo out >$d/out'
	assert_matches '^in'
	refute_contains $'\nv'
	run bryo exec c cat /out
	assert_output out
	bryo stop -t 0 c
	run inside 'cat $($B mount c)/in; $B unmount --all'
	assert_contains in
	inside '$B mount c'
	bryo start c
	run bryo exec c cat /out
	assert_output out
	run bryo rm -f -t 0 c
	assert_ok
	retry 5 test -z "$(ls "$XDG_DATA_HOME"/bryo/containers | grep -v names)"
	run inside '$B mount; $B mount nope'
	assert_status 125
	assert_contains 'no container with ID or name "nope" found'
}

@test "volume mount prints where the files are" {
	bryo volume create v
	run inside '$B volume mount v; $B volume unmount v; $B volume mount nope'
	assert_status 125
	assert_output "$XDG_DATA_HOME/bryo/volumes/v/_data
v
error[no-such-volume]: no volume with name \"nope\" found: no such volume"
}

@test "many at once mount one and the same" {
	need_image
	bryo create --name c $IMG true
	run inside 'for i in 1 2 3 4 5 6; do $B image mount box & $B mount c & done; wait'
	assert_ok
	[ "$(sort -u <<<"$output" | wc -l)" -eq 2 ]
	# With vfs a container's tree is a directory.
	run inside 'grep -c /bryo/mounts/ /proc/self/mountinfo; grep -c /merged /proc/self/mountinfo'
	[ "$BRYO_DRIVER" = vfs ] && assert_output $'1\n0' || assert_output $'1\n1'
}
