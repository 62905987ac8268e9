# `system check`: damage is found and named, mended where the store can, and disturbs nobody else
load helpers

store() { echo "$XDG_DATA_HOME/bryo"; }
# Changes what containers and images own, as their root.
inside() { "$BRYO" unshare sh -c "$1"; }
largest_blob() { find "$(store)/blobs/sha256" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2; }
flip() { chmod u+w "$1"; printf '\377' | dd of="$1" bs=1 seek=100 conv=notrunc status=none; }

@test "an empty store and a used one are whole" {
	run bryo system check
	assert_ok
	assert_contains 'checked 0 blobs, 0 objects, 0 layers, 0 images, 0 containers, 0 volumes: no damage found'
	need_image
	bryo create --name c -v data:/data $IMG true
	bryo run --network none $IMG true
	run bryo system check
	assert_ok
	assert_contains '2 layers, 1 images, 2 containers, 1 volumes: no damage found'
	run bryo system check --quick
	assert_ok
	assert_contains 'no damage found'
}

@test "a changed file of a layer is found and the layer unpacked again" {
	BRYO_DRIVER=overlay
	need_image
	bryo create --name c $IMG cat /etc/replaced
	for change in 'echo x >>$f' 'chmod 777 $f' 'rm $f' 'rm $f; mkdir $f' 'rm $f; ln -s x $f' 'chown 5 $f' ': >$d/new' \
		'setfattr -n user.x -v 1 $f || : >$d/new'; do
		inside "d=\$(dirname $(store)/layers/*/diff/etc/replaced | tail -n 1); f=\$(ls \$d/../etc/replaced); $change"
		run bryo system check
		assert_status 125
		assert_matches '^layer sha256:.*: /etc/.*; --repair unpacks it again.*localhost/box:latest'
		run bryo system check --repair
		assert_ok
		assert_contains 'unpacked again from its blob'
		run bryo system check
		assert_ok
		run bryo start -a c
		assert_output upper
	done
}

@test "a layer under a running container waits for its end" {
	BRYO_DRIVER=overlay
	need_image
	bryo run -d --name c --network none $IMG sleep 1000
	inside "echo x >>\$(ls $(store)/layers/*/diff/etc/replaced | tail -n 1)"
	run bryo system check --repair
	assert_status 125
	assert_contains 'stop it, then --repair'
	bryo rm -f -t 0 c
	run bryo system check --repair
	assert_ok
}

needs_objects() { [ "$(bryo info --format '{{.Store.GraphDriverName}}')" = objects ] || skip "the object store does not work here"; }

# The file in objects/ of a container's path is the one with these contents.
object_of() {
	local file
	for file in $(grep -rlx "$1" "$(store)/objects"); do
		! printf '%s\n' "$1" | cmp -s - "$file" || echo "$file"
	done
}

# An image whose compressed blobs stay: nobody else has them.
need_blobs() { need_image $IMG --format oci-archive; }

