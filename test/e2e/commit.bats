# Containers become images and archives: commit, diff, export
load helpers

# Changes of every kind, also below an opaque directory.
CHANGE='echo hi >/etc/foo; rm /bin/ash; mkdir /newd; echo 1 >/newd/f; ln -s f /newd/l; ln /newd/f /newd/hard; chmod 700 /www
echo x >>/etc/replaced; rm -rf /etc/opaque; mkdir /etc/opaque; echo n >/etc/opaque/n; chown 33:33 /newd/f; mkfifo /newd/p'

changed() { need_image; bryo run --name c "$@" $IMG sh -c "$CHANGE"; }

DIFF='C /bin
D /bin/ash
C /etc
A /etc/foo
C /etc/opaque
D /etc/opaque/linked
A /etc/opaque/n
D /etc/opaque/shown
C /etc/replaced
A /newd
A /newd/f
A /newd/hard
A /newd/l
A /newd/p
C /www'

# Without the skeleton as its lowest layer an image gets /run and the like touched.
diff_of() { bryo image diff "$1" | grep -vE '^[CA] /(run|dev|proc|sys)$'; }

@test "diff: changed, added and deleted files of a container" {
	changed
	run bryo diff c
	assert_output "$DIFF"
	run bryo container diff --latest
	assert_output "$DIFF"
	bryo diff --format json c | jq -e '.added == ["/etc/foo", "/etc/opaque/n", "/newd", "/newd/f", "/newd/hard", "/newd/l", "/newd/p"]
		and .changed == ["/bin", "/etc", "/etc/opaque", "/etc/replaced", "/www"]
		and .deleted == ["/bin/ash", "/etc/opaque/linked", "/etc/opaque/shown"]'
	bryo create --name untouched -v vol:/mnt/v $IMG true
	run bryo diff untouched
	assert_output ''
	run bryo diff nope
	assert_status 125
	assert_output 'error[no-such-object]: nope not found: layer not known'
	run bryo container diff $IMG
	assert_output "error[no-such-container]: $IMG not found: container not found"
	run bryo diff --format xml c
	assert_output "error[usage]: only supported value for '--format' is 'json'"
}

@test "diff: the same with other storage drivers" {
	for BRYO_DRIVER in vfs fuse-overlayfs; do
		[ $BRYO_DRIVER = vfs ] || command -v fuse-overlayfs >/dev/null || continue
		changed
		# Times of directories are told, too, where there are no whiteouts to go by.
		run bryo diff c
		assert_output "$DIFF"
		bryo rm c
	done
}

@test "diff: owners of a container with an id map of its own" {
	changed --userns=keep-id --user 0
	run bryo diff c
	assert_output "$DIFF"
}

@test "diff: images, and two objects" {
	need_image
	run bryo image diff $IMG
	assert_output 'C /etc
D /etc/deleted
C /etc/opaque
D /etc/opaque/hidden
A /etc/opaque/linked
A /etc/opaque/shown
C /etc/replaced'
	need_image localhost/b --variant b
	run bryo diff localhost/b $IMG
	assert_output 'C /etc
A /etc/variant'
	bryo create --name c $IMG true
	run bryo diff localhost/b c
	assert_contains 'A /etc/variant'
	run bryo image diff nope
	assert_output 'error[no-such-image]: nope not found: image not known'
}

