#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "sys/fd.h"
#include "sys/log.h"
#include "sys/log_record.h"

struct fixture {
	char path[32];
	int dir;
	struct arena *arena;
	struct log_writer writer;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/log-test-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	f->dir = open(f->path, O_DIRECTORY | O_CLOEXEC);
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_remove_tree(f->dir, "ctr.log");
	fd_remove_tree(f->dir, "ctr.log.1");
	close(f->dir);
	rmdir(f->path);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void writer_open(struct fixture *f, uint64_t max_size)
{
	assert_int_equal(log_writer_open(&f->writer, f->dir, "ctr.log", max_size, NULL), 0);
}

static void put(struct fixture *f, enum log_stream stream, const char *text)
{
	assert_int_equal(log_write(&f->writer, stream, text, strlen(text)), 0);
}

/* "O:text|" for each record of stdout, "E:" for stderr, lower case for partial ones. */
static const char *read_on(struct log_reader *r)
{
	static char out[4096];
	struct log_record record;
	size_t n = 0;
	int more;

	out[0] = 0;
	while ((more = log_reader_next(r, &record, NULL)) == 1) {
		const char *letter = record.stream == LOG_STDOUT ? "Oo" : "Ee";

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%c:%.*s|", letter[record.partial], (int)record.size,
				      record.text);
	}
	assert_int_equal(more, 0);
	return out;
}

static struct log_reader *reader_open(struct fixture *f, int64_t tail)
{
	struct log_query q = { .tail = tail };
	struct log_reader *r = log_reader_open(f->arena, f->dir, "ctr.log", &q, NULL);

	assert_non_null(r);
	return r;
}

static const char *read_tail(struct fixture *f, int64_t tail)
{
	struct log_reader *r = reader_open(f, tail);
	const char *text = read_on(r);

	log_reader_close(r);
	return text;
}

static void test_lines_and_parts(void **state)
{
	struct fixture *f = *state;

	writer_open(f, 0);
	put(f, LOG_STDOUT, "one\ntwo\nthr");
	put(f, LOG_STDERR, "err\n\n");
	put(f, LOG_STDOUT, "ee\nunfinished");
	assert_string_equal(read_tail(f, -1), "O:one|O:two|E:err|E:|O:three|");
	log_writer_close(&f->writer);
	assert_string_equal(read_tail(f, -1), "O:one|O:two|E:err|E:|O:three|o:unfinished|");
}

static void test_long_line_is_cut_into_parts(void **state)
{
	struct fixture *f = *state;
	struct log_record record;
	static char line[40001];
	struct log_reader *r;
	size_t total = 0;
	int parts = 0;

	memset(line, 'x', 40000);
	line[40000] = '\n';
	writer_open(f, 0);
	for (size_t at = 0; at < sizeof(line);) {	/* in uneven pieces */
		size_t n = sizeof(line) - at < 777 ? sizeof(line) - at : 777;

		assert_int_equal(log_write(&f->writer, LOG_STDOUT, line + at, n), 0);
		at += n;
	}
	log_writer_close(&f->writer);
	r = reader_open(f, -1);
	while (log_reader_next(r, &record, NULL) == 1) {
		total += record.size;
		parts++;
		assert_true(record.size <= 16384);
		assert_int_equal(record.partial, parts < 3);
	}
	assert_int_equal(parts, 3);
	assert_int_equal(total, 40000);
	log_reader_close(r);
}

static void test_exactly_full_part(void **state)
{
	struct fixture *f = *state;
	static char line[16385];
	struct log_record record;
	struct log_reader *r;

	memset(line, 'y', 16384);
	line[16384] = '\n';
	writer_open(f, 0);
	assert_int_equal(log_write(&f->writer, LOG_STDOUT, line, sizeof(line)), 0);
	log_writer_close(&f->writer);
	r = reader_open(f, -1);
	assert_int_equal(log_reader_next(r, &record, NULL), 1);
	assert_int_equal(record.size, 16384);
	assert_false(record.partial);
	assert_int_equal(log_reader_next(r, &record, NULL), 0);
	log_reader_close(r);
}

static void test_tail(void **state)
{
	struct fixture *f = *state;

	writer_open(f, 0);
	put(f, LOG_STDOUT, "1\n2\n3\n4\n5\n");
	assert_string_equal(read_tail(f, 0), "");
	assert_string_equal(read_tail(f, 1), "O:5|");
	assert_string_equal(read_tail(f, 3), "O:3|O:4|O:5|");
	assert_string_equal(read_tail(f, 5), "O:1|O:2|O:3|O:4|O:5|");
	assert_string_equal(read_tail(f, 50), "O:1|O:2|O:3|O:4|O:5|");
	put(f, LOG_STDOUT, "end");
	log_writer_close(&f->writer);
	assert_string_equal(read_tail(f, 2), "O:5|o:end|");
}

/* Blocks of 64 KiB are walked backwards: lines that straddle them count once. */
static void test_tail_over_blocks(void **state)
{
	struct fixture *f = *state;
	struct log_record record;
	struct log_reader *r;
	char line[600];
	int i;

	writer_open(f, 0);
	for (i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "%0*d\n", 20 + i % 500, i);
		put(f, LOG_STDOUT, line);
	}
	log_writer_close(&f->writer);
	r = reader_open(f, 777);
	for (i = 1000 - 777; log_reader_next(r, &record, NULL) == 1; i++)
		assert_int_equal(strtol(record.text, NULL, 10), i);
	assert_int_equal(i, 1000);
	log_reader_close(r);
}

