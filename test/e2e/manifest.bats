# `bryo manifest`: lists of images for several platforms, in the store and at registries
load helpers

# need_variant NAME TEXT: an image of its own.
need_variant() { bryo load -q -i "$(image_file "localhost/$1" --variant "$2")" >/dev/null; }
digest_of() { bryo image inspect --format '{{.Digest}}' "$1"; }
entries() { bryo manifest inspect "${1:-list}" | jq -r '.manifests[].digest'; }
remote() { skopeo inspect --tls-verify=false --raw "docker://$1"; }

@test "create, add, inspect, exists, rm" {
	need_variant one 1
	run bryo manifest create list
	assert_ok
	assert_matches '^[0-9a-f]{64}$'
	id=$output
	run bryo manifest create list
	assert_status 125
	assert_contains "that name is already in use"
	run bryo manifest add list one
	assert_output "$id"
	run bryo manifest add list containers-storage:localhost/one
	assert_ok
	bryo manifest inspect list | jq -e '.schemaVersion == 2 and .mediaType == "application/vnd.oci.image.index.v1+json" and
		(.manifests | length) == 1 and .manifests[0].platform.os == "linux" and .manifests[0].size > 0'
	[ "$(entries)" = "$(digest_of one)" ]
	run bryo manifest exists list
	assert_ok
	run bryo manifest exists one
	assert_status 1
	run bryo manifest exists nosuch
	assert_status 1
	run bryo images --filter manifest=true --format '{{.Repository}}:{{.Tag}}'
	assert_output localhost/list:latest
	run bryo manifest rm nosuch
	assert_status 1
	run bryo manifest rm --ignore nosuch
	assert_ok
	run bryo manifest rm one
	assert_status 1
	run bryo manifest rm list
	assert_ok
	assert_contains "Untagged: localhost/list:latest"
	assert_contains "Deleted: $id"
	run bryo run --rm --network none one true
	assert_ok
}

@test "annotate and remove" {
	need_variant one 1
	need_variant two 2
	run bryo manifest create --annotation of=list list one two
	assert_ok
	run bryo manifest annotate --arch arm64 --variant v8 --os-version 10 --features sse4,sse5 --os-features win32k \
		--annotation a=b list two
	assert_ok
	bryo manifest inspect list | jq -e '.annotations.of == "list" and (.manifests[1] | .annotations.a == "b" and
		.platform == {"architecture":"arm64","os":"linux","os.version":"10","os.features":["win32k"],"variant":"v8",
		"features":["sse4","sse5"]})'
	run bryo manifest annotate --index --annotation more=1 list
	assert_ok
	bryo manifest inspect list | jq -e '.annotations == {"of":"list","more":"1"}'
	run bryo manifest annotate --annotation nonsense list two
	assert_status 125
	run bryo manifest annotate list
	assert_status 125
	run bryo manifest remove list "$(digest_of one)"
	assert_ok
	[ "$(entries)" = "$(digest_of two)" ]
	run bryo manifest remove list "$(digest_of one)"
	assert_status 125
	run bryo manifest add --os plan9 --arch mips --annotation c=d list one
	assert_ok
	bryo manifest inspect list | jq -e '.manifests[1] | .annotations.c == "d" and
		.platform.os == "plan9" and .platform.architecture == "mips"'
}

@test "push: the images and the list, by all kinds of names; another pulls its platform" {
	needs docker-registry skopeo
	registry_start
	need_variant one 1
	need_variant two 2
	bryo manifest create list one
	bryo manifest add --arch s390x list two
	run bryo manifest push --digestfile digest list "docker://$REGISTRY/l/multi:1"
	assert_ok
	assert_contains "Copying image"
	assert_contains "Writing manifest to image destination"
	[ "$(remote "$REGISTRY/l/multi:1" | sha256sum | cut -d' ' -f1)" = "$(cut -d: -f2 digest)" ]
	remote "$REGISTRY/l/multi:1" | jq -e '.manifests | length == 2 and .[1].platform.architecture == "s390x"'
	run skopeo copy -q --all --src-tls-verify=false "docker://$REGISTRY/l/multi:1" "dir:$E2E_DIR/copy"
	assert_ok
	bryo rmi -fa
	run bryo pull -q "$REGISTRY/l/multi:1"
	assert_ok
	run bryo run --rm --network none "$REGISTRY/l/multi:1" cat /etc/variant
	assert_output 1
	run bryo manifest inspect --tls-verify=false "$REGISTRY/l/multi:1"
	assert_ok
	[ "$(jq '.manifests | length' <<<"$output")" -eq 2 ]
	run bryo manifest inspect "$REGISTRY/l/none:1"
	assert_status 125
}

