# What a user types in the first ten minutes, with a real registry, once with each storage driver
load helpers

by_hand() {
	local driver=$1 image port=8080
	needs docker-registry skopeo curl
	registry_start
	registry_push "$(image_file localhost/box)" box:1

	image=$REGISTRY/box:1
	export BRYO_DRIVER=$driver
	mkdir -p "$XDG_CONFIG_HOME/containers"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >"$XDG_CONFIG_HOME/containers/registries.conf"

	# pull
	run bryo pull "$image"
	assert_ok
	assert_matches '[0-9a-f]{64}$'
	run bryo images --format '{{.Repository}}:{{.Tag}}'
	assert_output "$image"
	run bryo info --format '{{.Store.GraphDriverName}}'
	assert_output "$driver"

	# run -it sh
	run on_terminal "$BRYO" --storage-driver="$driver" run --rm -it "$image" sh <<-'END'
	echo in the $((1+1))nd container; cat /etc/replaced
	@expect 2nd container
	@expect upper
	exit
	END
	assert_ok

	# a web server with a published port
	run bryo run -d --name web -p $port:80 "$image" httpd -f -vv -h /www
	assert_ok
	wait_for_port $port
	run curl -s --max-time 5 localhost:$port
	assert_output "hello from bryo"

	# exec -it
	run on_terminal "$BRYO" --storage-driver="$driver" exec -it web sh <<-'END'
	hostname; ps | grep -c '[h]ttpd'; echo D$((40+2))
	@expect D42
	exit
	END
	assert_ok

	# logs -f
	"$BRYO" --storage-driver="$driver" logs -f web >log 2>&1 3>&- &
	local logs=$!
	curl -s --max-time 5 localhost:$port/missing >/dev/null
	retry 5 grep -q missing log

	# top
	run bryo top web user,huser
	assert_ok
	assert_matches 'USER[ ]+HUSER'
	assert_matches "root[ ]+($(id -u)|$(id -un))"

	# stop, and logs -f ends by itself
	run bryo stop -t 2 web
	assert_ok
	retry 5 bash -c "! kill -0 $logs 2>/dev/null"
	run bryo rm web
	assert_ok
	run bryo ps -aq
	assert_output ""

	# info, unshare
	run bryo info
	assert_ok
	assert_contains "$driver"
	assert_contains idMappings
	run bryo unshare cat /proc/self/uid_map
	assert_ok
	assert_matches "^ *0 +$(id -u) +1"

	run bryo rmi "$image"
	assert_ok
	run bryo images -q
	assert_output ""
}

@test "by hand, with objects" {
	[ "$(bryo info --format '{{.Store.GraphDriverName}}')" = objects ] || skip "the object store does not work here"
	by_hand objects
}

@test "by hand, with overlay" { by_hand overlay; }

@test "by hand, with fuse-overlayfs" {
	needs fuse-overlayfs
	[ -w /dev/fuse ] || skip "no /dev/fuse"
	by_hand fuse-overlayfs
}

@test "by hand, with vfs" { by_hand vfs; }
