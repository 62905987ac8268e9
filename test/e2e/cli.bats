# The command line itself: help, errors, completion, formats. No container runs here.
load helpers

@test "--version and version" {
	run bryo --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bryo\ version\ [0-9.]+$ ]]
	run bryo version -f '{{.Client.Version}}'
	[ "$status" -eq 0 ]
	[[ $output =~ ^[0-9.]+$ ]]
}

@test "usage errors exit 125 and say where help is" {
	run bryo
	[ "$status" -eq 125 ]
	run bryo nosuch
	[ "$status" -eq 125 ]
	[ "${lines[0]}" = 'error[unknown-command]: unrecognized command `bryo nosuch`' ]
	[ "${lines[1]}" = "  hint: see 'bryo --help'" ]
	run bryo run --foo x
	[ "$status" -eq 125 ]
	[ "${lines[0]}" = "error[unknown-option]: unknown flag: --foo" ]
	[ "${lines[1]}" = "  hint: see 'bryo run --help'" ]
}

@test "near misses are guessed" {
	run bryo exce x
	[[ $output == *'did you mean `bryo exec`?'* ]]
	run bryo run --volum /a:/b x
	[[ $output == *'did you mean --volume?'* ]]
}

@test "misspelt names of objects are guessed" {
	need_image
	bryo create --name frontend $IMG true >/dev/null
	bryo volume create database >/dev/null
	bryo network create backbone >/dev/null
	run bryo rm frontned
	assert_output 'error[no-such-container]: no container with ID or name "frontned" found: no such container
  hint: did you mean frontend?'
	run bryo volume inspect databse
	assert_contains 'hint: did you mean database?'
	run bryo network rm backbnoe
	assert_contains 'hint: did you mean backbone?'
	run bryo rmi bxo
	assert_contains 'hint: did you mean box?'
	run bryo run --rm --pull never localhost/bux
	assert_status 125
	assert_contains 'error[no-such-image]: '
	assert_contains 'hint: did you mean'
}

@test "the option at fault is shown once, and never the whole line" {
	need_image
	run bryo run --rm -e TOKEN=secret --mount type=bind,src=/tmp $IMG true
	assert_status 125
	assert_output 'error[usage]: mount "type=bind,src=/tmp": must set volume destination'
	run bryo --error-format json run --rm -e TOKEN=secret -p 8080:80 --publish=8081:99999 $IMG true
	[ "$(jq -r .where <<<"$output")" = "--publish=8081:99999" ]
	! grep -q secret <<<"$output"
}

@test "help CODE tells what is behind an error, in text and for completion" {
	run bryo help port-taken
	assert_ok
	assert_contains 'port-taken: another process or container listens on the port'
	run bryo help uid-shift
	assert_contains 'Not a cure: :z and :Z'
	run bryo help codes
	assert_contains 'mode-bits '
	assert_contains 'no-such-volume '
	run bryo help no-such-code
	assert_status 125
	run bryo __complete help no-su
	assert_contains 'no-such-image'
	assert_contains 'no-subids'
}

@test "--error-format json: one line of JSON for each error" {
	run bryo --error-format json rm -f -- one.two nope
	assert_ok
	run bryo --error-format json rm nope nope2
	assert_status 1
	[ "$(jq -r .code <<<"$output")" = $'no-such-container\nno-such-container' ]
	run env BRYO_ERROR_FORMAT=json "$BRYO" exce x
	assert_status 125
	[ "$(jq -r '.level, .code, .hint' <<<"$output")" = $'error\nunknown-command\ndid you mean `bryo exec`?' ]
	run bryo --error-format yaml ps
	assert_status 125
	assert_contains 'error[bad-value]: unknown error format "yaml"'
}

@test "flags of podman and docker that are not offered say what to do instead" {
	run bryo run --gpus all x
	[ "$status" -eq 125 ]
	[[ $output == "error[unsupported-option]: known but not supported here: --gpus: "* ]]
	run bryo --remote ps
	[ "$status" -eq 125 ]
	[[ $output == *"known but not supported here: --remote"* ]]
}

