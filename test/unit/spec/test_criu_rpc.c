#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "spec/criu_rpc.h"

static struct arena *arena;

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The bytes in hex. */
static const char *encoded(const struct criu_request *r)
{
	_cleanup_buffer_ struct buffer out = BUFFER(4096);
	char *hex = arena_alloc(arena, 8193);

	assert_int_equal(criu_request_encode(r, &out), 0);
	for (size_t i = 0; i < out.size; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)out.data[i]);
	return hex;
}

static void sends_only_what_is_set(void **state)
{
	struct criu_options o = { .images_fd = 5 };
	struct criu_request r = { .type = CRIU_VERSION };

	(void)state;
	assert_string_equal(encoded(&r), "080a");
	r = (struct criu_request){ .type = CRIU_DUMP, .options = &o };
	assert_string_equal(encoded(&r), "0801" "1202" "0805");
	o.images_fd = -1;
	assert_string_equal(encoded(&r), "0801" "120b" "08ffffffffffffffffff01");
	r = (struct criu_request){ .type = CRIU_NOTIFY };
	assert_string_equal(encoded(&r), "0806" "1800");
	r.success = true;
	assert_string_equal(encoded(&r), "0806" "1801");
	r = (struct criu_request){ .type = CRIU_FEATURE_CHECK, .mem_track = true };
	assert_string_equal(encoded(&r), "0809" "2a02" "0801");
}

static void sends_every_kind_of_field(void **state)
{
	struct criu_options o = { .images_fd = 3, .pid = 300, .leave_running = true, .root = (char *)"/r", .manages_cgroups = true,
				  .page_address = (char *)"::1", .page_port = 77, .network_lock = CRIU_LOCK_SKIP };
	struct criu_request r = { .type = CRIU_RESTORE, .options = &o };

	(void)state;
	strings_add(arena, &o.external, "net[4]:n");
	map_set(arena, &o.mounts, "/a", "/b");
	map_set(arena, &o.cgroup_roots, "", "/c");	/* the empty name is one */
	*ARRAY_ADD(arena, &o.inherited) = (struct criu_inherited){ (char *)"p", 0 };
	assert_string_equal(encoded(&r), "0802" "1244"
			    "0803" "10ac02" "1801" "6a022f72"
			    "ba0108" "0a022f61" "12022f62"		/* 23: {/a, /b} */
			    "c00101"					/* 24 */
			    "ca0106" "0a00" "12022f63"			/* 25: {"", /c} */
			    "aa0208" "6e65745b345d3a6e"			/* 37 */
			    "800403"					/* 64 */
			    "900200"					/* 34: mode 0 is a mode */
			    "5a07" "0a033a3a31" "104d"			/* 11: {::1, 77} */
			    "da0105" "0a0170" "1000");			/* 27: {p, 0} */
}

static void refuses_what_is_too_long(void **state)
{
	struct buffer small = BUFFER(8);
	struct criu_options o = { .images_fd = 3, .root = (char *)"/a/long/path" };
	struct criu_request r = { .type = CRIU_DUMP, .options = &o };

	(void)state;
	assert_int_equal(criu_request_encode(&r, &small), -1);
	buffer_done(&small);
}

static struct criu_answer answer;

static int decode(const char *bytes, size_t n)
{
	return criu_answer_decode(arena, bytes, n, &answer);
}
#define DECODE(text) decode(text, sizeof(text) - 1)

static void reads_answers(void **state)
{
	(void)state;
	assert_int_equal(DECODE("\x08\x0a\x10\x01\x52\x0c\x08\x04\x10\x01\x1a\x04gitx\x20\x02"), 0);
	assert_int_equal(answer.type, CRIU_VERSION);
	assert_true(answer.success);
	assert_int_equal(answer.major, 4);
	assert_int_equal(answer.minor, 1);
	assert_int_equal(answer.sublevel, 2);
	assert_int_equal(DECODE("\x08\x06\x10\x01\x2a\x11\x0a\x0cpost-restore\x10\xac\x02"), 0);
	assert_int_equal(answer.type, CRIU_NOTIFY);
	assert_string_equal(answer.script, "post-restore");
	assert_int_equal(answer.pid, 300);
	assert_int_equal(DECODE("\x08\x02\x10\x01\x22\x03\x08\xac\x02"), 0);
	assert_int_equal(answer.pid, 300);
	assert_int_equal(DECODE("\x08\x01\x10\x00\x38\x16\x4a\x03" "bad"), 0);
	assert_false(answer.success);
	assert_int_equal(answer.error, 22);
	assert_string_equal(answer.message, "bad");
	assert_int_equal(DECODE("\x08\x09\x10\x01\x42\x04\x08\x01\x10\x00"), 0);
	assert_true(answer.mem_track);
	assert_false(answer.lazy_pages);
	/* Fields that nobody here knows are passed over. */
	assert_int_equal(DECODE("\xa8\x06\x07\xa1\x06" "12345678\xad\x06" "1234\xaa\x06\x02xx\x08\x01"), 0);
	assert_int_equal(answer.type, 1);
	assert_int_equal(DECODE(""), 0);
}

static void refuses_damaged_answers(void **state)
{
	static const struct { const char *bytes; size_t n; } cases[] = {
		{ "\x08", 1 },				/* no value */
		{ "\x08\xff\xff", 3 },			/* a number that does not end */
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 },	/* more than 64 bits */
		{ "\x4a\x05" "abc", 5 },		/* longer than the message */
		{ "\x4a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ "\x2a\x02\x0a\x05", 4 },		/* the same inside of a message */
		{ "\x0b", 1 }, { "\x0c", 1 }, { "\x0f\x00", 2 },	/* kinds that there are not */
		{ "\x01" "1234", 5 }, { "\x05" "123", 4 },
		{ "\x00\x00", 2 },			/* field 0 */
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_int_equal(decode(cases[i].bytes, cases[i].n), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sends_only_what_is_set, enter, leave),
		cmocka_unit_test_setup_teardown(sends_every_kind_of_field, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_what_is_too_long, enter, leave),
		cmocka_unit_test_setup_teardown(reads_answers, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_damaged_answers, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
