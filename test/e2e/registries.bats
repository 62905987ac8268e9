# registries.conf, short names, auth files and credential helpers: where images come from, and who asks for them
load helpers

conf() {
	mkdir -p "$XDG_CONFIG_HOME/containers"
	cat >"$XDG_CONFIG_HOME/containers/registries.conf"
}

two_registries() {
	fake
	conf <<-END
	unqualified-search-registries = ["127.0.0.1:1", "$FAKE"]
	$1
	END
}

ALIASES=.cache/containers/short-name-aliases.conf

@test "short names: permissive and disabled try all, enforcing needs a terminal" {
	two_registries
	run bryo pull -q team/app
	assert_ok
	for mode in permissive disabled; do
		two_registries "short-name-mode = \"$mode\""
		run bryo pull -q team/app
		assert_ok
	done
	two_registries 'short-name-mode = "enforcing"'
	run bryo pull -q team/app
	assert_status 125
	assert_contains "enforcing"
	assert_contains "127.0.0.1:1/team/app:latest or $FAKE/team/app:latest"
	run bryo pull -q "$FAKE/team/app"
	assert_ok
	[ ! -e "$HOME/$ALIASES" ]
}

@test "short names on a terminal: the choice is asked for, and remembered once it was pulled" {
	two_registries 'short-name-mode = "enforcing"'
	run on_terminal "$BRYO" pull team/app:v1 <<-'END'
	@expect Number:
	7
	@expect Number:
	1
	END
	assert_status 125
	assert_contains "1) 127.0.0.1:1/team/app:v1"
	[ ! -e "$HOME/$ALIASES" ]
	run on_terminal "$BRYO" pull team/app:v1 <<-'END'
	@expect Number:
	2
	END
	assert_ok
	assert_contains "2) $FAKE/team/app:v1"
	grep -qx "  \"team/app\" = \"$FAKE/team/app\"" "$HOME/$ALIASES"
	# Now it is an alias: without a terminal, and for other tags.
	run bryo pull team/app:v2
	assert_ok
	assert_contains "Trying to pull $FAKE/team/app:v2..."
	run on_terminal "$BRYO" pull other/app <<-'END'
	@expect Number:
	
	END
	assert_status 125
	assert_contains "no image was chosen"
}

@test "short names: what Podman remembered is kept, and Podman reads what we remember" {
	needs podman
	two_registries 'short-name-mode = "enforcing"'
	mkdir -p "$(dirname "$HOME/$ALIASES")"
	printf '[aliases]\n  "kept" = "quay.io/some/kept"\n' >"$HOME/$ALIASES"
	run on_terminal "$BRYO" pull -q mine <<-'END'
	@expect Number:
	2
	END
	assert_ok
	grep -q '"kept" = "quay.io/some/kept"' "$HOME/$ALIASES"
	run podman --root "$E2E_DIR/p" --runroot "$E2E_DIR/pr" pull --tls-verify=false mine
	assert_contains "as an alias"
	assert_contains "$FAKE/mine:latest"
}

@test "registries.conf: the files, their order, and what is wrong with them" {
	fake
	mkdir -p "$XDG_CONFIG_HOME/containers/registries.conf.d"
	printf 'unqualified-search-registries = ["127.0.0.1:1"]\n' >"$XDG_CONFIG_HOME/containers/registries.conf.d/10.conf"
	printf 'unqualified-search-registries = ["%s"]\n' "$FAKE" >"$XDG_CONFIG_HOME/containers/registries.conf.d/20.conf"
	printf 'nonsense' >"$XDG_CONFIG_HOME/containers/registries.conf.d/30.text"
	run bryo pull -q team/app
	assert_ok
	printf '[registries.search]\nregistries = ["%s"]\n' "$FAKE" >v1.conf
	rm -r "$XDG_CONFIG_HOME/containers/registries.conf.d"
	CONTAINERS_REGISTRIES_CONF=$PWD/v1.conf run bryo pull -q team/app
	assert_ok
	CONTAINERS_REGISTRIES_CONF=$PWD/none.conf run bryo pull -q team/app
	assert_status 125
	assert_contains "none.conf"
	printf 'a = 1\nb == 2\n' | conf
	run bryo pull -q team/app
	assert_status 125
	assert_contains "registries.conf: line 2, column 4"
}

