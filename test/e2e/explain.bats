# explain: what the model says, what the kernel says, what the fixes do
load helpers

# ask ARG...: the JSON of explain with --try, whose exit status is kept; what the kernel denies the model must deny
ask() {
	run bryo explain --try --format json "$@"
	refute_contains 'the kernel says'
}

# field PATH: of the JSON in $output
field() { python3 -c 'import json, sys
j = json.loads(sys.argv[1])
for part in sys.argv[2].split("."):
    j = j[int(part)] if part.isdigit() else j[part]
print(j)' "$output" "$1"; }

fix_ids() { python3 -c 'import json, sys; print(*[f["id"] for f in json.loads(sys.argv[1])["fixes"]])' "$output"; }
# fix ID KEY
fix() { python3 -c 'import json, sys; print([f for f in json.loads(sys.argv[1])["fixes"] if f["id"] == sys.argv[2]][0][sys.argv[3]])' \
	"$output" "$1" "$2"; }

@test "hundreds of situations by chance: the model and the kernel agree" {
	chmod 711 "$E2E_DIR"
	mkdir -m 755 s
	bryo unshare python3 "$BATS_TEST_DIRNAME/make-situations" "$PWD/s" "${SITUATIONS_SEED:-1}" "${SITUATIONS:-400}" >batch
	run bryo explain --try --batch batch
	echo "$output"
	assert_ok
	assert_contains ' 0 disagreements'
	# Not one kind alone.
	[[ $output =~ ([0-9]+)\ allowed,\ ([0-9]+)\ denied,\ 0\ left ]]
	((BASH_REMATCH[1] > 50 && BASH_REMATCH[2] > 50))
	for code in uid-shift acl-mask acl-entry unmapped-owner cap-dropped host-mount-ro sticky not-owner chown-denied; do
		assert_contains "$code "
	done
}
