# The object store: contents once, trees in memory, id maps without copies, and the way from and to the other drivers
load helpers

setup() {
	e2e_setup
	[ "$(bryo info --format '{{.Store.GraphDriverName}}')" = objects ] || skip "the object store does not work here"
}

STORE() { echo "$XDG_DATA_HOME/bryo"; }
objects() { find "$(STORE)/objects" -type f | wc -l; }
odd() {
	local file=$BRYO_TEST_CACHE/odd.${1:-0}.tar
	[ -f "$file" ] || { "$BATS_TEST_DIRNAME/odd-image.py" "$(command -v busybox)" "$file.$$" ${1:+"$1"} && mv "$file.$$" "$file"; }
	bryo load -q -i "$file" >/dev/null
}
# tree CONTAINER: all that it shows, one line an entry
tree() { bryo cp "$1:/" - | "$BATS_TEST_DIRNAME/odd-image.py" --list; }
trees() { bryo unshare grep "$XDG_RUNTIME_DIR/bryo/trees/" /proc/self/mountinfo | grep -vc "/views/" || true; }
views() { bryo unshare grep -c "$XDG_RUNTIME_DIR/bryo/trees/.*/views/" /proc/self/mountinfo || true; }

@test "two images share their files" {
	need_image localhost/one --variant one
	before=$(objects)
	[ "$before" -gt 5 ]
	need_image localhost/two --variant two
	[ $(($(objects) - before)) -le 2 ]
	run bryo run --rm localhost/two cat /etc/variant
	assert_output two
	run bryo run --rm localhost/one cat /etc/variant
	assert_output one
}

@test "what belongs to images is the user's own: du, find and rm -rf need no namespace" {
	odd
	bryo run --rm localhost/odd true
	run du -s "$(STORE)"
	assert_ok
	run find "$(STORE)" ! -user "$(id -un)"
	assert_output ""
	# Objects say what they are.
	while read -r path; do
		sum=$(sha256sum "$path" | cut -c1-44)
		name=$(printf %s "$sum" | xxd -r -p | base64 | tr '+/' '-_' | cut -c1-22)
		[ "$name" = "$(basename "$(dirname "$path")")$(basename "$path")" ]
	done < <(find "$(STORE)/objects" -type f)
	rm -rf "$(STORE)"/{objects,layers,blobs,images}
	[ ! -e "$(STORE)/objects" ]
}

# Each file, directory and link with owner, mode, size, time, contents, extended attributes and hard links.
@test "an image looks the same with every driver, and with other ids" {
	for options in "" "--userns=keep-id" "--userns=keep-id:uid=33,gid=42" "--userns=nomap"; do
		for driver in overlay objects; do
			export BRYO_DRIVER=$driver XDG_DATA_HOME=$E2E_DIR/$driver
			bryo images | grep -q odd || odd
			bryo create --name $driver $options localhost/odd true >/dev/null
			tree $driver >$driver.list
			bryo rm $driver >/dev/null
		done
		[ "$(wc -l <objects.list)" -gt 70 ]
		# Copies with other owners have no mount points, and their directories what the last layer that names them implies.
		for driver in overlay objects; do
			grep -vE "^(dev|proc|run|sys|etc/(host.*|mtab|resolv.conf)|run/.*|kept|o) " $driver.list >$driver.compared
		done
		diff -u overlay.compared objects.compared
	done
	bryo unshare rm -rf "$E2E_DIR/overlay" "$E2E_DIR/objects"
	grep -q "^kept dir 2710 10:9 " objects.list
	grep -q "^o dir 711 " objects.list
	grep -q "^w/3 " objects.list
	grep -q "^owned/capable .*security.capability" objects.list
	grep -q "^owned/suid file 4755 34:" objects.list
	! grep -qE "^(w/2|w/dir/deep|o/below|o/sub|o/above|split/kept) " objects.list
	grep -q "^split/gone file " objects.list
	grep -q "links: links/a links/m links/z" objects.list
}

