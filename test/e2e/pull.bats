# `bryo pull`, `login`, `logout`: real registries, and one that lies
load helpers

# Nothing that a failed pull brought has a name, and nothing is left in the staging directory but what can be resumed.
assert_no_image() {
	run bryo images -q
	assert_ok
	assert_output ""
	run find "$XDG_DATA_HOME/bryo/tmp" -mindepth 1 ! -name 'blob-*'
	assert_output ""
	run find "$XDG_DATA_HOME/bryo/layers" -mindepth 1 -maxdepth 1
	assert_output ""
}

nothing_staged() { [ -z "$(ls "$XDG_DATA_HOME/bryo/tmp")" ]; }

@test "a pull from docker-registry over plain http on loopback, then a run" {
	needs docker-registry skopeo
	registry_start
	registry_push "$(image_file $IMG)" team/box:1
	run bryo pull "$REGISTRY/team/box:1"
	assert_ok
	assert_contains "Trying to pull $REGISTRY/team/box:1..."
	assert_contains "Pull complete"
	run bryo run --rm --network none "$REGISTRY/team/box:1" cat /www/index.html
	assert_ok
	run bryo pull -q "$REGISTRY/team/box:1"
	assert_ok
	assert_matches '^[0-9a-f]{64}$'
}

@test "a pull by digest has no tag" {
	needs docker-registry skopeo
	registry_start
	registry_push "$(image_file $IMG)" box:1
	digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/box:1")
	run bryo pull -q "$REGISTRY/box@$digest"
	assert_ok
	run bryo run --rm --network none "$REGISTRY/box@$digest" true
	assert_ok
	run bryo pull -q "$REGISTRY/box@sha256:$(printf '%064d' 0)"
	assert_status 125
	assert_contains "manifest unknown"
}

@test "TLS: an unknown certificate is refused with the cure, certs.d and --tls-verify=false are taken" {
	needs docker-registry skopeo openssl
	registry_start --tls
	registry_push "$(image_file $IMG)" box
	run bryo pull --tls-verify=true -q "$REGISTRY/box"
	assert_status 125
	assert_contains "certs.d/$REGISTRY"
	mkdir -p "$XDG_CONFIG_HOME/containers/certs.d/$REGISTRY"
	cp "$E2E_DIR/registry.crt" "$XDG_CONFIG_HOME/containers/certs.d/$REGISTRY/ca.crt"
	run bryo pull --tls-verify=true -q "$REGISTRY/box"
	assert_ok
	rm -r "$XDG_CONFIG_HOME/containers"
	run bryo pull --tls-verify=false -q "$REGISTRY/box"
	assert_ok
	mkdir certs && cp registry.crt certs/mine.crt
	run bryo pull --tls-verify=true --cert-dir certs -q "$REGISTRY/box"
	assert_ok
}

@test "--tls-verify=true never falls back to plain http" {
	fake
	run bryo pull --tls-verify=true -q "$FAKE/a/b"
	assert_status 125
	assert_contains "--tls-verify=false"
	[ ! -s "$E2E_DIR/fake.log" ]
}

@test "Basic: login is checked, kept in auth.json, used, forgotten" {
	needs docker-registry skopeo
	registry_start --auth
	skopeo copy -q --dest-tls-verify=false --dest-creds alice:secret "docker-archive:$(image_file $IMG)" \
		"docker://$REGISTRY/box" >/dev/null
	run bryo pull -q "$REGISTRY/box"
	assert_status 125
	assert_contains "unauthorized"
	assert_contains "bryo login $REGISTRY"
	run bryo login -u alice --password-stdin "$REGISTRY" <<<"wrong"
	assert_status 125
	assert_contains "invalid username/password"
	refute_contains "wrong"
	[ ! -e "$XDG_RUNTIME_DIR/containers/auth.json" ]
	run bryo login -u alice --password-stdin "$REGISTRY" <<<"secret"
	assert_ok
	assert_contains "Login Succeeded"
	[ "$(stat -c %a "$XDG_RUNTIME_DIR/containers/auth.json")" = 600 ]
	run bryo login --get-login "$REGISTRY"
	assert_output alice
	run bryo pull -q "$REGISTRY/box"
	assert_ok
	run bryo logout "$REGISTRY"
	assert_ok
	run bryo login --get-login "$REGISTRY"
	assert_status 125
	run bryo pull -q --creds alice:secret "$REGISTRY/box"
	assert_ok
	run bryo pull -q --creds alice:wrong "$REGISTRY/box"
	assert_status 125
}

