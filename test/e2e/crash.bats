# What killed commands and damaged files leave: the next command heals, nothing named is half-made
load helpers

store() { ls -A "$XDG_DATA_HOME/bryo/$1"; }

@test "leftovers of killed commands are collected by the next command" {
	need_image
	mkdir -p "$XDG_DATA_HOME"/bryo/tmp/abandoned/diff "$XDG_DATA_HOME"/bryo/trash/old/x
	: >"$XDG_DATA_HOME"/bryo/tmp/abandoned.lock
	: >"$XDG_DATA_HOME"/bryo/tmp/record.0011
	mkdir -p "$XDG_DATA_HOME/bryo/layers/$(printf '%064d' 1)/diff"
	: >"$XDG_DATA_HOME/bryo/blobs/sha256/$(printf '%064d' 2)"
	layers=$(store layers | wc -l) blobs=$(store blobs/sha256 | wc -l)
	bryo images >/dev/null
	collected() {
		[ -z "$(store tmp)$(store trash)" ] && [ "$(store layers | wc -l)" -eq $((layers - 1)) ] &&
			[ "$(store blobs/sha256 | wc -l)" -eq $((blobs - 1)) ]
	}
	retry 5 collected
	run bryo run --rm $IMG echo still
	assert_output still
}

@test "damaged container records: ps and rm work" {
	need_image
	bryo create --name good $IMG true
	for text in '' '{' '[]' '{}' '{"id":7}' '{"id":"x"}'; do
		id=$(bryo create --name bad $IMG true)
		printf %s "$text" >"$XDG_DATA_HOME/bryo/containers/$id/config.json"
		run bryo ps -a --format '{{.Names}}'
		assert_ok
		assert_contains good
		bryo rm -f "$id"
		[ ! -e "$XDG_DATA_HOME/bryo/containers/$id" ]
		[ ! -L "$XDG_DATA_HOME/bryo/containers/names/bad" ]
	done
	id=$(bryo run -d --name bad $IMG sleep 1000)
	: >"$XDG_DATA_HOME/bryo/containers/$id/config.json"
	bryo rm -fa -t 0
	run bryo ps -aq
	assert_output ''
	[ "$(store containers)" = names ]
	run pgrep bryo-monitor
	assert_status 1
}

@test "a damaged driver record is made anew" {
	need_image
	for text in '' '{' '{"kernel":"1.0","driver":"overlay"}' '{"kernel":"","driver":"zfs"}'; do
		printf %s "$text" >"$XDG_DATA_HOME/bryo/driver"
		run bryo run --rm $IMG echo works
		assert_output works
	done
}

@test "an event log with garbage is still read" {
	bryo volume create a
	printf '\0\0\0garbage\n{"time":1\n' >>"$XDG_DATA_HOME/bryo/events"
	bryo volume create b
	run bryo events --stream=false --filter type=volume --format '{{.Status}} {{.Name}}'
	assert_output $'create a\ncreate b'
}

@test "kill -9 at random moments loses and leaks nothing" {
	[ -x "$BATS_TEST_DIRNAME/../faults/kill" ] || skip "test/faults/kill is not here"
	run "$BATS_TEST_DIRNAME/../faults/kill" -n 12
	assert_ok
	assert_contains 'lost 0, leaked 0'
}

@test "a container whose disk was not flushed before a reboot says so, and stays" {
	need_image
	id=$(bryo run -d --rm --name c --network none $IMG sleep 1000)
	mark=$XDG_DATA_HOME/bryo/containers/$id/work/work/incompat/volatile
	bryo unshare test -d "$mark" || skip "no native overlay here"
	pid=$(bryo inspect --format '{{.State.ConmonPid}}' c)
	kill -9 "$pid" "$(bryo inspect --format '{{.State.Pid}}' c)"
	# The machine went down long ago: nothing of the run is known.
	retry 5 bryo unshare touch -d 2001-01-01 "$mark"
	rm -rf "$XDG_RUNTIME_DIR/bryo/containers/$id"
	run bryo system check
	assert_status 125
	assert_contains 'its last writes may be missing; keep it: `bryo start c`'
	run bryo start c
	assert_ok
	assert_contains 'was not flushed before the machine went down'
	bryo rm -f -t 0 c
	run bryo system check
	assert_ok
}

@test "what a killed removal left to do is done by the next command" {
	need_image
	id=$(bryo create --name c -v /anonymous $IMG true)
	volume=$(bryo volume ls -q)
	mkdir -p "$XDG_RUNTIME_DIR/bryo/containers/$id"
	mv "$XDG_DATA_HOME/bryo/containers/$id" "$XDG_DATA_HOME/bryo/trash/$id.v0011"
	bryo ps >/dev/null
	done_with() {
		[ ! -L "$XDG_DATA_HOME/bryo/containers/names/c" ] && [ ! -e "$XDG_RUNTIME_DIR/bryo/containers/$id" ] &&
			[ ! -e "$XDG_DATA_HOME/bryo/volumes/$volume" ] && [ -z "$(store trash)" ]
	}
	retry 5 done_with
}

@test "anonymous volumes that a killed create did not come to are made at the start" {
	need_image
	bryo create --name c -v /anonymous $IMG sh -c 'echo x >/anonymous/f && cat /anonymous/f'
	bryo unshare rm -rf "$XDG_DATA_HOME/bryo/volumes/$(bryo volume ls -q)"
	run bryo start -a c
	assert_output x
	bryo rm -v c
	run bryo volume ls -q
	assert_output ''
}

@test "a cgroup that went before the container was in it is named" {
	needs strace
	need_image
	run strace -f -qq -o /dev/null -e trace=clone3 -e inject=clone3:error=ENOENT:when=1 "$BRYO" run --rm --network none $IMG true
	assert_status 125
	assert_matches "make the container's namespaces: its cgroup /sys/fs/cgroup/[^ ]+ was removed meanwhile"
	assert_contains 'start it again'
}

@test "a runtime directory that cannot be looked at now is not taken for another one" {
	needs strace
	need_image
	bryo run -d --name c --network none $IMG sleep 1000
	run strace -f -qq -o /dev/null -P "$XDG_RUNTIME_DIR" -e trace=%stat,%fstat,%lstat,newfstatat,statx \
		-e inject=%stat,%lstat,newfstatat,statx:error=ENOMEM "$BRYO" rm -f -t 0 c
	assert_status 125
	assert_output "error[failed]: look at the runtime directory $XDG_RUNTIME_DIR: Cannot allocate memory"
	run bryo ps --format '{{.Names}}'
	assert_output c
}

@test "rm --force: a monitor that hangs is no obstacle" {
	need_image
	bryo run -d --name c --network none $IMG sleep 1000
	kill -STOP "$(jq .monitorPid "$XDG_RUNTIME_DIR"/bryo/containers/*/state)"
	run bryo rm -f -t 0 c
	assert_ok
	[ -z "$(bryo ps -aq)" ]
	run bryo system check
	assert_ok
}

@test "a removed container whose directory cannot be opened now is buried later" {
	needs strace
	need_image
	id=$(bryo run -d --name c --network none $IMG sleep 1000)
	run strace -f -qq -o /dev/null -P "$XDG_DATA_HOME/bryo/trash" -e trace=openat -e inject=openat:error=ENFILE "$BRYO" rm -f -t 0 c
	assert_ok
	[ -d "$XDG_RUNTIME_DIR/bryo/containers/$id" ]
	bryo ps >/dev/null
	gone() { [ ! -e "$XDG_RUNTIME_DIR/bryo/containers/$id" ] && [ -z "$(store trash)" ]; }
	retry 5 gone
}
