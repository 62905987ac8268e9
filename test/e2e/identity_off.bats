# A host where user namespaces are switched off
# lab: -k userns=0
load helpers

@test "user.max_user_namespaces=0 is named with its cure" {
	run bryo unshare true
	assert_status 125
	assert_contains "user.max_user_namespaces is 0"
	assert_contains "sysctl -w user.max_user_namespaces="
	run bryo run --rm localhost/none true
	assert_status 125
	assert_contains "user.max_user_namespaces is 0"
	run bryo explain --system
	assert_status 1
	assert_matches "bad +user-namespaces +.userns-disabled. user namespaces are switched off"
	assert_contains "as root: echo user.max_user_namespaces=15000"
	assert_matches "ok +kernel"
}
