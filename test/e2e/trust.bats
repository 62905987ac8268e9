# policy.json: what is accepted, rejected, and must be signed; by Podman's and skopeo's signatures, and cosign's format
load helpers

POLICY=.config/containers/policy.json

# policy TEXT: the user's own.
policy() {
	mkdir -p "$HOME/.config/containers"
	printf '%s\n' "$1" >"$HOME/$POLICY"
}

# demand REQUIREMENT...: of images of the test's registry; everything else is rejected.
demand() {
	local IFS=,
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"$REGISTRY\":[$*]}}}"
}

gpg_key() { # NAME [EXPIRY]
	export GNUPGHOME=$E2E_DIR/gpg
	mkdir -p -m 700 "$GNUPGHOME"
	gpg --batch -q --passphrase '' --quick-gen-key "$1 <$1@example.com>" ed25519 sign "${2:-never}" 2>/dev/null
	gpg --batch -q --export --armor "$1" >"$E2E_DIR/$1.asc"
}

# Signatures lie in $E2E_DIR/sigs, for skopeo and for us.
lookaside() {
	mkdir -p "$HOME/.config/containers/registries.d" "$E2E_DIR/sigs"
	printf 'docker:\n  %s:\n    lookaside: %s\n' "$REGISTRY" "${1:-file://$E2E_DIR/sigs}" \
		>"$HOME/.config/containers/registries.d/test.yaml"
}

# signed_push NAME KEY: the usual image, signed by skopeo.
signed_push() {
	skopeo --insecure-policy copy -q --dest-tls-verify=false --sign-by "$2@example.com" "docker-archive:$(image_file $IMG)" \
		"docker://$REGISTRY/$1" >/dev/null
}

signed_by() { # KEY [IDENTITY]
	printf '{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s"%s}' "$E2E_DIR/$1.asc" "${2:+,\"signedIdentity\":$2}"
}

# Nothing was fetched or unpacked of an image that is not trusted.
assert_nothing_came() {
	run bryo images -q
	assert_output ""
	[ -z "$(ls "$XDG_DATA_HOME/bryo/layers")" ]
	run find "$XDG_DATA_HOME/bryo/blobs" -size +100k
	assert_output ""
}

stop_gpg() { [ ! -d "$E2E_DIR/gpg" ] || GNUPGHOME=$E2E_DIR/gpg gpgconf --kill all 2>/dev/null || true; }
teardown() { stop_gpg; e2e_teardown; }

@test "no policy accepts; reject rejects before anything is asked for" {
	needs docker-registry skopeo
	registry_start
	registry_push "$(image_file $IMG)" team/box:1
	policy '{"default":[{"type":"reject"}]}'
	run bryo pull -q 127.0.0.1:1/team/box:1
	assert_status 125
	assert_contains "127.0.0.1:1/team/box:1 is rejected by the policy $HOME/$POLICY"
	assert_contains "bryo image trust show"
	assert_nothing_came
	demand '{"type":"insecureAcceptAnything"}'
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	bryo rmi -fa >/dev/null
	policy "{\"default\":[{\"type\":\"insecureAcceptAnything\"}],\"transports\":{\"docker\":{\"$REGISTRY/team/box:1\":[{\"type\":\"reject\"}]}}}"
	run bryo run --rm --network none "$REGISTRY/team/box:1" true
	assert_status 125
	assert_contains "rejected"
	printf '{"default":[{"type":"insecureAcceptAnything"}]}' >other.json
	run bryo pull -q --signature-policy other.json "$REGISTRY/team/box:1"
	assert_ok
	rm "$HOME/$POLICY"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
}

@test "a policy with a mistake opens nothing" {
	policy '{"default":[{"type":"insecureAcceptAnything","x":1}]}'
	run bryo pull -q 127.0.0.1:1/a/b
	assert_status 125
	assert_contains "$POLICY: .default[0]: insecureAcceptAnything has no member \"x\""
	chmod 0 "$HOME/$POLICY"
	run bryo pull -q 127.0.0.1:1/a/b
	assert_status 125
	rm "$HOME/$POLICY"
	ln -s nowhere "$HOME/$POLICY"
	run bryo pull -q --signature-policy none.json 127.0.0.1:1/a/b
	assert_status 125
	assert_contains "none.json: No such file"
}

