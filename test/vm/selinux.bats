# vm: selinux
# Labels where the policy enforces them: what a container may not touch, and how z, Z and label= change that
load helpers

setup_file() {
	bryo load -q -i /srv/bryo/box.tar >/dev/null
	sudo setenforce 1
	[ "$(getenforce)" = Enforcing ]
}

# Containers here have no network: what they may do with the host's is not the question.
run_box() { bryo run --rm --network none "$@"; }
label_of() { stat -c %C "$1"; }
inspect() { bryo inspect --format "$2" "$1"; }

@test "a container's processes and files have the policy's types and one pair of categories" {
	bryo run -d --name c --network none $IMG sleep 1000
	process=$(inspect c '{{.ProcessLabel}}')
	[[ $process =~ ^system_u:system_r:container_t:s0:c[0-9]+,c[0-9]+$ ]]
	pair=${process##*:}
	[ "$(inspect c '{{.MountLabel}}')" = "system_u:object_r:container_file_t:s0:$pair" ]
	[ "$(tr -d '\0' <"/proc/$(inspect c '{{.State.Pid}}')/attr/current")" = "$process" ]
	run bryo exec c cat /proc/self/attr/current
	assert_ok
	assert_contains "$process"
	run bryo info --format '{{.Host.Security.SELinuxEnabled}}'
	assert_output true
}

@test "two containers have two pairs, and the same one again after a restart" {
	a=$(bryo run -d --network none $IMG sleep 1000)
	b=$(bryo run -d --network none $IMG sleep 1000)
	first=$(inspect "$a" '{{.ProcessLabel}}')
	[ "$first" != "$(inspect "$b" '{{.ProcessLabel}}')" ]
	bryo restart -t 0 "$a"
	[ "$(tr -d '\0' <"/proc/$(inspect "$a" '{{.State.Pid}}')/attr/current")" = "$first" ]
}

@test "the pair goes back with the container" {
	id=$(bryo create --network none $IMG true)
	pair=$(inspect "$id" '{{.ProcessLabel}}')
	[ "$(readlink ~/.local/share/bryo/labels/"${pair##*:}")" = "$id" ]
	bryo rm "$id"
	run ls ~/.local/share/bryo/labels
	assert_output ''
}

@test "a confined container works: files, devices, terminal, shared memory, queues, pipes" {
	run run_box $IMG sh -c 'set -e; echo a >/root/f; cat /root/f; echo b >/dev/stdout; echo c >/dev/shm/f; cat /dev/shm/f
		echo d >/tmp/f; ls /dev/mqueue; head -c 1 /dev/zero >/dev/null; cat /etc/hosts /etc/resolv.conf /etc/hostname >/dev/null'
	assert_ok
	assert_output 'a
b
c'
	run run_box --tmpfs /scratch $IMG sh -c 'echo x >/scratch/f && cat /scratch/f'
	assert_output x
	run bash -c "echo in | '$BRYO' run --rm -i --network none $IMG cat"
	assert_output in
	run run_box --user 1000 $IMG sh -c 'echo user >/dev/stderr'
	assert_output user
	run on_terminal "$BRYO" run --rm -t --network none $IMG sh -c 'echo terminal >/dev/tty'
	assert_contains terminal
	run run_box --init $IMG echo init
	assert_output init
}

@test "streams of an exec, to pipes and files, attached and detached" {
	bryo run -d --name c --network none $IMG sleep 1000
	[ "$(bryo exec c echo piped | cat)" = piped ]
	bryo exec c echo filed >/tmp/out
	[ "$(cat /tmp/out)" = filed ]
	[ "$(echo in | bryo exec -i c cat)" = in ]
	bryo exec -d c sh -c 'echo detached >/root/f'
	wrote() { [ "$(bryo exec c cat /root/f)" = detached ]; }
	retry 60 wrote
	bryo run -d --name logged --network none $IMG sh -c 'echo out; echo err >&2; sleep 1000'
	logged() { [ "$(bryo logs logged 2>&1 | sort | tr '\n' ' ')" = 'err out ' ]; }
	retry 60 logged
}

@test "a directory of the host is closed without a label, open with z and Z" {
	mkdir -p ~/dir
	echo secret >~/dir/file
	run run_box -v ~/dir:/d $IMG cat /d/file
	assert_status 1
	assert_contains 'Permission denied'
	run bryo run --name private --network none -v ~/dir:/d:Z $IMG sh -c 'cat /d/file && echo more >/d/new'
	assert_ok
	assert_output secret
	label=$(inspect private '{{.MountLabel}}')
	[ "$(label_of ~/dir)" = "$label" ]
	[ "$(label_of ~/dir/file)" = "$label" ]
	[ "$(inspect private '{{(index .Mounts 0).Mode}}')" = Z ]
	# Another container has other categories.
	run run_box -v ~/dir:/d $IMG cat /d/file
	assert_status 1
	run run_box -v ~/dir:/d:z $IMG cat /d/file /d/new
	assert_ok
	[ "$(label_of ~/dir/new)" = system_u:object_r:container_file_t:s0 ]
	run run_box -v ~/dir:/d $IMG cat /d/file
	assert_ok
	rm -rf ~/dir
}

@test "relabelling goes deep, takes links for links, and leaves the host's own directories alone" {
	mkdir -p ~/tree/a/b
	echo x >~/tree/a/b/file
	echo outside >~/outside
	ln -s ~/outside ~/tree/link
	before=$(label_of ~/outside)
	run run_box -v ~/tree:/d:Z $IMG cat /d/a/b/file
	assert_ok
	[[ $(label_of ~/tree/a/b/file) = *:container_file_t:s0:c* ]]
	[[ $(stat -c %C ~/tree/link) = *:container_file_t:s0:c* ]]
	[ "$(label_of ~/outside)" = "$before" ]
	run run_box --mount type=bind,src=$HOME/tree,dst=/d,relabel=shared $IMG cat /d/a/b/file
	assert_ok
	[ "$(label_of ~/tree/a/b/file)" = system_u:object_r:container_file_t:s0 ]
	for path in /usr /etc ~ /home/../home /tmp "$XDG_RUNTIME_DIR"; do
		run run_box -v "$path:/d:z" $IMG true
		assert_status 125
		assert_contains 'relabeling of'
		assert_contains 'is not allowed'
	done
	rm -rf ~/tree ~/outside
}

@test "a file of somebody else cannot be relabelled, and that is said" {
	sudo mkdir /srv/foreign
	run run_box -v /srv/foreign:/d:Z $IMG true
	assert_status 125
	assert_contains 'label /srv/foreign as system_u:object_r:container_file_t:s0:c'
	assert_contains 'as root: chcon'
}

# What a container makes has its pair where the policy says no more: so it is in Debian, not in Fedora.
@test "named volumes are for all containers, with Z for one" {
	run run_box -v data:/data $IMG sh -c 'echo kept >/data/file; cat /data/file'
	assert_output kept
	[ "$(label_of "$(bryo volume inspect --format '{{.Mountpoint}}' data)")" = system_u:object_r:container_file_t:s0 ]
	run run_box -v data:/data $IMG touch /data/new
	assert_ok
	run run_box -v data:/data:z $IMG cat /data/file
	assert_output kept
	run run_box -v data:/data:Z $IMG cat /data/file
	assert_ok
	run run_box -v data:/data $IMG cat /data/file
	assert_status 1
	bryo volume rm data
}

@test "the content of the image goes into a new volume with labels that work" {
	run run_box -v filled:/home $IMG cat /home/user/file
	assert_ok
	assert_output mine
	bryo volume rm filled
}

@test "label=disable, --privileged, --pid host and --ipc host run as the caller does" {
	mkdir -p ~/dir
	echo secret >~/dir/file
	for option in --security-opt=label=disable --privileged --pid=host --ipc=host; do
		run run_box "$option" -v ~/dir:/d $IMG sh -c 'cat /d/file /proc/self/attr/current'
		assert_ok
		assert_contains secret
		assert_contains unconfined_t
	done
	id=$(bryo create --security-opt label=disable --network none $IMG true)
	[ -z "$(inspect "$id" '{{.ProcessLabel}}')" ]
	rm -rf ~/dir
}

@test "label=level, type, filetype and user" {
	run run_box --security-opt label=level:s0:c100,c200 $IMG cat /proc/self/attr/current
	assert_ok
	assert_contains ':container_t:s0:c100,c200'
	run run_box --security-opt label=type:spc_t $IMG cat /proc/self/attr/current
	assert_ok
	assert_contains ':spc_t:s0:c'
	id=$(bryo create --security-opt label=filetype:container_ro_file_t --network none $IMG true)
	[[ $(inspect "$id" '{{.MountLabel}}') = system_u:object_r:container_ro_file_t:s0:c* ]]
}

@test "a container that joins another's pid or IPC namespace has its label" {
	bryo run -d --name c --network none $IMG sleep 1000
	for kind in pid ipc; do
		run run_box --$kind container:c $IMG cat /proc/self/attr/current
		assert_ok
		assert_contains "$(inspect c '{{.ProcessLabel}}')"
	done
}

@test "label=nested lets the container see SELinux" {
	run run_box --security-opt label=nested --security-opt label=type:spc_t $IMG cat /sys/fs/selinux/enforce
	assert_ok
	assert_output 1
	run run_box --security-opt label=type:spc_t $IMG cat /sys/fs/selinux/enforce
	assert_status 1
	assert_contains 'No such file'
}

@test "labels that the policy does not know, or does not allow, fail at create" {
	run bryo create --security-opt label=type:no_such_t $IMG true
	assert_status 125
	assert_contains 'the loaded policy does not know it'
	run bryo create --security-opt label=type:init_t $IMG true
	assert_status 125
	assert_contains 'SELinux does not let unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 start processes as'
	run bryo create --security-opt label=nonsense $IMG true
	assert_status 125
	assert_contains 'invalid label "nonsense"'
	run bryo ps -aq
	assert_output ''
}

@test "the other storage drivers" {
	for driver in fuse-overlayfs vfs; do
		root=~/$driver
		bryo --root "$root" --storage-driver $driver load -q -i /srv/bryo/box.tar
		run bryo --root "$root" --storage-driver $driver run --rm --network none $IMG sh -c 'echo x >/root/f && cat /root/f /proc/self/attr/current'
		assert_ok
		assert_contains container_t
		bryo unshare rm -rf "$root"
	done
}

# --- bundles

# A bundle's files are labelled by whoever made it; its streams must be what the label may use.
bundle() {
	bryo run --rm --network none $IMG cat /bin/busybox >/tmp/busybox && chmod +x /tmp/busybox
	BUSYBOX=/tmp/busybox "$BATS_TEST_DIRNAME/../e2e/make-bundle" "$@"
	chcon -R system_u:object_r:container_file_t:s0:c7,c8 "$1/rootfs"
}
box_process='.process.selinuxLabel = "system_u:system_r:container_t:s0:c7,c8"'
box_files='.linux.mountLabel = "system_u:object_r:container_file_t:s0:c7,c8"'

@test "bryo oci: selinuxLabel and mountLabel of a bundle" {
	cd "$BATS_TEST_TMPDIR"
	bundle b "$box_process" "$box_files" -- sh -c 'cat /proc/self/attr/current; echo; for dir in /dev/shm /dev /tmp; do
		echo x >$dir/f && cat $dir/f || exit 1; done; ls /dev/mqueue'
	: >out
	chcon -t container_file_t out
	run bash -c "'$BRYO' oci run -b b c >out 2>&1"
	output=$(tr -d '\0' <out)
	assert_ok
	assert_output 'system_u:system_r:container_t:s0:c7,c8
x
x
x'
}

@test "bryo oci: without mountLabel the container's own mounts are closed to it" {
	cd "$BATS_TEST_TMPDIR"
	bundle b "$box_process" -- sh -c 'echo x >/dev/shm/f'
	run bash -c "'$BRYO' oci run -b b c </dev/null >/dev/null 2>&1"
	assert_status 1
}

@test "bryo oci: exec and exec --process have the container's label, or their own" {
	cd "$BATS_TEST_TMPDIR"
	bundle b "$box_process" "$box_files" -- sleep 1000
	"$BRYO" oci run -d -b b c </dev/null >/dev/null 2>&1
	: >out
	chcon -t container_file_t out
	"$BRYO" oci exec c cat /proc/self/attr/current >out 2>&1
	[ "$(tr -d '\0' <out)" = system_u:system_r:container_t:s0:c7,c8 ]
	jq '.process | .args = ["cat", "/proc/self/attr/current"] | .selinuxLabel = "system_u:system_r:spc_t:s0:c7,c8"' b/config.json >p.json
	"$BRYO" oci exec -p p.json c >out 2>&1
	[ "$(tr -d '\0' <out)" = system_u:system_r:spc_t:s0:c7,c8 ]
	"$BRYO" oci delete -f c
}

@test "bryo oci: a label that the policy does not know is refused before anything is made" {
	cd "$BATS_TEST_TMPDIR"
	bundle b '.process.selinuxLabel = "system_u:system_r:no_such_t:s0"'
	run "$BRYO" oci run -b b c
	assert_status 1
	assert_contains 'the loaded policy does not know it'
	run "$BRYO" oci list -q
	assert_output ''
}

@test "bryo oci: mqueue and tmpfs take the label as root, too" {
	cd "$BATS_TEST_TMPDIR"
	bryo run --rm --network none $IMG cat /bin/busybox >/tmp/busybox && chmod +x /tmp/busybox
	sudo BUSYBOX=/tmp/busybox "$BATS_TEST_DIRNAME/../e2e/make-bundle" b "$box_process" "$box_files" -- sh -c \
		'echo x >/dev/shm/f && cat /dev/shm/f && ls /dev/mqueue && cat /proc/self/attr/current'
	sudo chcon -R system_u:object_r:container_file_t:s0:c7,c8 b/rootfs
	: >out
	chcon -t container_file_t out
	run bash -c "sudo '$BRYO' oci run -b b c >out 2>&1"
	output=$(tr -d '\0' <out)
	assert_ok
	assert_output 'x
system_u:system_r:container_t:s0:c7,c8'
}
