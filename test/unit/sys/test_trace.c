#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "sys/fd.h"
#include "sys/trace.h"

static char place[] = "/tmp/bryo-trace-XXXXXX";
static char file[64];
static struct arena *arena;

static int enter(void **state)
{
	(void)state;
	strcpy(place + sizeof(place) - 7, "XXXXXX");
	if (!mkdtemp(place))
		return -1;
	snprintf(file, sizeof(file), "%s/trace.json", place);
	setenv("BRYO_TRACE", file, 1);
	arena = arena_new();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	trace_close();
	unsetenv("BRYO_TRACE");
	arena_free(arena);
	return fd_remove_tree(AT_FDCWD, place);
}

static char *text(void)
{
	char *whole = fd_read_file(arena, AT_FDCWD, file, 1 << 24, NULL);

	assert_non_null(whole);
	return whole;
}

/* As viewers read it: without the last comma, and with a bracket. */
static struct json *events(void)
{
	struct error err = { 0 };
	char *whole = text();
	size_t n = strlen(whole);
	struct json *list;

	assert_true(n > 2 && strcmp(whole + n - 2, ",\n") == 0);
	whole = arena_printf(arena, "%.*s]", (int)(n - 2), whole);
	list = json_parse(arena, whole, strlen(whole), "trace", &err);
	assert_string_equal(err.text, "");
	assert_int_equal(list->kind, JSON_LIST);
	return list;
}

static const struct json *event(const struct json *list, const char *name)
{
	for (size_t i = 0; i < list->list.n; i++)
		if (strcmp(json_get_string(list->list.v[i], "name"), name) == 0)
			return list->list.v[i];
	fail_msg("no event %s", name);
	return NULL;
}

static double number(const struct json *object, const char *name)
{
	const struct json *value = json_get(object, name);

	assert_non_null(value);
	return value->kind == JSON_DOUBLE ? value->number : (double)value->integer;
}

static int file_descriptor(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		char link[64], target[128] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 && strcmp(target, file) == 0)
			return fd;
	}
	return -1;
}

static void nothing_is_traced_without_the_variable(void **state)
{
	struct error err = { 0 };
	struct trace_span span;

	(void)state;
	unsetenv("BRYO_TRACE");
	assert_int_equal(trace_open("test", &err), 0);
	assert_false(trace_on);
	span = trace_begin("step");
	assert_int_equal(span.begin, 0);
	trace_end(&span);
	trace_process("test");
	trace_child("test");
	trace_until_exec("exec");
	trace_collect();
	trace_flush();
	trace_close();
	setenv("BRYO_TRACE", "", 1);
	assert_int_equal(trace_open("test", &err), 0);
	assert_false(trace_on);
}

static void nested_spans_are_valid_json(void **state)
{
	const struct json *list, *outer, *inner, *process;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(trace_open("the \"test\"", &err), 0);
	{
		_cleanup_trace_ struct trace_span span = trace_begin("outer");
		struct trace_span step = trace_begin_about("inner", "/a\"b\\c\n\x01\xff d");

		usleep(2000);
		errno = EXDEV;
		trace_end(&step);
		trace_end(&step);	/* once is enough */
		assert_int_equal(errno, EXDEV);
	}
	trace_close();
	assert_int_equal(strncmp(text(), "[\n{", 3), 0);
	list = events();
	assert_int_equal(list->list.n, 3);
	process = event(list, "process_name");
	assert_string_equal(json_get_string(process, "ph"), "M");
	assert_string_equal(json_get_string(json_get(process, "args"), "name"), "the ?test?");
	outer = event(list, "outer");
	inner = event(list, "inner");
	assert_string_equal(json_get_string(inner, "ph"), "X");
	assert_string_equal(json_get_string(inner, "cat"), "bryo");
	assert_string_equal(json_get_string(json_get(inner, "args"), "about"), "/a?b?c??? d");
	assert_null(json_get(outer, "args"));
	assert_true(number(inner, "pid") == getpid() && number(inner, "tid") == getpid());
	assert_true(number(inner, "dur") >= 2000 && number(inner, "dur") < 2e7);
	assert_true(number(outer, "ts") <= number(inner, "ts"));
	assert_true(number(outer, "ts") + number(outer, "dur") >= number(inner, "ts") + number(inner, "dur"));
}

