# Transports in names: images out of archives and directories for pull and run
load helpers

image_id() { bryo inspect --format '{{.Id}}' "$1" | sed 's/sha256://'; }

two_images() {
	need_image
	need_image localhost/second --config '"Cmd":["echo","second"]'
	FIRST=$(image_id box) SECOND=$(image_id second)
}

@test "pull: all images of an archive, or one by its name or place" {
	two_images
	bryo save -q -o a.tar box second
	bryo save -q --format oci-archive -o o.tar box second
	bryo save -q --format oci-dir -o p box second
	for from in docker-archive:a.tar oci-archive:o.tar oci:p; do
		bryo rmi -fa
		run bryo pull -q $from
		assert_ok
		[ "${lines[*]}" = "$FIRST $SECOND" ]
		bryo rmi -fa
		run bryo pull -q $from:localhost/second:latest
		assert_output "$SECOND"
		[ "$(bryo images --format '{{.Repository}}')" = localhost/second ]
		bryo rmi -fa
		run bryo pull -q $from:@0
		assert_output "$FIRST"
		run bryo pull -q $from:localhost/third:latest
		assert_status 125
		assert_contains "has no image localhost/third:latest"
		assert_contains "it has: localhost/box:latest, localhost/second:latest"
		run bryo pull -q $from:@7
		assert_status 125
		assert_contains "none at place @7"
		[ "$(bryo images -q | wc -l)" -eq 1 ]
	done
	bryo save -q --format docker-dir -o d box
	bryo rmi -fa
	run bryo pull -q dir:d
	assert_output "$FIRST"
	run bryo pull -q containers-storage:"$FIRST"
	assert_output "$FIRST"
}

@test "load and save take them too" {
	two_images
	bryo save -q -o a.tar containers-storage:box second
	bryo rmi -fa
	run bryo load -q -i docker-archive:a.tar:localhost/second
	assert_output "Loaded image: localhost/second:latest"
	[ "$(bryo images -q --no-trunc)" = "sha256:$SECOND" ]
	cp a.tar oci:x
	run bryo load -q -i oci:x
	assert_ok
	[ "$(bryo images -q | wc -l)" -eq 2 ]
	run bryo load -q -i oci:nothing
	assert_status 125
}

@test "run and create take them too" {
	two_images
	bryo save -q -o a.tar second
	bryo save -q -m -o two.tar box second
	bryo rmi -fa
	run bryo run -q --rm --network none docker-archive:a.tar
	assert_ok
	assert_output second
	cd /
	run bryo run -q --rm --network none "docker-archive:$E2E_DIR/a.tar"
	assert_output second
	cd "$E2E_DIR"
	run bryo run -q --rm docker-archive:two.tar
	assert_status 125
	assert_contains "has 2 images: name one of them"
	run bryo run -q --rm --network none docker-archive:two.tar:localhost/second
	assert_output second
}

@test "what skopeo wrote is read, by its transports" {
	needs skopeo
	need_image
	file=$(image_file $IMG)
	skopeo copy -q docker-archive:"$file" oci:layout:one
	skopeo copy -q docker-archive:"$file" oci-archive:o.tar:localhost/named:2
	skopeo copy -q docker-archive:"$file" dir:plain
	bryo rmi -fa
	for from in oci:layout:one oci-archive:o.tar dir:plain; do
		run bryo pull -q $from
		assert_ok
	done
	[ "$(bryo images --format '{{.Repository}}:{{.Tag}}' | grep -v none | sort | tr '\n' ' ')" = "localhost/named:2 localhost/one:latest " ]
}

