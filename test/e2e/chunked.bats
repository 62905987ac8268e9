# zstd:chunked layers: what the store has already is not fetched again, and what comes out is verified as ever
load helpers

# proxy: between bryo and $REGISTRY; sets PROXY. It counts the bytes of blobs in $E2E_DIR/bytes, and lies as $E2E_DIR/lie says.
proxy() {
	PROXY=127.0.0.1:$(free_port)
	"$BATS_TEST_DIRNAME/range-proxy.py" "$PROXY" "$REGISTRY" "$E2E_DIR/bytes" "$E2E_DIR/lie" 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port "${PROXY#*:}"
}

bytes() { awk '{ n += $1 } END { print n + 0 }' "$E2E_DIR/bytes"; }

# push_chunked NAME [WAY]: the tree as it is, or as it was pushed last.
push_chunked() {
	[ -d plain ] || "$MAKE_IMAGE" --format oci-dir --compress none --tree tree name plain
	rm -rf layout
	cp -r plain layout
	"$BATS_TEST_DIRNAME/make-chunked.py" layout ${2:-}
	skopeo copy -q --dest-tls-verify=false oci:layout "docker://$REGISTRY/$1"
}

first_version() {
	mkdir -p tree/opt/data
	for i in {1..150}; do head -c 20000 /dev/urandom >tree/opt/data/file$i; done
	head -c 300000 /dev/urandom >tree/opt/data/large
}

# Files of one version lie between files that stay; large is changed in one byte.
second_version() {
	head -c 20000 /dev/urandom >tree/opt/data/file77
	rm tree/opt/data/file12
	echo new >tree/opt/data/new
	printf x | dd of=tree/opt/data/large bs=1 seek=200000 conv=notrunc status=none
	rm -rf plain
}

two_versions() {
	needs skopeo docker-registry
	registry_start
	proxy
	first_version
	push_chunked app:1 ${1:-}
	second_version
	push_chunked app:2 ${1:-}
}

# is_tree IMAGE: it has the files of the second version.
is_tree() {
	run bryo run --rm --network none "$1" sh -c 'cd /opt/data && sha256sum *'
	assert_ok
	assert_output "$(cd tree/opt/data && sha256sum *)"
}

# By objects: the file that has one byte changed comes whole. No blob is kept, and a push has nothing to send.
@test "of the next version only the files that changed are fetched" {
	two_versions
	bryo pull -q "$PROXY/app:1"
	[ "$(bytes)" -gt 3000000 ]
	: >bytes
	bryo pull -q "$PROXY/app:2"
	cat bytes >&2
	[ "$(bytes)" -lt 400000 ]
	[ "$(wc -l <bytes)" -lt 5 ]
	grep -q , bytes
	is_tree "$PROXY/app:2"
	run find "$XDG_DATA_HOME/bryo/blobs" -size +100k
	assert_output ''
	run bryo system check
	assert_ok
	: >bytes
	bryo push -q --tls-verify=false "$PROXY/app:2" "$REGISTRY/app:3"
	[ "$(bytes)" -lt 10000 ]
	[ "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:3" | sha256sum)" = "$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:2" | sha256sum)" ]
}

@test "whatever brought the contents, they count: another image, from an archive, packed otherwise" {
	needs skopeo docker-registry
	registry_start
	proxy
	first_version
	"$MAKE_IMAGE" --format docker-archive --compress gzip --tree tree other archive.tar
	bryo load -q -i archive.tar
	second_version
	push_chunked app:2
	bryo pull -q "$PROXY/app:2"
	cat bytes >&2
	[ "$(bytes)" -lt 400000 ]
	is_tree "$PROXY/app:2"
}

@test "annotations and footers of the older kind, without a tar-split: headers come from between the files" {
	two_versions old
	bryo pull -q "$PROXY/app:1"
	bryo tag "$PROXY/app:1" localhost/other
	bryo untag "$PROXY/app:1"
	: >bytes
	bryo pull -q "$PROXY/app:2"
	cat bytes >&2
	[ "$(bytes)" -lt 500000 ]
	is_tree "$PROXY/app:2"
}

@test "where blobs are kept: put together from frames of those that are here, the registry's bit for bit" {
	two_versions
	for keep in '' --keep-compressed; do
		BRYO_DRIVER=${keep:+objects}
		BRYO_DRIVER=${BRYO_DRIVER:-overlay}
		bryo pull $keep -q "$PROXY/app:1"
		: >bytes
		bryo pull $keep -q "$PROXY/app:2"
		cat bytes >&2
		[ "$(bytes)" -lt 200000 ]
		[ "$(wc -l <bytes)" -lt 12 ]
		is_tree "$PROXY/app:2"
		rm -rf p
		bryo save -q --format oci-dir -o p "$PROXY/app:2"
		[ "$(jq -r '.manifests[0].digest' p/index.json)" = "sha256:$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:2" | sha256sum | cut -d' ' -f1)" ]
		for blob in p/blobs/sha256/*; do echo "$(basename "$blob")  $blob"; done | sha256sum -c --quiet
		bryo rmi -fa >/dev/null
	done
}

@test "a registry without ranges, or with wrong ones: the whole blob is fetched" {
	two_versions
	for lie in ignore-range short corrupt refuse moved more unbound; do
		bryo rmi -fa >/dev/null
		rm -f lie
		bryo pull -q "$PROXY/app:1"
		: >bytes
		echo $lie >lie
		run bryo pull -q "$PROXY/app:2"
		assert_ok
		echo "$lie: $(bytes)" >&2
		[ "$(bytes)" -gt 3000000 ]
		is_tree "$PROXY/app:2"
	done
}

@test "a registry that gives one range at a time is asked for one at a time; a cut is gone on from" {
	two_versions
	for lie in one-range first-only cut-once; do
		bryo rmi -fa >/dev/null
		rm -f lie
		bryo pull -q "$PROXY/app:1"
		: >bytes
		echo $lie >lie
		run bryo pull -q --retry-delay 10ms "$PROXY/app:2"
		assert_ok
		cat bytes >&2
		run awk '!/bytes=/ && $1 > 10000' bytes
		assert_output ''
		is_tree "$PROXY/app:2"
	done
}

# lies PATTERN: each of those ways of make-chunked.
lies() {
	two_versions
	bryo pull -q "$PROXY/app:1"
	for way in $("$BATS_TEST_DIRNAME/make-chunked.py" --ways); do
		[[ $way == $1 ]] || continue
		push_chunked lie:2 $way
		bryo rmi -f "$PROXY/lie:2" >/dev/null
		: >bytes
		run bryo pull -q "$PROXY/lie:2"
		assert_ok
		echo "$way: $(bytes)" >&2
		[ "$(bytes)" -gt 3000000 ]
	done
	is_tree "$PROXY/lie:2"
}

@test "tables that lie: the whole blob is fetched, and nothing of the lie is believed" { lies 'table*'; }

@test "tar-splits that lie, and digests: the same" { lies '[!t]*'; }
