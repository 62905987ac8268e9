# `bryo push`: to real registries, and to one that stumbles
load helpers

# An image with a layer of 3 MB, so that it does not go with one request: localhost/big, gzip, as it would be pulled.
need_big() {
	local dir=$BRYO_TEST_CACHE/big-image
	if [ ! -d "$dir" ]; then
		mkdir -p "$E2E_DIR/tree/data"
		python3 -c 'import random; random.seed(1); open("'"$E2E_DIR"'/tree/data/file", "wb").write(random.randbytes(3 << 20))'
		"$MAKE_IMAGE" --format oci-dir --tree "$E2E_DIR/tree" localhost/big "$dir.$$" && mv "$dir.$$" "$dir"
	fi
	bryo load -q -i "$dir" >/dev/null
}

no_blobs() { [ -z "$(ls "$XDG_DATA_HOME/bryo/blobs/sha256")" ]; }
own_podman() { podman --root "$E2E_DIR/p" --runroot "$E2E_DIR/pr" --storage-driver vfs "$@"; }
remote_digest() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"; }
remote_manifest() { skopeo inspect --tls-verify=false --raw "docker://$1"; }
own_digest() { bryo image inspect --format '{{.Digest}}' "$1"; }
layers_of() { jq -r '.layers[].digest'; }
# count PATTERN: in the fake registry's log.
count() { grep -c -- "$1" "$E2E_DIR/fake.log"; }

assert_pushed() {
	assert_ok
	[ "$(sha256sum <"$E2E_DIR/kept/manifest" | cut -d' ' -f1)" = "$(own_digest big | cut -d: -f2)" ]
}

# fake_push WHAT...: the big image to a registry that stumbles so.
fake_push() {
	local options=()
	for what; do options+=(--do "$what"); done
	mkdir -p "$E2E_DIR/kept"
	rm -f "$E2E_DIR/kept/manifest"
	fake --keep "$E2E_DIR/kept" "${options[@]}"
	run bryo push --retry-delay 50ms big "$FAKE/a/b:1"
}

@test "what was pulled is pushed as it came, and what the registry has is not sent again" {
	needs docker-registry skopeo
	registry_start
	need_big
	run bryo push big "$REGISTRY/team/box:1"
	assert_ok
	assert_contains "Copying blob"
	assert_contains "Copying config"
	assert_contains "Writing manifest to image destination"
	[ "$(remote_digest "$REGISTRY/team/box:1")" = "$(own_digest big)" ]
	run bryo push big "$REGISTRY/team/box:2"
	assert_ok
	assert_contains "skipped: already exists"
	refute_contains " done"
	run bryo push -q big "$REGISTRY/team/box:3"
	assert_output ""
	bryo rmi -fa
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	run bryo run --rm --network none "$REGISTRY/team/box:1" sha256sum /data/file
	assert_ok
}

@test "podman and skopeo understand what was pushed, and the other way round; digests stay" {
	needs docker-registry skopeo podman
	registry_start
	registry_push "$(image_file $IMG)" from/skopeo:1
	bryo pull -q "$REGISTRY/from/skopeo:1"
	run bryo push "$REGISTRY/from/skopeo:1" "$REGISTRY/to/bryo:1"
	assert_ok
	[ "$(remote_digest "$REGISTRY/to/bryo:1")" = "$(remote_digest "$REGISTRY/from/skopeo:1")" ]
	remote_manifest "$REGISTRY/to/bryo:1" | jq -e '.mediaType == "application/vnd.docker.distribution.manifest.v2+json"'
	run skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/to/bryo:1" "oci:$E2E_DIR/copy:1"
	assert_ok
	run own_podman pull -q --tls-verify=false "$REGISTRY/to/bryo:1"
	assert_ok
	run own_podman push -q --tls-verify=false "$REGISTRY/to/bryo:1" "$REGISTRY/to/podman:1"
	assert_ok
	run bryo pull -q "$REGISTRY/to/podman:1"
	assert_ok
	podman unshare rm -rf "$E2E_DIR/p" 2>/dev/null || true
}

@test "plain layers are compressed, always to the same bytes" {
	needs docker-registry skopeo
	registry_start
	need_image
	run bryo push --digestfile one "$IMG" "$REGISTRY/a/b"
	assert_ok
	run bryo push --digestfile two "$IMG" "$REGISTRY/c/d"
	assert_ok
	[ "$(cat one)" = "$(cat two)" ]
	[ "$(cat one)" = "$(remote_digest "$REGISTRY/a/b")" ]
	remote_manifest "$REGISTRY/a/b" | jq -e '.layers | all(.mediaType | endswith("tar.gzip"))'
	run bryo pull -q "$REGISTRY/a/b"
	assert_output "$(bryo images -q --no-trunc $IMG | cut -d: -f2)"
}

