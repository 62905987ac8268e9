# Helpers of the tests of the OCI runtime: load helpers, then oci.

# Whatever a test left runs elsewhere than below its usual state directory, too.
teardown() {
	local file root
	for file in $(find "$E2E_DIR" -name state.json 2>/dev/null); do
		root=$(dirname "$(dirname "$file")")
		chmod -R u+w "$root"
		"$BRYO" oci --root "$root" delete --force "$(basename "$(dirname "$file")")" || true
	done >/dev/null 2>&1
	e2e_teardown
}

# quiet ARG...: oci with nothing of bats' open in what lives on. What the command says is in ./said.
quiet() { oci "$@" </dev/null >said 2>&1 3>&-; }

# fails COMMAND...: exit code 1; its words are in $output.
fails() {
	run "$@"
	assert_status 1
}

# box [-s] [-n] [JQ-FILTER...] [-- ARG...]: runs the bundle ./box, made anew with these filters.
box() {
	local options=()
	while [[ ${1:-} = -[sn] ]]; do options+=("$1"); shift; done
	bundle "${options[@]}" box "$@"
	run oci run --bundle box box
}

# made ID [JQ-FILTER...] [-- ARG...]: a created container of the bundle ./ID; without ARG it would sleep.
made() {
	local id=$1
	shift
	case " $* " in *" -- "*) ;; *) set -- "$@" -- sleep 1000 ;; esac
	bundle "$id" "$@"
	quiet create --bundle "$id" "$id" || { cat said; return 1; }
}

# up ID ...: the same, running.
up() {
	made "$@"
	quiet start "$1" || { cat said; return 1; }
}

# Without jq, which takes longer than all the rest.
pid_of() { oci state "$1" | sed -n 's/^  "pid": \([0-9]*\),/\1/p'; }
has_status() { oci state "$1" 2>/dev/null | grep -q "^  \"status\": \"$2\""; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# no_trace ID: neither state nor cgroup of a container is left.
no_trace() {
	local top=
	[ ! -e "$E2E_DIR/oci/$1" ] || { ls "$E2E_DIR/oci"; return 1; }
	[ "$(id -u)" -eq 0 ] || top=$(sed -n 's/^0:://p' /proc/self/cgroup)
	! find "/sys/fs/cgroup$top" -name "bryo-$1" | grep . || return 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }
