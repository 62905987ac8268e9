/* The calls with libraries in the place of the host's (fake_*.c), which LD_LIBRARY_PATH leads to. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hostlib/hostlib.h"
#include "sys/fd.h"

struct fixture {
	struct arena *arena;
	char said[64];			/* file: a line a method call */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	snprintf(f->said, sizeof(f->said), "/tmp/bryo-bus-XXXXXX");
	close(mkstemp(f->said));
	setenv("BRYO_TEST_BUS", f->said, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->said);
	arena_free(f->arena);
	free(f);
	return 0;
}

static char *said(struct fixture *f)
{
	return fd_read_file(f->arena, AT_FDCWD, f->said, 1 << 20, NULL);
}

static void add_property(struct fixture *f, struct hostlib_unit *unit, const char *name, const char *signature, bool demanded,
			 const char *steps)
{
	*ARRAY_ADD(f->arena, &unit->properties) = (struct hostlib_property){
		.name = (char *)name, .signature = (char *)signature, .demanded = demanded,
		.steps = strings_split(f->arena, steps, " ") };
}

static int ask(struct fixture *f, enum hostlib_call call, const struct hostlib_unit *unit, struct error *err)
{
	error_clear(err);
	return hostlib_ask(f->arena, call, unit, NULL, NULL, err);
}

#define HEAD "user StartTransientUnit s\"a.scope\" s\"fail\" a(sv){"
#define TAIL " } a(sa(sv)){ }\n"

/* Every type of a step. */
static void test_start(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .user = true, .name = (char *)"a.scope" };
	struct error err = { 0 };

	add_property(f, &unit, "Number", "t", false, "t18446744073709551615");
	add_property(f, &unit, "Small", "(bynqiux)", false, "rbynqiux b1 y255 n65534 q65535 i4294967295 u4294967295 "
		     "x18446744073709551615 )");
	add_property(f, &unit, "Real", "d", false, "d4609434218613702656");
	add_property(f, &unit, "Texts", "as", true, "as sone s sthr\"ee\xc3\xa4 o/x gai )");
	if (ask(f, HOSTLIB_START_UNIT, &unit, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(said(f), HEAD
		" rsv{ s\"Number\" vt{ t18446744073709551615 } }"
		" rsv{ s\"Small\" v(bynqiux){ rbynqiux{ b1 y255 n-2 q65535 i-1 u4294967295 x-1 } } }"
		" rsv{ s\"Real\" vd{ d1.5 } }"
		" rsv{ s\"Texts\" vas{ as{ s\"one\" s\"\" s\"thr\"ee\xc3\xa4\" o\"/x\" g\"ai\" } } }" TAIL);
}

/* Left out when systemd does not know it, unless somebody demands it. */
static void test_unknown(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .user = true, .name = (char *)"a.scope" };
	struct error err = { 0 };

	add_property(f, &unit, "Unknown", "b", false, "b1");
	add_property(f, &unit, "Known", "b", false, "b1");
	assert_int_equal(ask(f, HOSTLIB_START_UNIT, &unit, &err), 0);
	assert_string_equal(said(f), HEAD " rsv{ s\"Unknown\" vb{ b1 } } rsv{ s\"Known\" vb{ b1 } }" TAIL
				     HEAD " rsv{ s\"Known\" vb{ b1 } }" TAIL);
	unit.properties.v[0].demanded = true;
	assert_int_equal(ask(f, HOSTLIB_START_UNIT, &unit, &err), -1);
	assert_string_equal(err.text, "systemd refuses to start a.scope: Cannot set property Unknown, or unknown property.");
}

/* A container that has just ended: its scope goes in a moment. */
static void test_busy(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .name = (char *)"busy.scope" };
	struct error err = { 0 };
	const char *line = "system StartTransientUnit s\"busy.scope\" s\"fail\" a(sv){ } a(sa(sv)){ }\n";

	assert_int_equal(ask(f, HOSTLIB_START_UNIT, &unit, &err), 0);
	assert_string_equal(said(f), arena_printf(f->arena, "%s%s%s", line, line, line));
}

static void test_set(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .user = true, .name = (char *)"a.scope" };
	struct error err = { 0 };

	add_property(f, &unit, "TasksMax", "t", false, "t5");
	assert_int_equal(ask(f, HOSTLIB_SET_UNIT, &unit, &err), 0);
	assert_string_equal(said(f), "user SetUnitProperties s\"a.scope\" b1 a(sv){ rsv{ s\"TasksMax\" vt{ t5 } } }\n");
}

static void test_attach(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .user = true, .name = (char *)"a.scope", .below = (char *)"/container", .pid = 4711 };
	struct error err = { 0 };

	assert_int_equal(ask(f, HOSTLIB_ATTACH_TO_UNIT, &unit, &err), 0);
	unit.name = (char *)"denied.scope";
	unit.below = NULL;
	assert_int_equal(ask(f, HOSTLIB_ATTACH_TO_UNIT, &unit, &err), -1);
	assert_string_equal(err.text, "systemd refuses to take a process into denied.scope: Access denied");
	assert_string_equal(said(f), "user AttachProcessesToUnit s\"a.scope\" s\"/container\" au{ u4711 }\n"
				     "user AttachProcessesToUnit s\"denied.scope\" s\"\" au{ u4711 }\n");
}

static const struct { const char *unit, *error; } stops[] = {
	{ "a.scope", NULL },
	{ "missing.scope", NULL },	/* it is gone */
	{ "denied.scope", "systemd refuses to stop denied.scope: Access denied" },
	{ "failing.scope", "systemd could not stop failing.scope: failed" },
};

static void test_stop(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(stops); i++) {
		struct hostlib_unit unit = { .name = (char *)stops[i].unit };
		struct error err = { 0 };

		assert_int_equal(ask(f, HOSTLIB_STOP_UNIT, &unit, &err), stops[i].error ? -1 : 0);
		assert_string_equal(err.text, stops[i].error ? stops[i].error : "");
	}
	assert_non_null(strstr(said(f), "system StopUnit s\"a.scope\" s\"replace\"\n"));
}

static void test_no_bus(void **state)
{
	struct fixture *f = *state;
	struct hostlib_unit unit = { .user = true, .name = (char *)"a.scope" };
	struct error err = { 0 };

	setenv("BRYO_TEST_NO_BUS", "1", 1);
	assert_int_equal(ask(f, HOSTLIB_STOP_UNIT, &unit, &err), -1);
	unsetenv("BRYO_TEST_NO_BUS");
	assert_string_equal(err.text, "connect to the user's systemd: Connection refused");
	assert_string_equal(err.hint, "use --cgroup-manager=cgroupfs, or log in through systemd");
}

static void test_subordinate_ids(void **state)
{
	struct fixture *f = *state;
	struct hostlib_who who = { .name = (char *)"alice" };
	struct hostlib_ranges ranges;

	assert_int_equal(hostlib_ask(f->arena, HOSTLIB_SUBORDINATE_IDS, &who, &ranges, NULL, NULL), 0);
	assert_int_equal(ranges.uids.n, 4);
	assert_int_equal(ranges.uids.v[0], 100000);
	assert_int_equal(ranges.uids.v[2], UINT64_C(1) << 40);
	assert_int_equal(ranges.gids.n, 2);
	assert_int_equal(ranges.gids.v[1], 1);
	who.name = (char *)"bob";
	assert_int_equal(hostlib_ask(f->arena, HOSTLIB_SUBORDINATE_IDS, &who, &ranges, NULL, NULL), 0);
	assert_int_equal(ranges.uids.n + ranges.gids.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_bus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subordinate_ids, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
