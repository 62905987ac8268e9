# Whose a volume's files are: first use, volume option U, unshare
# lab: -x 'mkdir -p /run/foreign/a/b /run/mounted/in /run/group && touch /run/foreign/a/mine /run/foreign/a/b/theirs /run/group/file && chown -R 4242:4242 /run/foreign /run/mounted /run/group && chown 7:7 /run/foreign/a/b/theirs && chgrp 8 /run/group/file && mount -t tmpfs -o uid=4242 in /run/mounted/in'
load helpers

box() { bryo run --rm --network none "$@"; }
need_lab() { [ -d /run/foreign ] || skip "this host has no files of others to mount"; }

@test "a new volume belongs to its first container's user, or looks as the image has it" {
	need_image
	run box --user 1000:1000 -v fresh:/nothing/here $IMG sh -c 'stat -c %u:%g:%a /nothing/here; touch /nothing/here/x'
	assert_output 1000:1000:755
	run box --user 1001:1001 -v fresh:/nothing/here $IMG sh -c 'stat -c %u:%g /nothing/here; touch /nothing/here/y'
	assert_contains 1000:1000
	[ "$status" -ne 0 ]
	run box --user 1000:1000 -v home:/home/user -v plain:/home:nocopy $IMG stat -c %u:%g /home/user /home
	assert_output $'1000:1000\n0:0'
	run box --userns keep-id -v kept:/nothing/here $IMG sh -c 'touch /nothing/here/x && echo written'
	assert_output written
	# With U the second one gets it.
	run box --user 1001:1001 -v fresh:/v:U $IMG sh -c 'touch /v/y && stat -c %u:%g /v/x /v/y'
	assert_output $'1001:1001\n1001:1001'
}

@test "U gives all of a tree, leaves links alone, and does nothing when nothing is to do" {
	need_image
	mkdir -p d/a/b
	touch d/f d/a/b/f outside
	ln -s "$PWD/outside" d/link
	mkfifo d/fifo
	run box --user 1000:1001 -v ./d:/x:U $IMG sh -c 'stat -c %u:%g /x /x/f /x/a/b/f /x/link /x/fifo; touch /x/a/b/new'
	assert_output $'1000:1001\n1000:1001\n1000:1001\n1000:1001\n1000:1001'
	[ -O outside ]
	before=$(bryo unshare stat -c %z d d/a d/a/b/f)
	box --user 1000:1001 -v ./d:/x:U,ro $IMG true
	[ "$(bryo unshare stat -c %z d d/a d/a/b/f)" = "$before" ]
	# A file alone; nobody, who is mapped like others; and back again.
	box --user 5:5 --mount type=bind,src=./d/f,dst=/x,U=true $IMG true
	[ "$(bryo unshare stat -c %u d/f)" = 5 ]
	for i in 1 2; do
		run box --user 65534:65534 -v ./d:/x:U $IMG stat -c %u:%g /x/f
		assert_output 65534:65534
	done
	box -v ./d:/x:U $IMG true
	[ -O d/a/b/new ] && [ -O d/fifo ]
	# The container's own map counts.
	run box --userns keep-id:uid=200,gid=210 -v ./d:/x:U $IMG stat -c %u:%g /x/f
	assert_output 200:210
	[ -O d/f ]
}

@test "U over a large tree, by several processes" {
	need_image
	mkdir d
	(cd d && for i in {1..130}; do mkdir "$i" && (cd "$i" && touch {1..40}); done)
	bryo unshare chown 5:5 d/77/7
	box --user 1000:1000 -v ./d:/x:U $IMG true
	run bryo unshare sh -c 'find d ! -uid 1000 -o ! -gid 1000 | wc -l; find d | wc -l'
	assert_output $'0\n5331'
}

@test "U refuses homes, mounted file systems and files of others before it changes anything" {
	need_image
	mkdir d
	for place in / "$HOME" "$(dirname "$HOME")" "$XDG_DATA_HOME"; do
		run box -v "$place:/x:U" $IMG true
		assert_status 125
		assert_contains "volume option U would give all of $place to the container's user"
		assert_contains 'mount a directory below it'
	done
	need_lab
	run box -v /run/mounted/in:/x:U $IMG true
	assert_status 125
	assert_contains 'the whole file system that is mounted at /run/mounted/in'
	run box --user 5:5 -v /run/mounted:/x:U $IMG true
	assert_contains 'in is another file system, mounted there: nothing was changed'
	run box --user 5:5 -v /run/foreign:/x:U $IMG true
	assert_status 125
	assert_contains 'volume option U on /run/foreign: a/b/theirs belongs to a user of the host (uid 7)'
	assert_contains 'chown -hR $USER: /run/foreign/a/b/theirs'
	[ -O /run/foreign ] && [ -O /run/foreign/a/mine ]
	run box --user 5:5 -v /run/group:/x:U $IMG true
	assert_contains 'file belongs to a group of the host (gid 8)'
	[ -O /run/group ]
	# A container that was created before has nobody outside to ask.
	bryo create --name c --user 5:5 -v /run/foreign:/x:U $IMG true
	run bryo start c
	assert_contains 'a/b/theirs belongs to a user of the host who is neither you'
}

@test "a container that swaps directories for links meanwhile leads nobody astray" {
	need_image
	mkdir -p bait d/x
	touch bait/file d/x/file
	id=$(bryo run -d --network none -v ./d:/d -v ./bait:/bait $IMG sh -c \
		'cd /d; while :; do mv x y; ln -s /bait x; rm x; ln -s ../bait x; rm x; mv y x; done')
	for i in {1..10}; do
		box --user "$i:$i" -v ./d:/x:U $IMG true || true
	done
	bryo rm -f -t 0 "$id"
	[ -O bait ] && [ -O bait/file ]
}

@test "unshare: owners, ACLs, files of sub-ids; without a trace afterwards" {
	need_image
	mkdir d
	echo mine >d/f
	bryo unshare chown 1000:1000 d
	[ ! -O d ]
	run box --user 1000:1000 -v ./d:/d $IMG sh -c 'echo theirs >/d/g && chmod 600 /d/g && cat /d/g'
	assert_output theirs
	run bryo unshare cat d/g
	assert_output theirs
	run bash -c 'cat d/g'
	[ "$status" -ne 0 ]
	run bryo unshare sh -c 'echo $(id -u) $BRYO_ROOTLESS_UID $CONTAINERS_GRAPHROOT; exit 7'
	assert_status 7
	assert_output "0 $(id -u) $XDG_DATA_HOME/bryo"
	run bryo unshare --rootless-netns true
	assert_status 125
	assert_contains 'no container is on a network'
	if command -v setfacl >/dev/null; then
		mkdir acl
		bryo unshare setfacl -m u:1000:rwX acl
		run box --user 1000:1000 -v ./acl:/d $IMG touch /d/x
		assert_ok
		[ -O acl ]
	fi
	run bash -c 'rm -rf d'
	[ "$status" -ne 0 ]
	bryo unshare rm -rf d acl
	[ ! -e d ]
	run bryo unshare nonexistent-program
	assert_status 127
}
