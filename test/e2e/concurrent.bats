# Many commands at once: names are claimed once, nothing is fetched twice, nobody waits for another's slow work
load helpers

store() { echo "$XDG_DATA_HOME/bryo"; }

# at_once N COMMAND...: N times side by side; @ in the words is the number. Outputs in out.N, statuses in status.N.
at_once() {
	local n=$1 i pids=()
	shift
	rm -f out.* status.*
	for ((i = 1; i <= n; i++)); do
		(timeout 50 "$BRYO" "${@//@/$i}" >"out.$i" 2>&1; echo $? >"status.$i") 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}" || true
}

# beside COMMAND...: in the background; all_done waits for those.
beside() {
	(timeout 50 "$BRYO" "$@" >/dev/null 2>&1) 3>&- &
	BESIDE+=($!)
}
all_done() {
	wait "${BESIDE[@]}" || true
	BESIDE=()
}

# with_status CODE: how many ended so.
with_status() { cat status.* | grep -cx "$1" || true; }

# Nothing of what was done side by side is left over or damaged.
all_is_well() {
	clean() { [ -z "$(ls -A "$(store)/tmp" "$(store)/trash" | grep -v : )" ]; }
	retry 10 clean
	run bryo system check --max 0s
	assert_ok
}

@test "one name for twenty that claim it at once" {
	need_image
	at_once 20 create --name one $IMG true
	[ "$(with_status 0)" -eq 1 ]
	[ "$(grep -l 'is already in use' out.* | wc -l)" -eq 19 ]
	at_once 20 volume create v
	[ "$(with_status 0)" -eq 1 ]
	all_is_well
}

@test "twenty removals of one container, image and volume" {
	need_image
	bryo run -d --name c -v v:/v --network none $IMG sleep 1000
	at_once 20 rm -f -t 0 c
	[ "$(with_status 0)" -ge 1 ]
	! grep -v -e '^c$' -e 'no such container' -e 'no container with' out.* | grep -q . || { cat out.*; return 1; }
	at_once 20 volume rm v
	[ "$(with_status 0)" -eq 1 ]
	at_once 20 rmi $IMG
	[ "$(with_status 0)" -ge 1 ]
	run bryo images -q
	assert_output ''
	all_is_well
}

@test "runs, loads, tags and removals of the same image at once" {
	need_image
	beside load -q -i "$(image_file localhost/other --variant other)"
	at_once 20 run --rm --network none $IMG echo ok
	[ "$(with_status 0)" -eq 20 ]
	all_done
	for i in {1..5}; do
		beside load -q -i "$(image_file localhost/other --variant other)"
		beside rmi -f localhost/other
		beside tag $IMG localhost/moved
		beside untag localhost/moved localhost/moved
		beside image prune -f
	done
	all_done
	run bryo run --rm --network none $IMG echo ok
	assert_output ok
	need_image localhost/other --variant other
	run bryo run --rm --network none localhost/other cat /etc/replaced
	assert_output upper
	all_is_well
}

@test "starts and removals of one container at once" {
	need_image
	for i in 1 2 3; do
		bryo create --name c --network none $IMG sleep 1000
		for j in {1..5}; do
			beside start c
			beside rm -f -t 0 c
		done
		all_done
		bryo rm -f -t 0 c >/dev/null 2>&1 || true
		run bryo ps -aq
		assert_output ''
		gone() { ! pgrep -f 'bryo-[m]onitor' >/dev/null; }
		retry 5 gone
		[ -z "$(ls -A "$XDG_RUNTIME_DIR/bryo/containers")" ]
	done
	all_is_well
}

@test "twenty starts of one --rm container: it runs once and is kept while it does" {
	need_image
	bryo create --rm --name c --network none $IMG sleep 1000
	at_once 20 start c
	[ "$(with_status 0)" -ge 1 ]
	run bryo exec c echo alive
	assert_output alive
	bryo rm -f -t 0 c
	all_is_well
}

@test "pulls of one image side by side download once" {
	fake
	at_once 8 pull -q --tls-verify=false "$FAKE/box:1"
	[ "$(with_status 0)" -eq 8 ] || { cat out.*; return 1; }
	# A manifest or configuration is small and may be asked for by each.
	layers=$(for blob in "$(store)"/blobs/sha256/*; do jq -r '.layers[]?.digest' "$blob" 2>/dev/null || true; done)
	[ "$(wc -l <<<"$layers")" -eq 2 ]
	for layer in $layers; do
		[ "$(grep -c "GET .*/blobs/$layer .* 200" "$E2E_DIR/fake.log")" -eq 1 ] || { grep "$layer" "$E2E_DIR/fake.log"; return 1; }
	done
	run bryo run --rm --network none "$FAKE/box:1" cat /etc/replaced
	assert_output upper
	all_is_well
}

# fastest COMMAND...: the milliseconds of the quickest of five.
fastest() {
	local best=100000 start took i
	for i in 1 2 3 4 5; do
		start=${EPOCHREALTIME/[.,]/}
		"$@" >/dev/null || return 1
		took=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
		[ "$took" -ge "$best" ] || best=$took
	done
	echo "$best"
}

@test "nobody waits for a pull from a registry that stalls" {
	[ -z "${BRYO_TEST_QUICK:-}" ] || skip "times of a sanitized build say nothing"
	need_image localhost/here --variant here
	fake --do slow
	beside pull -q --tls-verify=false "$FAKE/box:1"
	pull=${BESIDE[0]}
	stalls() { grep -q 'GET .*/blobs/' "$E2E_DIR/fake.log"; }
	retry 10 stalls
	for command in 'ps -a' images 'run --rm --network none localhost/here true' 'volume ls' 'tag localhost/here localhost/there' \
		'image prune -f'; do
		ms=$(fastest "$BRYO" $command)
		[ "$ms" -lt 100 ] || [[ $command == *prune* && $ms -lt 300 ]] || { echo "$command took $ms ms" >&2; return 1; }
	done
	kill -0 $pull		# it still hangs
	bryo create --name c localhost/here true
	bryo rm c
	bryo rmi -f localhost/there localhost/here
	kill $pull
	all_done
}
