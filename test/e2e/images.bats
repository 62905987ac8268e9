# Images in the store: names, listing, inspection, removal
load helpers

ids() { bryo images -q --no-trunc; }

@test "an image is found by its full name, short name, id and digest" {
	need_image
	id=$(bryo images -q)
	digest=$(bryo inspect --format '{{.Digest}}' $IMG)
	for name in $IMG $IMG:latest box "$id" "sha256:${id:0:4}" "box@$digest" "$IMG@$digest"; do
		run bryo inspect --format '{{.Id}}' "$name"
		assert_ok
		case $output in "$id"*) ;; *) show; return 1 ;; esac
	done
	for name in boxx box:2 other.io/box "$IMG@sha256:$(printf '%064d' 0)"; do
		run bryo image exists "$name"
		assert_status 1
	done
}

@test "tag, untag and rmi: an image goes with its last name" {
	need_image
	bryo tag $IMG quay.io/me/tool:1 other
	run bryo images --format '{{.Repository}}:{{.Tag}}'
	assert_output $'localhost/box:latest\nlocalhost/other:latest\nquay.io/me/tool:1'
	run bryo rmi tool:1
	assert_output 'Untagged: quay.io/me/tool:1'
	run bryo rmi "$(bryo images -q | head -n 1)"
	assert_status 125
	assert_contains 'more than one tag'
	bryo untag box other
	id=$(bryo images -q --no-trunc | sed 's/sha256://')
	run bryo rmi box
	assert_output "Untagged: localhost/box:latest
Deleted: $id"
	run bryo images -q
	assert_output ''
	run bryo rmi box
	assert_status 1
	assert_contains 'image not known'
	run bryo rmi --ignore box
	assert_ok
	# Nothing of it is left on disk.
	retry 5 test -z "$(ls "$XDG_DATA_HOME"/bryo/layers "$XDG_DATA_HOME"/bryo/blobs/sha256 | grep -v :)"
}

@test "images share layers; removing one leaves the other whole" {
	need_image
	need_image localhost/second --config '"Cmd":["echo","second"]'
	bryo rmi $IMG
	run bryo run --rm localhost/second
	assert_ok
	assert_output second
}

@test "an image that a container uses is not removed, unless forced" {
	need_image
	id=$(bryo create $IMG true)
	run bryo rmi $IMG
	assert_status 2
	assert_output "Error: image used by $id: image is in use by a container: consider listing external containers and force-removing image"
	bryo rmi -f $IMG
	run bryo ps -aq
	assert_output ''
}

@test "a container runs on after its image lost its names and came again" {
	need_image
	bryo create --name c $IMG cat /etc/replaced
	bryo untag $IMG
	need_image
	run bryo start -a c
	assert_ok
	assert_output upper
}

@test "images: filters and formats" {
	need_image
	need_image localhost/plain --config '"Labels":{"a":"b"}'
	bryo untag localhost/plain
	run bryo images --filter dangling=true --format '{{.Repository}}:{{.Tag}}'
	assert_output '<none>:<none>'
	run bryo images -f label=maker=make-image --format '{{.Repository}}'
	assert_output localhost/box
	run bryo images -f label=a --format '{{.Repository}}'
	assert_output '<none>'
	run bryo images -f 'reference=*box*' -q
	assert_ok
	[ "${#lines[@]}" -eq 1 ]
	run bryo images box --format '{{.Repository}}'
	assert_output localhost/box
	run bryo images nothing -q
	assert_output ''
	run bryo images -f nonsense=1
	assert_status 125
	assert_contains 'invalid image filter "nonsense"'
	run bryo images --format json
	assert_ok
	echo "$output" | python3 -c 'import json, sys
rows = json.load(sys.stdin)
assert len(rows) == 2, rows
assert {tuple(r["Names"]) for r in rows} == {("localhost/box:latest",), ()}, rows
assert all(isinstance(r["Size"], int) and r["Size"] > 0 for r in rows)'
}

@test "image prune removes what has no name, with -a what nothing uses" {
	need_image
	need_image localhost/b --variant b
	bryo create $IMG true
	bryo untag localhost/b
	run bryo image prune -f
	assert_ok
	[ "$(ids | wc -l)" -eq 1 ]
	need_image localhost/b --variant b
	bryo image prune -af
	run bryo images --format '{{.Repository}}'
	assert_output localhost/box
}

@test "history: newest first, sizes of layers" {
	need_image
	run bryo history --format '{{.CreatedBy}}' $IMG
	assert_ok
	assert_contains 'make-image layer 1'
	[ "$(bryo history -q $IMG | head -n 1)" = "$(bryo images -q)" ]
	bryo history --format json $IMG | python3 -c 'import json, sys
rows = json.load(sys.stdin)
assert rows[0]["id"] != "<missing>" and rows[-1]["id"] == "<missing>", rows
assert rows[-1]["size"] > 100000, rows'
}

@test "a damaged record is named, disturbs nobody, and can be removed" {
	need_image
	need_image localhost/b --variant b
	record=$(grep -l . "$XDG_DATA_HOME"/bryo/images/*.json | head -n 1)
	id=$(basename "$record" .json)
	: >"$record"
	run bryo images -q
	assert_ok
	assert_contains "${id:0:12}"
	[ "$(bryo images -q 2>/dev/null | wc -l)" -eq 1 ]
	run bryo rmi -f "$id"
	assert_ok
	run bryo images
	refute_contains damaged
	[ "$(ls "$XDG_DATA_HOME"/bryo/images/names | wc -l)" -eq 1 ]
}
