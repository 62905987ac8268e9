# zstd:chunked layers: what other blobs have already is not fetched again, and the blob is the registry's bit for bit
load helpers

# proxy: between bryo and $REGISTRY; sets PROXY. It counts the bytes of blobs in $E2E_DIR/bytes, and lies as $E2E_DIR/lie says.
proxy() {
	PROXY=127.0.0.1:$(free_port)
	"$BATS_TEST_DIRNAME/range-proxy.py" "$PROXY" "$REGISTRY" "$E2E_DIR/bytes" "$E2E_DIR/lie" 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port "${PROXY#*:}"
}

bytes() { awk '{ n += $1 } END { print n + 0 }' "$E2E_DIR/bytes"; }

# push_chunked TREE NAME [old]
push_chunked() {
	rm -rf layout
	"$MAKE_IMAGE" --format oci-dir --compress none --tree "$1" "$2" layout
	"$BATS_TEST_DIRNAME/make-chunked.py" layout ${3:-}
	skopeo copy -q --dest-tls-verify=false oci:layout "docker://$REGISTRY/$2"
}

two_versions() {
	needs skopeo docker-registry
	registry_start
	proxy
	mkdir -p tree/opt/data
	for i in {1..150}; do head -c 20000 /dev/urandom >tree/opt/data/file$i; done
	head -c 300000 /dev/urandom >tree/opt/data/large
	push_chunked tree app:1 ${1:-}
	head -c 20000 /dev/urandom >tree/opt/data/file77
	rm tree/opt/data/file12
	echo new >tree/opt/data/new
	printf x | dd of=tree/opt/data/large bs=1 seek=200000 conv=notrunc status=none
	push_chunked tree app:2 ${1:-}
}

@test "of the next version only what changed is fetched" {
	two_versions
	bryo pull -q "$PROXY/app:1"
	whole=$(bytes)
	[ "$whole" -gt 3000000 ]
	: >bytes
	bryo pull -q "$PROXY/app:2"
	cat bytes >&2
	[ "$(bytes)" -lt 400000 ]		# the large file is one content, and another one now
	[ "$(wc -l <bytes)" -lt 12 ]
	run bryo run --rm --network none "$PROXY/app:2" sh -c 'cd /opt/data && sha256sum *'
	assert_ok
	assert_output "$(cd tree/opt/data && sha256sum *)"
	# Bit for bit what the registry has: a push has nothing to send.
	bryo save -q --format oci-dir -o p "$PROXY/app:2"
	[ "$(jq -r '.manifests[0].digest' p/index.json)" = "sha256:$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/app:2" | sha256sum | cut -d' ' -f1)" ]
	for blob in p/blobs/sha256/*; do echo "$(basename "$blob")  $blob"; done | sha256sum -c --quiet
}

@test "annotations and footers of the older kind; the layers of another image count as well" {
	two_versions old
	bryo pull -q "$PROXY/app:1"
	bryo tag "$PROXY/app:1" localhost/other
	bryo untag "$PROXY/app:1"
	: >bytes
	bryo pull -q "$PROXY/app:2"
	[ "$(bytes)" -lt 400000 ]
}

@test "whatever goes wrong, the whole blob is fetched" {
	two_versions
	for lie in ignore-range short corrupt refuse; do
		bryo rmi -fa >/dev/null
		rm -f lie
		bryo pull -q "$PROXY/app:1"
		: >bytes
		echo $lie >lie
		run bryo pull -q "$PROXY/app:2"
		assert_ok
		[ "$(bytes)" -gt 3000000 ]
		run bryo run --rm --network none "$PROXY/app:2" cat /opt/data/new
		assert_output new
	done
	rm -f lie
	for table in lie disorder; do
		push_chunked tree $table $table
		bryo rmi "$PROXY/app:2" >/dev/null
		run bryo pull -q "$PROXY/app:1" "$PROXY/$table"
		assert_ok
		run bryo run --rm --network none "$PROXY/$table" cat /opt/data/new
		assert_output new
		bryo rmi "$PROXY/$table" >/dev/null
		bryo pull -q "$PROXY/app:2"
	done
}
