# What takes room, and how all of it goes: system df, system prune, system reset
load helpers

@test "system df: shared layers count once" {
	run bryo system df
	assert_output 'TYPE           TOTAL       ACTIVE      SIZE        RECLAIMABLE
Images         0           0           0B          0B (0%)
Containers     0           0           0B          0B (0%)
Local Volumes  0           0           0B          0B (0%)'
	need_image
	whole=$(bryo system df --format json | jq '.[0].RawSize')
	[ "$whole" -eq "$(bryo images --format json | jq '.[0].Size')" ]
	need_image localhost/second --config '"Cmd":["x"]'
	bryo system df --format json | jq -e --argjson whole "$whole" '.[0] | .Type == "Images" and .Total == 2 and .Active == 0
		and .RawSize == $whole and .RawReclaimable == $whole and (.Reclaimable | endswith("(100%)"))'
	bryo run --name c -v data:/d -v own:/e $IMG sh -c 'head -c 5000 /dev/zero >/f; head -c 700 /dev/zero >/d/f'
	bryo volume create idle
	run bryo system df --format '{{.Type}} {{.Total}} {{.Active}} {{.RawSize}} {{.RawReclaimable}}'
	assert_contains "Images 2 1 $whole 0"
	# With vfs it is the difference of two trees: what lower layers have and upper ones hide (12 bytes) is taken off.
	assert_matches 'Containers 1 0 (5000 5000|4988 4988)'
	assert_contains 'Local Volumes 3 2 700 0'
	run bryo system df --format '{{.Size}}'
	assert_matches '(5|4.988)kB'
}

@test "system df -v: each object" {
	need_image
	need_image localhost/second --config '"Cmd":["x"]'
	bryo run --name c -v data:/d $IMG sh -c 'head -c 5000 /dev/zero >/f'
	run bryo system df -v
	assert_ok
	assert_contains 'Images space usage:'
	assert_matches 'REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS'
	assert_matches 'localhost/box +latest +[0-9a-f]{12} +[0-9]+ years +([0-9.]+MB) +[0-9.]+MB +0B +1'
	assert_matches 'CONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES'
	assert_matches "[0-9a-f]{12} +[0-9a-f]{12} +sh -c head .* 1 +(5|4.988)kB +[^ ]+ .*exited +c"
	assert_matches 'VOLUME NAME +LINKS +SIZE'
	assert_matches 'data +1 +0B'
	run bryo system df -v --format json
	assert_status 125
	assert_output 'error[usage]: cannot combine --format and --verbose flags'
}

@test "system prune: containers, images and, when asked, volumes" {
	need_image
	need_image localhost/dangling --variant d
	bryo untag localhost/dangling
	bryo create --name stopped -v named:/v $IMG true
	bryo run -d --name runs $IMG sleep 1000
	bryo volume create idle
	run bryo system prune -f
	assert_ok
	assert_contains 'Deleted Containers'
	assert_contains 'Deleted Images'
	assert_matches 'Total reclaimed space: [0-9.]+MB$'
	[ "$(bryo ps -a --format '{{.Names}}')" = runs ]
	[ "$(bryo images -q | wc -l)" -eq 1 ]
	[ "$(bryo volume ls -q | wc -l)" -eq 2 ]
	run bryo system prune -f --volumes
	assert_contains idle
	[ -z "$(bryo volume ls -q)" ]
	bryo rm -f -t 0 runs
	run bryo system prune -f -a --filter until=1h
	[ "$(bryo images -q | wc -l)" -eq 0 ]
	run bryo system prune </dev/null
	assert_contains '[y/N]'
	run bryo system prune -f --filter nonsense=x
	assert_status 125
}

@test "system reset leaves nothing" {
	need_image
	bryo run -d --name runs -v vol:/v $IMG sleep 1000
	pid=$(bryo inspect --format '{{.State.Pid}}' runs)
	bryo create --name c $IMG true
	bryo unshare sh -c "$BRYO image mount box; $BRYO mount c"
	run bryo system reset </dev/null
	assert_status 125
	assert_contains 'nobody is there to be asked'
	run on_terminal "$BRYO" system reset <<<n
	assert_contains 'all containers'
	[ "$(bryo ps -aq | wc -l)" -eq 2 ]
	run bryo system reset --force
	assert_ok
	assert_output ''
	[ ! -e "$XDG_DATA_HOME/bryo" ]
	[ ! -e "$XDG_RUNTIME_DIR/bryo" ] || { ls -R "$XDG_RUNTIME_DIR/bryo"; false; }
	! kill -0 "$pid" 2>/dev/null
	# And all begins anew.
	run bryo images -q
	assert_output ''
	need_image
	run bryo run --rm $IMG echo again
	assert_output again
}

@test "system reset refuses what is not a store, and leaves what is not the store's" {
	mkdir -p precious/layers precious/tmp
	echo >precious/file
	run bryo --root "$PWD/precious" system reset -f
	assert_status 125
	assert_contains 'is not a store of bryo'
	[ -e precious/file ]
	[ "$(ls precious)" = $'file\nlayers\ntmp' ]
	bryo --root "$PWD/store" images
	echo >store/mine
	run bryo --root "$PWD/store" system reset -f
	assert_ok
	assert_contains 'store/mine is not the store'
	[ "$(ls store)" = mine ]
}