@test "missing objects: the codes of podman" {
	run bryo rm nope
	[ "$status" -eq 1 ]
	[ "$output" = 'error[no-such-container]: no container with ID or name "nope" found: no such container' ]
	run bryo rm -f nope
	[ "$status" -eq 0 ]
	run bryo stop nope
	[ "$status" -eq 125 ]
	run bryo rmi nope
	[ "$status" -eq 1 ]
	run bryo volume rm nope
	[ "$status" -eq 1 ]
	run bryo container exists nope
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	run bryo inspect nope
	[ "$status" -eq 125 ]
	[ "${lines[0]}" = '[]' ]
	[ "${lines[1]}" = 'error[no-such-object]: no such object: "nope"' ]
}

@test "tables have podman's columns" {
	run bryo ps
	[ "$output" = "CONTAINER ID  IMAGE       COMMAND     CREATED     STATUS      PORTS       NAMES" ]
	run bryo ps --noheading
	[ -z "$output" ]
	run bryo ps --format json
	[ "$output" = "[]" ]
	run bryo images
	[ "$output" = "REPOSITORY  TAG         IMAGE ID    CREATED     SIZE" ]
	run bryo volume ls
	[ "$output" = "DRIVER      VOLUME NAME" ]
}

@test "formats: templates, table, json" {
	need_image
	run bryo images --format '{{.Repository}}:{{.Tag}}\t{{.Size}}'
	[[ $output =~ ^localhost/box:latest$'\t'[0-9.]+\ [kM]B$ ]]
	run bryo images --format 'table {{.Repository}} {{.Tag}}'
	[ "${lines[0]}" = "REPOSITORY     TAG" ]
	[ "${lines[1]}" = "localhost/box  latest" ]
	run bryo images -q
	[[ $output =~ ^[0-9a-f]{12}$ ]]
	run bryo inspect -f '{{index .RepoTags 0}}' localhost/box
	[ "$output" = localhost/box:latest ]
	run bryo inspect -f '{{.Nosuch}}' localhost/box
	[ "$status" -eq 125 ]
}

@test "completion knows commands, flags, values and names" {
	need_image
	bryo volume create data
	complete() { bryo __complete "$@" | cut -f1 | tr '\n' ' '; }
	[ "$(complete ren)" = "rename " ]
	[ "$(complete)" = "$(complete '')" ]
	[ "$(complete container pru)" = "prune " ]
	[ "$(complete run --pub)" = "--publish --publish-all " ]
	[ "$(complete run --pull=m)" = "--pull=missing " ]
	[ "$(complete run --pull m)" = "missing " ]
	[ "$(complete run loc)" = "localhost/box:latest " ]
	[ "$(complete run bo)" = "box:latest " ]
	[ "$(complete volume rm '')" = "data " ]
	[ "$(complete run x --pub)" = "" ]
	for shell in bash zsh fish; do bryo completion $shell | grep -q __complete; done
	run bryo completion tcsh
	[ "$status" -eq 125 ]
}

@test "the completion of bash answers where = and : break words" {
	PATH=$(dirname "$BRYO"):$PATH
	source <(bryo completion bash)
	compopt() { :; }
	answer() {	# the line, then its last word as readline breaks it
		COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=(bryo x "$2") COMP_CWORD=2
		_bryo
		echo "${COMPREPLY[*]}"
	}
	[ "$(answer 'bryo run --pull=al' al)" = always ]
	[ "$(answer 'bryo run --pull=' =)" = "always missing never newer" ]
	[ "$(answer 'bryo ren' ren)" = rename ]
}

@test "every command has a manual page source and a help text" {
	for page in $(bryo __man --list); do
		words=$(bryo __man --words "$page")
		bryo $words --help >/dev/null
		bryo __man $words | grep -q '^# NAME'
	done
}

@test "unshare runs a command as root of the namespace" {
	run bryo unshare id -u
	[ "$output" = 0 ]
	run bryo unshare sh -c 'echo $CONTAINERS_GRAPHROOT; exit 3'
	[ "$status" -eq 3 ]
	[ "$output" = "$XDG_DATA_HOME/bryo" ]
	run bryo unshare /nonexistent
	[ "$status" -eq 127 ]
	run bryo unshare /etc
	[ "$status" -eq 126 ]
}

@test "a full standard output is an error" {
	run bash -c '"$0" --help >/dev/full' "$BRYO"
	[ "$status" -eq 125 ]
}