@test "load and import follow the policy of their transports" {
	policy '{"default":[{"type":"reject"}],"transports":{"oci-archive":{"":[{"type":"insecureAcceptAnything"}]}}}'
	run bryo load -q -i "$(image_file $IMG)"
	assert_status 125
	assert_contains "docker-archive"
	assert_contains "rejected"
	"$MAKE_IMAGE" --format oci-archive box box.tar
	run bryo load -q -i box.tar
	assert_ok
	tar c --files-from /dev/null >empty.tar
	run bryo import -q empty.tar
	assert_status 125
	assert_contains "tarball"
	"$MAKE_IMAGE" --format oci-dir box layout
	run bryo load -q -i layout
	assert_status 125
	assert_contains "oci:$PWD/layout"
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"oci\":{\"$PWD\":[{\"type\":\"insecureAcceptAnything\"}]}}}"
	run bryo load -q -i layout
	assert_ok
}

@test "signedBy: skopeo's signature in a directory, by tag, by digest, by any of several keys" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	gpg_key bob
	signed_push team/box:1 alice
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/box:1")
	bryo rmi -fa >/dev/null
	run bryo pull -q "$REGISTRY/team/box@$digest"
	assert_ok
	bryo rmi -fa >/dev/null
	demand "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"$E2E_DIR/bob.asc\",\"$E2E_DIR/alice.asc\"]}"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	bryo rmi -fa >/dev/null
	gpg --batch -q --export alice >alice.gpg
	demand "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"$(base64 -w0 alice.gpg)\"}"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
}

@test "signedBy: another key, another name, no signature, one that was changed: nothing is fetched" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	gpg_key bob
	signed_push team/box:1 alice
	registry_push "$(image_file $IMG)" team/box:2
	demand "$(signed_by bob)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "is not signed as the policy $HOME/$POLICY demands: the signature is by another key"
	assert_nothing_came
	# All requirements, not one of them.
	demand "$(signed_by alice)" "$(signed_by bob)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/team/box:2"
	assert_status 125
	assert_contains "the signature is for another image: $REGISTRY/team/box:1"
	signature=$(echo "$E2E_DIR"/sigs/team/box@sha256=*/signature-1)
	digest=sha256:${signature#*=}
	digest=${digest%/*}
	cp "$signature" kept
	# A valid signature of alice's over something else.
	printf '{"x":1}' | gpg --batch -q -u alice@example.com -s -o - >"$signature"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "the signed text is no signature of an image"
	printf 'nonsense' >"$signature"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "it is no signature"
	{ head -c 60 kept; printf X; tail -c +62 kept; } >"$signature"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	# A right signature for another manifest.
	sed "s/.*/{\"critical\":{\"type\":\"atomic container signature\",\"image\":{\"docker-manifest-digest\":\"sha256:$(printf '%064d' 0)\"},\"identity\":{\"docker-reference\":\"${REGISTRY//\//\\/}\/team\/box:1\"}},\"optional\":{}}/" <<<x |
		gpg --batch -q -u alice@example.com -s -o - >"$signature"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "for another manifest"
	assert_nothing_came
	# The second signature counts, too.
	cp kept "${signature%1}2"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	bryo rmi -fa >/dev/null
	rm -r "$E2E_DIR/sigs"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "there is no signature"
	assert_contains "looked for at file://$E2E_DIR/sigs/team/box@$digest"
	assert_nothing_came
}

@test "signedBy: expired and revoked keys do not count" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key shortlived seconds=5
	signed_push old/box:1 shortlived
	expired=$((SECONDS + 6))
	gpg_key alice
	signed_push gone/box:1 alice
	fingerprint=$(gpg --batch --list-keys --with-colons alice | awk -F: '/^fpr/ { print $10; exit }')
	sed 's/^:---/---/' "$GNUPGHOME/openpgp-revocs.d/$fingerprint.rev" | gpg --batch -q --import 2>/dev/null
	gpg --batch -q --export --armor alice >alice.asc
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/gone/box:1"
	assert_status 125
	assert_contains "the key that made the signature is revoked"
	while [ "$SECONDS" -lt "$expired" ]; do sleep 0.2; done
	demand "$(signed_by shortlived)"
	run bryo pull -q "$REGISTRY/old/box:1"
	assert_status 125
	assert_contains "the key that made the signature has expired"
	assert_nothing_came
}

@test "signedBy: the identities of a signature" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	signed_push team/box:1 alice
	registry_push "$(image_file $IMG)" team/box:2
	demand "$(signed_by alice '{"type":"matchRepository"}')"
	run bryo pull -q "$REGISTRY/team/box:2"
	assert_ok
	bryo rmi -fa >/dev/null
	demand "$(signed_by alice "{\"type\":\"exactReference\",\"dockerReference\":\"$REGISTRY/team/box:1\"}")"
	run bryo pull -q "$REGISTRY/team/box:2"
	assert_ok
	bryo rmi -fa >/dev/null
	demand "$(signed_by alice '{"type":"exactRepository","dockerRepository":"quay.io/team/box"}')"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/box:1")
	demand "$(signed_by alice '{"type":"matchExact"}')"
	run bryo pull -q "$REGISTRY/team/box@$digest"
	assert_status 125
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
}

