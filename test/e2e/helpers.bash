# Helpers of the end-to-end tests. A test file starts with:
#
#	load helpers
#
# and gets, for each test, an empty store and runtime directory of its own, so that tests are independent and files can
# run side by side. $BRYO is the program under test. Everything here works without a network. Run with:
#
#	test/e2e/run [FILE.bats...]

: "${BRYO_BUILD:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build}"
: "${BRYO:=$BRYO_BUILD/bryo}"
: "${BRYO_TEST_CACHE:=$BATS_RUN_TMPDIR}"
MAKE_IMAGE=$BATS_TEST_DIRNAME/make-image
IMG=localhost/box

setup() { e2e_setup; }
teardown() { e2e_teardown; }

e2e_setup() {
	# Unix socket paths have 108 bytes: the runtime directory must be short.
	E2E_DIR=$(mktemp -d /tmp/e2e.XXXXXX)
	export HOME=$E2E_DIR/home XDG_DATA_HOME=$E2E_DIR/data XDG_RUNTIME_DIR=$E2E_DIR/run
	export XDG_CONFIG_HOME=$HOME/.config
	mkdir -m 700 "$HOME" "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME"
	unset REGISTRY_AUTH_FILE DOCKER_CONFIG
	BRYO_DRIVER=${BRYO_TEST_DRIVER:-}
	E2E_PIDS=()
	cd "$E2E_DIR" || return
}

