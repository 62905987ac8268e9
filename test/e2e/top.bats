# `bryo top`
load helpers

@test "the default columns" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	run bryo top c
	assert_ok
	assert_matches '^USER +PID +PPID +%CPU +ELAPSED +TTY +TIME +COMMAND'
	assert_matches $'\nroot +1 +0 +[0-9.]+ +[0-9a-z.]+ +[?] +[0-9a-z.]+ +sleep 1000'
}

@test "inside and outside: users and pids" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	run bryo top c user,huser,pid,hpid,args
	assert_matches "^USER +HUSER +PID +HPID +COMMAND"
	assert_matches $'\nroot +'"$(id -u)"$' +1 +[0-9]+ +sleep 1000'
	local hpid
	hpid=$(bryo top c hpid | tail -1)
	[ "$(tr '\0' ' ' </proc/"$hpid"/cmdline)" = "sleep 1000 " ]
	run bryo top c uid huid
	assert_matches $'\n0 +'"$(id -u)"
}

@test "another user, capabilities, seccomp" {
	need_image
	bryo run -d --name c -u user $IMG sleep 1000 >/dev/null
	run bryo top c user,uid,huid,capeff,capbnd,seccomp
	assert_matches 'user +1000 +[0-9]{4,} +none +CHOWN,.* +filter'
	bryo run -d --name p --privileged $IMG sleep 1000 >/dev/null
	run bryo top p capeff seccomp
	assert_matches 'full +disabled'
}

@test "every descriptor works; an unknown one is named" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	for d in args capamb capbnd capeff capinh capprm comm etime group groups hgroup hgroups hpid huid huser label nice \
		pcpu pgid pid ppid rgroup rss ruser seccomp state stime time tty uid user vsz; do
		run bryo top c $d
		assert_ok
		[ "${#lines[@]}" -eq 2 ]
	done
	run bryo top c usr
	assert_status 125
	assert_contains 'unknown descriptor "usr"'
	assert_contains 'did you mean "user"'
}

@test "processes of exec are seen; of others not; a stopped container has none" {
	need_image
	bryo run -d --name c $IMG sleep 1000 >/dev/null
	bryo run -d --name other $IMG sleep 2000 >/dev/null
	bryo exec -d c sleep 3000 >/dev/null
	run bryo top c args
	assert_contains "sleep 3000"
	refute_contains "sleep 2000"
	bryo stop -t 0 c >/dev/null
	run bryo top c
	assert_status 125
	assert_contains "top can only be used on running containers"
}
