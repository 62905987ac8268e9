# `bryo logs`
load helpers

done_with() { [ "$(bryo inspect --format '{{.State.Status}}' "$1")" = exited ]; }

@test "both streams, in order, each to its own" {
	need_image
	bryo run --name l $IMG sh -c 'for i in 1 2 3; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done; printf unfinished' >/dev/null 2>&1
	run bryo logs l
	assert_output $'out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nunfinished'
	bryo logs l >out 2>err
	[ "$(grep -c err out)" = 0 ]
	[ "$(cat err)" = $'err 1\nerr 2\nerr 3' ]
}

@test "--tail, --timestamps, --since and --until" {
	need_image
	bryo run --name l $IMG sh -c 'echo one; echo two; echo three' >/dev/null
	run bryo logs --tail 2 l
	assert_output $'two\nthree'
	run bryo logs --tail 0 l
	assert_output ""
	run bryo logs -t --tail 1 l
	assert_matches '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}(Z|[+-][0-9:]{5}) three$'
	run bryo logs --since 1h l
	assert_output $'one\ntwo\nthree'
	run bryo logs --until 1h l
	assert_output ""
	run bryo logs --since nonsense l
	assert_status 125
}

@test "-f goes on until the end, over several containers" {
	need_image
	bryo run -d --name a $IMG sh -c 'for i in 1 2 3; do echo a$i; sleep 0.2; done' >/dev/null
	bryo run -d --name b $IMG sh -c 'for i in 1 2 3 4; do echo b$i; sleep 0.2; done' >/dev/null
	run timeout 20 "$BRYO" logs -f -n a b
	assert_ok
	for line in "a a1" "a a3" "b b1" "b b4"; do assert_contains "$line"; done
	run timeout 5 "$BRYO" logs -f a
	assert_output $'a1\na2\na3'
}

@test "-f sees a line at once" {
	need_image
	bryo run -d --name l $IMG sh -c 'sleep 0.5; echo now; sleep 2' >/dev/null
	timeout 20 "$BRYO" logs -f -t l 3>&- | {
		read -r written _
		echo $((($(date +%s%N) - $(date -d "$written" +%s%N)) / 1000000))
	} >delay
	[ "$(cat delay)" -lt 300 ]
}

@test "lines of a megabyte and a hundred thousand lines are whole" {
	need_image
	bryo run --name big $IMG sh -c 'head -c 1000000 /dev/zero | tr "\0" x; echo; seq 100000' >/dev/null
	bryo logs big >out
	[ "$(head -1 out | wc -c)" = 1000001 ]
	[ "$(wc -l <out)" = 100001 ]
	[ "$(bryo logs --tail 1 big)" = 100000 ]
	[ "$(bryo logs --tail 70000 big | head -1)" = 30001 ]
}

@test "--log-opt max-size rotates, --log-driver none keeps nothing" {
	need_image
	bryo run --name r --log-opt max-size=10k $IMG seq 2000 >/dev/null
	[ "$(du -sb "$XDG_DATA_HOME"/bryo/containers/*/ctr.log* | awk '{ n += $1 } END { print (n <= 20480) }')" = 1 ]
	[ "$(bryo logs --tail 1 r)" = 2000 ]
	bryo run --name n --log-driver none $IMG echo lost >/dev/null
	run bryo logs n
	assert_status 125
	assert_contains "'none' log driver"
}

@test "a container that never ran has an empty log" {
	need_image
	bryo create --name c $IMG true >/dev/null
	run timeout 5 "$BRYO" logs -f c
	assert_ok
	assert_output ""
	run bryo logs nosuch
	assert_status 125
}

@test "several containers: an unfinished line does not swallow the next one's" {
	need_image
	bryo run --name a --network none $IMG printf part >/dev/null
	bryo run --name b --network none $IMG echo whole >/dev/null
	run bryo logs -n a b
	assert_output "a part
b whole"
}