@test "damaged and missing objects and indexes are found and made anew" {
	need_blobs
	needs_objects
	bryo create --name c $IMG cat /etc/replaced
	object=$(object_of upper)
	for change in 'damaged chmod u+w $f; echo other >$f' 'missing rm -f $f' 'damaged rm -f $f; mkdir $f'; do
		f=$object
		eval "${change#* }"
		run bryo system check
		assert_status 125
		assert_matches "/etc/.*: (its|their) contents are ${change%% *}"
		assert_contains '--repair unpacks it again from its blob; it belongs to localhost/box:latest'
		run bryo system check --quick
		assert_ok
		run bryo system check --repair
		assert_ok
		run bryo start -a c
		assert_output upper
	done
	for change in ': >$f' 'rm -f $f' 'head -c 200 /dev/urandom >$f' 'mkfifo $f.x; mv -f $f.x $f' 'rm -f $f; mkdir $f'; do
		f=$(ls "$(store)"/layers/*/index | head -n 1)
		eval "$change"
		run bryo system check --quick
		assert_status 125
		run bryo system check --repair
		assert_ok
		run bryo run --rm --network none $IMG cat /etc/replaced
		assert_output upper
	done
}

@test "what cannot be read now is not taken for damaged, and stays" {
	local file blob unread
	need_image
	needs_objects
	command -v strace >/dev/null || skip "strace is not installed"
	bryo create --name c $IMG cat /etc/replaced
	blob=$(ls -d "$(store)"/blobs/sha256/* | head -n 1)
	unread=(strace -f -qq -o /dev/null -e trace=read,pread64 -e inject=read,pread64:error=EIO)
	for file in "$(object_of upper)" "$blob"; do
		run "${unread[@]}" -P "$file" "$BRYO" system check --repair
		assert_status 125
		assert_contains 'it cannot be read: Input/output error; it stays'
		refute_contains 'image localhost'
		[ -f "$file" ]
		run bryo system check
		assert_ok
	done
	run "${unread[@]}" -P "$blob" "$BRYO" system check --repair --force
	[ ! -e "$blob" ]
}

@test "many missing objects are counted" {
	need_blobs
	needs_objects
	find "$(store)/objects" -type f -delete
	run bryo system check
	assert_status 125
	assert_matches '/[a-z/]+ and [0-9]+ more: their contents are missing; --repair'
	run bryo system check --repair
	assert_ok
	run bryo run --rm --network none $IMG cat /etc/replaced
	assert_output upper
}

@test "objects that no layer needs, and what is no object" {
	need_image
	needs_objects
	name=$(printf waste | openssl dgst -sha256 -binary | base64 | tr '+/' '-_')
	waste=$(store)/objects/${name:0:1}/${name:1:21}
	for cure in "system check --repair --max 0s" "image prune -f"; do
		mkdir -p "$(dirname "$waste")"
		printf waste >"$waste"
		run bryo system check
		assert_ok
		run bryo system check --max 0s
		assert_status 125
		assert_contains 'leftover objects: no layer needs 1 of them (5 B); --repair removes it'
		run bryo $cure
		assert_ok
		[ ! -e "$waste" ]
		run bryo system check --max 0s
		assert_ok
	done
	: >"$(store)/objects/stranger"
	: >"$(dirname "$(find "$(store)/objects" -mindepth 2 -type f | head -n 1)")/stranger"
	run bryo system check
	assert_status 125
	[ "$(grep -c 'stranger: it is no object; remove it by hand' <<<"$output")" -eq 2 ]
	run bryo run --rm --network none $IMG cat /etc/replaced
	assert_output upper
}

@test "a copy with shifted owners is verified and made anew" {
	BRYO_DRIVER=overlay
	need_image
	bryo create --name c --userns keep-id $IMG cat /etc/replaced
	copy=$(ls -d "$(store)"/layers/*/maps/*/)
	run bryo system check
	assert_ok
	for change in 'echo x >>$d/etc/replaced' 'chown 5 $d/etc/replaced' 'rm -r $d/etc' ': >$d.json' 'rm $d.json'; do
		inside "d=${copy%/}; $change"
		run bryo system check
		assert_status 125
		assert_matches 'layer sha256:.*: its copy maps/.*: .*; --repair makes it anew'
		run bryo system check --repair
		assert_ok
		assert_contains 'removed; it is made anew where it is needed'
		run bryo system check
		assert_ok
		run bryo start -a c
		assert_output upper
	done
}

@test "a damaged blob is removed, and loading brings it back" {
	need_blobs
	flip "$(largest_blob)"
	run bryo system check
	assert_status 125
	assert_contains 'its contents are sha256:'
	assert_contains 'pull again: localhost/box:latest'
	run bryo system check --quick
	assert_ok
	run bryo system check --repair
	assert_status 125
	run bryo run --rm --network none $IMG echo runs
	assert_output runs
	need_blobs
	run bryo system check
	assert_ok
}

@test "a damaged layer without its blob is marked, and pulling brings it back" {
	BRYO_DRIVER=overlay
	needs docker-registry skopeo
	registry_start
	registry_push "$(image_file $IMG)" box:1
	bryo pull -q --tls-verify=false "$REGISTRY/box:1"
	inside "rm -rf \$(dirname \$(dirname \$(ls $(store)/layers/*/diff/etc/replaced | tail -n 1)))"
	for blob in "$(store)"/blobs/sha256/*; do
		head -c 1 "$blob" | grep -q '{' || flip "$blob"
	done
	same=${REGISTRY#*:}
	kill "${E2E_PIDS[-1]}"
	wait "${E2E_PIDS[-1]}" || true
	run bryo system check --repair
	assert_status 125
	assert_contains "pull again: $REGISTRY/box:1"
	free_port() { echo "$same"; }
	registry_start
	run bryo run --rm --network none "$REGISTRY/box:1" true
	assert_status 125
	assert_contains 'pull'
	bryo pull -q --tls-verify=false "$REGISTRY/box:1"
	run bryo system check
	assert_ok
	run bryo run --rm --network none "$REGISTRY/box:1" cat /etc/replaced
	assert_output upper
}

@test "what cannot be mended goes by force, with the containers that need it" {
	need_image
	need_image localhost/other --variant other
	bryo create --name c $IMG true
	bryo create --name d localhost/other true
	id=$(bryo inspect --format '{{.Id}}' $IMG)
	rm -f "$(store)/blobs/sha256/${id#sha256:}"
	run bryo system check --repair
	assert_status 125
	assert_contains 'its configuration'
	assert_contains '--repair --force removes it and 1 container'
	run bryo system check --repair --force
	assert_ok
	run bryo ps -a --format '{{.Names}}'
	assert_output d
	run bryo images -q
	[ "$(wc -l <<<"$output")" -eq 1 ]
	run bryo system check
	assert_ok
}

@test "records of images, containers and volumes are written anew" {
	need_image
	bryo create --name c -v data:/data $IMG cat /etc/replaced
	bryo run --rm --network none -v data:/data $IMG sh -c 'echo kept >/data/file'
	echo '{' >"$(echo "$(store)"/images/*.json)"
	rm "$(store)"/containers/*/rootfs.json
	echo >"$(store)/volumes/data/volume.json"
	rm "$(store)/containers/names/c"
	ln -s "$(printf '%064d' 7)" "$(store)/containers/names/ghost"
	run bryo system check --repair
	assert_ok
	assert_contains 'written anew from its manifest'
	assert_contains 'made anew from config.json'
	assert_contains 'points there again'
	run bryo system check
	assert_ok
	run bryo start -a c
	assert_output upper
	run bryo run --rm --network none -v data:/data $IMG cat /data/file
	assert_output kept
	run bryo images --format '{{.Repository}}'
	assert_output localhost/box
	[ ! -L "$(store)/containers/names/ghost" ]
}

