# What the programs of test/faults share: a store with objects that must survive, commands that are disturbed, and the
# look afterwards. `lost` counts objects that were there before and are not usable any more, `leaked` what is left in the
# store, of processes and of mounts that no object accounts for.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${BRYO:=${BRYO_BUILD:-$(cd "$here/../.." && pwd)/build}/bryo}"
rounds=50 seed=$RANDOM verbose='' seconds='' load=0
registry='' load_pids=() registry_pid=''
lost=0 leaked=0 odd=0 round=0

# faults_options "$@": the options that all share. -n rounds, -t at most so many seconds, -s seed, -l busy processes beside.
faults_options() {
	while getopts 'n:s:t:l:v' option; do
		case $option in
		n) rounds=$OPTARG ;;
		s) seed=$OPTARG ;;
		t) seconds=$OPTARG ;;
		l) load=$OPTARG ;;
		v) verbose=1 ;;
		*) sed -n '2,/^set -u/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
		esac
	done
	RANDOM=$seed
}

say() { [ -z "$verbose" ] || echo "$*" >&2; }
note() { echo "round $round ($command): $*" >&2; }
has_command() { "$BRYO" help $1 >/dev/null 2>&1; }
out_of_time() { [ -n "$seconds" ] && [ "$SECONDS" -ge "$seconds" ]; }

# --- the store

# faults_setup [DIRECTORY]: an empty store there, and what must survive: an image, a container and a volume called keep.
faults_setup() {
	dir=${1:-$(mktemp -d /tmp/faults.XXXXXX)}
	run_parent=$(mktemp -d /tmp/faults-run.XXXXXX)
	export XDG_DATA_HOME=$dir/data XDG_RUNTIME_DIR=$run_parent/run
	mkdir -m 700 "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR"
	store=$XDG_DATA_HOME/bryo
	trap faults_finish EXIT
	"$here/../e2e/make-image" localhost/keep "$run_parent/keep.tar"
	"$here/../e2e/make-image" --variant other localhost/other "$run_parent/other.tar"
	"$BRYO" load -q -i "$run_parent/keep.tar" >/dev/null && "$BRYO" volume create keep >/dev/null &&
		"$BRYO" create --name keep -v keep:/etc localhost/keep cat /etc/replaced >/dev/null || exit 1
	kept=$("$BRYO" inspect --format '{{.Id}}' keep)
	layers=$(ls "$store/layers" | wc -l)
	blobs=$(ls "$store/blobs/sha256" | wc -l)
	for ((i = 0; i < load; i++)); do
		(while :; do :; done) &
		load_pids+=($!)
	done
}

# A registry of the lab's own on 127.0.0.1, with the image other; nothing where there is none.
faults_registry() {
	local port conf=$run_parent/registry.yml
	command -v docker-registry >/dev/null && command -v skopeo >/dev/null || return 0
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$conf" <<-END
	version: 0.1
	log: {level: error, accesslog: {disabled: true}}
	storage: {filesystem: {rootdirectory: $run_parent/registry}, delete: {enabled: true}}
	http: {addr: "127.0.0.1:$port"}
	END
	docker-registry serve "$conf" >/dev/null 2>&1 &
	registry_pid=$!
	for i in {1..100}; do
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
		sleep 0.05
	done
	skopeo copy -q --dest-tls-verify=false "docker-archive:$run_parent/other.tar" "docker://127.0.0.1:$port/other:1" >/dev/null &&
		registry=127.0.0.1:$port
}