@test "layers are compressed anew where that is asked for, manifest and configuration fit" {
	needs docker-registry skopeo zstd
	registry_start
	need_big
	id=$(bryo image inspect --format '{{.Id}}' big)
	run bryo push --compression-format zstd --compression-level 7 big "$REGISTRY/z:1"
	assert_ok
	remote_manifest "$REGISTRY/z:1" | jq -e '.layers | length == 3 and all(.mediaType | endswith("tar+zstd"))'
	[ "$(remote_manifest "$REGISTRY/z:1" | jq -r .config.digest)" = "sha256:$id" ]
	run bryo push --compression-format zstd --force-compression=false big "$REGISTRY/z:2"
	assert_ok
	[ "$(remote_digest "$REGISTRY/z:2")" = "$(own_digest big)" ]
	run bryo push --compression-format zstd --format v2s2 big "$REGISTRY/z:3"
	assert_status 125
	assert_contains "zstd"
	run bryo push --compression-format lz4 big "$REGISTRY/z:3"
	assert_status 125
	run bryo push --compression-format gzip --compression-level 99 $IMG "$REGISTRY/z:3"
	assert_status 125
	bryo rmi -fa
	run bryo pull -q "$REGISTRY/z:1"
	assert_output "$id"
	run bryo run --rm --network none "$REGISTRY/z:1" cat /etc/replaced
	assert_output upper
	# And back: other bytes than at first, the same image.
	run bryo push --compression-format gzip "$REGISTRY/z:1" "$REGISTRY/z:4"
	assert_ok
	remote_manifest "$REGISTRY/z:4" | jq -e '.layers | all(.mediaType | endswith("tar+gzip"))'
	[ "$(remote_manifest "$REGISTRY/z:4" | jq -r .config.digest)" = "sha256:$id" ]
}

@test "--format: Docker's manifest and OCI's around the same blobs" {
	needs docker-registry skopeo
	registry_start
	need_big
	run bryo push --format v2s2 big "$REGISTRY/f:docker"
	assert_ok
	run bryo push --format oci big "$REGISTRY/f:oci"
	assert_ok
	[ "$(remote_digest "$REGISTRY/f:oci")" = "$(own_digest big)" ]
	[ "$(remote_manifest "$REGISTRY/f:docker" | layers_of)" = "$(remote_manifest "$REGISTRY/f:oci" | layers_of)" ]
	remote_manifest "$REGISTRY/f:docker" | jq -e '.mediaType | endswith("manifest.v2+json")'
	run bryo pull -q "$REGISTRY/f:docker"
	assert_output "$(bryo image inspect --format '{{.Id}}' big)"
	run bryo push --format nonsense big "$REGISTRY/f:x"
	assert_status 125
}

@test "TLS and credentials: refused, then taken" {
	needs docker-registry skopeo openssl
	registry_start --tls --auth
	need_image
	need_big
	run bryo push --tls-verify=true --creds alice:secret $IMG "$REGISTRY/a"
	assert_status 125
	assert_contains "certs.d/$REGISTRY"
	mkdir certs && cp registry.crt certs/ca.crt
	run bryo push --tls-verify=true --cert-dir certs $IMG "$REGISTRY/a"
	assert_status 125
	assert_contains "unauthorized"
	assert_contains "bryo login $REGISTRY"
	run bryo push --tls-verify=true --cert-dir certs --creds alice:wrong $IMG "$REGISTRY/a"
	assert_status 125
	refute_contains wrong
	run bryo push --tls-verify=true --cert-dir certs --creds alice:secret $IMG "$REGISTRY/a"
	assert_ok
	run bryo push --tls-verify=true --cert-dir certs --creds alice:secret big "$REGISTRY/a"
	assert_ok
}

@test "names: the image's own, docker://, ids, and what is no destination" {
	fake
	need_big
	bryo tag big "$FAKE/own/name:7"
	run bryo push "$FAKE/own/name:7"
	assert_ok
	grep -q "PUT /v2/own/name/manifests/7 " "$E2E_DIR/fake.log"
	run bryo push big "docker://$FAKE/other"
	assert_ok
	grep -q "PUT /v2/other/manifests/latest " "$E2E_DIR/fake.log"
	run bryo push "$(bryo images -q big)"
	assert_status 125
	assert_contains "more than one name"
	run bryo push big docker-daemon:x:1
	assert_status 125
	run bryo push big "$FAKE/a@sha256:$(printf '%064d' 0)"
	assert_status 125
	run bryo push nosuch "$FAKE/a"
	assert_status 125
	assert_contains "image not known"
	run bryo push big 127.0.0.1:1/a
	assert_status 125
	assert_contains 127.0.0.1:1
}

