# Manifests, configurations and archives that no honest tool makes (test/e2e/hostile/metadata.py, archives.py)
# not quick
load helpers

check() {
	run "$BATS_TEST_DIRNAME/hostile/check" "$@"
	assert_ok
}

@test "manifests, indexes and descriptors that lie" { check manifests; }
@test "configurations that lie, and commands that show and run them" { check configurations; }
@test "docker-archives whose members are not what they say" { check docker-archives; }
@test "archives that are none" { check archives; }

@test "load asks nobody: no socket of the network, no request to a layer's address" {
	needs strace
	bryo info >/dev/null
	python3 -m http.server --bind 127.0.0.1 9999 --directory "$E2E_DIR" >web.log 2>&1 3>&- &
	E2E_PIDS+=("$!")
	wait_for_port 9999 "$!"
	for name in "foreign layer with addresses" "foreign layer that is there" "layer that is missing"; do
		"$BATS_TEST_DIRNAME/hostile/check" --make "$name" x.tar
		sed -i 's,http://127.0.0.1:9/layer,http://127.0.0.1:9999/l,' x.tar
		run strace -f -qq -o trace -e trace=socket,connect,sendto "$BRYO" load -q -i x.tar
		[ -s trace ]
		if grep -E 'AF_INET|AF_NETLINK|AF_PACKET' trace; then return 1; fi
	done
	if grep GET web.log; then return 1; fi
}