static void test_rotation(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r;
	struct stat st;
	char line[16];

	writer_open(f, 400);
	r = reader_open(f, -1);
	put(f, LOG_STDOUT, "a\n");
	assert_string_equal(read_on(r), "O:a|");
	for (int i = 0; i < 9; i++) {	/* 44 bytes each: 9 fit */
		snprintf(line, sizeof(line), "%d\n", i);
		put(f, LOG_STDOUT, line);
	}
	assert_int_equal(fstatat(f->dir, "ctr.log.1", &st, 0), 0);
	assert_true(st.st_size <= 400);
	assert_string_equal(read_on(r), "O:0|O:1|O:2|O:3|O:4|O:5|O:6|O:7|O:8|");
	assert_string_equal(read_tail(f, 3), "O:6|O:7|O:8|");
	log_writer_close(&f->writer);
	log_reader_close(r);
}

static void test_follow_from_before_the_first_line(void **state)
{
	struct fixture *f = *state;
	struct log_reader *r = reader_open(f, -1);

	assert_string_equal(read_on(r), "");
	writer_open(f, 0);
	put(f, LOG_STDOUT, "hello\n");
	assert_string_equal(read_on(r), "O:hello|");
	put(f, LOG_STDERR, "again\n");
	assert_string_equal(read_on(r), "E:again|");
	log_writer_close(&f->writer);
	log_reader_close(r);
}

static void test_torn_and_foreign_lines_are_skipped(void **state)
{
	static const char text[] = "2026-11-22T05:05:15.373262866Z stdout F good\n"
				   "nonsense\n\n"
				   "2026-11-22T05:05:15Z stdout X bad\n"
				   "2026-11-22T05:05:15Z stdlog F bad\n"
				   "2026-11-22T07:05:16.5+02:00 stderr F zone\n"
				   "2026-11-22T05:05:17Z stdout F to";
	struct fixture *f = *state;
	int fd = openat(f->dir, "ctr.log", O_WRONLY | O_CREAT, 0600);

	assert_int_equal(fd_write_all(fd, text, sizeof(text) - 1), 0);
	close(fd);
	assert_string_equal(read_tail(f, -1), "O:good|E:zone|");
	writer_open(f, 0);
	put(f, LOG_STDOUT, "next\n");
	log_writer_close(&f->writer);
	assert_string_equal(read_tail(f, -1), "O:good|E:zone|O:to|O:next|");
}

static void test_query(void **state)
{
	static const char text[] = "2026-11-22T05:05:15Z stdout F a\n2026-11-22T05:05:16Z stderr F b\n"
				   "2026-11-22T05:05:17Z stdout F c\n2026-11-22T05:05:18Z stderr F d\n";
	const int64_t base = 1795323915;	/* 05:05:15 */
	const struct { struct log_query q; const char *expected; } cases[] = {
		{ { .tail = -1, .since_ns = (base + 1) * 1000000000 }, "E:b|O:c|E:d|" },
		{ { .tail = -1, .until_ns = (base + 1) * 1000000000 }, "O:a|E:b|" },
		{ { .tail = -1, .stdout_only = true }, "O:a|O:c|" },
		{ { .tail = 1, .stderr_only = true }, "E:d|" },
		{ { .tail = 1, .until_ns = (base + 2) * 1000000000 }, "O:c|" },
		{ { .tail = 2, .stdout_only = true }, "O:a|O:c|" },
	};
	struct fixture *f = *state;
	int fd = openat(f->dir, "ctr.log", O_WRONLY | O_CREAT, 0600);

	assert_int_equal(fd_write_all(fd, text, sizeof(text) - 1), 0);
	close(fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct log_reader *r = log_reader_open(f->arena, f->dir, "ctr.log", &cases[i].q, NULL);

		assert_non_null(r);
		assert_string_equal(read_on(r), cases[i].expected);
		log_reader_close(r);
	}
}

static void test_written_time_is_now(void **state)
{
	struct fixture *f = *state;
	struct log_record record;
	struct log_reader *r;

	writer_open(f, 0);
	put(f, LOG_STDOUT, "now\n");
	log_writer_close(&f->writer);
	r = reader_open(f, -1);
	assert_int_equal(log_reader_next(r, &record, NULL), 1);
	assert_in_range(record.time_ns / 1000000000, time(NULL) - 5, time(NULL));
	log_reader_close(r);
}

int main(void)
{
#define LOG_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		LOG_TEST(test_lines_and_parts),
		LOG_TEST(test_long_line_is_cut_into_parts),
		LOG_TEST(test_exactly_full_part),
		LOG_TEST(test_tail),
		LOG_TEST(test_tail_over_blocks),
		LOG_TEST(test_rotation),
		LOG_TEST(test_follow_from_before_the_first_line),
		LOG_TEST(test_torn_and_foreign_lines_are_skipped),
		LOG_TEST(test_query),
		LOG_TEST(test_written_time_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