@test "leftovers, unneeded layers and blobs" {
	need_image
	mkdir -p "$(store)/layers/$(printf '%064d' 1)/diff" "$XDG_RUNTIME_DIR/bryo/containers/$(printf '%064d' 5)"
	: >"$(store)/blobs/sha256/$(printf '%064d' 2)"
	run bryo system check
	assert_contains 'runtime directory of a container that is not there'
	refute_contains 'no image and no container needs this layer'
	run bryo system check --max 0s
	assert_status 125
	assert_contains 'no image and no container needs this layer; --repair removes it'
	run bryo system check --repair --max 0s
	assert_ok
	run bryo system check --max 0s
	assert_ok
	[ ! -e "$XDG_RUNTIME_DIR/bryo/containers/$(printf '%064d' 5)" ]
}

@test "findings as JSON and by template" {
	bryo volume create v
	echo >"$(store)/volumes/v/volume.json"
	run bryo system check --format '{{.Kind}} {{.ID}} {{.Repaired}}'
	assert_status 125
	assert_contains 'volume v false'
	[ "$("$BRYO" system check --format json 2>/dev/null | jq -r '.Errors, .Findings[0].Kind, .Checked.Volumes')" = $'true\nvolume\n1' ]
	run bryo system check --max soon
	assert_status 125
	assert_contains 'a duration'
}

# --- a damaged file disables its object alone

