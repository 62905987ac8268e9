# lab: -x 'mkdir -p /full && mount -t tmpfs -o size=24m,mode=1777 tmpfs /full'
# A full disk: commands fail with a clear error, nothing half-made stays, and removal works
load helpers

setup() {
	e2e_setup
	mountpoint -q /full || skip "no small file system at /full (test/e2e/run makes one)"
	export XDG_DATA_HOME=/full/data
	mkdir -m 700 "$XDG_DATA_HOME"
}

teardown() {
	rm -f /full/filler
	e2e_teardown
	rm -rf /full/data
}

fill() { dd if=/dev/zero of=/full/filler bs=64k 2>/dev/null || true; dd if=/dev/zero bs=1 count=65536 >>/full/filler 2>/dev/null || true; }

@test "load on a full disk says so and leaves nothing" {
	image_file localhost/box >/dev/null
	bryo images >/dev/null
	fill
	run bryo load -q -i "$(image_file localhost/box)"
	assert_status 125
	assert_contains 'No space left on device'
	rm /full/filler
	run bryo images -q
	assert_output ''
	empty() { [ -z "$(ls -A /full/data/bryo/tmp /full/data/bryo/layers /full/data/bryo/blobs/sha256 | grep -v :)" ]; }
	retry 5 empty
	need_image
}

@test "ps, inspect, rm, volume rm and rmi work on a full disk" {
	need_image
	id=$(bryo create --name c -v v:/v $IMG true)
	running=$(bryo run -d --network none $IMG sleep 1000)
	fill
	run bryo ps -aq
	assert_ok
	run bryo inspect c
	assert_ok
	run bryo create $IMG true
	assert_status 125
	run bryo volume create w
	assert_status 125
	bryo rm c
	bryo rm -f -t 0 "$running"
	bryo volume rm v
	bryo rmi $IMG
	run bryo ps -aq
	assert_output ''
	run bryo images -q
	assert_output ''
	run bryo volume ls -q
	assert_output ''
}
