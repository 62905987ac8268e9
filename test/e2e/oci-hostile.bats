# The OCI runtime face against hostile bundles and containers: each test is an incident that some runtime had.
# oci-hostile-root.bats, a link to this file, is the same as root.
# lab: $([[ $name != *-root ]] || echo -r)
load helpers
load oci

# bait: a directory of the host that nothing may appear in; root's is closed for others.
bait() {
	BAIT=$E2E_DIR/bait
	mkdir -p "$BAIT/dir"
	echo "of the host" >"$BAIT/secret"
}

bait_is_untouched() {
	[ "$(cd "$BAIT" && find . | sort | tr '\n' ' ')" = ". ./dir ./secret " ] || { find "$BAIT"; return 1; }
	[ "$(cat "$BAIT/secret")" = "of the host" ]
	! grep -q "$BAIT" /proc/self/mountinfo
}

# ends COMMAND...: within 20 seconds, whatever comes of it.
ends() {
	runtime
	run timeout -k 1 20 "$RUNTIME" --root "$E2E_DIR/oci" "$@"
	[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || { echo "does not end: $*"; return 1; }
}

# template: the present configuration of ./box, with @ for what `filled TEXT` puts there.
template() { mv box/config.json template.json; }
filled() { sed "s|@|$1|" template.json >box/config.json; }

# static program of the build, in the bundle's /bin
calls_in() { cp "$BRYO_BUILD/test/e2e/calls" "$1/rootfs/bin/calls"; }

# --- paths

@test "/dev, /proc, /sys, /etc, /run and /tmp as links: nothing is made where they point on the host" {
	local directory linked target config all="dev proc sys etc run tmp"
	bait
	tempt() {	# LINKED...
		mkdir aside
		for directory; do
			mv box/rootfs/$directory aside/
			ln -s "$target" box/rootfs/$directory
		done
		ends run --bundle box box
		bait_is_untouched
		no_trace box
		for directory; do
			rm -rf box/rootfs/$directory
			mv aside/$directory box/rootfs/
		done
		rm -rf box/rootfs/tmp/* box/rootfs/nosuch
		rmdir aside
	}
	for config in '.' '.mounts |= map(select(.destination | startswith("/dev") | not))'; do
		bundle box "$config" '.linux.maskedPaths += ["/etc/shadow", "/run/x"] | .linux.readonlyPaths += ["/etc", "/run"]' \
			'mount({destination: "/run/volume/deep", type: "tmpfs"})' 'mount({destination: "/etc/made", type: "bind", source: "/etc/passwd"})' \
			'.process.cwd = "/tmp/new/dir"' -- pwd
		for target in "$BAIT" "../../../../../../../..$BAIT" /nosuch/dir dev proc/self/root; do
			tempt $all
		done
		# Below the root it is a place like any other (only /tmp as a link into itself is not).
		target=$BAIT
		for linked in $all; do
			tempt $linked
			[ $linked = tmp ] || assert_ok
		done
	done
}

@test "a working directory through links, .. and /proc leads nowhere outside" {
	local cwd n
	bait
	bundle box '.linux.maskedPaths = [] | .process.cwd = "@"' -- sh -c 'pwd; ls; cat secret'
	template
	ln -s "$BAIT" box/rootfs/absolute
	ln -s "../../../../../../..$BAIT" box/rootfs/relative
	ln -s /proc/self/fd box/rootfs/fds
	ln -s /proc/self/root box/rootfs/root-link
	up outer '.linux.maskedPaths = []'
	cp -a box/rootfs/absolute box/rootfs/relative box/rootfs/fds box/rootfs/root-link outer/rootfs/
	for cwd in "/absolute/new" "/relative/new" "/absolute" "/../../../../../..$BAIT/new" "/usr/../../../../..$BAIT" \
		/proc/self/root /proc/1/root/.. /proc/self/cwd /root-link/../../.. /proc/thread-self/root; do
		filled "$cwd"
		ends run --bundle box box
		refute_contains "of the host"
		[[ $output != *"(unreachable)"* ]]
		ends exec --cwd "$cwd" outer sh -c 'pwd; cat secret'
		refute_contains "of the host"
		bait_is_untouched
	done
	for n in 0 3 4 5 6 7 8 9 10 11 12 15; do
		filled /proc/self/fd/$n/../../../../..
		[ $((n % 2)) = 0 ] || filled /fds/$n
		fails oci run --bundle box box 4</ 5<"$BAIT"
		fails oci exec --cwd /proc/self/fd/$n/../../.. outer cat secret 4</ 5<"$BAIT"
		fails oci exec --cwd /fds/$n outer cat secret 4</ 5<"$BAIT"
	done
	bait_is_untouched
}

@test "mount destinations through absolute, relative, dangling and circular links stay inside" {
	local at type
	bait
	bundle box
	ln -s "$BAIT" box/rootfs/absolute
	ln -s "../../../../../../..$BAIT" box/rootfs/relative
	ln -s "$BAIT/secret" box/rootfs/file
	ln -s "$BAIT/made" box/rootfs/dangling
	ln -s circle box/rootfs/circle
	ln -s /proc/self/fd/9 box/rootfs/magic
	cp box/config.json plain.json
	edit box '.mounts = [{destination: "@", type: "bind", source: "/etc/passwd"}]'
	template
	for at in /file /dangling /absolute/file /relative/secret "/../..$BAIT/x"; do
		filled "$at"
		ends run --bundle box box
		bait_is_untouched
	done
	for type in bind tmpfs; do
		cp plain.json box/config.json
		edit box ".mounts = [{destination: \"@\", type: \"$type\", source: \"/etc\", options: (if \"$type\" == \"bind\" then [\"rbind\"] else [] end)}]"
		template
		for at in /absolute /absolute/new /relative /relative/a/b /dangling /dangling/x "/../../../..$BAIT/new" /var/run/../../../../..$BAIT ".." "../..$BAIT" /magic /magic/x; do
			filled "$at"
			ends run --bundle box box 9<"$BAIT"
			bait_is_untouched
		done
	done
	for at in /circle /circle/x "/$(printf 'x%.0s' {1..256})" "/$(printf 'd/%.0s' {1..2100})"; do
		filled "$at"
		fails oci run --bundle box box
	done
	# What is meant: links within the root are followed, and missing parts made.
	ln -s ../made/by/link box/rootfs/usr/inside
	edit box '.mounts = [{destination: "/usr/inside/deep", type: "tmpfs"}, {destination: "/proc", type: "proc"}]
		| .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .process.args = ["grep", "-c", " /made/by/link/deep ", "/proc/self/mountinfo"]'
	run oci run --bundle box box
	assert_output 1
}

@test "a volume whose directory becomes a link meanwhile: nothing is mounted or made outside" {
	local i results=''
	bait
	mkdir -m 777 volume
	# One container swaps a directory and links, as fast as it can, until it is deleted.
	up swapper "mount({destination: \"/v\", type: \"bind\", source: \"$PWD/volume\", options: [\"rbind\"]})" -- sh -c "
		cd /v; mkdir real; ln -s $BAIT bad1; ln -s ../../../../../../../..$BAIT bad2; ln -s /proc/self/root$BAIT bad3; ln -s /proc bad4
		while :; do for n in 1 2 3 4; do mv real x 2>/dev/null; mv -T bad\$n link 2>/dev/null; ln -sfn \$(readlink link) x 2>/dev/null; rm -rf x 2>/dev/null
			mkdir x 2>/dev/null; rmdir x 2>/dev/null; ln -s $BAIT x 2>/dev/null; rm -f x; ln -s ../../../../../../../..$BAIT x; rm -f x; done; done"
	bundle box "mount({destination: \"/v\", type: \"bind\", source: \"$PWD/volume\", options: [\"rbind\"]})" \
		'mount({destination: "/v/x/tmp", type: "tmpfs"})' 'mount({destination: "/v/x/file", type: "bind", source: "/etc/passwd"})' \
		'.linux.devices = [{path: "/v/x/fifo", type: "p"}] | .linux.maskedPaths += ["/v/x/mask", "/v/x"] | .linux.readonlyPaths += ["/v/x/ro", "/v/x"]' \
		'.process.cwd = "/v/x/cwd"' -- sh -c 'cat /v/x/secret'
	for i in {1..40}; do
		ends run --bundle box box
		refute_contains "of the host"
		bait_is_untouched
		results+="$status "
	done
	no_trace box
	# It came to both ends, or nothing was tested.
	[[ $results = *1* ]]
}

@test "masked paths: what stands for /dev/null in the root is not what covers them" {
	bundle box 'without_mount("/dev") | without_mount("/dev/pts") | without_mount("/dev/shm") | without_mount("/dev/mqueue")' \
		'.linux.maskedPaths = ["/proc/keys", "/etc/hidden", "/link", "/proc/timer_list"]' \
		-- sh -c 'stat -c "%F %t:%T" /proc/keys /proc/timer_list /etc/hidden /etc/passwd; cat /etc/hidden; echo x >/proc/keys; cat /etc/evil'
	echo secret >box/rootfs/etc/hidden
	echo evil >box/rootfs/etc/evil
	ln -s etc/passwd box/rootfs/link
	for evil in ../etc/evil /etc/evil /proc/self/fd/1 /proc/sysrq-trigger; do
		rm -rf box/rootfs/dev
		mkdir box/rootfs/dev
		ln -s $evil box/rootfs/dev/null
		ends run --bundle box box
		[ "$status" -ne 0 ] || {
			[ "$(grep -c 'character special file 1:3' <<<"$output")" = 4 ]
			refute_contains secret
		}
		[ "$(cat box/rootfs/etc/evil)" = evil ]
	done
	# A file in its place.
	rm box/rootfs/dev/null
	echo plain >box/rootfs/dev/null
	ends run --bundle box box
	[ "$status" -ne 0 ] || [ "$(grep -c 'character special file 1:3' <<<"$output")" = 4 ]
}

@test "tmpcopyup of a hostile directory ends, and copies links as links" {
	local i deep=box/rootfs/data
	bait
	bundle box 'mount({destination: "/data", type: "tmpfs", options: ["tmpcopyup", "size=1m"]})' -- sh -c 'cat /data/link/secret; readlink /data/link; ls /data'
	mkdir box/rootfs/data
	ln -s "$BAIT" box/rootfs/data/link
	mkfifo box/rootfs/data/fifo
	ends run --bundle box box
	assert_contains "$BAIT"
	refute_contains "of the host"
	truncate -s 1T box/rootfs/data/huge
	ends run --bundle box box
	assert_status 1
	assert_contains "No space left on device"
	rm box/rootfs/data/huge
	for i in {1..100}; do deep+=/d; done
	mkdir -p $deep
	ends run --bundle box box
	assert_status 1
	bait_is_untouched
}

# --- the container's files, read by the runtime

@test "etc/passwd as FIFO, link, directory, device or something huge keeps nobody waiting" {
	bundle box '.process.env = ["PATH=/bin"]' -- sh -c 'echo $HOME'
	passwd() {
		rm -rf box/rootfs/etc/passwd
		"$@"
		ends run --bundle box box
		assert_ok
	}
	passwd mkfifo box/rootfs/etc/passwd
	assert_output /
	passwd mkdir box/rootfs/etc/passwd
	assert_output /
	passwd ln -s /dev/zero box/rootfs/etc/passwd
	passwd ln -s passwd box/rootfs/etc/passwd
	passwd ln -s /proc/self/environ box/rootfs/etc/passwd
	passwd truncate -s 4G box/rootfs/etc/passwd
	echo root:x:0:0::/host/home: >outside
	passwd ln -s "$PWD/outside" box/rootfs/etc/passwd
	assert_output /
	many() { seq -f 'u:x:%.0f:0::/home/u:' 1 200000 >box/rootfs/etc/passwd; }
	passwd many
	awful() { printf 'root:x:0:0::/a\x01b\033[31m:\n' >box/rootfs/etc/passwd; }
	passwd awful
}

# --- programs

@test "/proc/self/exe is no command: neither itself, nor as interpreter, nor through links" {
	local command sum
	sum=$(sha256sum "$BRYO")
	bundle box '.linux.maskedPaths = []' -- @
	template
	bundle box '.linux.maskedPaths = [] | .hooks.startContainer = [{path: "@"}]' -- true
	mv box/config.json hook.json
	printf '#!/proc/self/exe --help\n' >box/rootfs/bin/script
	printf '#! \t/bin/script\n' >box/rootfs/bin/script2
	printf '#!/bin/exe-link\n' >box/rootfs/bin/script3
	ln -s /proc/self/exe box/rootfs/bin/exe-link
	ln -s /proc/self/fd/3 box/rootfs/bin/fd-link
	chmod 755 box/rootfs/bin/script*
	up outer '.linux.maskedPaths = []'
	cp -a box/rootfs/bin/{script,script2,script3,exe-link,fd-link} outer/rootfs/bin/
	for command in /proc/self/exe /proc/thread-self/exe exe-link /bin/exe-link /bin/script script2 script3 /bin/fd-link /proc/self/root/bin/true /proc/1/exe; do
		filled "$command"
		fails oci run --bundle box box 3<"$BRYO"
		refute_contains Usage
		# That of a process of the container is as good as another.
		[ $command = /proc/1/exe ] || fails oci exec outer $command
		sed "s|@|/${command#/}|" hook.json >box/config.json
		fails oci run --bundle box box
	done
	[ "$(sha256sum "$BRYO")" = "$sum" ]
}

@test "the runtime's own program cannot be overwritten from inside" {
	local i sum
	# A program of the user's own, which the container's root may write to as far as owners go.
	mkdir own
	cp "$(readlink -f "$BRYO")" own/bryo-oci
	chmod 755 own own/bryo-oci
	sum=$(sha256sum <own/bryo-oci)
	RUNTIME=$PWD/own/bryo-oci
	up box '.linux.maskedPaths = [] | .linux.readonlyPaths = []' -- sh -c '
		while :; do
			for p in /proc/[0-9]*; do
				[ "$p" = /proc/1 ] || [ "$p" = "/proc/$$" ] || {
					case $(readlink $p/exe) in *bryo*)
						echo seen >>/tmp/seen
						(exec 9<$p/exe && echo opened >>/tmp/opened; echo x >/proc/self/fd/9 && echo overwritten >>/tmp/written) ;;
					esac
					(echo x >>$p/exe) && echo written >>/tmp/written
				}
			done
		done 2>/dev/null'
	for i in {1..30}; do oci exec box true; done
	# A link to it, and a script: what made other runtimes start themselves inside.
	[ ! -e box/rootfs/tmp/written ] || { cat box/rootfs/tmp/written; false; }
	[ "$(sha256sum <own/bryo-oci)" = "$sum" ]
	# From hooks inside, and from a container that waits to be started.
	made waits '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "for p in 1 self; do echo x >>/proc/$p/exe; done; exit 0"], env: ["PATH=/bin"]}]'
	run oci exec waits sh -c 'echo x >>/proc/1/exe && echo written; readlink /proc/1/exe'
	refute_contains written
	oci start waits
	[ "$(sha256sum <own/bryo-oci)" = "$sum" ]
}

@test "a process on its way into a container cannot be looked into from inside" {
	local ptrace
	needs strace
	runtime
	# Root of the host with this capability may do so, root of a container's user namespace may not.
	is_root || ptrace='| .process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
	up box ".linux.maskedPaths = [] ${ptrace:-}" -- sh -c '
		it_is_him() { case $(cat $1/comm) in bryo*) ;; *) false ;; esac; }
		while :; do
			for p in /proc/[0-9]*; do
				it_is_him $p || continue
				echo seen >/tmp/seen
				for f in environ maps auxv mem; do [ -n "$(head -c 1 $p/$f)" ] && it_is_him $p && echo $f >>/tmp/open; done
				for f in exe cwd root fd/0 fd/3 fd/4 fd/5; do readlink $p/$f && it_is_him $p && echo $f >>/tmp/open; done
			done
		done >/dev/null 2>&1'
	# It stays for a moment right before its last call.
	SECRET=1 timeout -k 1 20 strace -f -o /dev/null -e trace=execve -e inject=execve:delay_enter=300000 "$RUNTIME" --root "$E2E_DIR/oci" exec box true
	[ -e box/rootfs/tmp/seen ]
	[ ! -e box/rootfs/tmp/open ] || { sort -u box/rootfs/tmp/open; false; }
}

@test "nothing of the caller's environment and descriptors comes along" {
	export SECRET_OF_CALLER=x
	mkdir d
	bundle box '.process.env = ["PATH=/bin", "A=1"] | .hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "env; ls /proc/self/fd"]}]' -- sh -c 'env; ls /proc/self/fd'
	run oci run --bundle box box 3</ 4<d 5<"$0" 9<>/dev/null 200</
	assert_ok
	refute_contains SECRET_OF_CALLER
	[ "$(grep -cx '[0-9]*' <<<"$output")" = 8 ]
	made waits
	run oci exec waits sh -c 'for f in /proc/1/fd/*; do readlink $f; done; tr "\\0" "\\n" </proc/1/environ' 3</ 4<d
	refute_contains SECRET_OF_CALLER
	refute_contains "$PWD/d"
	oci start waits 3</ 4<d
	run oci exec waits sh -c 'ls /proc/1/fd; tr "\\0" "\\n" </proc/1/environ' 3</ 4<d
	[ "$(head -n 3 <<<"$output")" = $'0\n1\n2' ]
	refute_contains SECRET_OF_CALLER
}

@test "capabilities: nothing inheritable or ambient, not for a user, not by exec" {
	local caps='grep -E "^Cap(Inh|Amb)" /proc/self/status | cut -f2'
	box -s '.process.capabilities.bounding += ["CAP_NET_RAW"]' -- sh -c "$caps"
	[ "$(echo $output)" = "0000000000000000 0000000000000000" ]
	bundle -s outer -- sleep 1000
	quiet run --detach --bundle outer outer
	[ "$(echo $(oci exec --cap CAP_NET_RAW outer sh -c "$caps"))" = "0000000000000000 0000000000000000" ]
	[ "$(echo $(oci exec --user 1000:1000 --cap CAP_NET_RAW outer sh -c "$caps; grep CapEff /proc/self/status | cut -f2"))" = "0000000000000000 0000000000000000 0000000000000000" ]
	# Not even what the caller has so himself.
	run setpriv --inh-caps=+chown --ambient-caps=+chown "$BRYO" oci --root "$E2E_DIR/oci" exec outer sh -c "$caps"
	[ "$status" -ne 0 ] || [ "$(echo $output)" = "0000000000000000 0000000000000000" ]
}

# --- terminals

@test "a container cannot type into its caller's terminal" {
	runtime
	bundle box -- calls
	calls_in box
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" run --bundle box box </dev/null)
	assert_contains "TIOCSTI E"
	refute_contains "TIOCSTI works"
	edit box '.process.args = ["sh", "-c", "tty; echo x >/dev/tty"]'
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" run --bundle box box </dev/null) || true
	assert_contains "/dev/tty: No such device or address"
	up outer
	calls_in outer
	output=$(on_terminal "$RUNTIME" --root "$E2E_DIR/oci" exec outer calls </dev/null)
	refute_contains "TIOCSTI works"
}

@test "a console or pty that is something else is refused, and nothing is made on the host" {
	local target
	bait
	runtime
	for target in "$BAIT/console" "$BAIT/secret" "../../../../../..$BAIT/secret" /etc/passwd /proc/self/fd/1; do
		rm -rf box
		bundle box '.process.terminal = true' '.mounts |= map(select(.destination != "/dev"))' -- tty
		ln -s "$target" box/rootfs/dev/console
		ends run --bundle box box </dev/null
		bait_is_untouched
	done
	# No devpts where one is looked for.
	for target in fifo file link; do
		bundle box '.process.terminal = true' '.mounts |= map(select(.destination | startswith("/dev") | not))' -- tty
		rm -rf box/rootfs/dev/pts
		mkdir -p box/rootfs/dev/pts
		case $target in
		fifo) mkfifo box/rootfs/dev/pts/ptmx ;;
		file) echo text >box/rootfs/dev/pts/ptmx ;;
		link) ln -s "$BAIT/secret" box/rootfs/dev/pts/ptmx ;;
		esac
		ends run --bundle box box
		assert_status 1
		assert_contains "make the terminal"
		# The same for a further process.
		rm -rf outer
		bundle outer '.mounts |= map(select(.destination | startswith("/dev") | not))' -- sleep 1000
		mkdir -p outer/rootfs/dev/pts
		cp -a box/rootfs/dev/pts/ptmx outer/rootfs/dev/pts/
		quiet run --detach --bundle outer outer
		ends exec --tty outer tty
		assert_status 1
		assert_contains "make the terminal"
		oci delete -f outer
		bait_is_untouched
	done
}

# --- numbers and records

@test "a hundred thousand variables, arguments and mounts of options are a matter of moments" {
	bundle box -- true
	python3 - <<-'END'
	import json
	c = json.load(open("box/config.json"))
	def write(name): json.dump(c, open(name, "w"))
	env = c["process"]["env"]
	c["process"]["env"] = env + ["V%d=x" % i for i in range(100000)]; write("env.json")
	c["process"]["env"] = env
	c["process"]["args"] = ["true"] + ["x"] * 100000; write("args.json")
	c["process"]["args"] = ["true"]
	c["annotations"] = {"k%d" % i: "v" * 10 for i in range(50000)}; write("annotations.json")
	del c["annotations"]
	c["linux"]["maskedPaths"] = ["/nosuch/%d" % i for i in range(100000)]; write("masked.json")
	c["linux"]["maskedPaths"] = []
	c["mounts"][-1]["options"] += ["nosuid"] * 100000; write("options.json")
	END
	for file in env args annotations masked options; do
		ends run --bundle box --config $file.json box
		[ "$status" -le 1 ]
		no_trace box
	done
}

@test "a record that names another process is nobody's licence to kill it" {
	local victim
	up box
	sleep 0.1 # the kernel dates processes in hundredths of a second
	sleep 1000 3>&- & victim=$!
	E2E_PIDS+=($victim)
	cp oci/box/state.json saved
	jq ".pid = $victim" saved >oci/box/state.json
	has_status box stopped
	fails oci kill box 9
	[ "$(oci exec box true 2>&1; echo $?)" != 0 ]
	oci kill --all box 0 || true
	kill -0 $victim
	cp saved oci/box/state.json
	oci kill box 9
	retry 5 has_status box stopped
	jq ".pid = $victim | .bootId = \"00000000-0000-0000-0000-000000000000\"" saved >oci/box/state.json
	oci delete --force box
	kill -0 $victim
}

@test "a link in place of a container's directory is not followed" {
	bait
	mkdir -p oci/real
	up box
	mv oci/box oci/moved
	ln -s "$BAIT" oci/link
	ln -s moved oci/box
	for id in link box; do
		fails oci state $id
		fails oci start $id
		oci delete --force $id >/dev/null 2>&1 || true
		bait_is_untouched
	done
	fails oci run --bundle box link
	rm -f oci/box oci/link
	mv oci/moved oci/box
	has_status box running
}
