# The OCI runtime face: broken configurations are refused with the position of what is wrong, and nothing is made
load helpers
load oci

# refused NAME EXPECTED: ./box with its present config.json: exit code 1, these words, nothing left.
refused() {
	# One that is made by mistake must not keep a pipe of ours.
	timeout -k 1 20 "$RUNTIME" --root "$E2E_DIR/oci" create --bundle box box </dev/null >said 2>&1 3>&- && status=0 || status=$?
	output=$(cat said)
	[ "$status" -eq 1 ] || { echo "$1"; show; oci delete -f box; return 1; }
	[[ $output = *"$2"* ]] || { printf '%s\nexpected: %s\n' "$1" "$2"; show; return 1; }
	[ ! -e oci/box ] || { echo "$1"; ls oci/box; return 1; }
}

# Nothing may have come into the root file system, into the cgroups or among the processes.
unchanged() {
	[ "$(cd box && find rootfs | sort | sha256sum)" = "$BEFORE" ] || { find box/rootfs -newer before; return 1; }
	no_trace box
	! pgrep -f "$RUNTIME" >/dev/null
}

start_clean() {
	runtime
	bundle box -- true
	cp box/config.json good.json
	touch before
	BEFORE=$(cd box && find rootfs | sort | sha256sum)
}

# table: lines "JQ-FILTER => EXPECTED" of the input, each applied to the good configuration.
table() {
	local filter n=0 failed=0 filters=() expected=()
	start_clean
	while IFS= read -r line; do
		filters+=("${line%% => *}")
		expected+=("${line#* => }")
	done
	# All by one call: it takes longer than the runtime.
	printf -v filter '(%s), ' "${filters[@]}"
	jq -c "def m(\$x): .mounts += [\$x]; def d(\$x): .linux.devices = [\$x]; def r(\$x): .linux.resources = \$x;
		def p(\$x): .process += \$x; ${filter%, }" good.json >bad.json
	[ "$(wc -l <bad.json)" = ${#filters[@]} ]
	while IFS= read -r line; do
		printf '%s\n' "$line" >box/config.json
		refused "${filters[n]}" "config.json: ${expected[n]}" || failed=$((failed + 1))
		n=$((n + 1))
	done <bad.json
	unchanged
	[ "$failed" = 0 ]
}

@test "the document and its text" {
	start_clean
	text() {	# EXPECTED TEXT
		printf '%b' "$2" >box/config.json
		refused "$2" "config.json: $1"
	}
	text "" ''
	text "" '   \n'
	text "expected object, got list" '[]'
	text "expected object, got string" '"x"'
	text "expected object, got null" 'null'
	text "" '{'
	text "" '{"ociVersion": "1.0.0"'
	text "" '{"ociVersion": "1.0.0",}'
	text "" '{"ociVersion": "1.0.0"} x'
	text "" "{'ociVersion': '1.0.0'}"
	text "" '{"ociVersion": "1.0.0" /* comment */}'
	text "" '{"ociVersion": "1.0.0", "ociVersion": "1.0.0"}'
	text "" '{"ociVersion": "1.0.\\u0000"}'
	text "" '{"ociVersion": "1.0.\0"}'
	text "" '{"ociVersion": "\xff\xfe"}'
	text "" '{"ociVersion": "a\x01b"}'
	text "" '\xef\xbb\xbf{"ociVersion": "1.0.0"}'
	text "" '{"ociVersion": "\\ud800"}'
	text "" '{"ociVersion": NaN}'
	text "" '{"ociVersion": "1.0.0", "x": 1e999}'
	text "" '{"ociVersion": "1.0.0", "x": 99999999999999999999999}'
	text "" '{"ociVersion": "1.0.0", "x": 007}'
	printf '{"x":%s1%s}' "$(printf '[%.0s' {1..100000})" "$(printf ']%.0s' {1..100000})" >box/config.json
	refused deep "config.json: "
	head -c 17000000 /dev/zero | tr '\0' ' ' >box/config.json
	refused big "config.json: File too large"
	rm box/config.json
	refused missing "config.json: No such file or directory"
	mkdir box/config.json
	refused directory "config.json: "
	rmdir box/config.json
	mkfifo box/config.json
	refused fifo "config.json: "
	rm box/config.json
	ln -s /dev/zero box/config.json
	refused device "config.json: "
	ln -sfn config.json box/config.json
	refused loop "config.json: "
	unchanged
}

@test "members of the top, process and root" {
	table <<-'END'
	del(.ociVersion) => .ociVersion: missing, and required
	.ociVersion = 1 => .ociVersion: expected string, got number
	.ociVersion = "" => .ociVersion: "" is not supported
	.ociVersion = "2.0.0" => .ociVersion: "2.0.0" is not supported
	.process = [] => .process: expected object, got list
	p({args: []}) => .process.args: no command to run
	p({args: [""]}) => .process.args: no command to run
	p({args: null}) => .process.args: no command to run
	p({args: "true"}) => .process.args: expected list, got string
	p({args: ["true", 5]}) => .process.args[1]: expected string, got number
	p({args: ["true", null]}) => .process.args[1]: expected string, got null
	del(.process.cwd) => .process.cwd: missing, and required
	p({cwd: 5}) => .process.cwd: expected string, got number
	p({cwd: ""}) => .process.cwd: the working directory "" is not an absolute path
	p({cwd: "tmp"}) => .process.cwd: the working directory "tmp" is not an absolute path
	p({env: {}}) => .process.env: expected list, got object
	p({env: ["A=1", "B"]}) => .process.env[1]: "B" has no "="
	p({env: ["*"]}) => .process.env[0]: "*" has no "="
	p({env: [""]}) => .process.env[0]: "" has no "="
	p({terminal: "yes"}) => .process.terminal: expected boolean, got string
	p({consoleSize: {height: -1, width: 1}}) => .process.consoleSize.height: expected a number of at least 0
	p({user: "root"}) => .process.user: expected object, got string
	p({user: {uid: -1}}) => .process.user.uid: expected a number of at least 0
	p({user: {uid: "0"}}) => .process.user.uid: expected number, got string
	p({user: {uid: 1.5}}) => .process.user.uid: expected an integer, got a fraction
	p({user: {uid: 4294967295}}) => .process.user.uid: beyond 32 bits
	p({user: {uid: 4294967296}}) => .process.user.uid: beyond 32 bits
	p({user: {gid: 4294967296}}) => .process.user.gid: beyond 32 bits
	p({user: {uid: 0, additionalGids: [1, 4294967296]}}) => .process.user.additionalGids[1]: beyond 32 bits
	p({user: {uid: 0, additionalGids: 5}}) => .process.user.additionalGids: expected list, got number
	p({user: {umask: 512}}) => .process.user.umask: more than 0777
	p({capabilities: []}) => .process.capabilities: expected object, got list
	p({capabilities: {bounding: "CAP_KILL"}}) => .process.capabilities.bounding: expected list, got string
	p({capabilities: {ambient: [1]}}) => .process.capabilities.ambient[0]: expected string, got number
	p({rlimits: [{soft: 1, hard: 1}]}) => .process.rlimits[0].type: missing, and required
	p({rlimits: [{type: "RLIMIT_MOON", soft: 1, hard: 1}]}) => .process.rlimits[0].type: unknown resource limit "RLIMIT_MOON"
	p({rlimits: [{type: "RLIMIT_CPU", soft: 2, hard: 1}]}) => .process.rlimits[0].soft: the soft limit is above the hard one
	p({rlimits: [{type: "RLIMIT_CPU", hard: 1}]}) => .process.rlimits[0].soft: missing, and required
	p({rlimits: [{type: "RLIMIT_CPU", soft: -1, hard: 1}]}) => .process.rlimits[0].soft: expected a number of at least 0
	p({rlimits: [{type: "RLIMIT_CPU", soft: 1, hard: 1}, {type: "RLIMIT_CPU", soft: 1, hard: 1}]}) => .process.rlimits[1].type: a second RLIMIT_CPU
	p({oomScoreAdj: 1001}) => .process.oomScoreAdj: 1001 is not between -1000 and 1000
	p({oomScoreAdj: -1001}) => .process.oomScoreAdj: -1001 is not between
	p({oomScoreAdj: "5"}) => .process.oomScoreAdj: expected number, got string
	p({scheduler: {nice: 1}}) => .process.scheduler.policy: missing, and required
	p({scheduler: {policy: "SCHED_MOON"}}) => .process.scheduler.policy: unknown policy "SCHED_MOON"
	p({scheduler: {policy: "SCHED_BATCH", nice: 20}}) => .process.scheduler.nice: not between -20 and 19
	p({scheduler: {policy: "SCHED_FIFO", priority: 100}}) => .process.scheduler.priority: not between 0 and 99
	p({scheduler: {policy: "SCHED_BATCH", flags: ["MOON"]}}) => .process.scheduler.flags[0]: unknown flag "MOON"
	p({ioPriority: {class: "IOPRIO_CLASS_MOON"}}) => .process.ioPriority.class: unknown class "IOPRIO_CLASS_MOON"
	p({ioPriority: {class: "IOPRIO_CLASS_BE", priority: 8}}) => .process.ioPriority.priority: not between 0 and 7
	p({execCPUAffinity: {initial: "a"}}) => .process.execCPUAffinity.initial: "a" is not a list
	p({execCPUAffinity: {final: "5-2"}}) => .process.execCPUAffinity.final: "5-2" is not a list
	p({execCPUAffinity: {final: "99999999999"}}) => .process.execCPUAffinity.final: "99999999999" is not a list
	p({noNewPrivileges: 1}) => .process.noNewPrivileges: expected boolean, got number
	p({apparmorProfile: {}}) => .process.apparmorProfile: expected string, got object
	p({selinuxLabel: []}) => .process.selinuxLabel: expected string, got list
	del(.root) => .root: missing, and required
	.root = {} => .root.path: missing, and required
	.root.path = "" => .root.path: missing, and required
	.root.path = 5 => .root.path: expected string, got number
	.root.path = "nosuch" => .root.path: 
	.root.path = "/nosuch" => .root.path: /nosuch: No such file or directory
	.root.path = "config.json" => .root.path: 
	.root.readonly = "true" => .root.readonly: expected boolean, got string
	.hostname = 5 => .hostname: expected string, got number
	.linux.namespaces |= map(select(.type != "uts")) => .hostname: there is no uts namespace
	.domainname = [] => .domainname: expected string, got list
	.annotations = [] => .annotations: expected object, got list
	.annotations = {a: 5} => .annotations.a: expected string, got number
	.annotations = {"a b": 5} => .annotations["a b"]: expected string, got number
	END
}

@test "mounts and hooks" {
	table <<-'END'
	.mounts = {} => .mounts: expected list, got object
	.mounts[1] = 5 => .mounts[1]: expected object, got number
	.mounts[1] = null => .mounts[1]: expected object, got null
	m({type: "tmpfs"}) => .mounts[6].destination: missing, and required
	m({destination: "", type: "tmpfs"}) => .mounts[6].destination: 
	m({destination: 5, type: "tmpfs"}) => .mounts[6].destination: expected string, got number
	m({destination: "/x"}) => .mounts[6].type: missing, and this is no bind mount
	m({destination: "/x", type: "bind"}) => .mounts[6].source: missing, and a bind mount needs it
	m({destination: "/x", options: ["rbind"]}) => .mounts[6].source: missing, and a bind mount needs it
	m({destination: "/x", type: "tmpfs", options: "ro"}) => .mounts[6].options: expected list, got string
	m({destination: "/x", type: "tmpfs", options: ["ro", 1]}) => .mounts[6].options[1]: expected string, got number
	m({destination: "/x", type: "tmpfs", options: ["idmap"]}) => .mounts[6].options: only bind mounts can map ids
	m({destination: "/x", type: "bind", source: "/etc", options: ["idmap=moon"]}) => .mounts[6].options: idmap= needs
	m({destination: "/x", type: "bind", source: "/etc", options: ["idmap=uids=0-0-0;gids=0-0-1"]}) => .mounts[6].options: idmap= needs
	m({destination: "/x", type: "bind", source: "/etc", uidMappings: [{containerID: 0, hostID: 0, size: 1}]}) => .mounts[6].gidMappings: missing
	m({destination: "/x", type: "bind", source: "/etc", uidMappings: [{containerID: 0, hostID: 0, size: 0}], gidMappings: [{containerID: 0, hostID: 0, size: 1}]}) => .mounts[6].uidMappings[0]: 
	m({destination: "/x", type: "bind", source: "/etc", uidMappings: [{containerID: 0, hostID: 4294967295, size: 1}], gidMappings: [{containerID: 0, hostID: 0, size: 1}]}) => .mounts[6].uidMappings[0]: ids beyond 32 bits
	m({destination: "/x", type: "bind", source: "/etc", uidMappings: [{containerID: 0, size: 1}]}) => .mounts[6].uidMappings[0].hostID: missing, and required
	.hooks = [] => .hooks: expected object, got list
	.hooks = {prestart: {}} => .hooks.prestart: expected list, got object
	.hooks = {createRuntime: [{}]} => .hooks.createRuntime[0].path: missing, and required
	.hooks = {poststop: [{path: 5}]} => .hooks.poststop[0].path: expected string, got number
	.hooks = {prestart: [{path: "bin/true"}]} => .hooks.prestart[0].path: 
	.hooks = {createRuntime: [{path: "/bin/true"}, {path: ""}]} => .hooks.createRuntime[1].path: 
	.hooks = {poststart: [{path: "bin/true"}]} => .hooks.poststart[0].path: 
	.hooks = {poststop: [{path: "bin/true"}]} => .hooks.poststop[0].path: 
	.hooks = {createContainer: [{path: "bin/true"}]} => .hooks.createContainer[0].path: "bin/true" is not an absolute path
	.hooks = {startContainer: [{path: ""}]} => .hooks.startContainer[0].path: "" is not an absolute path
	.hooks = {createRuntime: [{path: "/bin/true", timeout: 0}]} => .hooks.createRuntime[0].timeout: 
	.hooks = {poststop: [{path: "/bin/true", timeout: -1}]} => .hooks.poststop[0].timeout: 
	.hooks = {startContainer: [{path: "/bin/true", timeout: 99999999999}]} => .hooks.startContainer[0].timeout: 
	.hooks = {createContainer: [{path: "/bin/true", timeout: "5"}]} => .hooks.createContainer[0].timeout: expected number, got string
	.hooks = {prestart: [{path: "/bin/true", env: "A=1"}]} => .hooks.prestart[0].env: expected list, got string
	.hooks = {prestart: [{path: "/bin/true", args: [1]}]} => .hooks.prestart[0].args[0]: expected string, got number
	END
}

@test "linux: namespaces, ids, devices, settings, paths" {
	table <<-'END'
	del(.linux) => .linux: missing, and required
	.linux = [] => .linux: expected object, got list
	.linux.namespaces = {} => .linux.namespaces: expected list, got object
	.linux.namespaces[2] = {} => .linux.namespaces[2].type: missing, and required
	.linux.namespaces[2].type = "moon" => .linux.namespaces[2].type: unknown namespace "moon"
	.linux.namespaces[2].type = "" => .linux.namespaces[2].type: unknown namespace ""
	.linux.namespaces[1] = {type: "pid"} => .linux.namespaces[1].type: a second "pid"
	.linux.namespaces[0].path = "proc/1/ns/pid" => .linux.namespaces[0].path: "proc/1/ns/pid" is not an absolute path
	.linux.namespaces[0].path = 5 => .linux.namespaces[0].path: expected string, got number
	.linux.namespaces |= map(select(.type != "mount")) => .linux.namespaces: there is none of type "mount"
	.linux.uidMappings = {} => .linux.uidMappings: expected list, got object
	.linux.uidMappings = [{containerID: 0, hostID: 0, size: 0}] => .linux.uidMappings[0]: 
	.linux.uidMappings = [{containerID: 0, hostID: 0}] => .linux.uidMappings[0].size: missing, and required
	.linux.uidMappings = [{containerID: 0, hostID: 4294967295, size: 2}] => .linux.uidMappings[0]: 
	.linux.uidMappings = [{containerID: -1, hostID: 0, size: 1}] => .linux.uidMappings[0].containerID: expected a number of at least 0
	.linux.gidMappings = [{containerID: 0, hostID: 0, size: 4294967296}] => .linux.gidMappings[0]: 
	.linux.timeOffsets = [] => .linux.timeOffsets: expected object, got list
	.linux.timeOffsets = {boottime: {secs: 1}} => .linux.timeOffsets: there is no new time namespace
	.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1, nanosecs: 1000000000}} => .linux.timeOffsets.boottime.nanosecs: a second or more
	.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: "1"}} => .linux.timeOffsets.boottime.secs: expected number, got string
	d({path: "/dev/x"}) => .linux.devices[0].type: missing, and required
	d({path: "/dev/x", type: "x"}) => .linux.devices[0].type: none of c, u, b and p
	d({path: "dev/x", type: "c", major: 1, minor: 3}) => .linux.devices[0].path: not the absolute path of a device
	d({path: "", type: "p"}) => .linux.devices[0].path: not the absolute path of a device
	d({path: "/dev/x", type: "c", major: -1, minor: 3}) => .linux.devices[0].major: out of range
	d({path: "/dev/x", type: "c", major: 1, minor: 4294967296}) => .linux.devices[0].minor: out of range
	d({path: "/dev/x", type: "p", uid: 4294967296}) => .linux.devices[0].uid: beyond 32 bits
	d({path: "/dev/x", type: "p", fileMode: "0644"}) => .linux.devices[0].fileMode: expected number, got string
	.linux.sysctl = [] => .linux.sysctl: expected object, got list
	.linux.sysctl = {"net.ipv4.ip_forward": 1} => .linux.sysctl["net.ipv4.ip_forward"]: expected string, got number
	.linux.sysctl = {"../../etc/passwd": "x"} => .linux.sysctl["../../etc/passwd"]: not a name below /proc/sys
	.linux.sysctl = {"net/../../self/mem": "x"} => .linux.sysctl["net/../../self/mem"]: not a name below /proc/sys
	.linux.sysctl = {"/etc/passwd": "x"} => .linux.sysctl["/etc/passwd"]: not a name below /proc/sys
	.linux.sysctl = {"": "x"} => .linux.sysctl[""]: not a name below /proc/sys
	.linux.sysctl = {"kernel.core_pattern": "core"} => .linux.sysctl["kernel.core_pattern"]: it is a setting of the whole host
	.linux.rootfsPropagation = "moon" => .linux.rootfsPropagation: "moon" is none of
	.linux.maskedPaths = "x" => .linux.maskedPaths: expected list, got string
	.linux.maskedPaths = ["/a", "b"] => .linux.maskedPaths[1]: "b" is not an absolute path
	.linux.maskedPaths = [5] => .linux.maskedPaths[0]: expected string, got number
	.linux.readonlyPaths = [""] => .linux.readonlyPaths[0]: "" is not an absolute path
	.linux.personality = {} => .linux.personality.domain: missing, and required
	.linux.personality = {domain: "MOON"} => .linux.personality.domain: "MOON" is neither LINUX nor LINUX32
	.linux.personality = {domain: "LINUX", flags: ["X"]} => .linux.personality.flags[0]: there are no flags
	.linux.memoryPolicy = {mode: "MPOL_MOON"} => .linux.memoryPolicy.mode: unknown mode "MPOL_MOON"
	.linux.memoryPolicy = {mode: "MPOL_BIND", flags: ["X"]} => .linux.memoryPolicy.flags[0]: unknown flag "X"
	.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "x"} => .linux.memoryPolicy.nodes: "x" is not a list
	.linux.cgroupsPath = 5 => .linux.cgroupsPath: expected string, got number
	.linux.cgroupsPath = "../x" => .linux.cgroupsPath: 
	.linux.cgroupsPath = "/" => .linux.cgroupsPath: 
	.linux.mountLabel = 5 => .linux.mountLabel: expected string, got number
	.linux.netDevices = {"eth9": {name: "a/b"}} => .linux.netDevices
	.linux.netDevices = {"eth9": {name: "much-too-long-for-an-interface"}} => .linux.netDevices
	.linux.netDevices = [] => .linux.netDevices: expected object, got list
	.linux.intelRdt = {closID: "../x"} => .linux.intelRdt
	END
}