@test "an upload that was cut goes on where it stopped" {
	need_big
	fake_push up-cut
	assert_pushed
	assert_contains Retrying
	# Only the rest was sent the second time.
	grep -q "GET /v2/a/b/blobs/uploads/" "$E2E_DIR/fake.log"
	[ "$(count 'POST /v2/a/b/blobs/uploads/')" -eq 4 ]
}

@test "a line to docker-registry that breaks again and again" {
	needs docker-registry skopeo
	registry_start
	need_big
	"$BATS_TEST_DIRNAME/cut-line" "${REGISTRY##*:}" 1000000 3 "$E2E_DIR/line" 3>&- &
	E2E_PIDS+=("$!")
	retry 10 test -f "$E2E_DIR/line"
	run bryo push --retry-delay 50ms big "127.0.0.1:$(cat line)/a/b:1"
	assert_ok
	assert_contains Retrying
	[ "$(remote_digest "$REGISTRY/a/b:1")" = "$(own_digest big)" ]
}

@test "an upload that was lost begins again" {
	need_big
	for how in up-lost up-forgotten up-gone; do
		fake_push "$how"
		assert_pushed
	done
}

@test "pieces are taken by halves, refused as too large, ranges make no sense" {
	need_big
	for how in up-short up-small up-odd; do
		fake_push "$how"
		assert_pushed
	done
	fake_push up-stuck
	assert_status 125
	assert_contains "does not get on"
}

@test "429, 503 and a registry that is out of order" {
	need_big
	fake_push up-busy
	assert_pushed
	fake_push up-broken
	assert_pushed
	fake --do up-dead
	run bryo push --retry 1 --retry-delay 10ms big "$FAKE/a/b"
	assert_status 125
	assert_contains "status 500"
	run bryo push --retry-delay soon big "$FAKE/a/b"
	assert_status 125
}

@test "tokens: for pushing, and new ones when they expire in the middle" {
	need_big
	mkdir -p kept
	fake --auth --do up-expire --keep "$E2E_DIR/kept"
	run bryo push --creds alice:secret big "$FAKE/a/b:1"
	assert_pushed
	grep -q '/token?.*scope=repository%3Aa%2Fb%3Apull%2Cpush.* Basic ' "$E2E_DIR/fake.log"
	run bryo push --creds alice:bad big "$FAKE/a/b:1"
	assert_status 125
	assert_contains "incorrect username or password"
	fake --do up-denied
	run bryo push big "$FAKE/a/b:1"
	assert_status 125
	assert_contains "denied: you may not push"
}

@test "a registry that says it has something else is not believed" {
	need_big
	fake_push up-liar
	assert_status 125
	assert_contains "says that it has sha256:1111"
	[ ! -e kept/manifest ]
	fake_push up-liar-list
	assert_status 125
	assert_contains "says that it got sha256:1111"
	fake_push up-wrong
	assert_status 125
	assert_contains "did not match"
	[ ! -e kept/manifest ]
}

@test "uploads elsewhere get no credentials; relative addresses and redirects are followed, a way to http is not" {
	needs openssl
	need_big
	for how in up-elsewhere up-redirect up-relative; do
		mkdir -p kept
		fake --auth --keep "$E2E_DIR/kept" --do "$how"
		run bryo push --creds alice:secret big "$FAKE/a/b:1"
		assert_pushed
		run grep "^$FAKE_CDN .*\(Bearer\|Basic\)" "$E2E_DIR/fake.log"
		assert_status 1
	done
	fake_push up-nowhere
	assert_status 125
	assert_contains "without saying where"
	fake_push up-lose
	assert_status 125
	assert_contains "redirects"
	certificate
	fake --cert crt --key key --do up-downgrade
	run bryo push --tls-verify=false big "$FAKE/a/b:1"
	assert_status 125
	assert_contains "from https to http"
}

