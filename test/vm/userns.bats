# vm: plain
# User namespaces that the administrator has switched off
load helpers

teardown() {
	sudo sysctl -qw kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000
	bryo rm -fa -t 0 >/dev/null 2>&1 || true
}

@test "kernel.unprivileged_userns_clone=0 is named, with the way back" {
	bryo system migrate
	sudo sysctl -qw kernel.unprivileged_userns_clone=0
	run bryo run --rm --network none $IMG true
	assert_status 125
	assert_contains 'kernel.unprivileged_userns_clone is 0'
	assert_contains 'sysctl -w kernel.unprivileged_userns_clone=1'
	run bryo ps
	assert_status 125
	assert_contains 'kernel.unprivileged_userns_clone is 0'
}

@test "user.max_user_namespaces=0 is named, with the way back" {
	bryo system migrate
	sudo sysctl -qw user.max_user_namespaces=0
	run bryo run --rm --network none $IMG true
	assert_status 125
	assert_contains 'user.max_user_namespaces is 0'
	assert_contains 'sysctl -w user.max_user_namespaces='
}

@test "what runs goes on, and can be looked at and ended, when namespaces are switched off later" {
	bryo run -d --name c --network none $IMG sleep 1000
	sudo sysctl -qw kernel.unprivileged_userns_clone=0 user.max_user_namespaces=0
	run bryo exec c echo inside
	assert_ok
	assert_output inside
	run bryo ps -q
	assert_matches '^[0-9a-f]{12}$'
	run bryo rm -f -t 0 c
	assert_ok
}

@test "switched on again, everything works" {
	run bryo run --rm --network none $IMG echo again
	assert_ok
	assert_output again
}