@test "a container with other ids starts without a copy" {
	odd
	bryo run --rm localhost/odd true
	before=$(objects) size=$(du -sk "$(STORE)/layers" | cut -f1)
	run bryo run --rm --userns keep-id localhost/odd sh -c 'id -u; stat -c "%u:%g %a" /owned/file /owned/suid /tmp /; cat /owned/noted'
	assert_ok
	assert_output "$(id -u)
1000:1000 600
33:0 4755
0:0 1777
0:0 755
noted"
	# Files change owner and contents as anywhere.
	run bryo run --rm --userns keep-id --user 0 localhost/odd sh -c 'echo more >>/owned/file; cat /owned/file; stat -c %u:%g /owned/file
		chown 33:33 /owned/file; stat -c %u:%g /owned/file; rm -r /o; ls -d /o 2>/dev/null; mkdir /o; ls /o | wc -l'
	assert_output "changed
more
1000:1000
33:33
0"
	[ "$(objects)" = "$before" ]
	[ "$(du -sk "$(STORE)/layers" | cut -f1)" = "$size" ]
	run find "$(STORE)/layers" -name maps
	assert_output ""
}

@test "what shows other ids is kept from start to start, a few of them, and healed" {
	odd
	for i in 1 2; do
		run bryo run --rm --userns keep-id localhost/odd stat -c %u /owned/file
		assert_output 1000
		[ "$(views)" -eq 1 ]
	done
	bryo run -d --name stays --userns keep-id:uid=1000 localhost/odd sleep 1000
	for i in $(seq 12); do
		run bryo run --rm --userns keep-id:uid=$((2000 + i)) localhost/odd sh -c 'id -u; stat -c %u /owned/file'
		assert_output "$((2000 + i))
1000"
	done
	bryo unshare sh -c 'touch -d "1 hour ago" "$XDG_RUNTIME_DIR"/bryo/trees/*/views/*'
	bryo run --rm --userns keep-id:uid=3000 localhost/odd true
	[ "$(views)" -eq 8 ]
	run bryo exec stays stat -c %u /owned/file
	assert_output 1000
	bryo rm -f -t 0 stays
	bryo system migrate
	run bryo run --rm --userns keep-id localhost/odd stat -c %u /owned/file
	assert_output 1000
	[ "$(views)" -eq 1 ]
}

@test "an id map without the ids of the image is refused by the file's name" {
	odd
	run bryo run --rm --uidmap 0:1:500 --gidmap 0:1:2000 localhost/odd true
	assert_status 125
	assert_matches "/owned[^ ]* belongs to 1000:"
}

@test "files and directories are of one file system, and keep their numbers" {
	odd
	run bryo run --rm localhost/odd sh -c 'stat -c %d / /owned /owned/file /bin/busybox /links/a | sort -u | wc -l
		a=$(stat -c %i /owned/file); echo x >>/owned/file; b=$(stat -c %i /owned/file); echo $((a - b))
		find / -xdev -path /proc -prune -o -name busybox -print'
	assert_output "1
0
/bin/busybox"
	run bryo run --rm localhost/odd sh -c 'stat -c %h /links/a /links/m; echo x >>/links/z; cat /links/a'
	assert_output "3
3
many names"
}

@test "set-user-id programs, capabilities and modes count" {
	need_image
	mkdir -p box/bin && cp "$(command -v busybox)" box/bin/busybox
	tar -C box -c . --owner 0 --group 0 --mode u+s,a+rx | bryo import - localhost/suid >/dev/null
	for options in "" "--userns=keep-id:uid=5,gid=5"; do
		run bryo run --rm $options --user 1000 localhost/suid /bin/busybox id -u
		assert_output 1000
		run bryo run --rm $options --user 1000 localhost/suid /bin/busybox stat -c %a /bin/busybox
		assert_output 4755
	done
}

@test "after a reboot a stopped container starts again" {
	odd
	bryo run --name c --userns keep-id --user 0 localhost/odd sh -c 'echo x >>/owned/noted; rm -f /w/3; cat /owned/noted; ls /w'
	bryo run --name d localhost/odd sh -c 'echo mine >/tmp/mine'
	bryo system migrate
	retry 5 eval '! pgrep -x "bryo|bryo-monitor" >/dev/null'	# nothing that cleans up outlives a reboot
	rm -rf "$XDG_RUNTIME_DIR/bryo"
	[ "$(trees)" -eq 0 ]
	run bryo start -a d
	assert_ok
	bryo cp d:/tmp/mine .
	[ "$(cat mine)" = mine ]
	run bryo start -a c
	assert_output "notedx
x
1
dir"
	[ "$(trees)" -eq 1 ]
}