@test "blobs are taken from another repository of the same registry" {
	need_big
	fake_push
	assert_pushed
	: >"$E2E_DIR/fake.log"
	run bryo push big "$FAKE/c/d:1"
	assert_ok
	assert_contains "taken from another repository"
	grep -q "POST /v2/c/d/blobs/uploads/?mount=sha256%3A[0-9a-f]*&from=a%2Fb .* 201" "$E2E_DIR/fake.log"
	run grep "PATCH\|PUT /v2/c/d/blobs" "$E2E_DIR/fake.log"
	assert_status 1
	# An image that shares layers only, and a registry that answers with an upload.
	fake --do up-unwilling
	run bryo push big "$FAKE/a/b:1"
	assert_ok
	run bryo push big "$FAKE/c/d:1"
	assert_ok
	grep -q "POST /v2/c/d/blobs/uploads/?mount=.* 202" "$E2E_DIR/fake.log"
}

@test "a registry that does not know OCI's manifests gets Docker's, unless OCI's were asked for" {
	need_big
	fake_push up-old
	assert_ok
	jq -e '.mediaType == "application/vnd.docker.distribution.manifest.v2+json"' kept/manifest
	run bryo push --format oci big "$FAKE/a/b:2"
	assert_status 125
	assert_contains "manifest invalid"
	run bryo push --compression-format zstd big "$FAKE/a/b:3"
	assert_status 125
	assert_contains "manifest invalid"
}

@test "an image that is removed while it is pushed is pushed whole, and gone afterwards" {
	need_big
	fake --do up-busy
	bryo push -q big "$FAKE/a/b:1" 3>&- &
	pid=$!
	retry 10 grep -q 'POST' "$E2E_DIR/fake.log"
	run bryo rmi big
	assert_ok
	wait "$pid"
	grep -q "PUT /v2/a/b/manifests/1 .* 201" "$E2E_DIR/fake.log"
	run bryo images -q
	assert_output ""
	# The next command takes the blobs.
	retry 10 no_blobs
}

@test "all tags of a repository" {
	fake
	need_big
	need_image
	bryo tag big "$FAKE/r/r:1" "$FAKE/r/r:2" "$FAKE/r/rr:3"
	bryo tag $IMG "$FAKE/r/r:4"
	run bryo push --all-tags "$FAKE/r/r"
	assert_ok
	for tag in 1 2 4; do grep -q "PUT /v2/r/r/manifests/$tag .* 201" "$E2E_DIR/fake.log"; done
	run grep "manifests/3\|/rr/" "$E2E_DIR/fake.log"
	assert_status 1
	run bryo push -a "$FAKE/none"
	assert_status 125
	run bryo push -a "$FAKE/r/r:1"
	assert_status 125
}

@test "mounts with a real registry" {
	needs docker-registry skopeo
	registry_start
	need_big
	bryo push -q big "$REGISTRY/first:1"
	run bryo push big "$REGISTRY/second:1"
	assert_ok
	assert_contains "taken from another repository"
	[ "$(remote_digest "$REGISTRY/second:1")" = "$(own_digest big)" ]
}

@test "a blob that the disk damaged is found before others get it" {
	need_big
	blob=$(jq -r '.layers[2].digest' "$XDG_DATA_HOME/bryo/blobs/sha256/$(own_digest big | cut -d: -f2)" | cut -d: -f2)
	printf x | dd of="$XDG_DATA_HOME/bryo/blobs/sha256/$blob" bs=1 seek=5000 conv=notrunc 2>/dev/null
	fake_push
	assert_status 125
	assert_contains "the store's copy is damaged"
	[ ! -e kept/manifest ]
	run bryo push --compression-format zstd big "$FAKE/a/b:1"
	assert_status 125
	[ ! -e kept/manifest ]
	rm "$XDG_DATA_HOME/bryo/blobs/sha256/$blob"
	run bryo push big "$FAKE/a/b:1"
	assert_status 125
	assert_contains "neither in the store nor at the registry"
}

@test "kill -9 in the middle of a push leaves nothing" {
	need_big
	fake --do up-busy
	"$BRYO" push --compression-format zstd -q big "$FAKE/a/b" 3>&- &
	pid=$!
	retry 10 grep -q 'HEAD' "$E2E_DIR/fake.log"
	kill -9 "$pid"
	wait "$pid" || true
	fake_push
	assert_pushed
	run find "$XDG_DATA_HOME/bryo/tmp" -mindepth 1
	assert_output ""
}

@test "registries.conf: blocked is blocked" {
	need_big
	mkdir -p "$XDG_CONFIG_HOME/containers"
	printf '[[registry]]\nlocation = "blocked.example"\nblocked = true\n' >"$XDG_CONFIG_HOME/containers/registries.conf"
	run bryo push big blocked.example/a
	assert_status 125
	assert_contains blocked
}