@test "linux: resources and seccomp" {
	table <<-'END'
	r([]) => .linux.resources: expected object, got list
	r({memory: {limit: "1g"}}) => .linux.resources.memory.limit: expected number, got string
	r({memory: {limit: -2}}) => .linux.resources.memory.limit: 
	r({memory: {swappiness: 101}}) => .linux.resources.memory.swappiness: 
	r({cpu: {shares: -1}}) => .linux.resources.cpu.shares: expected a number of at least 0
	r({cpu: {cpus: "x"}}) => .linux.resources.cpu.cpus: 
	r({cpu: {mems: "x"}}) => .linux.resources.cpu.mems: 
	r({cpu: {idle: 2}}) => .linux.resources.cpu.idle: 
	r({pids: {limit: 1.5}}) => .linux.resources.pids.limit: expected an integer, got a fraction
	r({blockIO: {weight: 5}}) => .linux.resources.blockIO.weight: 
	r({blockIO: {throttleReadBpsDevice: [{major: 8, minor: 0}]}}) => .linux.resources.blockIO.throttleReadBpsDevice[0].rate: missing, and required
	r({hugepageLimits: [{pageSize: "../x", limit: 1}]}) => .linux.resources.hugepageLimits[0].pageSize: 
	r({unified: {"../cgroup.procs": "1"}}) => .linux.resources.unified["../cgroup.procs"]: 
	r({unified: {"memory.max": 5}}) => .linux.resources.unified["memory.max"]: expected string, got number
	r({unified: {"": "1"}}) => .linux.resources.unified[""]: 
	r({devices: [{access: "rwm"}]}) => .linux.resources.devices[0].allow: missing, and required
	r({devices: [{allow: true, type: "x", access: "r"}]}) => .linux.resources.devices[0].type: 
	r({devices: [{allow: true, type: "c", access: "z"}]}) => .linux.resources.devices[0].access: 
	.linux.seccomp = [] => .linux.seccomp: expected object, got list
	.linux.seccomp = {} => .linux.seccomp.defaultAction: missing, and required
	.linux.seccomp = {defaultAction: "SCMP_ACT_MOON"} => .linux.seccomp.defaultAction: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_MOON"]} => .linux.seccomp.architectures[0]: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["MOON"]} => .linux.seccomp.flags[0]: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"]}]} => .linux.seccomp.syscalls[0].action: missing, and required
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{action: "SCMP_ACT_ERRNO"}]} => .linux.seccomp.syscalls[0].names: missing, and required
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_MOON"}]} => .linux.seccomp.syscalls[0].action: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["ioctl"], action: "SCMP_ACT_ERRNO", args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}]} => .linux.seccomp.syscalls[0].args[0].index: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["ioctl"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 1, op: "MOON"}]}]} => .linux.seccomp.syscalls[0].args[0].op: 
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["ioctl"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: -1, op: "SCMP_CMP_EQ"}]}]} => .linux.seccomp.syscalls[0].args[0].value: expected a number of at least 0
	.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 99999}]} => .linux.seccomp.syscalls[0].errnoRet: 
	END
}