@test "mirrors by tag and by digest, and locations that are elsewhere" {
	needs jq
	fake
	digest=$(jq -r '.manifests[0].digest' "$E2E_DIR/fake-image/index.json")
	conf <<-END
	[[registry]]
	location = "origin.example"
	[[registry.mirror]]
	location = "$FAKE/digests"
	pull-from-mirror = "digest-only"
	[[registry.mirror]]
	location = "$FAKE/tags"
	pull-from-mirror = "tag-only"
	[[registry]]
	prefix = "*.wild.example"
	location = "$FAKE/wild"
	[[registry]]
	prefix = "blocked.wild.example"
	blocked = true
	END
	run bryo pull -q origin.example/a/b:1
	assert_ok
	run bryo pull -q "origin.example/a/b@$digest"
	assert_ok
	run bryo pull -q x.y.wild.example/c:2
	assert_ok
	run bryo pull -q blocked.wild.example/c
	assert_status 125
	assert_contains "blocked.wild.example is blocked"
	run bryo images --format '{{.Repository}}:{{.Tag}}'
	assert_contains origin.example/a/b:1
	assert_contains x.y.wild.example/c:2
	grep -q 'GET /v2/tags/a/b/manifests/1 ' "$E2E_DIR/fake.log"
	grep -q "GET /v2/digests/a/b/manifests/$digest " "$E2E_DIR/fake.log"
	grep -q 'GET /v2/wild/c/manifests/2 ' "$E2E_DIR/fake.log"
}

# helper NAME: docker-credential-NAME in $PWD/bin, which keeps what it is told in a directory.
helper() {
	mkdir -p bin "vault-$1"
	cat >"bin/docker-credential-$1" <<-END
	#!/usr/bin/python3
	import json, os, sys, urllib.parse
	vault, verb = "$PWD/vault-$1", sys.argv[1]
	text = sys.stdin.read().strip()
	def place(server): return os.path.join(vault, urllib.parse.quote(server, safe=""))
	if verb == "store":
	    open(place(json.loads(text)["ServerURL"]), "w").write(text)
	elif verb == "list":
	    print(json.dumps({urllib.parse.unquote(f): "x" for f in os.listdir(vault)}))
	elif not os.path.exists(place(text)):
	    print("credentials not found in native keychain")
	    sys.exit(1)
	elif verb == "get":
	    print(open(place(text)).read())
	else:
	    os.unlink(place(text))
	END
	chmod +x "bin/docker-credential-$1"
	case $PATH in "$PWD/bin":*) ;; *) PATH=$PWD/bin:$PATH ;; esac
}

@test "credential-helpers: login stores, pull asks, logout erases; auth files are one of them" {
	fake --auth
	helper vault
	conf <<-END
	credential-helpers = ["vault", "containers-auth.json"]
	END
	run bryo login -u alice --password-stdin "$FAKE" <<<"secret"
	assert_ok
	[ "$(ls vault-vault)" = "${FAKE/:/%3A}" ]
	[ ! -e "$XDG_RUNTIME_DIR/containers/auth.json" ]
	run bryo login --get-login "$FAKE"
	assert_output alice
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	run bryo logout "$FAKE"
	assert_ok
	[ -z "$(ls vault-vault)" ]
	run bryo logout "$FAKE"
	assert_status 125
	assert_contains "not logged into"
	bryo login -u alice --password-stdin "$FAKE" <<<"secret"
	run bryo logout --all
	assert_ok
	[ -z "$(ls vault-vault)" ]
	# What the helper cannot keep goes to the file.
	run bryo login -u alice --password-stdin "$FAKE/a" <<<"secret"
	assert_ok
	grep -q "$FAKE/a" "$XDG_RUNTIME_DIR/containers/auth.json"
}

