# `bryo save`: every form, read back by bryo, podman and skopeo; the same bytes twice; nothing half
load helpers

# config_of TRANSPORT:PATH: the id of the image in it, as skopeo sees it.
config_of() { skopeo inspect --config --raw "$1" | sha256sum | cut -d' ' -f1; }
image_id() { bryo inspect --format '{{.Id}}' "$1" | sed 's/sha256://'; }

# tree_of NAME: what the files of an image are.
tree_of() {
	bryo run --rm --network none "$1" /bin/sh -c 'cd / && find bin etc home root usr var www -type f -o -type l | sort |
		grep -vE "^etc/(hosts|hostname|mtab|resolv.conf)$" | while read -r f; do stat -c "%n %a %u %g %Y" "$f"; done
		find www home etc/opaque etc/replaced -type f -exec sha256sum {} + | sort'
}

@test "every form comes back as the same image with the same files" {
	need_image
	id=$(image_id $IMG)
	tree=$(tree_of $IMG)
	bryo save -q -o a.tar $IMG
	bryo save -q --format oci-archive -o o.tar $IMG
	bryo save -q --format oci-dir -o p $IMG
	bryo save -q --format docker-dir -o d $IMG
	[ "$(config_of docker-archive:a.tar)" = "$id" ]
	[ "$(config_of oci-archive:o.tar)" = "$id" ]
	[ "$(config_of oci:p)" = "$id" ]
	[ "$(config_of dir:d)" = "$id" ]
	for form in a.tar o.tar p d; do
		bryo rmi -fa
		run bryo load -q -i $form
		assert_ok
		[ "$(bryo images -q --no-trunc)" = "sha256:$id" ]
		diff <(echo "$tree") <(tree_of "$id")
		[ $form = d ] || [ "$(image_id $IMG)" = "$id" ]
	done
}

@test "the same image gives the same bytes, to a file and through a pipe" {
	need_image
	for format in docker-archive oci-archive; do
		bryo save -q --format $format -o 1.tar $IMG
		bryo save -q --format $format $IMG >2.tar
		bryo save -q --format $format $IMG | cat >3.tar
		bryo save -q --format $format -o /dev/stdout $IMG | cat >4.tar
		cmp 1.tar 2.tar
		cmp 1.tar 3.tar
		cmp 1.tar 4.tar
		tar tf 1.tar >list
		[ "$(sort list | uniq -d)" = "" ]
	done
	"$MAKE_IMAGE" --format oci-archive --compress gzip localhost/z z.tar
	bryo load -q -i z.tar
	bryo save -q -o 1.tar z
	bryo save -q z | cat >2.tar
	cmp 1.tar 2.tar
}

@test "several images and several names in one archive" {
	need_image
	need_image localhost/second --config '"Cmd":["echo","second"]'
	bryo tag box quay.io/me/box:2
	ids=$(bryo images -q --no-trunc | sort -u)
	# Podman's way: what is no image becomes a name of the first; with -m it is an error.
	run bryo save -q -o a.tar box extra
	assert_ok
	[ "$(tar xOf a.tar manifest.json | jq -r '.[0].RepoTags | join(" ")')" = "localhost/box:latest localhost/extra:latest" ]
	run bryo save -q -m -o a.tar box extra
	assert_status 125
	assert_contains "extra: image not known"
	bryo save -q -o a.tar box second quay.io/me/box:2
	[ "$(tar xOf a.tar manifest.json | jq length)" = 2 ]
	[ "$(tar xOf a.tar repositories | jq -r '."quay.io/me/box" | keys[0]')" = 2 ]
	bryo save -q --format oci-archive -o o.tar box second quay.io/me/box:2
	[ "$(tar xOf o.tar index.json | jq '.manifests | length')" = 3 ]
	bryo save -q --format oci-archive -o n.tar $(bryo images -q | sort -u)
	for file in a.tar o.tar n.tar; do
		bryo rmi -fa
		bryo load -q -i $file
		[ "$(bryo images -q --no-trunc | sort -u)" = "$ids" ]
		[ $file = n.tar ] || [ "$(bryo images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" = \
			"localhost/box:latest localhost/second:latest quay.io/me/box:2 " ]
	done
	run bryo run --rm --network none "$(echo "$ids" | head -n 1)" true
	assert_ok
}

@test "what is asked for wrongly is refused before anything is written" {
	need_image
	run bryo save --format nonsense -o x $IMG
	assert_status 125
	assert_contains 'unknown format "nonsense"'
	run bryo save --format oci-dir $IMG
	assert_status 125
	assert_contains "--output DIR"
	run bryo save --compress -o x $IMG
	assert_status 125
	run bryo save --format docker-dir -o x $IMG other
	assert_status 125
	run bryo save -o x nothing
	assert_status 125
	assert_contains "nothing: image not known"
	run bryo save -o no/such/dir/x $IMG
	assert_status 125
	[ -z "$(ls | grep -v -e data -e home -e run)" ]
	run on_terminal "$BRYO" save $IMG </dev/null
	assert_contains "refusing to save to terminal"
	mkdir full && touch full/mine
	run bryo save --format docker-dir -o full $IMG
	assert_status 125
	assert_contains "something else in it: mine"
	[ "$(ls full)" = mine ]
}

