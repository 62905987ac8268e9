#include "engine/relabel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What z and Z refuse before they set the first label; on hosts without SELinux too. */
static void places(void **state)
{
	char home[] = "/tmp/bryo-relabel.XXXXXX";
	struct engine e = { .arena = arena_new() };
	char *inside, *link;
	static const char *const refused[] = { "/", "/usr", "/usr/bin", "/etc", "/home", "/tmp", "/etc/passwd", "/usr/../etc/./" };

	assert_non_null(mkdtemp(home));
	e.identity.home = home;
	inside = arena_printf(e.arena, "%s/data", home);
	link = arena_printf(e.arena, "%s/data/link", home);
	assert_int_equal(mkdir(inside, 0755), 0);
	assert_int_equal(symlink("/etc", link), 0);
	for (size_t i = 0; i < ELEMENTS(refused); i++) {
		struct error err = { 0 };

		assert_int_equal(relabel_check(&e, refused[i], &err), -1);
		assert_true(error_is(&err, ERROR_USAGE));
		assert_non_null(strstr(err.text, "is not allowed"));
	}
	assert_int_equal(relabel_check(&e, home, NULL), -1);
	assert_int_equal(relabel_check(&e, link, NULL), -1);
	assert_int_equal(relabel_check(&e, inside, NULL), 0);	/* a link in it is labelled, not followed */
	unlink(link);
	rmdir(inside);
	rmdir(home);
	arena_free(e.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(places) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