@test "commit: the changes become one layer, and a new container has them" {
	changed
	run bryo commit -q c new
	assert_ok
	[ "$output" = "$(bryo inspect --format '{{.Id}}' localhost/new:latest)" ]
	# Where the image's tree has no mount points (vfs), making one is a change of its directory.
	[ "$(bryo image diff new | grep -vx 'C /run')" = "$DIFF" ]
	run bryo run --rm new sh -c 'cat /etc/foo /newd/l /etc/replaced; ls /etc/opaque; test ! -e /bin/ash && stat -c "%a %n" /www
		stat -c "%u:%g %h" /newd/f; test -p /newd/p'
	assert_output $'hi\n1\nupper\nx\nn\n700 /www\n33:33 2'
	[ "$(bryo inspect --format '{{len .RootFS.Layers}}' new)" -eq 3 ]
	run bryo history --format '{{.CreatedBy}}|{{.Comment}}' new
	assert_contains 'sh -c echo hi'
	assert_contains '|FROM localhost/box:latest'
	# In proportion to the change: the blob of the top layer is small.
	blob=$(jq -r '.layers[-1].digest' "$XDG_DATA_HOME/bryo/blobs/sha256/$(bryo inspect --format '{{.Digest}}' new | cut -d: -f2)")
	[ "$(stat -c %s "$XDG_DATA_HOME/bryo/blobs/sha256/${blob#sha256:}")" -lt 2000 ]
	# The blob is what its diff ID says.
	[ "sha256:$(gzip -dc "$XDG_DATA_HOME/bryo/blobs/sha256/${blob#sha256:}" | sha256sum | cut -d' ' -f1)" = \
		"$(bryo inspect --format '{{index .RootFS.Layers 2}}' new)" ]
}

@test "commit: storage drivers and id maps make the same image" {
	changed
	bryo commit -q c plain
	bryo rm c
	bryo run --name c --userns=keep-id --user 0 $IMG sh -c "$CHANGE"
	bryo commit -q c shifted
	run diff_of shifted
	assert_output "$DIFF"
	run bryo run --rm shifted stat -c %u:%g /newd/f /newd /etc/opaque
	assert_output $'33:33\n0:0\n0:0'
	bryo rm c
	for BRYO_DRIVER in vfs fuse-overlayfs; do
		[ $BRYO_DRIVER = vfs ] || command -v fuse-overlayfs >/dev/null || continue
		bryo run --name c $IMG sh -c "$CHANGE"
		bryo commit -q c other
		bryo rm c
		run diff_of other
		assert_output "$DIFF"
		run bryo run --rm other stat -c %u:%g /newd/f
		assert_output 33:33
	done
}

@test "commit: the configuration" {
	need_image
	bryo create --name c -e A=b -p 8080:80 --expose 53/udp -v /anon -v vol:/named -w /tmp --label x=y -u user \
		--entrypoint '["/bin/echo"]' $IMG one two
	bryo commit -q -a me -f docker -m words c new
	run bryo inspect --format '{{json .Config}}' new
	echo "$output" | jq -e '.User == "user" and .WorkingDir == "/tmp" and .Entrypoint == ["/bin/echo"] and .Cmd == ["one", "two"]
		and .Labels == {"maker": "make-image", "x": "y"} and (.Env | index("A=b")) and (.Volumes | keys) == ["/anon"]
		and (.ExposedPorts | keys) == ["53/udp", "80/tcp"] and ([.Env[] | select(test("^(container|HOME|TERM)="))] == [])'
	run bryo inspect --format '{{.Author}} {{.Comment}} {{.ManifestType}}' new
	assert_output 'me words application/vnd.docker.distribution.manifest.v2+json'
	bryo commit -q --include-volumes -c 'CMD ["a", "b"]' -c ENTRYPOINT=run -c 'ENV X=1 Y="2 3"' -c EXPOSE=99 -c LABEL=l=m -c 'ONBUILD RUN x' \
		-c STOPSIGNAL=9 -c USER=root -c 'VOLUME /v' -c 'WORKDIR /root' c new2
	bryo inspect --format '{{json .Config}}' new2 | jq -e '.User == "root" and .WorkingDir == "/root" and .Cmd == ["a", "b"]
		and .Entrypoint == ["/bin/sh", "-c", "run"] and (.Env | index("X=1") and index("Y=2 3") and index("A=b"))
		and (.ExposedPorts | has("99/tcp")) and .Labels.l == "m" and .OnBuild == ["RUN x"] and .StopSignal == "9"
		and (.Volumes | keys) == ["/anon", "/named", "/v"]'
	run bryo inspect --format '{{.ManifestType}}' new2
	assert_output application/vnd.oci.image.manifest.v1+json
}

@test "commit: what is refused, --iidfile, no name" {
	need_image
	bryo create --name c $IMG true
	run bryo commit -m hello c new
	assert_status 125
	assert_output 'error[usage]: messages are only compatible with the docker image format (-f docker)'
	run bryo commit -f foo c new
	assert_output 'error[usage]: unrecognized image format "foo"'
	run bryo commit c New
	assert_status 125
	run bryo commit -c FOO=bar c new
	assert_status 125
	assert_contains 'FOO'
	run bryo commit nope new
	assert_output 'error[no-such-container]: no container with ID or name "nope" found: no such container'
	run bryo images -q
	[ "${#lines[@]}" -eq 1 ]
	run bryo commit -q --iidfile id c
	assert_ok
	[ "$(cat id)" = "$output" ]
	run bryo images -f dangling=true -q --no-trunc
	assert_output "sha256:$(cat id)"
	mkdir root
	bryo create --name r --rootfs "$PWD/root" true
	run bryo commit r new
	assert_status 125
	assert_contains 'exploded rootfs'
}

@test "commit of a running container, paused meanwhile" {
	need_image
	bryo run -d --name c $IMG sh -c 'echo made >/made; exec sleep 1000'
	retry 10 bryo exec c test -e /made
	bryo commit -q --pause c new
	run bryo inspect --format '{{.State.Status}}' c
	assert_output running
	run bryo run --rm new cat /made
	assert_output made
	bryo pause c
	bryo commit -q --pause c new
	run bryo inspect --format '{{.State.Status}}' c
	assert_output paused
}

@test "commit --squash: one layer with everything" {
	changed
	bryo commit -q --squash c one
	[ "$(bryo inspect --format '{{len .RootFS.Layers}} {{len .History}}' one)" = '1 1' ]
	run bryo diff one c
	assert_output ''
	bryo run -d --name run -v vol:/mnt $IMG sh -c 'echo v >/mnt/v; echo f >/f; exec sleep 1000'
	retry 10 bryo exec run test -e /f
	bryo commit -q -s run two
	run bryo run --rm two sh -c 'cat /f; ls /mnt'
	assert_output f
}

@test "export: the whole tree of a stopped and of a running container" {
	changed
	bryo export c | tar tv --numeric-owner >list
	grep -qE ' 33/33 .* newd/(f|hard)$' list
	grep -q ' bin/busybox$' list
	! grep -q bin/ash list
	bryo run -d --name run -v vol:/mnt/vol $IMG sh -c 'echo v >/mnt/vol/v; echo f >/f; exec sleep 1000'
	retry 10 bryo exec run test -e /f
	bryo export -o run.tar run
	mkdir tree
	tar xf run.tar -C tree
	[ "$(cat tree/f)" = f ]
	# Nothing that is mounted is in it.
	[ -z "$(ls tree/proc tree/dev tree/mnt/vol | grep -v :)" ]
	[ ! -s tree/etc/hosts ]
	run on_terminal "$BRYO" export c </dev/null
	assert_contains 'refusing to export to terminal. Use -o flag or redirect'
	run bryo export nope
	assert_status 125
	run bryo export -o /nonexistent/x c
	assert_contains '/nonexistent/x'
}

@test "export of a container with an id map tells the container's own ids" {
	need_image
	bryo run --name c --userns=keep-id --user 0 $IMG sh -c 'echo >/f; echo >/g; chown 33:33 /g'
	run bash -c "'$BRYO' export c | tar tv --numeric-owner | grep -E ' [fg]\$' | cut -d' ' -f2 | sort"
	assert_output $'0/0\n33/33'
}

@test "export and import go round" {
	changed
	bryo export c | bryo import -q - round
	run bryo diff round c
	assert_output ''
}

@test "commit and export of a huge hole take no time, and memory stays flat" {
	[ -z "${BRYO_TEST_QUICK:-}" ] || skip "a sanitized build needs more address space than the limit leaves"
	need_image
	bryo run --name c $IMG sh -c 'truncate -s 3G /hole && echo end >>/hole'
	BATS_TEST_TIMEOUT=60
	limited() ( ulimit -v 4000000; bryo commit -q c new )
	run limited
	assert_ok
	run bryo run --rm new stat -c %s /hole
	assert_output $((3 * 1024 * 1024 * 1024 + 4))
}

@test "an interrupted commit does not leave the container paused" {
	need_image
	bryo run -d --name c $IMG sh -c 'head -c 60000000 /dev/urandom >/big; touch /made; exec sleep 1000'
	retry 30 bryo exec c test -e /made
	"$BRYO" commit -q --pause c new >/dev/null 2>&1 3>&- &
	pid=$!
	retry 20 paused c
	kill $pid
	wait $pid || true
	run bryo inspect --format '{{.State.Status}}' c
	assert_output running
	run bryo image exists new
	assert_status 1
}

paused() { [ "$(bryo inspect --format '{{.State.Status}}' "$1")" = paused ]; }
