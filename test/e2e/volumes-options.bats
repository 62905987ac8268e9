# What -v, --mount, --tmpfs, --volumes-from and volume create -o say, as containers see it
load helpers

box() { bryo run --rm --network none "$@"; }

# mounted PATH: its line of a container's mount table, without the source.
mounted() { grep " $1 " <<<"$output" | cut -d' ' -f3-; }

@test "flags of bind mounts, volumes and tmpfs" {
	need_image
	mkdir d
	run box -v ./d:/a:ro,noexec -v ./d:/b:nosuid,nodev -v v:/c -v v:/e:suid,dev,noexec --tmpfs /t:ro,size=1m,noexec \
		--mount type=bind,src=d,dst=/f,readonly --mount type=tmpfs,dst=/u,exec,suid,nr_inodes=20 $IMG cat /proc/mounts
	assert_ok
	[[ $(mounted /a) == *' ro,'*noexec* ]]
	[[ $(mounted /b) == *' rw,'*nosuid,nodev* && $(mounted /b) != *noexec* ]]
	[[ $(mounted /c) == *rw,nosuid,nodev* ]]
	[[ $(mounted /e) == *noexec* ]]
	[[ $(mounted /f) == *' ro,'* ]]
	[[ $(mounted /t) == 'tmpfs ro,nosuid,nodev,noexec'*size=1024k* ]]
	[[ $(mounted /u) != *nosuid* && $(mounted /u) == *nr_inodes=20* ]]
}

@test "propagation and recursion are as asked for" {
	need_image
	mkdir d
	run box -v ./d:/a -v ./d:/b:rslave -v ./d:/c:bind,private --mount type=bind,src=./d,dst=/e,bind-propagation=rshared \
		$IMG sh -c 'for i in a b c e; do echo $i $(grep " /$i " /proc/self/mountinfo | cut -d" " -f7-8); done'
	assert_ok
	assert_matches 'a -'
	assert_matches 'c -'
	assert_contains 'e shared:'
}

@test "relative paths, home, colons, commas, and what is no path" {
	need_image
	mkdir -p 'a:b' 'c,d' "$HOME/h" sub
	touch a:b/1 c,d/2 "$HOME/h/3" sub/4
	run box -v './a\:b:/m/1' --mount 'type=bind,"src=c,d",dst=/m/2' -v '~/h:/m/3' --mount type=bind,src=sub,dst=/m/4 \
		$IMG sh -c 'cd /m; ls *'
	assert_ok
	[ "$(grep -c '^[1-4]$' <<<"$output")" -eq 4 ]
	run box -v sub/x:/y $IMG true
	assert_status 125
	assert_contains '-v ./sub/x'
}

@test "sources that are not there, unreachable or no directory; contradictions; a place taken twice" {
	need_image
	mkdir d
	touch file
	while IFS='|' read -r options expect; do
		# shellcheck disable=SC2086
		run bryo create $options $IMG true
		assert_status 125
		assert_contains "$expect"
	done <<-'END'
	-v ./nope:/x|create it first
	-v ./file/x:/x|a part of the path is a file
	-v ./d:/x:ro,rw|only one of rw and ro
	-v ./d:/x:z,Z|only one of z, Z and O
	-v ./d:/x:O,ro|not with ro
	-v ./d:/x:bogus|invalid option type "bogus"
	-v ./d:/x -v v:/x|/x: duplicate mount destination
	-v ./d:/x --tmpfs /x//|/x: duplicate mount destination
	--mount type=bind,src=./d,dst=/x,bogus=1|bogus: invalid mount option
	--mount type=nfs,src=./d,dst=/x|known types are bind
	--mount type=glob,src=./none*,dst=/x|no path matches
	--mount type=image,src=localhost/none,dst=/x --pull=never|the image to be mounted at /x
	--image-volume=bogus|it must be anonymous, tmpfs or ignore
	--volumes-from nope|volumes from nope
	END
	run bryo ps -aq
	assert_output ''
	[ "$(id -u)" -eq 0 ] || {
		mkdir -p closed/in
		bryo unshare chown -R 5:5 closed
		bryo unshare chmod 700 closed
		run bryo run --rm -v ./closed/in:/x $IMG true
		assert_ok		# the rootless namespace may enter it
	}
	# The same said twice is no contradiction.
	run box -v ./d:/x -v ./d:/x:rw $IMG true
	assert_ok
}

