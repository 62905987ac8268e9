# Layers without their compressed blobs: what a registry has, or a recipe makes again, is not kept
load helpers

store() { echo "$XDG_DATA_HOME/bryo"; }
own_digest() { bryo image inspect --format '{{.Digest}}' "$1"; }
remote_digest() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"; }
# Compressed layers that are there: what does not begin as JSON does.
layer_blobs() {
	local blob
	for blob in "$(store)"/blobs/sha256/*; do
		[ "$(head -c 1 "$blob")" = '{' ] || echo "$blob"
	done
}
recipes() { ls "$(store)"/layers/*/recipe; }
need_objects() { [ "$("$BRYO" info --format '{{.Store.GraphDriverName}}')" = objects ] || skip "no object store here"; }
# pulled: an image from a registry of this test's; sets BOX
pulled() {
	needs docker-registry skopeo
	need_objects
	registry_start
	registry_push "$(image_file $IMG)" box:1
	BOX=$REGISTRY/box:1
	SOURCE=${E2E_PIDS[-1]}
	bryo pull -q "$BOX"
}
# The registry of `pulled`.
registry_ends() {
	kill "$SOURCE"
	wait "$SOURCE" || true
}
layers_of() { jq -r '.layers[].digest'; }
# another_registry: with storage of its own; sets OTHER
another_registry() {
	local first=$REGISTRY
	mkdir -p "$E2E_DIR/another"
	E2E_DIR=$E2E_DIR/another registry_start
	OTHER=$REGISTRY REGISTRY=$first
}
flip() { chmod u+w "$1"; printf '\377' | dd of="$1" bs=1 seek="${2:-100}" conv=notrunc status=none; }

@test "a pull keeps no compressed layers, and nothing asks for them" {
	pulled
	run layer_blobs
	assert_output ""
	[ "$(recipes | wc -l)" -eq 2 ]
	run bryo run --rm --network none "$BOX" cat /etc/replaced
	assert_output upper
	run bryo system check
	assert_ok
	registry_ends
	run bryo system df
	assert_ok
	run bryo history "$BOX"
	assert_ok
	bryo create --name c "$BOX" sh
	run bryo commit -q c new
	assert_ok
	run bryo run --rm --network none new cat /etc/replaced
	assert_output upper
	bryo rm c
	bryo rmi -f new "$BOX"
	retry 10 eval '[ -z "$(ls "$(store)/blobs/sha256" "$(store)/layers" | grep -v :)" ]'
	run bryo system check
	assert_ok
}

@test "a second pull fetches nothing, one that keeps them everything" {
	pulled
	run bryo pull "$BOX"
	assert_ok
	refute_contains "Pulling fs layer"
	run layer_blobs
	assert_output ""
	run bryo pull -q --keep-compressed "$BOX"
	assert_ok
	[ "$(layer_blobs | wc -l)" -eq 2 ]
	# They stay, whatever is collected.
	need_image localhost/other --variant other
	bryo rmi localhost/other
	[ "$(layer_blobs | wc -l)" -eq 2 ]
	registry_ends
	run bryo save -q --format oci-archive -o kept.tar "$BOX"
	assert_ok
}

@test "plain layers of archives are not kept twice, compressed ones stay" {
	need_objects
	need_image
	run layer_blobs
	assert_output ""
	[ "$(recipes | wc -l)" -eq 2 ]
	bryo save -q -o again.tar $IMG
	mkdir a b
	tar xf "$(image_file $IMG)" -C a
	tar xf again.tar -C b
	(cd b && sha256sum -- *.tar) | while read -r digest name; do [ "$digest.tar" = "$name" ]; done
	[ "$(cd a && find . -name '*.tar' -exec sha256sum {} + | cut -d' ' -f1 | sort)" = \
	  "$(cd b && find . -name '*.tar' -exec sha256sum {} + | cut -d' ' -f1 | sort)" ]
	bryo rmi $IMG
	need_image $IMG --format oci-archive
	[ "$(layer_blobs | wc -l)" -eq 2 ]
}

