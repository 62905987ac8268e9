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

@test "import fetches what an address names, and loading never does" {
	mkdir -p web/root/etc
	echo hello >web/root/etc/hello
	tar cJf web/root.tar.xz -C web/root .
	port=$(free_port)
	cat >server.py <<-END
	import http.server, os
	os.chdir("web")
	class Handler(http.server.SimpleHTTPRequestHandler):
	    def do_GET(self):
	        if self.path == "/moved":
	            self.send_response(302); self.send_header("Location", "/root.tar.xz"); self.end_headers()
	        elif self.path == "/short":
	            self.send_response(200); self.send_header("Content-Length", "100000"); self.end_headers(); self.wfile.write(b"x" * 100)
	        elif self.path == "/private":
	            self.send_response(401); self.send_header("WWW-Authenticate", 'Bearer realm="http://127.0.0.1:$port/token"'); self.end_headers()
	        else:
	            super().do_GET()
	http.server.HTTPServer(("127.0.0.1", $port), Handler).serve_forever()
	END
	python3 server.py 2>requests 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port "$port"
	run bryo import -q "http://127.0.0.1:$port/moved" fetched
	assert_ok
	bryo save -q fetched | tar xO --wildcards '*.tar' | tar xO ./etc/hello | grep -x hello
	for path in nothing short private; do
		run timeout 50 "$BRYO" import -q "http://127.0.0.1:$port/$path" x
		assert_status 125
		refute_contains login
	done
	! grep token requests
	run bryo import -q "http://user:secret@127.0.0.1:$port/root.tar.xz" x
	assert_status 125
	refute_contains secret
	run bryo load -q -i "http://127.0.0.1:$port/root.tar.xz"
	assert_status 125
	assert_contains "never reaches the network"
	[ "$(bryo images -q | wc -l)" -eq 1 ]
	run find "$XDG_DATA_HOME/bryo/tmp" -mindepth 1
	assert_output ""
}
