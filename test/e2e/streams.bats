# A container's streams: attached, piped, on a terminal, detached and joined again; and what stays when somebody is killed
load helpers

# up NAME ARGS...: a container in the background.
up() {
	local name=$1
	shift
	bryo run -d --name "$name" "$@" >/dev/null
}

status_of() { bryo inspect --format '{{.State.Status}}' "$1"; }
is_status() { [ "$(status_of "$1")" = "$2" ]; }
monitor_of() { bryo inspect --format '{{.State.ConmonPid}}' "$1"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }
log_has() { bryo logs "$1" 2>&1 | grep -q -- "$2"; }

@test "stdout and stderr stay apart" {
	need_image
	bryo run --rm $IMG sh -c 'echo out; echo err >&2' >out 2>err
	[ "$(cat out)" = out ]
	[ "$(cat err)" = err ]
}

@test "stdin is passed with -i and ends; without it there is none" {
	need_image
	run bryo run --rm -i $IMG cat <<<"some input"
	assert_ok
	assert_output "some input"
	run bryo run --rm $IMG cat <<<"some input"
	assert_ok
	assert_output ""
}

@test "megabytes through cat in both directions are whole" {
	need_image
	head -c 3000000 /dev/urandom >sent
	bryo run --rm -i $IMG cat <sent >copy
	cmp sent copy
}

@test "a reader that leaves ends the command, not the container" {
	need_image
	run bash -c "'$BRYO' run --name y $IMG sh -c 'echo first; sleep 0.5; echo second; sleep 0.2; echo third; sleep 30' | head -1"
	assert_output first
	is_status y running
	retry 10 log_has y third
}

@test "a terminal: size, resize, input, exit code" {
	need_image
	run on_terminal "$BRYO" run --rm -it $IMG sh <<-'END'
	@expect #
	stty size; echo A$((1+1))
	@expect 24 80
	@expect A2
	@size 31 101
	@sleep 0.3
	stty size
	@expect 31 101
	exit 5
	END
	assert_status 5
}

@test "detach keys leave it running, attach comes back, the terminal is as before" {
	need_image
	run on_terminal sh -c "before=\$(stty -g); '$BRYO' run -it --name t $IMG sh; [ \"\$(stty -g)\" = \"\$before\" ] && echo same" <<-'END'
	@expect #
	var=kept
	@expect #
	@raw 1011
	@expect same
	END
	assert_ok
	is_status t running
	run on_terminal "$BRYO" attach --detach-keys ctrl-a,x t <<-'END'
	echo is-$var
	@expect is-kept
	@raw 0178
	END
	assert_ok
	is_status t running
}

@test "invalid detach keys are refused with the reason" {
	need_image
	up k $IMG sleep 100
	run bryo attach --detach-keys ctrl-nope k
	assert_status 125
	assert_contains "invalid detach keys"
}

@test "attach sees what comes and ends with the exit code" {
	need_image
	up a -i $IMG sh -c 'read x; echo got $x; exit 6'
	run bryo attach a <<<word
	assert_status 6
	assert_output "got word"
	run bryo attach a
	assert_status 125
	assert_contains "you can only attach to running containers"
}

@test "start -a -i runs it again with its streams" {
	need_image
	bryo create -i --name s $IMG sh -c 'read x; echo got $x; exit 3' >/dev/null
	run bryo start -a -i s <<<one
	assert_status 3
	assert_output "got one"
	run bryo start -a -i s <<<two
	assert_output "got two"
}

@test "signals of run go to the container" {
	need_image
	"$BRYO" run --name sig $IMG sh -c 'trap "echo caught; exit 9" INT TERM USR1; echo ready; while :; do sleep 0.1; done' >out 3>&- &
	local pid=$!
	retry 10 grep -q ready out
	kill -USR1 $pid
	local code=0
	wait $pid || code=$?
	[ $code -eq 9 ]
	grep -q caught out
}

@test "--sig-proxy=false keeps them" {
	need_image
	"$BRYO" run --sig-proxy=false --name sig $IMG sh -c 'echo ready; sleep 100' >out 3>&- &
	local pid=$!
	retry 10 grep -q ready out
	kill -TERM $pid
	wait $pid || true
	is_status sig running
}

@test "the container survives the command and the terminal" {
	need_image
	"$BRYO" run --name long $IMG sh -c 'echo ready; i=0; while [ $i -lt 100 ]; do echo $i; i=$((i+1)); sleep 0.1; done' >out 3>&- &
	local pid=$!
	retry 10 grep -q ready out
	kill -KILL $pid
	wait $pid || true
	local before
	before=$(bryo logs long | wc -l)
	sleep 0.5
	[ "$(bryo logs long | wc -l)" -gt "$before" ]
	is_status long running
	run on_terminal sh -c "'$BRYO' run -d --name hup $IMG sleep 100; echo started" <<<"@expect started"
	assert_ok
	is_status hup running
}

@test "a killed monitor: the container does not hang, and the next command copes" {
	need_image
	up m $IMG sh -c 'while echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; do :; done'
	local monitor
	monitor=$(monitor_of m)
	kill -KILL "$monitor"
	retry 10 is_gone "$monitor"
	retry 10 is_status m exited
	run bryo rm -f m
	assert_ok
	up m $IMG sleep 100
	kill -KILL "$(monitor_of m)"
	run bryo rm -f m
	assert_ok
	run bryo ps -aq
	assert_output ""
}

@test "SIGTERM to a monitor ends its container and is recorded" {
	need_image
	up m $IMG sleep 100
	kill -TERM "$(monitor_of m)"
	retry 10 is_status m exited
	[ "$(bryo inspect --format '{{.State.ExitCode}}' m)" = 137 ]
}

@test "--restart on-failure:2 tries twice, always goes on until stop" {
	need_image
	up f --restart on-failure:2 $IMG sh -c 'echo try; exit 1'
	# Between two tries it has exited, too.
	given_up() { is_status f exited && [ "$(bryo logs f | grep -c try)" = 3 ]; }
	retry 15 given_up
	sleep 0.5
	given_up
	up always --restart always $IMG sh -c 'echo again; exit 0'
	three_times() { [ "$(bryo logs always | grep -c again)" -ge 3 ]; }
	retry 15 three_times
	run bryo stop -t 1 always
	assert_ok
	local n
	n=$(bryo logs always | grep -c again)
	sleep 1
	[ "$(bryo logs always | grep -c again)" = "$n" ]
	is_status always exited
}

@test "--timeout ends it" {
	need_image
	run bryo run --timeout 1 $IMG sleep 100
	assert_status 137
}

@test "--init reaps and passes signals" {
	need_image
	up i --init $IMG sh -c 'trap "exit 4" TERM; (sleep 0.1 &); while :; do sleep 0.1; done'
	sleep 0.5
	reaped() { [ "$(bryo exec i sh -c 'grep -l "State:.Z" /proc/[0-9]*/status 2>/dev/null; head -c 9 /proc/1/comm')" = bryo-init ]; }
	retry 5 reaped		# the shell's own child is one for a moment
	run bryo stop i
	assert_ok
	[ "$(bryo inspect --format '{{.State.ExitCode}}' i)" = 4 ]
}
