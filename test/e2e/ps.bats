# What scripts read: rows, filters, templates and the paths of inspect
load helpers

json() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }

@test "filters: a name is a regular expression, an unknown status is an error" {
	need_image
	bryo create --name web $IMG true >/dev/null
	bryo create --name web2 $IMG true >/dev/null
	run bryo ps -a --filter 'name=^web$' --format '{{.Names}}'
	assert_output web
	run bryo ps -aq --filter name=web
	[ "${#lines[@]}" -eq 2 ]
	run bryo ps -a --filter 'name=we[' -q
	assert_status 125
	run bryo ps -a --filter status=bogus
	assert_status 125
	assert_contains bogus
	run bryo ps --filter status=created --format '{{.Names}}'
	[ "${#lines[@]}" -eq 2 ]
}

@test "published ports: a list for programs, text for people; one port at two addresses" {
	local a b
	a=$(free_port) b=$(free_port)
	need_image
	bryo run -d --name none --network none $IMG sleep 100 >/dev/null
	bryo run -d --name web -p 127.0.0.1:"$a":80 -p 127.0.0.1:"$b":80 $IMG sleep 100 >/dev/null
	run bash -c "'$BRYO' ps --format json --filter name=none | python3 -c 'import json, sys; print(json.load(sys.stdin)[0][\"Ports\"])'"
	assert_output None
	bryo ps --format json --filter name=web >rows
	[ "$(json 'sorted(p["host_port"] for p in d[0]["Ports"]) == sorted(['"$a, $b"'])' <rows)" = True ]
	run bryo ps --filter name=web --format '{{.Ports}}'
	assert_output "127.0.0.1:$a->80/tcp, 127.0.0.1:$b->80/tcp"
	run bryo inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' web
	assert_matches '^[0-9.]+$'
	run bryo inspect -f '{{range (index .NetworkSettings.Ports "80/tcp")}}{{.HostPort}} {{end}}' web
	assert_output "$a $b "
}

@test "inspect has what scripts ask for" {
	need_image
	bryo create --name c --ulimit nofile=10:20 --tmpfs /t:size=1m --device /dev/null:/dev/x:r $IMG true >/dev/null
	run bryo inspect -f '{{if .State.Health}}yes{{else}}none{{end}} {{.GraphDriver.Name}} {{.Platform}} {{len .ExecIDs}}' c
	assert_matches '^none [a-z-]+ linux 0$'
	run bryo inspect -f '{{(index .HostConfig.Ulimits 0).Hard}} {{index .HostConfig.Tmpfs "/t"}} {{(index .HostConfig.Devices 0).PathInContainer}}' c
	assert_output "20 size=1m /dev/x"
	bryo create --name d --entrypoint /bin/echo -p 127.0.0.1:8123:80 $IMG a >/dev/null
	run bryo inspect -f '{{.Config.Entrypoint}} {{.Config.Cmd}} {{(index (index .HostConfig.PortBindings "80/tcp") 0).HostPort}}' d
	assert_output "[/bin/echo] [a] 8123"
	[ "$(bryo inspect -f '{{.HostConfig.LogConfig.Path}}' c)" = "$(bryo inspect -f '{{.LogPath}}' c)" ]
}

@test "top takes the words of ps" {
	need_image
	bryo run -d --name c --network none $IMG sleep 100 >/dev/null
	run bryo top c -eo pid,cmd
	assert_ok
	[[ ${lines[0]} =~ ^PID[[:space:]]+COMMAND ]]
	assert_matches '1 +sleep 100'
	run bryo top c aux
	assert_contains "sleep 100"
	run bryo top c -ef
	assert_contains "sleep 100"
	run bryo top c -o bogus
	assert_status 125
	run bryo top c -Z
	assert_status 125
}
