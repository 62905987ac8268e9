# vm: plain
# Scopes of the user's systemd: there while the container lives, gone afterwards
load helpers

# A unit is gone when systemd has nothing to say about it.
unit_is_gone() { [ "$(unit_property "$1" LoadState)" = not-found ]; }
no_cgroup_of() { ! find /sys/fs/cgroup/user.slice -name "*$1*" | grep -q .; }

# gone CONTAINER-ID: neither a unit nor a cgroup is left of it.
gone() {
	retry 60 unit_is_gone "bryo-$1.scope"
	retry 60 no_cgroup_of "$1"
}

@test "a running container is a scope with its processes, delegated" {
	id=$(bryo run -d --name c --network none $IMG sleep 1000)
	scope=bryo-$id.scope
	[ "$(unit_property "$scope" ActiveState)" = active ]
	[ "$(unit_property "$scope" Delegate)" = yes ]
	run systemctl --user list-units --type=scope --no-legend
	assert_contains "$scope"
	pid=$(bryo inspect --format '{{.State.Pid}}' c)
	run cat "/proc/$pid/cgroup"
	assert_contains "/user@1000.service/"
	assert_contains "/$scope/"
	bryo stop -t 0 c
	gone "$id"
}

@test "nothing is left after run, run --rm, rm -f and kill" {
	id=$(bryo run -d --rm --network none $IMG true)
	gone "$id"
	bryo run --name once --network none $IMG true
	gone "$(bryo inspect --format '{{.ID}}' once)"
	id=$(bryo run -d --network none $IMG sleep 1000)
	bryo rm -f -t 0 "$id"
	gone "$id"
	id=$(bryo run -d --name killed --network none $IMG sleep 1000)
	bryo kill killed
	gone "$id"
}

@test "nothing is left of a container that could not start" {
	run bryo run --name c --network none $IMG /no/such/command
	assert_status 127
	gone "$(bryo inspect --format '{{.ID}}' c)"
}

@test "a container can be started again and again" {
	id=$(bryo run -d --name c --network none $IMG sleep 1000)
	for i in 1 2 3; do
		bryo restart -t 0 c
		[ "$(bryo inspect --format '{{.State.Status}}' c)" = running ]
		[ "$(unit_property "bryo-$id.scope" ActiveState)" = active ]
	done
	bryo rm -f -t 0 c
	gone "$id"
}

@test "a restart policy gives each life its scope" {
	id=$(bryo run -d --name c --network none --restart on-failure:2 $IMG sh -c 'sleep 1; exit 3')
	ended() { [ "$(bryo inspect --format '{{.State.Status}} {{.RestartCount}}' c)" = 'exited 2' ]; }
	retry 120 ended
	gone "$id"
}

@test "systemctl --user stop ends the container, and bryo knows" {
	id=$(bryo run -d --name c --network none $IMG sh -c 'trap "exit 7" TERM; while :; do sleep 1; done')
	systemctl --user stop "bryo-$id.scope"
	stopped() { [ "$(bryo inspect --format '{{.State.Status}}' c)" = exited ]; }
	retry 120 stopped
	gone "$id"
	bryo start c
	[ "$(bryo inspect --format '{{.State.Status}}' c)" = running ]
}

@test "an exec lives in its container's scope" {
	bryo run -d --name c --network none $IMG sleep 1000
	bryo exec -d c sleep 2000
	sleeping() { pid=$(pgrep -f '^sleep 2000$'); }
	retry 60 sleeping
	run cat "/proc/$pid/cgroup"
	assert_contains "/$(scope_of c)/"
}

@test "an exec from a session into a container of a batch job's cgroup, and the other way round" {
	delegated "$BRYO" --cgroup-manager=cgroupfs run -d --name c --network none $IMG sleep 1000
	run bryo exec c cat /proc/self/cgroup
	assert_ok
	assert_output 0::/
	bryo run -d --name d --network none $IMG sleep 1000
	run delegated "$BRYO" exec d cat /proc/self/cgroup
	assert_ok
	assert_output 0::/
	no_exec_scopes() { ! systemctl --user list-units --no-legend --all 'bryo-exec-*' | grep -q .; }
	retry 60 no_exec_scopes
}

@test "from a service of the user's, and from a batch system's cgroup" {
	run systemd-run --user --quiet --wait --pipe "$BRYO" run --rm --network none $IMG echo from-service
	assert_ok
	assert_contains from-service
	run delegated "$BRYO" run --rm --network none $IMG echo from-scope
	assert_ok
	assert_contains from-scope
}

@test "--cgroup-manager=cgroupfs: no scope, but a cgroup beside the caller's, gone afterwards" {
	id=$(delegated "$BRYO" --cgroup-manager=cgroupfs run -d --name c --network none $IMG sleep 1000)
	unit_is_gone "bryo-$id.scope"
	pid=$(bryo inspect --format '{{.State.Pid}}' c)
	run cat "/proc/$pid/cgroup"
	assert_matches "/run-[^/]*\.scope/bryo-$id"
	bryo rm -f -t 0 c
	gone "$id"
}

@test "info names the manager and the controllers" {
	run bryo info --format '{{.Host.CgroupManager}} {{.Host.CgroupVersion}} {{.Host.CgroupControllers}}'
	assert_ok
	assert_output 'systemd v2 [cpuset cpu io memory pids]'
	run bryo run --rm --network none --memory 64m $IMG true
	assert_ok
	assert_output ''
}