e2e_teardown() {
	local pid
	for pid in "${E2E_PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
	# What the tests made is removed by the program itself; then nothing of it may be left running.
	for pid in "$E2E_DIR"/oci/*/; do
		[ ! -d "$pid" ] || oci delete --force "$(basename "$pid")" >/dev/null 2>&1 || true
	done
	"$BRYO" rm -fa -t 0 >/dev/null 2>&1 || true
	"$BRYO" unshare rm -rf "$XDG_DATA_HOME" >/dev/null 2>&1 || true
	"$BRYO" system migrate >/dev/null 2>&1 || true
	chmod -R u+rwX "$E2E_DIR" 2>/dev/null || true
	cd /
	rm -rf "$E2E_DIR" 2>/dev/null || true
}

# bryo [ARG...]: the program, with the storage driver of this test.
bryo() { "$BRYO" ${BRYO_DRIVER:+"--storage-driver=$BRYO_DRIVER"} "$@"; }

# --- images

# image_file NAME [MAKE-IMAGE-OPTION...]: the path of a docker-archive, made once for all tests.
image_file() {
	local name=$1 file
	shift
	file=$BRYO_TEST_CACHE/$(printf '%s' "$name $*" | sha256sum | cut -c1-16).tar
	if [ ! -f "$file" ]; then
		"$MAKE_IMAGE" "$@" "$name" "$file.$$" && mv "$file.$$" "$file"
	fi
	echo "$file"
}

# need_image [NAME [MAKE-IMAGE-OPTION...]]: loads it into this test's store; localhost/box without arguments.
need_image() { bryo load -q -i "$(image_file "${@:-$IMG}")" >/dev/null; }

# --- a registry on 127.0.0.1

# registry_start [--tls] [--auth]: sets REGISTRY ("127.0.0.1:PORT"). --auth: user "alice", password "secret".
registry_start() {
	local port conf=$E2E_DIR/registry.yml tls='' auth='' i pid
	while [ $# -gt 0 ]; do
		case $1 in
		--tls)
			openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
				-keyout "$E2E_DIR/registry.key" -out "$E2E_DIR/registry.crt" 2>/dev/null
			tls="  tls: {certificate: $E2E_DIR/registry.crt, key: $E2E_DIR/registry.key}" ;;
		--auth)
			python3 -W ignore -c 'import crypt; print("alice:" + crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' \
				>"$E2E_DIR/htpasswd"
			auth="auth: {htpasswd: {realm: test, path: $E2E_DIR/htpasswd}}" ;;
		esac
		shift
	done
	for i in 1 2 3 4 5; do
		port=$(free_port)
		cat >"$conf" <<-END
		version: 0.1
		log: {level: error, accesslog: {disabled: true}}
		storage: {filesystem: {rootdirectory: $E2E_DIR/registry}, delete: {enabled: true}}
		$auth
		http:
		  addr: 127.0.0.1:$port
		$tls
		END
		docker-registry serve "$conf" >"$E2E_DIR/registry.log" 2>&1 3>&- &
		pid=$!
		if wait_for_port "$port" "$pid"; then
			E2E_PIDS+=("$pid")
			REGISTRY=127.0.0.1:$port
			return 0
		fi
		kill "$pid" 2>/dev/null || true
	done
	cat "$E2E_DIR/registry.log" >&2
	return 1
}

# registry_push FILE NAME [SKOPEO-OPTION...]: a docker-archive to the registry over plain HTTP.
registry_push() {
	local file=$1 name=$2
	shift 2
	skopeo copy -q --dest-tls-verify=false "$@" "docker-archive:$file" "docker://$REGISTRY/$name" >/dev/null
}

# fake [OPTION...]: starts registry-fake with the usual image; sets FAKE ("127.0.0.1:PORT") and FAKE_CDN (its port).
fake() {
	local image=$E2E_DIR/fake-image
	[ -d "$image" ] || "$MAKE_IMAGE" --format oci-dir box "$image"
	rm -f "$E2E_DIR/ports" "$E2E_DIR/fake.log"
	"$BATS_TEST_DIRNAME/registry-fake.py" --image "$image" --port-file "$E2E_DIR/ports" --log "$E2E_DIR/fake.log" "$@" \
		>"$E2E_DIR/fake.out" 2>&1 3>&- &
	E2E_PIDS+=("$!")
	retry 10 test -f "$E2E_DIR/ports" || { cat "$E2E_DIR/fake.out" >&2; return 1; }
	read -r FAKE_PORT FAKE_CDN <"$E2E_DIR/ports"
	FAKE=127.0.0.1:$FAKE_PORT
}

certificate() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
		-keyout "$E2E_DIR/key" -out "$E2E_DIR/crt" 2>/dev/null
}

# --- the OCI runtime

# oci [ARG...]: the runtime under test with a state directory of this test's own.
oci() { runtime && "$RUNTIME" --root "$E2E_DIR/oci" "$@"; }

# runtime [NAME]: sets RUNTIME to a link of this name (default bryo-oci) to bryo. The environment may name another
# runtime, to see whether a test says the same of crun.
runtime() {
	[ -z "${RUNTIME:-}" ] || return 0
	mkdir -p "$E2E_DIR/bin"
	RUNTIME=$E2E_DIR/bin/${1:-bryo-oci}
	# Subshells forget the variable, and may come at once.
	[ -L "$RUNTIME" ] || ln -s "$BRYO" "$RUNTIME" 2>/dev/null || true
}

# bundle [-s] [-n] DIR [JQ-FILTER...] [-- ARG...]: see make-bundle.
bundle() {
	# Ids of a user namespace of root's must find the way.
	[ "$(id -u)" -ne 0 ] || chmod 711 "$E2E_DIR"
	MAKE_BUNDLE_ROOTFS=$BRYO_TEST_CACHE/rootfs "$BATS_TEST_DIRNAME/make-bundle" "$@"
}

# edit DIR JQ-FILTER: changes the configuration of a bundle as it is.
edit() { jq "$2" "$1/config.json" >"$1/config.json.new" && mv "$1/config.json.new" "$1/config.json"; }

# oci_state ID: the word (created, running, stopped, paused); nothing when there is no such container.
oci_state() { oci state "$1" 2>/dev/null | jq -r .status; }

# --- ports, processes, time

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'
}

# wait_for_port PORT [PID]: until something listens on 127.0.0.1 (or the process ended).
wait_for_port() {
	local i
	for i in {1..200}; do
		(exec 9<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		[ -z "${2:-}" ] || kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# retry SECONDS COMMAND...: until it succeeds.
retry() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# on_terminal COMMAND...: runs it on a new pseudo-terminal, with this function's stdin typed into it.
on_terminal() {
	python3 "$BATS_TEST_DIRNAME/on-terminal" "$@"
}

# --- assertions on bats' $status and $output

show() { printf 'status: %s\noutput:\n%s\n' "$status" "$output" >&2; }
assert_ok() { [ "$status" -eq 0 ] || { show; return 1; }; }
assert_status() { [ "$status" -eq "$1" ] || { echo "expected status: $1" >&2; show; return 1; }; }
assert_output() { [ "$output" = "$1" ] || { printf 'expected: %s\n' "$1" >&2; show; return 1; }; }
assert_contains() { case $output in *"$1"*) ;; *) printf 'expected in the output: %s\n' "$1" >&2; show; return 1 ;; esac; }
refute_contains() { case $output in *"$1"*) printf 'not expected in the output: %s\n' "$1" >&2; show; return 1 ;; esac; }
assert_matches() { [[ $output =~ $1 ]] || { printf 'expected a match of: %s\n' "$1" >&2; show; return 1; }; }

# needs PROGRAM...: skips the test, saying why, when one is not installed.
needs() {
	local p
	for p; do
		command -v "$p" >/dev/null || [ -x "/usr/sbin/$p" ] || skip "$p is not installed"
	done
}
