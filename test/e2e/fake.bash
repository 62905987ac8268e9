# The registry of the tests of pull, see registry-fake.py.

# fake [OPTION...]: starts registry-fake with the usual image; sets FAKE ("127.0.0.1:PORT") and FAKE_CDN (its port).
fake() {
	local image=$E2E_DIR/fake-image
	[ -d "$image" ] || "$MAKE_IMAGE" --format oci-dir box "$image"
	rm -f "$E2E_DIR/ports" "$E2E_DIR/fake.log"
	"$BATS_TEST_DIRNAME/registry-fake.py" --image "$image" --port-file "$E2E_DIR/ports" --log "$E2E_DIR/fake.log" "$@" \
		>"$E2E_DIR/fake.out" 2>&1 3>&- &
	E2E_PIDS+=("$!")
	retry 10 test -f "$E2E_DIR/ports" || { cat "$E2E_DIR/fake.out" >&2; return 1; }
	read -r FAKE_PORT FAKE_CDN <"$E2E_DIR/ports"
	FAKE=127.0.0.1:$FAKE_PORT
}