@test "signedBy: from a web server, and from a mirror under its own name" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	signed_push team/box:1 alice
	port=$(free_port)
	python3 -m http.server --bind 127.0.0.1 --directory "$E2E_DIR/sigs" "$port" >"$E2E_DIR/web.log" 2>&1 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port "$port"
	lookaside "http://127.0.0.1:$port/"
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	grep -q 'GET /team/box@sha256=[0-9a-f]*/signature-1 .* 200' "$E2E_DIR/web.log"
	grep -q 'GET /team/box@sha256=[0-9a-f]*/signature-2 .* 404' "$E2E_DIR/web.log"
	bryo rmi -fa >/dev/null
	printf '[[registry]]\nprefix = "vendor.example"\nlocation = "%s/team"\n' "$REGISTRY" >"$HOME/.config/containers/registries.conf"
	policy "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"vendor.example\":[$(signed_by alice \
		"{\"type\":\"remapIdentity\",\"prefix\":\"vendor.example\",\"signedPrefix\":\"$REGISTRY/team\"}")]}}}"
	run bryo pull -q vendor.example/box:1
	assert_ok
	# The same with TLS, by an authority that certs.d names for this host.
	certificate
	port=$(free_port)
	(cd "$E2E_DIR/sigs" && exec python3 -c 'import http.server, ssl, sys
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("../crt", "../key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()' "$port" >"$E2E_DIR/web.log" 2>&1 3>&-) &
	E2E_PIDS+=("$!")
	wait_for_port "$port"
	lookaside "https://127.0.0.1:$port"
	run bryo pull -q vendor.example/box:1
	assert_status 125
	mkdir -p "$HOME/.config/containers/certs.d/127.0.0.1:$port"
	cp crt "$HOME/.config/containers/certs.d/127.0.0.1:$port/ca.crt"
	run bryo pull -q vendor.example/box:1
	assert_ok
	bryo rmi -fa >/dev/null
	lookaside "http://127.0.0.1:1/"
	run bryo pull -q vendor.example/box:1
	assert_status 125
	assert_contains "signatures of vendor.example/box:1"
}

@test "Podman's signature: push --sign-by, then pull" {
	needs docker-registry podman gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	podman() { command podman --root "$E2E_DIR/p" --runroot "$E2E_DIR/pr" --storage-driver vfs "$@"; }
	podman load -q -i "$(image_file $IMG)" >/dev/null 2>&1 || skip "podman cannot load here"
	podman push -q --tls-verify=false --sign-by alice@example.com $IMG "docker://$REGISTRY/pod/box:1"
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/pod/box:1"
	assert_ok
}

# --- sigstore

sigstore_key() { # NAME [ec|rsa|ed25519|weak]
	case ${2:-ec} in
	ec) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
	rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
	weak) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out "$1.key" ;;
	ed25519) openssl genpkey -algorithm ED25519 -out "$1.key" ;;
	esac 2>/dev/null
	openssl pkey -in "$1.key" -pubout -out "$1.pub"
}

sigstore_signed() { # KEY [IDENTITY]
	printf '{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":%s}' "$E2E_DIR/$1.pub" "${2:-{\"type\":\"matchRepository\"\}}"
}

attachments() {
	mkdir -p "$HOME/.config/containers/registries.d"
	printf '# here\ndefault-docker: {use-sigstore-attachments: %s}\n' "$1" >"$HOME/.config/containers/registries.d/default.yaml"
}

cosign_start() {
	needs docker-registry skopeo openssl
	registry_start
	registry_push "$(image_file $IMG)" team/box:1
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/box:1")
	sigstore_key alice "$@"
	attachments true
	demand "$(sigstore_signed alice)"
}