@test "push --all=false needs the images at the registry; --format docker converts list and images; --rm and --purge" {
	needs docker-registry skopeo
	registry_start
	need_variant one 1
	bryo manifest create list one
	run bryo manifest push --all=false list "$REGISTRY/l:1"
	assert_status 125
	run bryo manifest push --all=false --format docker list "$REGISTRY/l:1"
	assert_status 125
	run bryo manifest push --format v2s2 list "$REGISTRY/l:2"
	assert_ok
	remote "$REGISTRY/l:2" | jq -e '.mediaType | endswith("manifest.list.v2+json")'
	remote "$REGISTRY/l:2" | jq -e '.manifests | all(.mediaType | endswith("manifest.v2+json"))'
	run bryo manifest push --format oci --compression-format zstd --rm list "$REGISTRY/l:3"
	assert_ok
	remote "$REGISTRY/l:3" | jq -e '.mediaType == "application/vnd.oci.image.index.v1+json"'
	run bryo manifest exists list
	assert_status 1
	bryo manifest create list one
	run bryo push list "$REGISTRY/l:4"
	assert_ok
	remote "$REGISTRY/l:4" | jq -e '.manifests | length == 1'
	run bryo manifest push --purge list "$REGISTRY/l:5"
	assert_ok
	run bryo manifest exists list
	assert_status 1
	run bryo manifest push one "$REGISTRY/l:6"
	assert_status 125
	assert_contains "no manifest list"
}

@test "images of registries are added without their layers and copied when the list is pushed" {
	needs docker-registry skopeo
	registry_start
	need_variant one 1
	need_variant two 2
	bryo manifest create source one
	bryo manifest add --arch s390x source two
	bryo push -q one "$REGISTRY/single:1"
	bryo manifest push -q source "$REGISTRY/source:1"
	bryo rmi -fa
	bryo manifest create list
	run bryo manifest add --tls-verify=false list "docker://$REGISTRY/source:1"
	assert_ok
	[ "$(entries | wc -l)" -eq 1 ]
	run bryo manifest add --all list "$REGISTRY/source:1"
	assert_ok
	[ "$(entries | wc -l)" -eq 2 ]
	run bryo manifest add list "docker://$REGISTRY/single:1"
	assert_ok
	run bryo images -q
	[ "${#lines[@]}" -eq 1 ]
	# The same registry passes the blobs on: nothing comes here.
	run bryo manifest push list "$REGISTRY/target:1"
	assert_ok
	assert_contains "taken from another repository"
	refute_contains Downloading
	[ "$(remote "$REGISTRY/target:1" | jq -r '.manifests[].digest')" = "$(entries)" ]
	# Another one gets them from here.
	fake
	run bryo manifest push list "$FAKE/t/t:1"
	assert_ok
	assert_contains Downloading
	grep -q "PUT /v2/t/t/manifests/1 .* 201" "$E2E_DIR/fake.log"
}

@test "what is fetched for a push with credentials does not get them" {
	needs docker-registry skopeo
	registry_start
	need_variant one 1
	bryo push -q one "$REGISTRY/single:1"
	fake --auth
	bryo manifest create list "docker://$REGISTRY/single:1"
	bryo rmi one
	run bryo manifest push --creds alice:secret list "$FAKE/a/b:1"
	assert_ok
	fake --auth
	bryo manifest create --creds alice:secret other "docker://$FAKE/x/y:1"
	run bryo manifest push --creds bob:other other "$REGISTRY/t:1"
	assert_status 125
	run grep -c "Basic" "$E2E_DIR/fake.log"
	before=$output
	[ "$before" -ge 1 ]
}

@test "a list stands for its image of this machine: run, inspect, history, tag, rmi" {
	need_variant one 1
	bryo manifest create list one
	run bryo run --rm --network none list cat /etc/variant
	assert_output 1
	run bryo run --rm --network none --platform linux/s390x --pull never list true
	assert_status 125
	run bryo image inspect --format '{{.Id}}' list
	assert_output "$(bryo image inspect --format '{{.Id}}' one)"
	run bryo history -q list
	assert_ok
	bryo tag list another
	run bryo rmi list
	assert_output "Untagged: localhost/list:latest"
	run bryo manifest exists another
	assert_ok
	run bryo rmi another
	assert_ok
	run bryo rmi one
	assert_ok
	run find "$XDG_DATA_HOME/bryo/blobs/sha256" -type f
	assert_output ""
}

@test "the list keeps what it names: its images can be removed before it is pushed" {
	needs docker-registry skopeo
	registry_start
	need_variant one 1
	bryo manifest create list one
	run bryo rmi one
	assert_ok
	run bryo run --rm --network none --pull never list true
	assert_status 125
	assert_contains "is not in the store"
	run bryo manifest push list "$REGISTRY/l:1"
	assert_ok
}

@test "many additions at the same time all count" {
	local pids=() i
	for i in 1 2 3 4 5 6; do need_variant "v$i" "$i"; done
	bryo manifest create list
	for i in 1 2 3 4 5 6; do
		bryo manifest add list "v$i" >/dev/null 3>&- &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(entries | sort -u | wc -l)" -eq 6 ]
}

@test "system check has nothing against lists" {
	need_variant one 1
	bryo manifest create list one
	run bryo system check
	refute_contains localhost/list
	refute_contains leftover
	bryo rmi one
	run bryo system check --repair
	refute_contains localhost/list
	[ "$(entries | wc -l)" -eq 1 ]
	run bryo manifest exists list
	assert_ok
}

@test "a damaged list disturbs nobody else" {
	need_variant one 1
	id=$(bryo manifest create list one)
	echo '{' >"$XDG_DATA_HOME/bryo/blobs/sha256/$(jq -r .manifestDigest "$XDG_DATA_HOME/bryo/images/$id.json" | cut -d: -f2)"
	run bryo manifest add list one
	assert_status 125
	run bryo run --rm --network none list true
	assert_status 125
	run bryo images -q
	assert_ok
	run bryo run --rm --network none one true
	assert_ok
	run bryo manifest rm list
	assert_ok
}