@test "an overlay lets writes vanish, or puts them where upperdir says" {
	need_image
	mkdir d up work
	echo old >d/f
	chmod 750 d
	touch plain
	run box -v ./d:/x:O $IMG sh -c 'echo new >/x/f; echo 1 >/x/g; cat /x/f; stat -c %a:%u /x'
	assert_output $'new\n750:0'
	[ "$(cat d/f)" = old ] && [ ! -e d/g ]
	box -v ./d:/x:O,upperdir=up,workdir=work $IMG sh -c 'echo new >/x/f'
	[ "$(cat d/f)" = old ] && [ "$(cat up/f)" = new ]
	run box -v ./d:/x:O,U --user 1000:1000 $IMG sh -c 'echo mine >/x/f; cat /x/f; stat -c %u:%g /x /x/f'
	assert_output $'mine\n1000:1000\n1000:1000'
	[ "$(cat d/f)" = old ] && [ -O d ] && [ -O d/f ]
	run box -v ./plain:/x:O $IMG true
	assert_contains 'an overlay needs a directory'
	box -v v:/x $IMG touch /x/kept
	run box -v v:/x:O $IMG sh -c 'touch /x/gone; ls /x'
	assert_output $'gone\nkept'
	run box -v v:/x $IMG ls /x
	assert_output kept
}

@test "an image as a mount: read-only, writable, a part of it; it stays while it is used" {
	need_image
	need_image other --variant other
	run box --mount type=image,src=other,dst=/i --mount type=image,src=other,dst=/w,rw=true $IMG sh -c \
		'ls -d /i/bin/sh; touch /i/x 2>/dev/null || echo refused; touch /w/x && ls /w/x; grep -c hello /w/www/index.html'
	assert_output $'/i/bin/sh\nrefused\n/w/x\n1'
	id=$(bryo create --mount type=image,src=other,dst=/i $IMG true)
	run bryo rmi other
	assert_status 2
	assert_contains "$id"
	run bryo inspect --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.RW}}{{end}}' "$id"
	assert_output 'image other false'
	run box --mount type=image,src=other,dst=/i,subpath=/nope $IMG true
	assert_status 125
	assert_contains 'a subpath is not created'
}

@test "a part of a volume is looked for inside it, whatever its links say" {
	need_image
	echo secret >outside
	box -v v:/v $IMG sh -c "mkdir /v/sub; echo in >/v/sub/f; ln -s $E2E_DIR /v/evil; ln -s ../../.. /v/up; ln -s sub /v/good"
	run box --mount type=volume,src=v,dst=/x,subpath=sub --mount type=volume,src=v,dst=/y,subpath=good/f $IMG cat /x/f /y
	assert_output $'in\nin'
	run box --mount type=volume,src=v,dst=/x,subpath=evil $IMG ls /x
	assert_status 125
	run box --mount type=volume,src=v,dst=/x,subpath=up $IMG ls /x
	assert_contains evil		# the volume itself, not what is above it
	run box --mount type=volume,src=v,dst=/x,subpath=../../.. $IMG ls /x
	assert_contains evil
	# What is copied into a stopped container goes there, too; into an overlay it does not.
	bryo create --name part --mount type=volume,src=v,dst=/x,subpath=sub -v v:/o:O $IMG true
	bryo cp outside part:/x/copied
	run bryo cp outside part:/o/copied
	[ "$status" -ne 0 ]
	run box -v v:/x $IMG ls /x /x/sub
	assert_output $'/x:\nevil\ngood\nsub\nup\n\n/x/sub:\ncopied\nf'
	run bryo inspect --format '{{range .Mounts}}{{.Destination}} {{.SubPath}} {{.Propagation}};{{end}}' part
	assert_contains '/x sub rprivate'
}

@test "glob, devpts and ramfs" {
	need_image
	mkdir d
	touch d/1.so d/2.so d/3.txt
	run box --mount 'type=glob,src=d/*.so,dst=/l,ro' --mount "type=glob,src=$PWD/d/3*" \
		--mount type=devpts,dst=/p,uid=1,gid=2,mode=600,max=5 --mount type=ramfs,dst=/r $IMG \
		sh -c "ls /l $PWD/d; touch /l/1.so 2>/dev/null || echo refused; grep -o '^devpts /p.*' /proc/mounts; stat -f -c %T /r"
	assert_ok
	assert_contains $'1.so\n2.so'
	assert_contains 3.txt
	assert_contains refused
	assert_contains max=5
	assert_contains ramfs
}

@test "a tmpfs begins with the image's files, belongs to whom it should, and has its limits" {
	need_image
	run box --tmpfs /home --tmpfs /new --mount type=tmpfs,dst=/www,notmpcopyup --tmpfs /mine:U,mode=700 --user 1000:1000 \
		$IMG sh -c 'ls /home /www; stat -c "%n %u:%g %a" /home /new /mine; touch /mine/x'
	assert_ok
	assert_output $'/home:\nuser\n\n/www:\n/home 0:0 1777\n/new 0:0 1777\n/mine 1000:1000 700'
	run box --tmpfs /t:size=1m,nr_inodes=3 $IMG sh -c \
		'dd if=/dev/zero of=/t/1 bs=1M count=2 2>/dev/null || echo full; touch /t/2 /t/3 2>/dev/null || echo many'
	assert_output $'full\nmany'
}