# Everything small that the store is described by.
metadata() {
	find "$(store)" \( -path '*/diff/*' -o -path '*/upper/*' -o -path '*/rootfs/*' -o -path '*/_data/*' -o -path '*/skeleton/*' -o -path '*/objects/*' \) -prune \
		-o \( -type f -o -type l \) -size -64k ! -name '*.lock' ! -name lock -print
}

garble() {	# garble FILE HOW
	chmod u+w "$1" 2>/dev/null || true
	case $2 in
	empty) rm -f "$1"; : >"$1" ;;
	cut) [ ! -L "$1" ] && truncate -s $(($(stat -c %s "$1") / 2)) "$1" || ln -sfn nowhere "$1" ;;
	noise) rm -f "$1"; head -c 500 /dev/urandom >"$1" ;;
	gone) rm -f "$1" ;;
	fifo) rm -f "$1"; mkfifo "$1" ;;
	directory) rm -f "$1"; mkdir "$1" ;;
	json) rm -f "$1"; echo '{"id":{"id":7},"layers":[{}],"name":[],"chainId":3,"driver":{}}' >"$1" ;;
	esac
}

works() { timeout 10 "$BRYO" "$@"; }

# What the objects called keep consist of: ids and digests, one a line.
kept() {
	local id manifest
	id=$("$BRYO" image inspect --format '{{.Id}}' localhost/keep | sed 's/^sha256://')
	manifest=$(jq -r .manifestDigest "$(store)/images/$id.json")
	{
		"$BRYO" inspect --format '{{.Id}}' keep
		echo "$id"
		echo "$manifest"
		jq -r '.layers[]' "$(store)/images/$id.json"
		jq -r '.layers[].digest' "$(store)/blobs/sha256/${manifest#sha256:}"
	} | sed 's/^sha256://'
	echo names/keep
	echo volumes/keep
	echo Fkeep:latest
}

# check_others WHAT: the objects called keep work, and only another is complained about.
check_others() {
	run works ps -a --format '{{.Names}}'
	assert_ok && assert_contains keep || { echo "ps with $1" >&2; return 1; }
	run works images --format '{{.Repository}}'
	assert_ok && assert_contains localhost/keep || { echo "images with $1" >&2; return 1; }
	run works volume ls -q
	assert_ok && assert_contains keep || { echo "volume ls with $1" >&2; return 1; }
	run works start -a keep
	assert_ok && assert_contains upper || { echo "start with $1" >&2; return 1; }
	run works system check
	[ "$status" -eq "$2" ] && refute_contains localhost/keep || { show; echo "check with $1: not $2" >&2; return 1; }
	[ "$2" -eq 0 ] || assert_matches '(; --repair |pull or load it|pull again|remove it by hand)' || return 1
}

# garble_each HOW...: two of everything; whatever happens to a file of the one, the other one works, and the damage is
# named. The ways take turns.
garble_each() {
	local file expected how i=0 backup=$E2E_DIR/backup
	[ -z "${BRYO_TEST_QUICK:-}" ] || skip "with a sanitized build it takes minutes"
	need_image localhost/keep
	need_image localhost/hurt --variant hurt
	bryo create --name keep -v keep:/data localhost/keep cat /etc/replaced
	bryo create --name hurt -v hurt:/data localhost/hurt true
	kept >"$E2E_DIR/kept"
	for file in $(metadata | grep -vFf "$E2E_DIR/kept"); do
		rm -rf "$backup" && cp -a "$file" "$backup"
		i=$((i + 1)) how=$((i % $# + 1))
		how=${!how}
		garble "$file" "$how"
		expected=125
		# An image may be without a name.
		case "$file $how" in */events\ * | */driver\ * | */images/names/*\ gone) expected=0 ;; esac
		check_others "$file $how" $expected
		rm -rf "$file" && cp -a "$backup" "$file"
	done
	run bryo system check
	assert_ok
}

@test "each file of an object emptied or gone: the others work, it is named" { garble_each empty gone; }
@test "each file of an object cut or overwritten: the others work, it is named" { garble_each cut noise json; }
@test "each file of an object a FIFO or directory: the others work, it is named" { garble_each fifo directory; }