@test "credential helpers that are not there, fail or talk nonsense" {
	fake --auth
	mkdir -p bin
	PATH=$PWD/bin:$PATH
	printf '{"credHelpers":{"%s":"broken"}}' "$FAKE" >auth.json
	run bryo pull -q --authfile auth.json "$FAKE/a/b"
	assert_status 125
	assert_contains "docker-credential-broken"
	assert_contains "install docker-credential-broken"
	printf '#!/bin/sh\necho "the \033[31mkeychain is locked"\nexit 3\n' >bin/docker-credential-broken
	chmod +x bin/docker-credential-broken
	run bryo pull -q --authfile auth.json "$FAKE/a/b"
	assert_status 125
	assert_contains "docker-credential-broken get ended with status 3: the ?[31mkeychain is locked"
	printf '#!/bin/sh\necho "{\\"Username\\": 7"\n' >bin/docker-credential-broken
	run bryo pull -q --authfile auth.json "$FAKE/a/b"
	assert_status 125
	assert_contains "docker-credential-broken"
	printf '{"credHelpers":{"%s":"../x"}}' "$FAKE" >auth.json
	run bryo pull -q --authfile auth.json "$FAKE/a/b"
	assert_contains "not a plain name"
	# Another store may know.
	conf <<-END
	credential-helpers = ["broken", "containers-auth.json"]
	END
	printf '{"auths":{"%s":{"auth":"%s"}}}' "$FAKE" "$(printf alice:secret | base64)" >auth.json
	run bryo pull -q --authfile auth.json "$FAKE/a/b"
	assert_ok
}

@test "auth files: REGISTRY_AUTH_FILE alone, the old ~/.dockercfg at the end" {
	fake --auth
	printf '{"%s":{"auth":"%s"}}' "$FAKE" "$(printf alice:secret | base64)" >"$HOME/.dockercfg"
	run bryo pull -q "$FAKE/a/b"
	assert_ok
	echo '{}' >empty.json
	REGISTRY_AUTH_FILE=$PWD/empty.json run bryo pull -q "$FAKE/a/b"
	assert_status 125
	assert_contains unauthorized
}

@test "certs.d: a client's certificate for a registry that asks for one, and what is wrong with the files" {
	needs docker-registry openssl curl
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null
	for name in server client; do
		openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout $name.key -out $name.csr 2>/dev/null
		printf 'subjectAltName=IP:127.0.0.1\n' >names
		openssl x509 -req -days 2 -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names -out $name.cert 2>/dev/null
	done
	port=$(free_port)
	cat >registry.yml <<-END
	version: 0.1
	log: {level: error, accesslog: {disabled: true}}
	storage: {filesystem: {rootdirectory: $E2E_DIR/registry}}
	http: {addr: 127.0.0.1:$port, tls: {certificate: $PWD/server.cert, key: $PWD/server.key, clientcas: [$PWD/ca.crt]}}
	END
	docker-registry serve registry.yml >registry.log 2>&1 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port "$port"
	certs=$XDG_CONFIG_HOME/containers/certs.d/127.0.0.1:$port
	mkdir -p "$certs"
	cp ca.crt "$certs/ca.crt"
	run bryo pull -q --tls-verify=true "127.0.0.1:$port/a/b"
	assert_status 125
	refute_contains "manifest unknown"
	cp client.cert "$certs/client.cert"
	run bryo pull -q --tls-verify=true "127.0.0.1:$port/a/b"
	assert_status 125
	assert_contains "client.cert belongs to client.key: No such file"
	cp client.key "$certs/client.key"
	run bryo pull -q --tls-verify=true "127.0.0.1:$port/a/b"
	assert_contains "manifest unknown"
	echo nonsense >"$certs/zz.crt"
	run bryo pull -q --tls-verify=true "127.0.0.1:$port/a/b"
	assert_contains "holds no certificate"
	rm "$certs/client.cert" "$certs/zz.crt"
	run bryo pull -q --tls-verify=true "127.0.0.1:$port/a/b"
	assert_contains "client.key belongs to client.cert"
}