@test "what cannot be is refused with the reason" {
	run bryo pull docker-daemon:box:latest
	assert_status 125
	assert_contains "docker save NAME | bryo load"
	run bryo pull oci-archive:/nonexistent
	assert_status 125
	assert_contains "open /nonexistent: No such file"
	run bryo pull 'containers-storage:[overlay@/x]box'
	assert_status 125
	assert_contains "podman save NAME | bryo load"
	run bryo pull --all-tags oci:x
	assert_status 125
	run bryo pull containers-storage:nothing
	assert_status 125
	run bryo pull --platform linux/arm64 --arch arm64 box
	assert_status 125
	assert_contains "can not be specified with"
	run bryo pull --platform linux//v8 box
	assert_status 125
	assert_contains "is no platform"
}

@test "push: to every file and directory; the name is the one that was asked for" {
	needs skopeo
	need_image
	id=$(image_id box)
	bryo push -q box docker-archive:a.tar:quay.io/me/app:1
	bryo push -q box oci-archive:o.tar:app
	bryo push -q --digestfile digest box oci:layout:v1
	bryo push -q box oci:layout:v2
	bryo push -q --format oci box dir:plain
	bryo push -q box containers-storage:localhost/again:1
	[ "$(skopeo inspect --raw oci:layout:v2 | sha256sum | cut -d' ' -f1)" = "$(cut -d: -f2 digest)" ]
	[ "$(tar xOf a.tar manifest.json | jq -r '.[].RepoTags[]')" = quay.io/me/app:1 ]
	[ "$(jq -r .mediaType plain/manifest.json)" = application/vnd.oci.image.manifest.v1+json ]
	[ "$(image_id again:1)" = "$id" ]
	for from in docker-archive:a.tar oci-archive:o.tar:app oci:layout:v1 oci:layout:v2 dir:plain; do
		[ "$(skopeo inspect --config --raw $from | sha256sum | cut -d' ' -f1)" = "$id" ]
	done
	run bryo push -q box oci:layout:@1
	assert_status 125
	run bryo push -q --compression-format zstd box dir:other
	assert_status 125
	[ ! -e other ]
	run bryo push -q box oci:layout:v1:
	assert_status 125
}

@test "pull --all-tags, by digest, with a policy, several at once" {
	needs skopeo docker-registry
	registry_start
	image_file $IMG >/dev/null
	for tag in 1 2 3; do
		registry_push "$(image_file localhost/t$tag --config "\"Cmd\":[\"echo\",\"$tag\"]")" app:$tag
	done
	run bryo pull -q --all-tags "$REGISTRY/app"
	assert_ok
	[ "${#lines[@]}" -eq 3 ]
	run bryo images --format '{{.Repository}}:{{.Tag}}' --sort tag
	assert_output "$REGISTRY/app:1
$REGISTRY/app:2
$REGISTRY/app:3"
	run bryo pull -q --all-tags "$REGISTRY/app:1"
	assert_status 125
	run bryo pull -q --all-tags "$REGISTRY/nothing"
	assert_status 125
	digest=$(bryo inspect --format '{{.Digest}}' "$REGISTRY/app:2")
	id=$(image_id "$REGISTRY/app:2")
	bryo rmi -fa
	run bryo pull -q --policy never "$REGISTRY/app:1"
	assert_status 125
	run bryo pull -q "$REGISTRY/app@$digest" "$REGISTRY/nothing" "$REGISTRY/app:3"
	assert_status 125
	assert_contains "$id"
	[ "$(bryo images -q | wc -l)" -eq 2 ]
	run bryo run --rm --network none "$REGISTRY/app@$digest"
	assert_output 2
	bryo tag "$REGISTRY/app:3" "$REGISTRY/app:1"
	run bryo pull -q --policy missing "$REGISTRY/app:1"
	assert_output "$(image_id "$REGISTRY/app:3")"
	run bryo pull -q --policy newer "$REGISTRY/app:1"
	[ "$output" != "$(image_id "$REGISTRY/app:3")" ]
	run bryo pull -q --policy sometimes "$REGISTRY/app:1"
	assert_status 125
	run bryo pull -q --platform linux/s390x "$REGISTRY/app:1"
	assert_ok
	assert_contains "does not match the expected platform (linux/s390x)"
}