@test "credentials by repository: the longest prefix of any auth file wins; helpers are asked" {
	fake --auth
	mkdir -p "$HOME/.docker" bin
	printf '{"auths":{"%s/a":{"auth":"%s"},"%s":{"auth":"%s"}}}' "$FAKE" "$(printf alice:secret | base64)" "$FAKE" \
		"$(printf alice:wrong | base64)" >"$HOME/.docker/config.json"
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	run bryo pull -q "$FAKE/c/d"
	assert_status 125
	cat >bin/docker-credential-test <<-'END'
	#!/bin/sh
	read -r server
	echo "{\"ServerURL\":\"$server\",\"Username\":\"alice\",\"Secret\":\"secret\"}"
	END
	chmod +x bin/docker-credential-test
	printf '{"credHelpers":{"%s":"test"}}' "$FAKE" >"$HOME/.docker/config.json"
	PATH=$PWD/bin:$PATH run bryo pull -q "$FAKE/c/d"
	assert_ok
}

@test "tokens: got with Basic, renewed when they expire in the middle" {
	fake --auth --do expire
	run bryo pull -q --creds alice:secret "$FAKE/a/b"
	assert_ok
	grep -q '/token?.*scope=repository%3Aa%2Fb%3Apull.* Basic ' "$E2E_DIR/fake.log"
	run bryo pull -q --creds alice:bad "$FAKE/a/b"
	assert_status 125
	assert_contains "incorrect username or password"
	# No storm: one question to the token server, no second try.
	[ "$(grep -c ' /token' "$E2E_DIR/fake.log")" -le 6 ]
}

@test "redirects to another host lose the credentials" {
	fake --auth --do redirect
	run bryo pull -q --creds alice:secret "$FAKE/a/b"
	assert_ok
	grep -q "^$FAKE_CDN GET /cdn/.* - - 200" "$E2E_DIR/fake.log"
	run grep "^$FAKE_CDN .*\(Bearer\|Basic\)" "$E2E_DIR/fake.log"
	assert_status 1
}

@test "redirect loops and ways from https to http end with an error" {
	needs openssl
	fake --do loop
	run bryo pull -q "$FAKE/a/b"
	assert_status 125
	assert_contains "too many redirects"
	certificate
	fake --cert "$E2E_DIR/crt" --key "$E2E_DIR/key" --do downgrade
	run bryo pull -q --tls-verify=false "$FAKE/a/b"
	assert_status 125
	assert_contains "from https to http"
	assert_no_image
}

@test "a cut blob goes on where it stopped" {
	fake --do cut
	run bryo pull "$FAKE/a/b"
	assert_ok
	assert_contains Retrying
	grep -q 'bytes=[0-9]*- 206' "$E2E_DIR/fake.log"
}

@test "a cut blob starts again where ranges are not known" {
	fake --do cut-norange
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	fake --do cut-416
	bryo rmi -fa
	run bryo pull -q "$FAKE/a/b"
	assert_ok
}

@test "429 waits as Retry-After says, 503 is tried again, 500 for ever ends" {
	fake --do busy --do broken
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	fake --do dead
	bryo rmi -fa
	run bryo pull -q --retry 1 "$FAKE/a/b"
	assert_status 125
	assert_contains "status 500"
	assert_no_image
}

@test "what lies about its content is refused and leaves nothing" {
	for lie in corrupt longer wrong-type both huge garbage schema1 layer-type; do
		fake --do "$lie"
		run bryo pull -q "$FAKE/a/b:latest"
		assert_status 125
		[ -n "$output" ]
		assert_no_image
	done
	fake --do wrong-digest
	run bryo pull -q "$FAKE/a/b:multi"
	assert_status 125
	assert_contains "digest does not match"
	assert_no_image
}