cosign_sign() { "$BATS_TEST_DIRNAME/cosign-sign" "$REGISTRY" team/box "$digest" "$@"; }

@test "sigstoreSigned: ECDSA, RSA and Ed25519 keys" {
	cosign_start
	for kind in ec rsa ed25519; do
		sigstore_key "$kind" "$kind"
		cosign_sign "$kind.key"
		demand "$(sigstore_signed "$kind")"
		run bryo pull -q "$REGISTRY/team/box:1"
		assert_ok
		bryo rmi -fa >/dev/null
	done
	# All three must have signed, and have.
	demand "$(sigstore_signed ec)" "$(sigstore_signed rsa)" "$(sigstore_signed ed25519)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	bryo rmi -fa >/dev/null
	demand "$(sigstore_signed ec)" "$(sigstore_signed alice)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "by another key"
	sigstore_key weak weak
	cosign_sign weak.key
	demand "$(sigstore_signed weak)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "at least 2048 bits"
}

@test "sigstoreSigned: none, unasked for, by another, of another, with lies: nothing is fetched" {
	cosign_start
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "there is no signature"
	attachments false
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "use-sigstore-attachments: true"
	attachments true
	sigstore_key bob
	cosign_sign bob.key
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "by another key"
	cosign_sign alice.key reference=quay.io/team/other
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "for another image: quay.io/team/other"
	cosign_sign alice.key "digest=sha256:$(printf '%064d' 0)"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_contains "for another manifest"
	cosign_sign alice.key "type=atomic container signature"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_contains "it is of another type"
	cosign_sign alice.key "payload={\"critical\":7}"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_contains "no signature of an image"
	cosign_sign alice.key signature=AAAA
	cosign_sign alice.key "signature=not base64"
	cosign_sign alice.key media=application/octet-stream
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_nothing_came
	# One good among all of these is enough.
	cosign_sign alice.key
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
}

@test "sigstoreSigned: cosign names no tag, which the usual identity demands" {
	cosign_start
	demand "{\"type\":\"sigstoreSigned\",\"keyData\":\"$(base64 -w0 alice.pub)\"}"
	cosign_sign alice.key
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "for another image"
	cosign_sign alice.key "reference=$REGISTRY/team/box:1"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
}

@test "sigstoreSigned: what is not checked here is refused, and keys that are none" {
	cosign_start
	cosign_sign alice.key
	demand '{"type":"sigstoreSigned","keyPath":"'"$PWD"'/alice.pub","rekorPublicKeyPath":"/r"}'
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "demands rekorPublicKeyPath of $REGISTRY/team/box:1, which is not checked here"
	demand '{"type":"sigstoreSigned","keyPath":"'"$PWD"'/none.pub"}'
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "none.pub: No such file"
	demand '{"type":"sigstoreSigned","keyPath":"'"$PWD"'/alice.key"}'
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "no public key in PEM"
	demand '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$PWD"'/alice.pub"}'
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_nothing_came
}

@test "an index that is signed vouches for the manifests that it names" {
	cosign_start
	needs jq
	python3 - "$REGISTRY" "$digest" <<-'END' >index-digest
	import hashlib, json, sys, urllib.request
	registry, digest = sys.argv[1:]
	base = "http://%s/v2/team/box/manifests/" % registry
	types = {"Accept": "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"}
	answer = urllib.request.urlopen(urllib.request.Request(base + digest, headers=types))
	size, kind = len(answer.read()), answer.headers["Content-Type"]
	import os
	machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
	index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
	    {"mediaType": kind, "digest": digest, "size": size, "platform": {"os": "linux", "architecture": machine}}]}).encode()
	urllib.request.urlopen(urllib.request.Request(base + "multi", index, {"Content-Type": "application/vnd.oci.image.index.v1+json"}, method="PUT"))
	print("sha256:" + hashlib.sha256(index).hexdigest())
	END
	run bryo pull -q "$REGISTRY/team/box:multi"
	assert_status 125
	"$BATS_TEST_DIRNAME/cosign-sign" "$REGISTRY" team/box "$(cat index-digest)" alice.key
	run bryo pull -q "$REGISTRY/team/box:multi"
	assert_ok
	bryo rmi -fa >/dev/null
	# The manifest alone, asked for without the index, is not signed.
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
}

