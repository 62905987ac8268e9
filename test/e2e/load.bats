# `bryo load` and `import`: archives of every kind, honest and not
load helpers

make() { "$MAKE_IMAGE" "$@"; }

assert_nothing_left() {
	run bryo images -q
	assert_output ""
	run find "$XDG_DATA_HOME/bryo/tmp" "$XDG_DATA_HOME/bryo/layers" -mindepth 1
	assert_output ""
}

@test "docker-archive, oci-archive, oci-dir, from a file and from a pipe, packed too" {
	make --format docker-archive localhost/d d.tar
	make --format oci-archive --compress zstd localhost/o o.tar
	make --format oci-dir --compress none localhost/p p
	run bryo load -i d.tar
	assert_ok
	assert_contains "Loaded image: localhost/d:latest"
	run bryo load -i o.tar
	assert_ok
	run bryo load -i p
	assert_ok
	bryo rmi -fa
	gzip -k d.tar
	run bryo load -i d.tar.gz
	assert_ok
	bryo rmi -fa
	cat o.tar | { run bryo load; assert_ok; }
	xz -k d.tar
	cat d.tar.xz | { run bryo load -q; assert_ok; }
	run bryo run --rm --network none localhost/d cat /www/index.html
	assert_ok
}

@test "what is neither form says so" {
	echo "not an archive" >x
	run bryo load -i x
	assert_status 125
	tar cf empty.tar -T /dev/null
	run bryo load -i empty.tar
	assert_status 125
	assert_contains "neither a docker-archive"
	mkdir rootfs && tar cf rootfs.tar rootfs
	run bryo load -i rootfs.tar
	assert_status 125
	assert_contains "bryo import"
	run bryo load -i /nonexistent
	assert_status 125
	: >zero
	run bryo load -i zero
	assert_status 125
	head -c 100000 "$(image_file $IMG)" >cut.tar
	run bryo load -i cut.tar
	assert_status 125
	assert_nothing_left
}

@test "a FIFO as index.json does not hang" {
	make --format oci-dir box p
	rm p/index.json
	mkfifo p/index.json
	run timeout 10 "$BRYO" load -i p
	assert_status 125
	assert_nothing_left
}

@test "an id that is not mapped is named, with the range that is needed" {
	"$BATS_TEST_DIRNAME/hostile/check" --make "beyond the range" x.tar
	run bryo load -q -i x.tar
	assert_status 125
	assert_contains "/f belongs to 3000000:3000000"
	assert_contains "usermod --add-subuids"
	assert_nothing_left
}

@test "import: a tar becomes an image, --change sets its configuration" {
	mkdir -p root/bin root/etc
	cp "$(command -v busybox)" root/bin/busybox
	ln -s busybox root/bin/sh
	tar czf root.tar.gz --owner 0 --group 0 -C root .
	run bryo import -c 'CMD ["/bin/sh","-c","echo $GREETING"]' -c 'ENV GREETING="hello there"' -c 'LABEL a=b' root.tar.gz imported
	assert_ok
	run bryo run --rm --network none localhost/imported
	assert_ok
	assert_output "hello there"
	cat root.tar.gz | { run bryo import - localhost/piped:1; assert_ok; }
	run bryo import -c 'NONSENSE x' root.tar.gz x
	assert_status 125
	echo no >no.tar
	run bryo import no.tar x
	assert_status 125
}