/* Programs one after the other, and a fork: each event is there once, with the pid of who recorded it. */
static void many_processes_share_a_file(void **state)
{
	struct error err = { 0 };
	struct trace_span mine, given;
	const struct json *list;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(trace_open("one", &err), 0);
	mine = trace_begin("mine");
	trace_end(&mine);
	given = trace_begin("given");
	pid = fork();
	if (pid == 0) {
		trace_end(&given);
		trace_process("fork");
		trace_flush();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	trace_close();
	assert_int_equal(trace_open("two", &err), 0);
	trace_close();
	list = events();
	assert_int_equal(list->list.n, 5);
	assert_true(number(event(list, "mine"), "pid") == getpid());
	assert_true(number(event(list, "given"), "pid") == pid);
	assert_null(strchr(text() + 1, '['));
}

static void a_childs_spans_go_through_its_parent(void **state)
{
	const struct json *list, *last;
	struct error err = { 0 };
	struct trace_span step;
	int status, ends[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(trace_open("parent", &err), 0);
	assert_int_equal(fd_pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		trace_child("child");
		setrlimit(RLIMIT_FSIZE, &none);
		step = trace_begin("step");
		trace_end(&step);
		trace_until_exec("exec");
		trace_flush();
		if (file_descriptor() >= 0)
			_exit(4);
		usleep(1000);
		execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
		_exit(6);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0);	/* executed */
	trace_collect();
	trace_collect();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 5);
	trace_close();
	list = events();
	assert_int_equal(list->list.n, 4);
	assert_true(number(event(list, "step"), "pid") == pid);
	last = event(list, "exec");
	assert_true(number(last, "pid") == pid && number(last, "dur") >= 1000);
}

static void the_file_stays_private(void **state)
{
	struct error err = { 0 };
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(trace_open("test", &err), 0);
	fd = file_descriptor();
	assert_true(fd >= 256);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_APPEND);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void many_spans(void **state)
{
	struct error err = { 0 };
	char about[400];
	int status;
	pid_t pid;

	(void)state;
	memset(about, 'x', sizeof(about) - 1);
	about[sizeof(about) - 1] = '\0';
	assert_int_equal(trace_open("test", &err), 0);
	for (int i = 0; i < 5000; i++) {
		_cleanup_trace_ struct trace_span span = trace_begin_about("step", about);
	}
	trace_flush();
	assert_int_equal(events()->list.n, 5001);
	pid = fork();
	if (pid == 0) {		/* has room for a part of them */
		trace_child("child");
		for (int i = 0; i < 5000; i++) {
			_cleanup_trace_ struct trace_span span = trace_begin_about("step", about);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	trace_collect();
	trace_close();
	assert_in_range(events()->list.n, 5050, 5400);
}

static void refuses_what_is_no_file(void **state)
{
	struct error err = { 0 };
	char *fifo = arena_printf(arena, "%s/fifo", place);

	(void)state;
	setenv("BRYO_TRACE", "/nonexistent/trace", 1);
	assert_int_equal(trace_open("test", &err), -1);
	assert_string_equal(err.text, "BRYO_TRACE: write to /nonexistent/trace: No such file or directory");
	assert_false(trace_on);
	setenv("BRYO_TRACE", "/dev/null", 1);
	assert_int_equal(trace_open("test", &err), -1);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	setenv("BRYO_TRACE", fifo, 1);
	assert_int_equal(trace_open("test", &err), -1);
	setenv("BRYO_TRACE", place, 1);
	assert_int_equal(trace_open("test", &err), -1);
	assert_false(trace_on);
}

static void a_relative_path_is_kept(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(chdir(place), 0);
	setenv("BRYO_TRACE", "trace.json", 1);
	assert_int_equal(trace_open("test", &err), 0);
	assert_string_equal(getenv("BRYO_TRACE"), file);
	assert_int_equal(chdir("/"), 0);
	trace_close();
	assert_int_equal(events()->list.n, 1);
}

static void a_full_disk_ends_the_trace(void **state)
{
	struct error err = { 0 };
	struct trace_span span;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(trace_open("test", &err), 0);
	pid = fork();
	if (pid == 0) {
		struct rlimit small = { 1, 1 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		span = trace_begin("step");
		trace_end(&span);
		errno = EXDEV;
		trace_flush();
		_exit(trace_on || errno != EXDEV);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_traced_without_the_variable, enter, leave),
		cmocka_unit_test_setup_teardown(nested_spans_are_valid_json, enter, leave),
		cmocka_unit_test_setup_teardown(many_processes_share_a_file, enter, leave),
		cmocka_unit_test_setup_teardown(a_childs_spans_go_through_its_parent, enter, leave),
		cmocka_unit_test_setup_teardown(the_file_stays_private, enter, leave),
		cmocka_unit_test_setup_teardown(many_spans, enter, leave),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_file, enter, leave),
		cmocka_unit_test_setup_teardown(a_relative_path_is_kept, enter, leave),
		cmocka_unit_test_setup_teardown(a_full_disk_ends_the_trace, enter, leave),
	};

	return cmocka_run_group_tests_name("sys/trace", tests, NULL, NULL);
}
