# cp: docker's rules, running and stopped containers, tar streams, hostile trees
load helpers

container() {	# container NAME running|stopped
	need_image
	if [ "$2" = running ]; then
		bryo run -d --name "$1" $IMG sleep 1000 >/dev/null
	else
		bryo create --name "$1" $IMG sleep 1000 >/dev/null
	fi
}

in_container() { bryo cp "c:$1" - | tar xO; }

rules() {
	mkdir -p tree/sub
	echo file >file
	echo inner >tree/sub/inner
	# a file: to a new name, over a file, into a directory
	bryo cp file c:/tmp/new
	[ "$(in_container /tmp/new)" = file ]
	echo second >file
	bryo cp file c:/tmp/new
	[ "$(in_container /tmp/new)" = second ]
	bryo cp file c:/tmp
	[ "$(in_container /tmp/file)" = second ]
	run bryo cp file c:/nosuchdir/
	assert_status 125
	run bryo cp file c:/nosuchdir/x
	assert_status 125
	assert_contains 'could not be found on container c'
	run bryo cp nosuchfile c:/tmp
	assert_status 125
	assert_contains 'could not be found on the host'
	# a directory: to a new name, into one that exists, its contents
	bryo cp tree c:/tmp/made
	[ "$(in_container /tmp/made/sub/inner)" = inner ]
	bryo cp tree c:/tmp
	[ "$(in_container /tmp/tree/sub/inner)" = inner ]
	bryo cp tree/. c:/tmp
	[ "$(in_container /tmp/sub/inner)" = inner ]
	run bryo cp tree c:/tmp/new
	assert_status 125
	# out of it
	bryo cp c:/tmp/new out
	[ "$(cat out)" = second ]
	mkdir dir
	bryo cp c:/tmp/made dir
	[ "$(cat dir/made/sub/inner)" = inner ]
	bryo cp c:/tmp/made/. dir
	[ "$(cat dir/sub/inner)" = inner ]
	bryo cp c:/tmp/made other
	[ "$(cat other/sub/inner)" = inner ]
	[ "$(stat -c %u other out)" = "$(id -u)
$(id -u)" ]
	bryo cp c:/tmp/new /dev/stdout | grep second
}

@test "docker's rules, a stopped container" {
	container c stopped
	rules
	run bryo start c
	assert_ok
	run bryo exec c cat /tmp/made/sub/inner
	assert_output inner
}

@test "docker's rules, a running container" {
	container c running
	rules
	run bryo exec c cat /tmp/made/sub/inner
	assert_output inner
}

@test "cp with fuse-overlayfs and vfs" {
	for BRYO_DRIVER in fuse-overlayfs vfs; do
		need_image
		bryo create --name "c$BRYO_DRIVER" $IMG cat /tmp/x >/dev/null
		echo hello >x
		bryo cp x "c$BRYO_DRIVER:/tmp"
		run bryo cp "c$BRYO_DRIVER:/etc/replaced" /dev/stdout
		assert_output upper
		run bryo start -a "c$BRYO_DRIVER"
		assert_output hello
	done
}

@test "tar streams" {
	container c stopped
	mkdir -p t/d
	echo streamed >t/d/file
	tar cC t . | bryo cp - c:/tmp
	run bryo cp c:/tmp/d/file /dev/stdout
	assert_output streamed
	bryo cp c:/tmp/d - | tar tv >list
	grep -q 'd/file' list
	run bash -c "echo garbage | '$BRYO' cp - c:/tmp"
	assert_status 125
	tar cC t d | {
		run bryo cp - c:/etc/passwd
		assert_status 125
	}
}

@test "owners: the container's user by default, root with -a=false; the caller outside" {
	need_image
	bryo create --name c -u 1000:1000 $IMG true
	echo x >file
	bryo cp file c:/tmp/theirs
	bryo cp -a=false file c:/tmp/root
	run bash -c "'$BRYO' cp c:/tmp - | tar tv --numeric-owner"
	assert_matches '1000/1000 .*theirs'
	assert_matches '0/0 .*root'
	bryo cp c:/home/user/file out
	[ "$(stat -c %u out)" = "$(id -u)" ]
}

@test "between containers" {
	container c stopped
	bryo run -d --name d $IMG sleep 1000
	bryo cp c:/etc/replaced d:/tmp/copy
	run bryo exec d cat /tmp/copy
	assert_output upper
}

@test "volumes of a stopped container are reached" {
	need_image
	bryo create --name c -v v:/data $IMG cat /data/file
	echo volume >file
	bryo cp file c:/data/
	run bryo start -a c
	assert_output volume
	bryo create --name r -v v:/data:ro $IMG true
	run bryo cp file r:/data/
	assert_status 125
	assert_contains read-only
}

@test "links of a container do not lead out of it" {
	need_image
	echo secret >secret
	bryo run --name c $IMG sh -c "ln -s / /tmp/root; ln -s $PWD/secret /tmp/link; ln -s ../../../../../..$PWD /tmp/up"
	run bryo cp c:/tmp/link out
	assert_status 125
	run bryo cp "c:/tmp/root$PWD/secret" out
	assert_status 125
	echo evil >evil
	run bryo cp evil c:/tmp/up/secret
	assert_status 125
	[ "$(cat secret)" = secret ]
	# A copied tree keeps its links as links.
	bryo cp c:/tmp tree
	[ -L tree/link ]
	[ "$(readlink tree/link)" = "$PWD/secret" ]
}

@test "neither path in a container, and names with colons" {
	run bryo cp a b
	assert_status 125
	container c stopped
	echo x >a:b
	bryo cp ./a:b c:/tmp/ab
	run bryo cp c:/tmp/ab /dev/stdout
	assert_output x
	run bryo cp nosuch:/x .
	assert_status 125
	assert_contains 'no container with ID or name "nosuch" found'
}
