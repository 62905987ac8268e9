#include "hostlib/hostlib.h"

#include <string.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define F JSON_FIELD

JSON_SHAPE(hostlib_rules,
	F(hostlib_rules, rules, "rules", T_OBJECT, .shape = &oci_seccomp_shape, .required = true),
	F(hostlib_rules, name, "name", T_STRING, .required = true),
	F(hostlib_rules, where, "where", T_STRING, .required = true),
	F(hostlib_rules, numbers, "numbers", T_UINTS),
	F(hostlib_rules, known_only, "knownOnly", T_BOOL),
	F(hostlib_rules, seconds, "seconds", T_UINT, .required = true));

JSON_SHAPE(hostlib_filter,
	F(hostlib_filter, instructions, "instructions", T_UINTS, .required = true),
	F(hostlib_filter, libseccomp, "libseccomp", T_STRING, .required = true),
	F(hostlib_filter, newest, "newest", T_UINT));

JSON_SHAPE(hostlib_seccomp,
	F(hostlib_seccomp, version, "version", T_STRING, .required = true),
	F(hostlib_seccomp, architectures, "architectures", T_STRINGS));

JSON_SHAPE(hostlib_property,
	F(hostlib_property, name, "name", T_STRING, .required = true),
	F(hostlib_property, signature, "signature", T_STRING, .required = true),
	F(hostlib_property, steps, "steps", T_STRINGS),
	F(hostlib_property, demanded, "demanded", T_BOOL));

JSON_SHAPE(hostlib_unit,
	F(hostlib_unit, user, "user", T_BOOL),
	F(hostlib_unit, name, "name", T_STRING, .required = true),
	F(hostlib_unit, properties, "properties", T_OBJECTS, .shape = &hostlib_property_shape),
	F(hostlib_unit, pid, "pid", T_UINT),
	F(hostlib_unit, below, "below", T_STRING));

JSON_SHAPE(hostlib_who,
	F(hostlib_who, uid, "uid", T_UINT),
	F(hostlib_who, name, "name", T_STRING));

JSON_SHAPE(hostlib_account,
	F(hostlib_account, name, "name", T_STRING),
	F(hostlib_account, home, "home", T_STRING));

JSON_SHAPE(hostlib_ranges,
	F(hostlib_ranges, uids, "uids", T_UINTS),
	F(hostlib_ranges, gids, "gids", T_UINTS));

const struct hostlib_form hostlib_forms[HOSTLIB_CALLS] = {
	[HOSTLIB_COMPILE_FILTER] = { "compile-filter", &hostlib_rules_shape, &hostlib_filter_shape },
	[HOSTLIB_DESCRIBE_SECCOMP] = { "describe-seccomp", NULL, &hostlib_seccomp_shape },
	[HOSTLIB_START_UNIT] = { "start-unit", &hostlib_unit_shape, NULL },
	[HOSTLIB_SET_UNIT] = { "set-unit", &hostlib_unit_shape, NULL },
	[HOSTLIB_ATTACH_TO_UNIT] = { "attach-to-unit", &hostlib_unit_shape, NULL },
	[HOSTLIB_STOP_UNIT] = { "stop-unit", &hostlib_unit_shape, NULL },
	[HOSTLIB_ACCOUNT] = { "account", &hostlib_who_shape, &hostlib_account_shape },
	[HOSTLIB_SUBORDINATE_IDS] = { "subordinate-ids", &hostlib_who_shape, &hostlib_ranges_shape },
};

/* --- asking */

static int start(struct arena *arena, const struct hostlib_form *form, const void *request, int *ret_answer,
		 struct error *err)
{
	const char *text = form->request ? json_print(arena, json_encode(arena, form->request, request), 0) : "{}";
	char *program = spawn_own_program(arena, HOSTLIB_PROGRAM, err);
	struct spawn s = { .program = program, .argv = (char *[]){ (char *)HOSTLIB_PROGRAM, (char *)form->name, NULL } };
	_cleanup_fd_ int input = -1;
	int answer[2], pidfd;

	if (!program)
		return -1;
	input = spawn_input(text);
	if (input < 0 || fd_pipe(answer) < 0)
		return error_errno(err, "make a pipe to %s", HOSTLIB_PROGRAM);
	s.stdio = (int[]){ input, answer[1], -2 };
	pidfd = spawn_start(&s, NULL, err);
	close(answer[1]);
	if (pidfd < 0)
		close(answer[0]);
	else
		*ret_answer = answer[0];
	return pidfd;
}

/* 1: answered, 0: nothing was said, -1: an error was, or what is no answer. */
static int take(struct arena *arena, const struct hostlib_form *form, int fd, void *ret_answer, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER(ANSWER_MAX);
	struct error told = { 0 };
	int result = error_receive(fd, &told);

	if (result != 0) {
		if (err)
			*err = told;
		return -1;
	}
	if (fd_read_buffer(fd, &text) < 0)
		return error_errno(err, "read the answer of %s", HOSTLIB_PROGRAM);
	if (text.size == 0)
		return 0;
	if (form->answer && json_decode(arena, form->answer, ret_answer, text.data, text.size, HOSTLIB_PROGRAM, err) < 0)
		return -1;
	return 1;
}

int hostlib_ask(struct arena *arena, enum hostlib_call call, const void *request, void *ret_answer, int *ret_signal,
		struct error *err)
{
	const struct hostlib_form *form = &hostlib_forms[call];
	_cleanup_fd_ int answer = -1, pidfd = -1;
	int result, status, number;

	if (ret_signal)
		*ret_signal = 0;
	pidfd = start(arena, form, request, &answer, err);
	if (pidfd < 0)
		return -1;
	result = take(arena, form, answer, ret_answer, err);
	fd_close(&answer);		/* whoever goes on writing is ended by it */
	status = pidfd_reap(pidfd);
	if (result != 0)
		return result < 0 ? -1 : 0;
	number = status > 128 ? status - 128 : 0;
	if (ret_signal)
		*ret_signal = number;
	return error_set(err, ERROR_FAILED, "%s ended without an answer to %s: %s", HOSTLIB_PROGRAM, form->name,
			 number ? strsignal(number) : arena_printf(arena, "exit code %d", status));
}
