# A registry that lies about its images (test/e2e/hostile) and breaks the protocol (registry_faults.py)
# not quick
load helpers

# refused WORDS [ARG...]: a pull (with ARG) ends in time with WORDS in one line, and brings nothing.
refused() {
	local words=$1
	shift
	run timeout 20 "$BRYO" pull -q --retry 1 "$@" "$FAKE/a/b"
	assert_status 125
	assert_contains "$words"
	[ "$(grep -c '' <<<"$(grep -vE '^  (hint|fix|as root|at): ' <<<"$output")")" -eq 1 ] || { show; return 1; }
	run bryo images -q
	assert_output ""
}

check() {
	run "$BATS_TEST_DIRNAME/hostile/check" --pull "$@"
	assert_ok
}

@test "manifests and descriptors that lie, from a registry" { check manifests; }
@test "configurations that lie, from a registry" { check --only "million|10 MiB|member twice|escape|not JSON|empty" configurations; }

@test "answers that are longer, shorter or other than they say" {
	fake --do length-more
	refused "Transferred a partial file"
	fake --do length-less
	refused "manifest: line 1"
	fake --do no-http
	refused "$FAKE"
	fake --do encoded
	refused "Content-Encoding gzip, which was not asked for"
}

@test "headers and bodies without end, in flat memory" {
	for fault in headers interim header-huge endless; do
		fake --do $fault
		run timeout 20 python3 -c 'import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$BRYO" pull -q --retry 1 "$FAKE/a/b"
		assert_matches "too long|larger than|Out of memory|header"
		set -- ${lines[-1]}
		[ "$1" -eq 125 ] && [ "$2" -lt 80000 ] || { echo $fault; show; return 1; }
	done
}

@test "redirects to files, to the link's addresses, to where a password is" {
	fake --do redirect-file
	refused "neither http nor https"
	for fault in redirect-link redirect-link6; do
		fake --do $fault
		refused "an address of this machine's own link"
	done
	fake --auth --do redirect-user
	refused "blob unknown" --creds alice:secret
	run grep "^$FAKE_CDN .* Bearer" "$E2E_DIR/fake.log"
	assert_status 1
}

@test "parts of blobs that were not asked for" {
	for fault in range-wrong range-none; do
		fake --do $fault
		refused "sends another part than was asked for"
	done
	fake --do range-always
	run bryo pull -q "$FAKE/a/b"
	assert_ok
}

@test "token servers that are none of the registry's business get no credentials" {
	needs openssl
	fake --auth --do realm-file
	refused "no web address" --creds alice:secret
	fake --auth --do realm-link
	refused "an address of this machine's own link" --creds alice:secret
	fake --auth --do realm-user
	refused "" --creds alice:secret
	# The name and password in the address go there; alice's would have been answered by 200.
	run grep "^$FAKE_CDN .* Basic .* 200" "$E2E_DIR/fake.log"
	assert_status 1
	fake --auth --do realm-redirect
	refused "redirects, which is not followed" --creds alice:secret
	run grep "^$FAKE_CDN" "$E2E_DIR/fake.log"
	assert_status 1
	certificate
	fake --auth --cert "$E2E_DIR/crt" --key "$E2E_DIR/key" --do realm-http
	refused "without https" --creds alice:secret --tls-verify=false
	run grep "^$FAKE_CDN" "$E2E_DIR/fake.log"
	assert_status 1
}

@test "the manifest is the one that the index named, however often it changes" {
	fake --do wrong-digest
	run bryo pull -q "$FAKE/a/b:multi"
	assert_status 125
	assert_contains "digest does not match"
}
