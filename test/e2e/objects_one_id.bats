# The object store where the user has one id only: every file is his
# lab: -k subids=none
load helpers

@test "without subordinate ids images work as with them, and all files are the user's" {
	[ "$(bryo info --format '{{.Store.GraphDriverName}}' 2>/dev/null)" = objects ] || skip "the object store does not work here"
	"$BATS_TEST_DIRNAME/odd-image.py" "$(command -v busybox)" odd.tar
	bryo load -q -i odd.tar 2>/dev/null
	run bryo run --rm --network none localhost/odd sh -c 'cat /owned/file /w/1; stat -c "%u:%g %a" /owned/file /owned/suid; ls /w
		echo x >>/owned/noted; cat /owned/noted; rm -r /o; mkdir /o; ls /o | wc -l'
	assert_ok
	assert_contains 'changed
one again0:0 600
0:0 4755
1
3
dir
notedx
0'
	run find "$XDG_DATA_HOME/bryo" ! -user "$(id -un)"
	assert_output ""
}
