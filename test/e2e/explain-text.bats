# What the engine says of itself: explain in words, the doctor, the last failed run, hints at run
load helpers

@test "explain: a run line, its fixes work, and the exit code tells" {
	need_image
	mkdir d
	chmod 755 d
	local line=(--network none --user 1000:1000 -v "$PWD/d:/data" $IMG touch /data/x)
	run bryo explain run "${line[@]}" --path /data/x --access create
	assert_status 1
	assert_contains "error[uid-shift]: user 1000 in the container can't create /data/x"
	assert_contains "one of your subordinate ids"
	assert_contains " the process"
	assert_contains "fix 1: bryo run "
	assert_contains "--userns=keep-id:uid=1000,gid=1000"
	assert_contains "more: bryo help uid-shift"
	# options in front, as JSON, in the form that programs use
	run bryo explain --format json --side container --access create --path /data/x -- "${line[@]}"
	assert_status 1
	[ "$(jq -r '.verdict, .reason, .errno, .fixes[0].id' <<<"$output")" = $'denied\nuid-shift\n13\nkeep-id' ]
	run bryo explain run --network none -v "$PWD/d:/data" $IMG --path /data/x --access create
	assert_ok
	assert_contains "allowed: root in the container can create /data/x"
	run bryo explain
	assert_status 125
	assert_contains "error[missing-argument]"
	run bryo explain --format yaml --host /
	assert_status 125
}

@test "lines are drawn under a UTF-8 locale only" {
	need_image
	mkdir d
	run env LC_ALL=C.UTF-8 "$BRYO" explain run --user 1000 -v "$PWD/d:/data" $IMG --path /data/x --access create
	assert_contains "▲ the process"
	run env LC_ALL=C "$BRYO" explain run --user 1000 -v "$PWD/d:/data" $IMG --path /data/x --access create
	! LC_ALL=C grep -q '[^ -~]' <<<"$output" || { show; return 1; }
}

@test "explain --host: files that a container's user left" {
	need_image
	mkdir d
	bryo run --rm --network none -v "$PWD/d:/data" $IMG sh -c 'mkdir /data/q && chown 5:5 /data/q && chmod 700 /data/q'
	run bryo explain --host d/q/x --access create
	assert_status 1
	assert_contains "error[subuid-owned]: you can't create "
	assert_contains " the owner"
	assert_contains "bryo unshare"
}

@test "a failed run is remembered, explained, and hinted at" {
	need_image
	run bryo explain --last
	assert_status 125
	assert_contains "no run failed"
	mkdir -m 755 d
	local line=(--rm --network none --user 1000:1000 -v "$PWD/d:/data" $IMG touch /data/x)
	run bryo run "${line[@]}"
	assert_status 1
	assert_contains "hint[uid-shift]: user 1000 of the container can't make files in /data; --userns=keep-id:uid=1000,gid=1000"
	assert_contains 'hint: run `bryo explain --last`'
	run bryo explain --last
	assert_status 1
	assert_contains "error[uid-shift]"
	assert_contains "touch /data/x"
	run bryo explain --last --path /data/x --access create
	assert_status 1
	[ "$(stat -c %a "$XDG_RUNTIME_DIR/bryo/last-failed")" = 600 ]
	# a directory that is closed altogether: what opens it opens it for writing, too
	mkdir -m 700 closed
	run bryo run --rm --network none --user 1000:1000 -v "$PWD/closed:/data" $IMG touch /data/x
	assert_contains "can't make files in /data"
	run bryo explain --last
	assert_contains "setfacl -R -m u:"
	# silence where it is asked for, and where nothing surprises
	for silent in "env BRYO_HINTS=0 $BRYO run" "$BRYO run --hints never" "$BRYO run --quiet"; do
		run $silent "${line[@]}"
		assert_status 1
		assert_output "touch: /data/x: Permission denied"
	done
	run bryo run --rm --network none -v "$PWD/d:/data" $IMG false
	assert_output ""
	run bryo run --rm --network none --user 1000 -v "$PWD/d:/data:ro" $IMG false
	assert_output ""
	run bryo run --rm --network none --hints sometimes $IMG true
	assert_status 125
	run bryo explain --last
	assert_ok
	assert_contains "ended with 1"
	# on a terminal the hint comes before the start
	run "$BATS_TEST_DIRNAME/on-terminal" "$BRYO" run --rm --network none --user 1000 -v "$PWD/d:/data" $IMG true
	assert_contains "hint[uid-shift]"
}

@test "the doctor: every part of a good host, as text and JSON" {
	run bryo explain --system
	assert_ok
	for part in bryo user-namespaces subordinate-ids id-helpers ids-unshared runtime-directory cgroup network tun bridges kernel namespace \
		storage; do
		grep -qE "^(ok|note) +$part " <<<"$output" || { echo "no $part"; show; return 1; }
	done
	! grep -q '^bad' <<<"$output" || { show; return 1; }
	run bryo explain --system --format json
	assert_ok
	[ "$(jq -r .ok <<<"$output")" = true ]
	[ "$(jq -r '.checks[] | select(.check == "user-namespaces").state' <<<"$output")" = ok ]
}

@test "run --explain: each refused access is explained, without knowing the path" {
	need_image
	mkdir -m 755 d
	run bryo run --explain --rm --network none --user 1000:1000 -v "$PWD/d:/data" -v "$BRYO_BUILD/test/e2e/calls:/calls:ro" $IMG \
		sh -c 'cd /data; touch x; mkdir y; ln -s /data /tmp/l; touch /tmp/l/z; /calls openat2 /data/o; (chmod 700 /data) 2>/dev/null; echo said; exit 4'
	assert_status 4
	assert_contains "said"
	assert_contains "error[uid-shift]: user 1000 in the container can't create /data/x"
	assert_contains "also refused[uid-shift]: mkdir /data/y"
	assert_contains "also refused[uid-shift]: create /tmp/l/z"
	assert_contains "openat2 EACCES"
	assert_contains "also refused[uid-shift]: create /data/o"
	assert_contains "can't change the mode of /data"
	assert_contains "fix 1: bryo run "
	run bryo run --explain --rm --network none --read-only $IMG sh -c 'echo >/x'
	assert_status 1
	assert_contains "error[root-ro]: root in the container can't create /x"
	run bryo run --explain --rm --network none $IMG echo fine
	assert_ok
	assert_contains "the kernel refused no access to a path"
	[ -z "$(bryo ps -aq)" ]
	run bryo run --explain -d --network none $IMG true
	assert_status 125
}