@test "registries.d: mistakes have a line, and the same section twice is one" {
	cosign_start
	printf 'docker:\n  a.io: {lookaside: [}\n' >"$HOME/.config/containers/registries.d/bad.yaml"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "bad.yaml: line 2, column"
	printf 'docker: &a\n  a.io: {lookaside: "https://a.io"}\n' >"$HOME/.config/containers/registries.d/bad.yaml"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_contains "anchors and aliases"
	printf 'default-docker:\n' >"$HOME/.config/containers/registries.d/zz.yaml"
	rm "$HOME/.config/containers/registries.d/bad.yaml"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_contains "zz.yaml: default-docker: the section is also in"
}

@test "image trust: set, show, and what was set holds" {
	needs gpg jq
	gpg_key alice
	run bryo image trust show -n
	assert_ok
	assert_matches '^all +default +accept'
	run bryo image trust set -t reject default
	assert_ok
	run bryo image trust set -t accept docker.io/library
	assert_ok
	run bryo image trust set -f alice.asc quay.io/team
	assert_ok
	sigstore_key bob
	run bryo image trust set -t sigstoreSigned -f bob.pub signed.example
	assert_ok
	run bryo pull -q 127.0.0.1:1/a/b
	assert_status 125
	assert_contains "is rejected by the policy"
	mkdir -p "$HOME/.config/containers/registries.d"
	printf 'docker: {quay.io: {lookaside: "https://sigs.example"}}\n' >"$HOME/.config/containers/registries.d/a.yaml"
	run bryo image trust show
	assert_ok
	assert_matches 'TRANSPORT +NAME +TYPE +ID +STORE'
	assert_matches 'repository +quay.io/team +signed +alice@example.com +https://sigs.example'
	assert_matches 'repository +signed.example +sigstoreSigned +N/A'
	run bryo image trust show -n quay.io
	[ "${#lines[@]}" -eq 1 ]
	bryo image trust show --json | jq -e '.[] | select(.repo_name == "quay.io/team") | .type == "signed" and .gpg_id == "alice@example.com"'
	bryo image trust show --raw | jq -e --arg key "$PWD/alice.asc" '.transports.docker["quay.io/team"][0].keyPath == $key'
	if command -v podman >/dev/null; then
		podman --root "$E2E_DIR/p" --runroot "$E2E_DIR/pr" image trust show --raw --policypath "$HOME/$POLICY" >theirs
		bryo image trust show --raw | diff -B - theirs
	fi
}

@test "image trust set refuses what would lock out, and leaves the policy as it was" {
	bryo image trust set -t reject default
	before=$(cat "$HOME/$POLICY")
	run bryo image trust set -t odd a.io
	assert_status 125
	run bryo image trust set a.io
	assert_status 125
	assert_contains "--pubkeysfile"
	echo nothing >key
	run bryo image trust set -f key a.io
	assert_status 125
	assert_contains "no OpenPGP public key"
	run bryo image trust set -t sigstoreSigned -f key a.io
	assert_status 125
	run bryo image trust set -t accept -f key a.io
	assert_status 125
	[ "$(cat "$HOME/$POLICY")" = "$before" ]
	echo '{"default":[]}' >"$HOME/$POLICY"
	run bryo image trust set -t accept a.io
	assert_status 125
	assert_contains "the list of requirements is empty"
}

# --- signing what is pushed

# theirs SIGNATURE-POLICY NAME: does skopeo accept the image?
theirs() { skopeo --policy "$1" copy -q --src-tls-verify=false "docker://$2" "dir:$E2E_DIR/theirs.$RANDOM"; }

@test "push --sign-by: we and skopeo accept it; signing again replaces, another key adds" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	gpg_key bob
	need_image
	run bryo push -q --sign-by nobody@example.com $IMG "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "look for the key nobody@example.com"
	run skopeo inspect --tls-verify=false "docker://$REGISTRY/team/box:1"
	[ "$status" -ne 0 ]
	run bryo push -q --sign-by alice@example.com $IMG "$REGISTRY/team/box:1"
	assert_ok
	demand "$(signed_by alice)"
	run theirs "$HOME/$POLICY" "$REGISTRY/team/box:1"
	assert_ok
	run bryo push -q --sign-by alice@example.com $IMG "$REGISTRY/team/box:1"
	assert_ok
	[ "$(ls "$E2E_DIR"/sigs/team/box@sha256=*)" = signature-1 ]
	run bryo push -q --sign-by bob@example.com $IMG "$REGISTRY/team/box:1"
	assert_ok
	[ "$(ls "$E2E_DIR"/sigs/team/box@sha256=* | wc -l)" = 2 ]
	demand "$(signed_by alice)" "$(signed_by bob)"
	bryo rmi -fa >/dev/null
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	run theirs "$HOME/$POLICY" "$REGISTRY/team/box:1"
	assert_ok
	lookaside https://sigs.example
	run bryo push -q --sign-by alice@example.com "$REGISTRY/team/box:1" "$REGISTRY/team/box:2"
	assert_status 125
	assert_contains "was pushed, but not signed"
	assert_contains "lookaside-staging"
}

