# vm: plain
# Logging out: what becomes of containers
load helpers

# as_other COMMAND: a login of the user "other", who does not linger, for one command.
as_other() {
	sudo systemd-run --quiet --wait --pipe --collect -p PAMName=login -p User=other -p WorkingDirectory=/home/other \
		-E HOME=/home/other -E PATH=/srv/bryo/build:/usr/bin:/bin -E XDG_RUNTIME_DIR=/run/user/1001 \
		-E DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1001/bus /bin/sh -c "$1" </dev/null
}
logged_out() { ! systemctl is-active --quiet user@1001.service && [ ! -d /run/user/1001 ]; }
# terminate: all logins of the user end, with everything in them; then his manager.
terminate() {
	sudo loginctl terminate-user other
	retry 300 logged_out
}

setup_file() { as_other 'bryo load -q -i /srv/bryo/box.tar' >/dev/null; }
teardown() {
	as_other 'bryo rm -fa -t 0' >/dev/null 2>&1 || true
	terminate
}

@test "a plain logout leaves a container running, like any process" {
	as_other "bryo run -d --name c --network none $IMG sleep 1000"
	sleep 30	# longer than the manager of a user outlives his last login
	run as_other 'bryo ps --format "{{.Names}} {{.State}}"; bryo exec c echo inside'
	assert_ok
	assert_output 'c running
inside'
}

@test "when the user's manager is stopped the container ends, and the next login finds it so" {
	as_other "bryo run -d --name c --network none $IMG sleep 1000"
	terminate
	run pgrep -f '^sleep 1000$'
	assert_status 1
	run as_other 'bryo ps -a --format "{{.Names}} {{.State}}"'
	assert_ok
	assert_output 'c exited'
	run as_other 'bryo start c && bryo ps --format "{{.Names}} {{.State}}"'
	assert_ok
	assert_contains 'c running'
}

@test "a container of the user's that nobody named, with --rm, is gone after that" {
	as_other "bryo run -d --rm --network none $IMG sleep 1000"
	terminate
	run as_other 'bryo ps -aq'
	assert_ok
	assert_output ''
}
