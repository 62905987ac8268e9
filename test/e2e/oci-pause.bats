# lab: -r
# `bryo oci pause` and `resume`
load helpers

@test "a container that forks all the time is paused" {
	local i
	bundle b '.linux.cgroupsPath = "/c"' -- sh -c 'while :; do (true) & (true); wait; done'
	oci run -d -b b c </dev/null >log 2>&1 3>&-
	for i in {1..40}; do
		oci pause c
		[ "$(oci_state c)" = paused ]
		oci resume c
	done
}
