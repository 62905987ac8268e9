# `bryo oci`: namespaces that are joined by path, as an ordinary user
load helpers

@test "all namespaces of another container but the mounts" {
	local pid type
	bundle b -- sleep 1000
	oci run -d -b b first </dev/null >log 2>&1 3>&-
	pid=$(oci state first | jq .pid)
	bundle c 'del(.hostname, .linux.uidMappings, .linux.gidMappings)' \
		'.linux.namespaces |= map(select(.type != "mount").path = "/proc/'"$pid"'/ns/" + (.type | sub("work"; "")))' -- \
		sh -c 'for n in user pid uts ipc net cgroup mnt; do readlink /proc/self/ns/$n; done; ps | grep -c "[s]leep 1000"; cat /proc/self/cgroup | tail -n 1'
	run oci run -b c second
	assert_ok
	for type in user pid uts ipc net cgroup; do assert_contains "$(readlink "/proc/$pid/ns/$type")"; done
	refute_contains "$(readlink "/proc/$pid/ns/mnt")"
	assert_contains $'\n1\n'
}