@test "plain layers become gzip in OCI forms, zstd becomes gzip in Docker's; stored layers keep their bytes" {
	need_image
	bryo save -q --format oci-dir -o p $IMG
	[ "$(jq -r '.layers[].mediaType' p/blobs/sha256/"$(jq -r '.manifests[0].digest' p/index.json | cut -d: -f2)" | sort -u)" = \
		application/vnd.oci.image.layer.v1.tar+gzip ]
	bryo save -q --format oci-dir --uncompressed -o q $IMG
	[ "$(jq -r '.layers[].mediaType' q/blobs/sha256/"$(jq -r '.manifests[0].digest' q/index.json | cut -d: -f2)" | sort -u)" = \
		application/vnd.oci.image.layer.v1.tar ]
	bryo save -q --format docker-dir -o d $IMG
	[ "$(jq -r '.layers[].mediaType' d/manifest.json | sort -u)" = application/vnd.docker.image.rootfs.diff.tar ]
	bryo save -q --format docker-dir --compress -o d $IMG
	[ "$(jq -r '.layers[].mediaType' d/manifest.json | sort -u)" = application/vnd.docker.image.rootfs.diff.tar.gzip ]
	# Nothing of what was there before is left.
	[ "$(ls d | wc -l)" -eq 5 ]
	"$MAKE_IMAGE" --format oci-dir --compress zstd localhost/z z
	bryo load -q -i z
	bryo save -q --format oci-dir -o zz z
	diff <(cd z && find blobs -type f | sort) <(cd zz && find blobs -type f | sort)
	[ "$(jq -r '.manifests[0].digest' z/index.json)" = "$(jq -r '.manifests[0].digest' zz/index.json)" ]
	bryo save -q --format docker-dir -o zd z
	[ "$(jq -r '.layers[].mediaType' zd/manifest.json | sort -u)" = application/vnd.docker.image.rootfs.diff.tar.gzip ]
	skopeo copy -q dir:zd docker-archive:zd.tar:z:1
}

@test "a layout gets images added; one of the same name takes the other's place" {
	need_image
	need_image localhost/second --config '"Cmd":["echo","second"]'
	bryo save -q --format oci-dir -o p box
	bryo save -q --format oci-dir -o p second
	[ "$(jq -r '.manifests[].annotations."org.opencontainers.image.ref.name"' p/index.json | tr '\n' ' ')" = \
		"localhost/box:latest localhost/second:latest " ]
	bryo tag second box
	bryo save -q --format oci-dir -o p box
	[ "$(jq '.manifests | length' p/index.json)" = 2 ]
	[ "$(config_of oci:p:localhost/box:latest)" = "$(image_id second)" ]
	find p -name '.bryo-*' | { ! grep .; }
}

@test "an output that fails or is killed leaves what was there" {
	need_image
	echo before >a.tar
	chmod 640 a.tar
	run bryo save -q -o a.tar nothing
	assert_status 125
	[ "$(cat a.tar)" = before ]
	mkfifo fifo
	# A reader that goes away: an end, no hang, no signal.
	(head -c 1000 fifo >/dev/null) 3>&- &
	run timeout 20 "$BRYO" save -q -o fifo $IMG
	assert_status 125
	# Killed in the middle: its layer's blob is a pipe's worth of work.
	bash -c 'ulimit -f 100; trap "" XFSZ; exec "$0" save -q -o a.tar '$IMG "$BRYO" && return 1
	[ "$(cat a.tar)" = before ]
	[ "$(ls -A | grep -c a.tar)" = 1 ]
	bryo save -q -o a.tar $IMG
	[ "$(stat -c %a a.tar)" = 640 ]
	ln -s a.tar link
	bryo save -q -o link $IMG
	[ -L link ]
	chmod 400 a.tar
	run bryo save -q -o a.tar $IMG
	[ "$(id -u)" -eq 0 ] || assert_status 125
}

@test "damaged blobs are not handed on" {
	need_image $IMG --format oci-archive
	layer=$(ls -S "$XDG_DATA_HOME"/bryo/blobs/sha256/* | head -n 1)
	chmod u+w "$layer"
	printf 'X' | dd of="$layer" bs=1 seek=2000 conv=notrunc status=none
	for format in docker-archive oci-archive; do
		run bryo save -q --uncompressed --format $format -o x.tar $IMG
		assert_status 125
		assert_matches '(digest|checksum) does not match'
		[ ! -e x.tar ]
	done
	run bryo save -q --format oci-dir -o x $IMG
	assert_status 125
	[ ! -e x ]
	rm -f "$layer"
	run bryo save -q -o x.tar $IMG
	assert_status 125
	assert_contains "not in the store any more"
}

@test "podman loads what bryo saves, bryo what podman saves" {
	needs podman
	cat >storage.conf <<-END
	[storage]
	driver = "vfs"
	graphroot = "$E2E_DIR/graph"
	rootless_storage_path = "$E2E_DIR/graph"
	runroot = "$E2E_DIR/runroot"
	END
	export CONTAINERS_STORAGE_CONF=$E2E_DIR/storage.conf
	podman() { command podman --log-level=error "$@" 3>&-; }
	need_image
	need_image localhost/second --config '"Cmd":["echo","second"]'
	id=$(image_id $IMG)
	bryo save -q -o a.tar box second
	bryo save -q --format oci-archive -o o.tar box
	bryo save -q --format oci-dir -o p box
	bryo save -q --format docker-dir -o d box
	podman load -q -i a.tar
	[ "$(podman images -q --no-trunc | sort -u | wc -l)" -eq 2 ]
	for form in a.tar o.tar p d; do
		podman rmi -fa >/dev/null
		podman load -q -i $form
		podman image inspect --format '{{.Id}}' "$id"
	done
	for format in docker-archive oci-archive oci-dir docker-dir; do
		rm -rf there
		podman save -q --format $format -o there "$id"
		bryo rmi -fa
		run bryo load -q -i there
		assert_ok
		# podman writes the configuration anew for OCI; the files are the same all the same.
		[ "$(tree_of "$(bryo images -q)")" = "${tree:=$(tree_of "$(bryo images -q)")}" ]
	done
	podman system reset -f >/dev/null
}