@test "volumes in memory live as long as their containers" {
	need_image
	bryo volume create -o type=tmpfs -o device=tmpfs -o o=size=2M,uid=1000,gid=1000,noexec mem
	run box -v mem:/x $IMG sh -c 'stat -c %u:%g:%a /x; touch /x/a; grep " /x " /proc/mounts'
	assert_matches '^1000:1000:755'
	assert_contains noexec
	assert_contains size=2048k
	id=$(bryo run -d --network none -v mem:/x $IMG sh -c 'ls /x; touch /x/shared; sleep 60')
	retry 10 bash -c '[ "$("$1" run --rm --network none -v mem:/y localhost/box ls /y)" = shared ]' bash "$BRYO"
	run bryo logs "$id"
	assert_output ''		# what the first container wrote is gone
	run bryo volume rm mem
	assert_status 2
	bryo rm -f -t 0 "$id"
	run bryo unshare cat /proc/self/mounts
	refute_contains mem/_data
	bryo volume create -o type=tmpfs img
	run box -v img:/home $IMG ls /home
	assert_output user
	run bryo unshare sh -c '"$1" volume mount mem && "$1" volume unmount mem' sh "$BRYO"
	assert_output "$XDG_DATA_HOME/bryo/volumes/mem/_data"$'\nmem'
	bryo volume rm mem img
}

@test "options of volumes: a directory of the user's, read-only, owners; what is refused" {
	need_image
	mkdir mine
	bryo volume create -o type=bind -o device="$PWD/mine" -o o=ro,noexec ro
	run box -v ro:/x $IMG sh -c 'touch /x/y; grep " /x " /proc/mounts'
	assert_contains 'Read-only'
	assert_contains noexec
	bryo volume create -o o=uid=5,gid=6 owned
	run box -v owned:/x --user 7:7 $IMG stat -c %u:%g /x
	assert_output 5:6
	run bryo volume inspect --format '{{.UID}}:{{.GID}}' owned
	assert_output 5:6
	bryo volume create -o nocopy=true bare
	run box -v bare:/home $IMG ls /home
	assert_output ''
	while IFS='|' read -r options expect; do
		# shellcheck disable=SC2086
		run bryo volume create $options bad
		assert_status 125
		assert_contains "$expect"
	done <<-'END'
	-o o=size=1m|-o type=tmpfs
	-o type=nfs -o device=:/x|an ordinary user cannot mount
	-o type=bind|needs a directory
	-o device=/nope -o o=bind|create it first
	-o device=/etc/passwd -o o=bind|is not a directory
	-o device=nope -o o=bind|must be an absolute directory
	-o o=uid=900000000|outside of your subordinate ranges
	-o bogus=1|known are type=
	-d nfs|only local is
	END
	run bryo volume exists bad
	assert_status 1
	rmdir mine
	run box -v ro:/x $IMG true
	assert_contains 'does not exist; create it first'
}

@test "volumes of another container, with options" {
	need_image
	mkdir d
	bryo create --name src -v v:/vv -v ./d:/dd:ro --tmpfs /tt -v /anon -v ./d:/own:U $IMG true
	run box --volumes-from src -v ./d:/own $IMG cat /proc/mounts
	[[ $(mounted /vv) == *' rw,'* && $(mounted /dd) == *' ro,'* && $(mounted /anon) == *' rw,'* && ! $(mounted /tt) ]]
	run box --volumes-from src:ro,z $IMG cat /proc/mounts
	[[ $(mounted /vv) == *' ro,'* && $(mounted /anon) == *' ro,'* ]]
	run bryo create --volumes-from src:nosuid $IMG true
	assert_contains 'can only use z,ro,rw'
	run bryo create --volumes-from src:ro,rw $IMG true
	assert_contains 'more than once'
	bryo rm -v src
	run bryo volume ls -q
	assert_output v
}

@test "devices in mounts can be used; an id-mapped mount is refused with the way out" {
	need_image
	mkdir d
	run box -v /dev/null:/n -v /dev/zero:/v/zero $IMG sh -c 'echo x >/n && head -c 3 /v/zero | wc -c'
	assert_output 3
	run box -v /dev/zero:/z:nodev $IMG head -c 1 /z
	[ "$status" -ne 0 ]
	run box -v ./d:/x:idmap $IMG ls /x
	assert_ok
	run box --userns keep-id -v ./d:/x:idmap $IMG ls /x
	assert_status 125
	assert_contains 'the volume option U'
}