@test "the platform is chosen from an index; what there is is listed when none fits" {
	fake
	run bryo pull -q "$FAKE/a/b:multi"
	assert_ok
	run bryo pull -q "$FAKE/a/b:other"
	assert_status 125
	assert_contains plan9/mips
	run bryo pull -q --platform linux/s390x "$FAKE/a/b:multi"
	assert_status 125
}

@test "401, 403 and 404 are told apart, words of strangers are cleaned, artifacts are no images" {
	fake --do escape
	run bryo pull -q "$FAKE/a/b:missing"
	assert_status 125
	assert_contains unknown
	refute_contains $'\e'
	refute_contains $'\a'
	run bryo pull -q "$FAKE/a/b:forbidden"
	assert_status 125
	assert_contains "denied: you may not"
	run bryo pull -q "$FAKE/a/b:artifact"
	assert_status 125
	assert_contains "no container image"
	run bryo pull -q 127.0.0.1:1/a/b
	assert_status 125
	assert_contains "127.0.0.1:1"
}

@test "two pulls side by side fetch each blob once" {
	fake
	local pids=()
	for name in a/b a/b c/d; do
		bryo pull -q "$FAKE/$name" >>out 2>&1 3>&- &
		pids+=("$!")
	done
	for pid in "${pids[@]}"; do wait "$pid" || { cat out; return 1; }; done
	run bryo images --format '{{.Repository}}'
	assert_contains "$FAKE/a/b"
	assert_contains "$FAKE/c/d"
	# The configuration is not shared; of two layers each came once.
	[ "$(grep -o 'blobs/sha256:[0-9a-f]*' "$E2E_DIR/fake.log" | sort | uniq -c | grep -c '^ *1 ')" -ge 2 ]
}

@test "kill -9 in the middle of a pull: the next one works, nothing is left" {
	fake --do slow
	"$BRYO" pull -q "$FAKE/a/b" 3>&- &
	pid=$!
	retry 10 grep -q 'blobs/sha256.* 200' "$E2E_DIR/fake.log"
	sleep 0.3
	kill -9 "$pid"
	wait "$pid" || true
	run bryo images -q
	assert_output ""
	fake
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	# What the killed one left is collected in the background.
	retry 10 nothing_staged
}

@test "registries.conf: aliases, search registries, mirrors, blocked" {
	fake
	mkdir -p "$XDG_CONFIG_HOME/containers"
	cat >"$XDG_CONFIG_HOME/containers/registries.conf" <<-END
	unqualified-search-registries = ["$FAKE"]
	[aliases]
	"shorty" = "$FAKE/x/shorty"
	[[registry]]
	location = "mirrored.example"
	[[registry.mirror]]
	location = "127.0.0.1:1"
	[[registry.mirror]]
	location = "$FAKE/m"
	[[registry]]
	location = "blocked.example"
	blocked = true
	END
	run bryo pull shorty
	assert_ok
	assert_contains "Trying to pull $FAKE/x/shorty:latest"
	run bryo pull -q found/by-search
	assert_ok
	run bryo pull -q mirrored.example/a/b
	assert_ok
	run bryo images --format '{{.Repository}}'
	assert_contains mirrored.example/a/b
	run bryo pull -q blocked.example/a/b
	assert_status 125
	assert_contains blocked
}

@test "--pull: never, missing, always, newer" {
	fake
	run bryo run --rm --network none --pull never "$FAKE/a/b" true
	assert_status 125
	assert_contains "image not known"
	run bryo run --rm --network none "$FAKE/a/b" true
	assert_ok
	: >"$E2E_DIR/fake.log"
	run bryo run --rm --network none "$FAKE/a/b" true
	assert_ok
	[ ! -s "$E2E_DIR/fake.log" ]
	run bryo run --rm --network none --pull always "$FAKE/a/b" true
	assert_ok
	[ -s "$E2E_DIR/fake.log" ]
}
