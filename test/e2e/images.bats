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
	assert_output "error[in-use]: image used by $id: image is in use by a container: consider listing external containers and force-removing image"
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

@test "image tree: layers below, and with --whatrequires those above" {
	need_image
	mkdir -p tree/etc
	echo >tree/etc/third
	need_image localhost/child --tree "$PWD/tree"
	id=$(bryo inspect --format '{{.Id}}' box)
	run bryo image tree box
	assert_ok
	[ "${lines[0]}" = "Image ID: ${id:0:12}" ]
	[ "${lines[1]}" = 'Tags:     [localhost/box:latest]' ]
	[[ ${lines[2]} =~ ^'Size:     '[0-9.]+MB$ ]]
	[ "${lines[3]}" = 'Image Layers' ]
	[[ ${lines[4]} =~ ^'├── ID: '[0-9a-f]{12}' Size: '[0-9.\ ]+MB$ ]]
	[[ ${lines[5]} =~ ^'└── ID: '[0-9a-f]{12}' Size: '.*B' Top Layer of: [localhost/box:latest]'$ ]]
	run bryo image tree --whatrequires box
	[ "${#lines[@]}" -eq 6 ]
	[[ ${lines[4]} =~ 'Top Layer of: [localhost/box:latest]'$ ]]
	[[ ${lines[5]} =~ 'Top Layer of: [localhost/child:latest]'$ ]]
	run bryo image tree nope
	assert_status 125
	assert_output 'error[no-such-image]: nope: image not known'
}

@test "images that others stand on are intermediate, not dangling" {
	need_image
	bryo run --name c $IMG touch /x
	bryo commit -q c middle
	bryo rm c
	bryo run --name c middle touch /y
	bryo commit -q c top
	bryo rm c
	middle=$(bryo inspect --format '{{.Id}}' middle)
	run bryo inspect --format '{{.Parent}}' top
	assert_output "$middle"
	run bryo inspect --format '{{.Parent}}' box
	assert_output ''
	run bryo images --format json
	[ "$(jq -r '.[] | select(.Names[0] == "localhost/top:latest") | .ParentId' <<<"$output")" = "$middle" ]
	[ "$(jq -r '.[] | select(.Names[0] == "localhost/box:latest") | .ParentId' <<<"$output")" = '' ]
	bryo untag middle
	run bryo images -q --no-trunc
	refute_contains "$middle"
	run bryo images -a -q --no-trunc
	assert_contains "$middle"
	run bryo images -q --no-trunc --filter intermediate=true
	assert_output "sha256:$middle"
	run bryo images -q --filter dangling=true
	assert_output ''
	run bryo image prune -f
	assert_output ''
	bryo tag top keep
	bryo rmi top
	bryo rmi --no-prune keep
	run bryo images -a -q --no-trunc --filter dangling=true
	assert_output "sha256:$middle"
}

@test "rmi takes unnamed parents along, image prune goes down to them" {
	need_image
	for name in one two; do
		bryo run --name c ${last:-$IMG} touch /$name
		bryo commit -q c $name
		bryo rm c
		last=$name
	done
	bryo untag one
	run bryo rmi two
	assert_ok
	[ "$(grep -c ^Deleted: <<<"$output")" -eq 2 ]
	last=
	for name in one two; do
		bryo run --name c ${last:-$IMG} touch /$name
		bryo commit -q c $name
		bryo rm c
		last=$name
	done
	bryo untag one
	bryo untag two
	run bryo image prune -f
	[ "${#lines[@]}" -eq 2 ]
	run bryo images -aq
	[ "${#lines[@]}" -eq 1 ]
	bryo run --name c $IMG touch /z
	bryo commit -q c
	bryo rm c
	run bryo rmi -a
	assert_ok
	run bryo images -aq
	assert_output ''
}

@test "images: every filter, --history, --digests, --sort" {
	need_image
	need_image localhost/b --variant b
	digest=$(bryo inspect --format '{{.Digest}}' b)
	id=$(bryo inspect --format '{{.Id}}' b)
	bryo create --name c $IMG true
	bryo run --name d localhost/b touch /new
	bryo commit -q d newer
	for filter in before=newer since=box until=1h label=maker label=maker=make-image 'label!=nothing' dangling=false "id=${id:0:10}" \
		"digest=$digest" reference=b readonly=false intermediate=false manifest=false containers=true; do
		run bryo images --format '{{.Repository}}' --filter "$filter"
		assert_ok
		case $filter in
		since=*) assert_output localhost/newer ;;
		*) assert_contains localhost/b ;;
		esac
		case $filter in
		id=*|digest=*|reference=*) assert_output localhost/b ;;
		esac
	done
	for filter in dangling=true readonly=true intermediate=true manifest=true label=nothing containers=false; do
		run bryo images -q --filter "$filter" box
		assert_output ''
	done
	run bryo images --history --digests box
	assert_matches "REPOSITORY +TAG +DIGEST +IMAGE ID +CREATED +SIZE +HISTORY"
	assert_matches "localhost/box +latest +sha256:[0-9a-f]{64} +.* +localhost/box:latest"
	run bryo images --noheading --format 'table {{.Repository}}' --sort repository
	assert_output $'localhost/b\nlocalhost/box\nlocalhost/newer'
	run bryo images --sort nonsense
	assert_status 125
	run bryo image prune -f --filter nonsense=1
	assert_status 125
	bryo rm c d
	bryo image prune -af --filter until=1h
	run bryo images --format '{{.Repository}}'
	assert_output localhost/newer
}
