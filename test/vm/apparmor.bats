# vm: plain
# AppArmor: a container under a profile of its own, and a profile that keeps bryo from making containers
load helpers

# load_profile RULES...: as the profile "bryo-test".
load_profile() {
	printf '%s\n' 'abi <abi/4.0>,' "profile bryo-test $1 flags=(attach_disconnected,mediate_deleted) {" "${@:2}" '}' >/tmp/profile
	sudo apparmor_parser -r /tmp/profile
}
unload_profile() { sudo apparmor_parser -R /tmp/profile; }

EVERYTHING=('file,' 'capability,' 'network,' 'unix,' 'signal,' 'ptrace,' 'mount,' 'umount,' 'pivot_root,' 'dbus,' 'mqueue,')

@test "--security-opt apparmor=PROFILE confines the container and what is executed in it" {
	load_profile '' "${EVERYTHING[@]}" 'deny /etc/forbidden rw,'
	bryo run -d --name c --network none --security-opt apparmor=bryo-test $IMG sleep 1000
	[ "$(cat "/proc/$(bryo inspect --format '{{.State.Pid}}' c)/attr/apparmor/current")" = 'bryo-test (enforce)' ]
	run bryo exec c sh -c 'cat /proc/self/attr/apparmor/current; echo x >/etc/allowed && echo y >/etc/forbidden'
	assert_status 1
	assert_contains 'bryo-test (enforce)'
	assert_contains "can't create /etc/forbidden: Permission denied"
	[ "$(bryo inspect --format '{{.AppArmorProfile}}' c)" = bryo-test ]
	run bryo run --rm --network none --security-opt apparmor=bryo-test --user 1000 $IMG cat /proc/self/attr/apparmor/current
	assert_ok
	assert_output 'bryo-test (enforce)'
	run bryo run --rm --network none --security-opt apparmor=bryo-test --security-opt no-new-privileges $IMG \
		cat /proc/self/attr/apparmor/current
	assert_output 'bryo-test (enforce)'
	bryo rm -f -t 0 c
	unload_profile
}

@test "without one, and with apparmor=unconfined, a container is as its caller" {
	for option in --security-opt=apparmor=unconfined --hostname=x; do
		run bryo run --rm --network none "$option" $IMG cat /proc/self/attr/apparmor/current
		assert_ok
		assert_output unconfined
	done
}

@test "a profile that is not loaded is named at create, and at a later start" {
	run bryo create --security-opt apparmor=no-such-profile $IMG true
	assert_status 125
	assert_contains 'AppArmor profile "no-such-profile" is not loaded'
	assert_contains apparmor_parser
	run bryo ps -aq
	assert_output ''
	load_profile '' "${EVERYTHING[@]}"
	bryo create --name c --network none --security-opt apparmor=bryo-test $IMG true
	unload_profile
	run bryo start -a c
	assert_status 125
	assert_contains 'AppArmor profile "bryo-test" is not loaded'
}

@test "info says that it is on" {
	run bryo info --format '{{.Host.Security.AppArmorEnabled}} {{.Host.Security.SELinuxEnabled}}'
	assert_output 'true false'
}

@test "a profile of bryo's that has no rule for user namespaces is named with the rule that is missing" {
	bryo system migrate
	load_profile "$BRYO" "${EVERYTHING[@]}"
	run bryo run --rm --network none $IMG true
	unload_profile
	assert_status 125
	assert_contains 'AppArmor'
	assert_contains 'bryo-test'
	assert_contains 'userns,'
	run bryo run --rm --network none $IMG echo again
	assert_output again
}

# --- bundles

bundle() {
	bryo run --rm --network none $IMG cat /bin/busybox >/tmp/busybox && chmod +x /tmp/busybox
	BUSYBOX=/tmp/busybox "$BATS_TEST_DIRNAME/../e2e/make-bundle" "$@"
}

@test "bryo oci: apparmorProfile of a bundle, and what exec says" {
	cd "$BATS_TEST_TMPDIR"
	load_profile '' "${EVERYTHING[@]}" 'deny /forbidden rw,'
	bundle b '.process.apparmorProfile = "bryo-test"' -- sh -c 'cat /proc/self/attr/apparmor/current; echo x >/forbidden'
	run "$BRYO" oci run -b b c
	assert_status 1
	assert_contains 'bryo-test (enforce)'
	assert_contains 'Permission denied'
	bundle b '.process.apparmorProfile = "bryo-test"' -- sleep 1000
	"$BRYO" oci run -d -b b c </dev/null >/dev/null 2>&1
	run "$BRYO" oci exec c cat /proc/self/attr/apparmor/current
	assert_output 'bryo-test (enforce)'
	run "$BRYO" oci exec --apparmor unconfined c cat /proc/self/attr/apparmor/current
	assert_output unconfined
	"$BRYO" oci delete -f c
	unload_profile
	bundle b '.process.apparmorProfile = "bryo-test"'
	run "$BRYO" oci run -b b c
	assert_status 1
	assert_contains 'AppArmor profile "bryo-test" is not loaded'
}