@test "trees that were taken away are made again, under running containers too" {
	odd
	bryo run -d --name c localhost/odd sleep 1000
	[ "$(trees)" -eq 1 ]
	bryo unshare sh -c 'umount -l "$XDG_RUNTIME_DIR"/bryo/trees/*'
	[ "$(trees)" -eq 0 ]
	run bryo exec c sh -c 'cat /owned/noted; find / -xdev -type f | wc -l'
	assert_contains noted
	run bryo run --rm localhost/odd cat /owned/noted
	assert_output noted
	bryo unshare sh -c 'rm -rf "$XDG_RUNTIME_DIR"/bryo/trees 2>/dev/null' || true
	run bryo run --rm localhost/odd cat /etc/passwd
	assert_ok
	bryo rm -f -t 0 c
}

@test "first starts at once make one tree" {
	local pids=()
	odd 2000
	for i in 1 2 3 4 5 6; do
		bryo run --rm localhost/odd cat /many/0099/19 >out.$i &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cat out.*)" = "$(for i in 1 2 3 4 5 6; do echo 1999; done)" ]
	[ "$(trees)" -eq 1 ]
}

@test "rmi frees the objects in the background, and no others" {
	need_image
	before=$(objects)
	odd 500
	[ "$(objects)" -gt $((before + 400)) ]
	bryo rmi localhost/odd >/dev/null
	retry 10 test "$(objects)" -eq "$before" || { bryo images >/dev/null; gone() { [ "$(objects)" -eq "$before" ]; }; retry 10 gone; }
	run bryo run --rm $IMG cat /www/index.html
	assert_output "hello from bryo"
	retry 10 test -z "$(ls -A "$(STORE)/trash")"
}

@test "a store of another driver moves on: layers are read once, containers keep what they have" {
	BRYO_DRIVER=overlay odd
	[ "$(objects)" -eq 0 ]
	BRYO_DRIVER=overlay bryo run --name old localhost/odd sh -c 'echo old >/tmp/file'
	run bryo run --rm localhost/odd cat /owned/file
	assert_output "Preparing 3 layers for the storage driver objects, once...
changed"
	[ "$(objects)" -gt 5 ]
	for form in index diff; do [ "$(ls -d "$(STORE)"/layers/*/$form | wc -l)" -eq 3 ]; done
	bryo create --name new localhost/odd true >/dev/null
	tree new >objects.list
	tree old >overlay.list
	run diff objects.list overlay.list
	[ "$(grep -c '^[<>]' <<<"$output")" -le 2 ]
	bryo start -a old
	bryo rm old >/dev/null
	bryo tag localhost/odd localhost/other
	need_image && bryo rmi $IMG >/dev/null	# a sweep
	gone() { ! ls -d "$(STORE)"/layers/*/diff 2>/dev/null; }
	retry 10 gone
	run bryo run --rm localhost/odd cat /owned/file
	assert_output changed
}

@test "and back, as on an older kernel" {
	odd
	bryo run --name new localhost/odd sh -c 'echo new >/tmp/file'
	run bryo --storage-driver overlay run --rm localhost/odd sh -c 'cat /owned/file; ls /w'
	assert_output "Preparing 3 layers for the storage driver overlay, once...
changed
1
3
dir"
	bryo --storage-driver overlay create --name old localhost/odd true >/dev/null
	bryo create --name again localhost/odd true >/dev/null
	tree old >overlay.list
	tree again >objects.list
	diff -u overlay.list objects.list
	grep -q "^kept dir 2710 9:8 " overlay.list
	run bryo start -a new
	assert_ok
}

@test "a damaged index disables its image alone, and says so" {
	odd
	need_image
	bryo run --rm localhost/odd true
	index=$(ls -S "$(STORE)"/layers/*/index | head -1)
	bryo system migrate
	printf x | dd of="$index" bs=1 seek=100 conv=notrunc 2>/dev/null
	for image in $IMG localhost/odd; do bryo run --rm $image true 2>&1 || true; done >out
	grep -q "$index is damaged" out
	[ "$(wc -l <out)" -le 2 ]
}