@test "manifest push --sign-by signs the images of the list, and the list" {
	needs docker-registry skopeo gpg gpgv
	registry_start
	lookaside
	gpg_key alice
	need_image
	bryo manifest create list >/dev/null
	bryo manifest add list "containers-storage:$IMG" >/dev/null 2>&1 || {
		registry_push "$(image_file $IMG)" team/part
		bryo manifest add --tls-verify=false list "$REGISTRY/team/part" >/dev/null
	}
	run bryo manifest push -q --sign-by alice list "$REGISTRY/team/list:1"
	assert_ok
	[ "$(ls -d "$E2E_DIR"/sigs/team/list@sha256=* | wc -l)" = 2 ]
	bryo rmi -fa >/dev/null
	demand "$(signed_by alice)"
	run bryo pull -q "$REGISTRY/team/list:1"
	assert_ok
}

@test "push --sign-by with a passphrase" {
	needs docker-registry gpg gpgv
	registry_start
	lookaside
	export GNUPGHOME=$E2E_DIR/gpg
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch -q --pinentry-mode loopback --passphrase secret --quick-gen-key 'carol <carol@example.com>' ed25519 sign 2>/dev/null
	gpgconf --kill all
	gpg --batch -q --export --armor carol >carol.asc
	need_image
	echo wrong >passphrase
	run bryo push -q --sign-by carol --sign-passphrase-file passphrase $IMG "$REGISTRY/box"
	assert_status 125
	assert_contains "not signed"
	assert_contains "assphrase"
	refute_contains wrong
	echo secret >passphrase
	run bryo push -q --sign-by carol --sign-passphrase-file passphrase $IMG "$REGISTRY/box"
	assert_ok
	bryo rmi -fa >/dev/null
	demand "$(signed_by carol)"
	run bryo pull -q "$REGISTRY/box"
	assert_ok
}

@test "push --sign-by-sigstore-private-key: we, and a skopeo that can, accept it; once is enough" {
	needs docker-registry skopeo openssl jq
	registry_start
	attachments true
	sigstore_key alice
	sigstore_key bob ed25519
	openssl pkey -in bob.key -aes256 -passout pass:secret -out bob.locked 2>/dev/null
	need_image
	run bryo push -q --sign-by-sigstore-private-key alice.key $IMG "$REGISTRY/team/box:1"
	assert_ok
	run bryo push -q --sign-by-sigstore-private-key alice.key $IMG "$REGISTRY/team/box:1"
	assert_ok
	run bryo push -q --sign-by-sigstore-private-key bob.locked $IMG "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "--sign-passphrase-file"
	echo secret >passphrase
	run bryo push -q --sign-by-sigstore-private-key bob.locked --sign-passphrase-file passphrase $IMG "$REGISTRY/team/box:1"
	assert_ok
	bryo rmi -fa >/dev/null
	exact='{"type":"matchExact"}'
	demand "$(sigstore_signed alice "$exact")" "$(sigstore_signed bob "$exact")"
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	demand "$(sigstore_signed alice "$exact")"
	run theirs "$HOME/$POLICY" "$REGISTRY/team/box:1"
	case $output in *"sigstore disabled"*) ;; *) assert_ok ;; esac	# Debian's can be built without
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/team/box:1")
	# alice's once, bob's once
	curl -sf "http://$REGISTRY/v2/team/box/manifests/${digest/:/-}.sig" -H 'Accept: application/vnd.oci.image.manifest.v1+json' |
		jq -e '.layers | length == 2'
	printf -- '-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\naGk=\n-----END ENCRYPTED COSIGN PRIVATE KEY-----\n' >cosign.key
	run bryo push -q --sign-by-sigstore-private-key cosign.key "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "cosign's own encryption"
	echo nothing >no.key
	run bryo push -q --sign-by-sigstore-private-key no.key "$REGISTRY/team/box:1"
	assert_status 125
	assert_contains "no private key in PEM"
}