@test "save needs the network for compressed layers only, and does without them where it must" {
	pulled
	run bryo save -q --format oci-dir -o fetched "$BOX"
	assert_ok
	[ "$(layers_of <"fetched/blobs/sha256/$(jq -r '.manifests[0].digest' fetched/index.json | cut -d: -f2)")" = \
	  "$(skopeo inspect --raw --tls-verify=false "docker://$BOX" | layers_of)" ]
	run layer_blobs
	assert_output ""
	registry_ends
	for format in docker-archive 'oci-archive --uncompressed'; do
		run bryo save -q --format $format -o offline.tar "$BOX"
		assert_ok
		assert_output ""
		bryo rmi -f "$BOX"
		bryo load -q -i offline.tar
		run bryo run --rm --network none "$BOX" cat /etc/replaced
		assert_output upper
	done
}

@test "save compresses anew when the registry does not answer, and says so" {
	pulled
	registry_ends
	run bryo save -q --format oci-dir -o anew "$BOX"
	assert_ok
	assert_contains "compressed anew"
	[ "$(jq -r '.manifests[0].digest' anew/index.json)" != "$(own_digest "$BOX")" ]
	id=$(bryo image inspect --format '{{.Id}}' "$BOX")
	bryo rmi "$BOX"
	run bryo load -q -i anew
	assert_ok
	bryo image exists "$id"
	run bryo system check
	assert_ok
}

@test "push takes the layers from where they came: the digest stays" {
	pulled
	another_registry
	run bryo push "$BOX" "$REGISTRY/same/registry:1"
	assert_ok
	assert_contains "taken from another repository"
	[ "$(remote_digest "$REGISTRY/same/registry:1")" = "$(own_digest "$BOX")" ]
	run bryo push "$BOX" "$OTHER/elsewhere:1"
	assert_ok
	refute_contains anew
	[ "$(remote_digest "$OTHER/elsewhere:1")" = "$(own_digest "$BOX")" ]
	run layer_blobs
	assert_output ""
}

@test "push compresses anew when the source does not answer: another digest, the same image" {
	pulled
	registry_ends
	another_registry
	run bryo push --retry 1 --digestfile digest "$BOX" "$OTHER/box:1"
	assert_ok
	assert_contains "$REGISTRY/box"
	assert_contains "compressed anew"
	[ "$(remote_digest "$OTHER/box:1")" = "$(cat digest)" ]
	[ "$(cat digest)" != "$(own_digest "$BOX")" ]
	id=$(bryo image inspect --format '{{.Id}}' "$BOX")
	bryo rmi "$BOX"
	run bryo pull -q --tls-verify=false "$OTHER/box:1"
	assert_output "$id"
	run bryo run --rm --network none "$OTHER/box:1" cat /etc/replaced
	assert_output upper
}

@test "another compression is made without the source" {
	pulled
	registry_ends
	another_registry
	run bryo push --compression-format zstd --force-compression "$BOX" "$OTHER/box:zstd"
	assert_ok
	refute_contains anew
	skopeo inspect --raw --tls-verify=false "docker://$OTHER/box:zstd" | jq -e '.layers | all(.mediaType | endswith("tar+zstd"))'
}

@test "what a list names by its digest is not compressed anew" {
	pulled
	bryo manifest create list "$BOX"
	another_registry
	run bryo manifest push list "$OTHER/list:1"
	assert_ok
	bryo rmi "$BOX"
	registry_ends
	rm -rf "$E2E_DIR/another/registry/docker"
	run bryo manifest push list "$OTHER/list:2"
	assert_status 125
	assert_contains "$REGISTRY/box"
	assert_contains "the list names the image by its digest"
	# Its layers are needed as long as the list is.
	[ "$(recipes | wc -l)" -eq 2 ]
	bryo manifest rm list
	retry 10 eval '[ -z "$(ls "$(store)/layers")" ]'
}

# Contents that are in a layer's tar and not in the layer.
twice_image() {
	python3 - "$1" <<-'END'
		import hashlib, io, json, sys, tarfile
		def tar(entries):
		    out = io.BytesIO()
		    with tarfile.open(fileobj=out, mode="w") as t:
		        for name, text in entries:
		            e = tarfile.TarInfo(name)
		            e.size = len(text)
		            t.addfile(e, io.BytesIO(text))
		    return out.getvalue()
		layer = tar([("file", b"first " * 1000), ("other", b"other " * 1000), ("file", b"second " * 1000)])
		config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
		    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
		open(sys.argv[1], "wb").write(tar([("config.json", config), ("layer.tar", layer), ("manifest.json", json.dumps(
		    [{"Config": "config.json", "RepoTags": ["localhost/twice:1"], "Layers": ["layer.tar"]}]).encode())]))
	END
}

@test "contents that only a recipe names are not collected" {
	need_objects
	twice_image twice.tar
	bryo load -q -i twice.tar
	[ "$(find "$(store)/objects" -type f | wc -l)" -eq 3 ]
	need_image
	bryo rmi $IMG
	bryo ps
	retry 10 eval '[ "$(find "$(store)/objects" -type f | wc -l)" -eq 3 ]'
	run bryo system check
	assert_ok
	run bryo save -q -o again.tar twice:1
	assert_ok
	bryo rmi twice:1
	bryo ps
	retry 10 eval '[ "$(find "$(store)/objects" -type f | wc -l)" -eq 0 ]'
}

@test "damage of recipes and objects is found, and mended from the registry" {
	pulled
	for damage in 'flip $recipe 70' ': >$recipe' 'rm -f $object' 'flip $object 10; flip $recipe 70' 'rm -f $index $object'; do
		recipe=$(recipes | head -n 1) index=${recipe%recipe}index
		object=$(find "$(store)/objects" -type f -size +100k | head -n 1)
		eval "$damage"
		run bryo system check
		assert_status 125
		assert_contains "--repair"
		assert_contains "from $REGISTRY/box"
		run bryo system check --repair
		assert_ok
		assert_contains "from $REGISTRY/box, where it came from"
		run bryo system check
		assert_ok
		run layer_blobs
		assert_output ""
	done
	run bryo run --rm --network none "$BOX" cat /etc/replaced
	assert_output upper
}

@test "an index is made anew by the recipe; a recipe without its registry waits for a pull" {
	pulled
	same=${REGISTRY#*:}
	registry_ends
	flip "$(ls "$(store)"/layers/*/index | head -n 1)" 70
	run bryo system check
	assert_status 125
	run bryo system check --repair
	assert_ok
	assert_contains "unpacked again by its recipe"
	flip "$(recipes | head -n 1)" 70
	run bryo system check --repair
	assert_status 125
	assert_contains "cannot be pushed or saved: pull again"
	run bryo run --rm --network none "$BOX" cat /etc/replaced
	assert_output upper
	run bryo save -q -o x.tar "$BOX"
	assert_status 125
	free_port() { echo "$same"; }
	registry_start
	run bryo pull -q "$BOX"
	assert_ok
	run bryo system check
	assert_ok
	run bryo save -q -o x.tar "$BOX"
	assert_ok
	run layer_blobs
	assert_output ""
}

@test "a blob that a layer without a recipe needs stays when another layer spares it" {
	needs docker-registry skopeo
	need_objects
	need_image $IMG --format oci-archive
	registry_start
	bryo push -q $IMG "$REGISTRY/box:1"
	[ "$(layer_blobs | wc -l)" -eq 2 ]
	bryo pull -q "$REGISTRY/box:1"
	[ "$(layer_blobs | wc -l)" -eq 2 ]
	[ -z "$(recipes 2>/dev/null)" ]
	run bryo system check
	assert_ok
}

@test "other drivers keep their blobs" {
	BRYO_DRIVER=vfs
	needs docker-registry skopeo
	registry_start
	registry_push "$(image_file $IMG)" box:1
	bryo pull -q "$REGISTRY/box:1"
	[ "$(layer_blobs | wc -l)" -eq 2 ]
	[ -z "$(recipes 2>/dev/null)" ]
}