faults_finish() {
	[ ${#load_pids[@]} -eq 0 ] || kill "${load_pids[@]}" 2>/dev/null
	[ -z "$registry_pid" ] || kill "$registry_pid" 2>/dev/null
	"$BRYO" rm -fa -t 0 >/dev/null 2>&1
	"$BRYO" unshare rm -rf "$XDG_DATA_HOME" >/dev/null 2>&1
	"$BRYO" system migrate >/dev/null 2>&1
	chmod -R u+w "$run_parent" 2>/dev/null
	rm -rf "$dir" "$run_parent" 2>/dev/null
}

# --- what is disturbed
# Each starts from the same state and may or may not have happened afterwards. "PREPARE a AND b THEN c" disturbs c.
faults_commands() {
	local other=$run_parent/other.tar
	commands=(
		"load -q -i $other"
		"run --rm --network none localhost/keep true"
		"run --rm --network none -v /anonymous localhost/keep true"
		"run -d --name gone --network none localhost/keep sleep 1000"
		"create --name gone -v fresh:/etc -v /anonymous localhost/keep true"
		"volume create fresh"
		"tag localhost/keep localhost/moved:1"
		"PREPARE load -q -i $other THEN rmi -f localhost/other"
		"PREPARE load -q -i $other AND untag localhost/other THEN image prune -f"
		"PREPARE create --name gone -v fresh:/etc -v /anonymous localhost/keep true THEN rm -f -v gone"
		"PREPARE run -d --name gone --network none localhost/keep sleep 1000 THEN rm -f -t 0 gone"
		"PREPARE run -d --name gone --network none localhost/keep sleep 1000 THEN exec gone true"
		"PREPARE volume create fresh THEN volume rm fresh"
		"PREPARE volume create fresh THEN volume prune -f"
		"PREPARE create --name gone -v fresh:/etc localhost/keep cat /etc/replaced THEN start -a gone"
		"PREPARE create --name gone localhost/keep true THEN rename gone renamed"
		"PREPARE create --name gone localhost/keep true THEN cp $run_parent/keep.tar gone:/tmp/keep.tar"
		"import $run_parent/tree.tar localhost/imported"
	)
	tar -C "$here" -cf "$run_parent/tree.tar" kill
	[ -z "$registry" ] || commands+=(
		"pull -q --tls-verify=false $registry/other:1"
		"PREPARE pull -q --tls-verify=false $registry/other:1 THEN rmi -f $registry/other:1"
		"PREPARE pull -q --tls-verify=false $registry/other:1 THEN pull -q --keep-compressed $registry/other:1"
		"PREPARE pull -q --tls-verify=false $registry/other:1 THEN save -q --format oci-archive -o $run_parent/saved.tar $registry/other:1"
		"PREPARE pull -q --tls-verify=false $registry/other:1 THEN push -q --compression-format zstd --force-compression $registry/other:1 $registry/zstd:1")
	! has_command 'system check' || commands+=("system check --repair")
	! has_command commit || commands+=("commit -q keep localhost/committed")
	! has_command save || commands+=("save -q -o $run_parent/saved.tar localhost/keep")
	! has_command export || commands+=("export -o $run_parent/exported.tar keep")
	! has_command push || [ -z "$registry" ] || commands+=("push -q --tls-verify=false localhost/keep $registry/pushed:1")
	! has_command 'manifest create' || commands+=("manifest create localhost/list localhost/keep")
	! has_command 'volume import' ||
		commands+=("PREPARE volume create fresh THEN volume import fresh $run_parent/tree.tar")
}

# Runs what a command needs and leaves what is to be disturbed in $line.
prepare() {
	local steps
	line=$1
	[[ $line == PREPARE* ]] || return 0
	steps=${line#PREPARE } steps=${steps%% THEN *}
	line=${line##* THEN }
	while [ -n "$steps" ]; do
		"$BRYO" ${steps%% AND *} >/dev/null 2>&1 </dev/null
		[[ $steps == *" AND "* ]] || break
		steps=${steps#* AND }
	done
}

# Back to the state before the round: everything but the kept objects goes.
clean() {
	local ids names
	ids=$("$BRYO" ps -a --format '{{.ID}} {{.Names}}' 2>/dev/null | awk '$2 != "keep" { print $1 }')
	[ -z "$ids" ] || "$BRYO" rm -f -v -t 0 $ids >/dev/null 2>&1
	names=$("$BRYO" volume ls -q 2>/dev/null | grep -vx keep)
	[ -z "$names" ] || "$BRYO" volume rm -f $names >/dev/null 2>&1
	names=$("$BRYO" images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | grep -v -e '^localhost/keep:latest$' -e '<none>')
	for name in $names; do "$BRYO" untag "$name" "$name" >/dev/null 2>&1; done
	! has_command 'manifest rm' || "$BRYO" manifest rm localhost/list >/dev/null 2>&1
	"$BRYO" image prune -f >/dev/null 2>&1
	rm -f "$store"/tmp/blob-* "$run_parent"/saved.tar* "$run_parent"/exported.tar*
}

# --- the look afterwards

# A list of what should not be there; empty when all is well.
leaks() {
	local containers
	containers=$(find "$store/containers" -mindepth 1 -maxdepth 1 ! -name names | wc -l)
	# What is left of a download waits for the next try, an hour long.
	find "$store/tmp" "$store/trash" -mindepth 1 -maxdepth 1 ! -name 'blob-*'
	[ "$containers" -eq 1 ] || echo "containers: $containers"
	find "$store/containers/names" -mindepth 1 ! -name keep
	find "$store/volumes" -mindepth 1 -maxdepth 1 ! -name keep
	find "$store/volumes/keep" -mindepth 1 -maxdepth 1 ! -name _data ! -name volume.json
	[ "$(ls "$store/layers" | wc -l)" -eq "$layers" ] || echo "layers: $(ls "$store/layers" | wc -l), not $layers"
	[ "$(ls "$store/blobs/sha256" | wc -l)" -eq "$blobs" ] || echo "blobs: $(ls "$store/blobs/sha256" | wc -l), not $blobs"
	find "$XDG_RUNTIME_DIR/bryo/containers" -mindepth 1 -maxdepth 1 ! -name "$kept*" 2>/dev/null
	grep -sl 'bryo-[m]onitor' /proc/[0-9]*/cmdline | while read -r file; do
		{ tr '\0' ' ' <"$file"; } 2>/dev/null | grep 'bryo-[m]onitor'
	done
}

look() {
	local i out
	out=$("$BRYO" start -a keep 2>&1 | tail -n 1)
	[ "$out" = upper ] || { note "LOST: the container keep says: $out"; lost=$((lost + 1)); }
	out=$("$BRYO" run --rm --network none localhost/keep echo ok 2>&1 | tail -n 1)
	[ "$out" = ok ] || { note "LOST: the image keep says: $out"; lost=$((lost + 1)); }
	out=$("$BRYO" volume ls -q 2>&1)
	[ "$out" = keep ] || { note "LOST: volumes: $out"; lost=$((lost + 1)); }
	for i in {1..100}; do
		out=$(leaks)
		[ -n "$out" ] || break
		sleep 0.05
		((i % 20)) || "$BRYO" ps >/dev/null 2>&1
	done
	[ -z "$out" ] || { note "LEAKED: $out"; leaked=$((leaked + 1)); }
	out=$("$BRYO" system check --max 0s 2>&1) || { note "LOST: system check says: $out"; lost=$((lost + 1)); }
	# So that the next rounds count their own.
	[ -z "$(leaks)" ] || "$BRYO" system check --repair --max 0s >/dev/null 2>&1
	[ -z "$(leaks)" ] || "$BRYO" unshare rm -rf "$store"/tmp/* "$store"/trash/* 2>/dev/null
}

verdict() {
	echo "$round rounds (seed $seed): lost $lost, leaked $leaked${1:+, $1}"
	[ "$lost" -eq 0 ] && [ "$leaked" -eq 0 ] && [ "$odd" -eq 0 ]
}
