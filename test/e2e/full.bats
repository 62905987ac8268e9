# lab: -x 'mkdir -p /full /few && mount -t tmpfs -o size=24m,mode=1777 tmpfs /full && mount -t tmpfs -o size=24m,nr_inodes=1500,mode=1777 tmpfs /few'
# A full disk: commands fail with a clear error, nothing half-made stays, and removal works
load helpers

setup() {
	e2e_setup
	mountpoint -q /full || skip "no small file system at /full (test/e2e/run makes one)"
	use /full
}

teardown() {
	rm -rf /full/filler /few/filler
	e2e_teardown
	rm -rf /full/data /few/data
}

use() {
	export XDG_DATA_HOME=$1/data
	mkdir -m 700 "$XDG_DATA_HOME"
}

# Not one inode more.
fill_inodes() {
	mkdir /few/filler
	(cd /few/filler && seq 3000 | xargs touch 2>/dev/null) || true
	! touch /few/filler/one-more 2>/dev/null
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

# removals_work FILL: with everything that a store may hold.
removals_work() {
	need_image
	need_image localhost/other --variant other
	bryo create --name c -v v:/v -v /anonymous $IMG true
	bryo create --name d localhost/other true
	bryo run --network none $IMG true
	running=$(bryo run -d --network none $IMG sleep 1000)
	bryo volume create w
	"$1"
	run bryo ps -aq
	assert_ok
	run bryo system check --quick
	assert_ok
	run bryo create $IMG true
	assert_status 125
	bryo rm -f -t 0 "$running"
	bryo rm -v c
	run bryo container prune -f
	assert_ok
	run bryo volume prune -f
	assert_ok
	run bryo image prune -a -f
	assert_ok
	run bryo system prune -a -f --volumes
	assert_ok
	run bryo ps -aq
	assert_output ''
	run bryo images -q
	assert_output ''
	run bryo volume ls -q
	assert_output ''
	empty() { [ -z "$(cd "$XDG_DATA_HOME/bryo" && ls -A tmp trash layers blobs/sha256 volumes images/names containers/names | grep -v :)" ]; }
	retry 5 empty
}

@test "every removal and prune works with zero free blocks" { removals_work fill; }

@test "every removal and prune works with zero free inodes" {
	mountpoint -q /few || skip "no small file system at /few (test/e2e/run makes one)"
	use /few
	removals_work fill_inodes
}

@test "a store that was filled to the last block works when there is room again" {
	need_image
	bryo create --name c $IMG cat /etc/replaced
	fill
	run bryo load -q -i "$(image_file localhost/other --variant other)"
	assert_status 125
	run bryo run --rm --network none $IMG sh -c 'echo x >/file'
	run bryo tag $IMG localhost/moved
	rm -f /full/filler
	run bryo start -a c
	assert_output upper
	need_image localhost/other --variant other
	run bryo run --rm --network none localhost/other cat /etc/replaced
	assert_output upper
	run bryo system check
	assert_ok
}
