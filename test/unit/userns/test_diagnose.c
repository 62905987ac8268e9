#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/string.h"
#include "userns/diagnose.h"

static struct subid_entry own_range[] = { { (char *)"alice", 100000, 65536 } };
static struct subid_entry shared_range[] = { { (char *)"alice", 100000, 65536 }, { (char *)"bob", 165535, 65536 } };
static struct subid_entry small_range[] = { { (char *)"1000", 100000, 1000 } };
static struct subid_entry self_range[] = { { (char *)"alice", 500, 65536 } };

static struct userns_facts healthy(void)
{
	return (struct userns_facts){
		.uid = 1000, .user = (char *)"alice", .program = (char *)"/usr/bin/bryo",
		.max_user_namespaces = 1000, .userns_clone = -1, .apparmor_restrict = -1,
		.helpers = { { "newuidmap", (char *)"/usr/bin/newuidmap", true, false, NULL },
			     { "newgidmap", (char *)"/usr/bin/newgidmap", true, false, NULL } },
		.subuid = { own_range, 1 }, .subgid = { own_range, 1 },
	};
}

static void max_zero(struct userns_facts *f) { f->max_user_namespaces = 0; f->clone_errno = ENOSPC; }
static void quota(struct userns_facts *f) { f->clone_errno = ENOSPC; }
static void clone_off(struct userns_facts *f) { f->userns_clone = 0; f->clone_errno = EPERM; }
static void apparmor(struct userns_facts *f) { f->apparmor_restrict = 1; f->stripped = true; }
static void apparmor_profile(struct userns_facts *f) { f->apparmor_profile = "some-profile"; f->clone_errno = EACCES; }
static void apparmor_eacces(struct userns_facts *f) { f->apparmor_restrict = 1; f->clone_errno = EACCES; }
static void seccomp(struct userns_facts *f) { f->seccomp_filter = true; f->clone_errno = EPERM; }
static void chroot_(struct userns_facts *f) { f->chrooted = true; f->clone_errno = EPERM; }
static void other_policy(struct userns_facts *f) { f->clone_errno = EACCES; }
static void no_kernel(struct userns_facts *f) { f->clone_errno = EINVAL; }
static void no_helper(struct userns_facts *f) { f->helpers[1].path = NULL; }
static void no_setuid(struct userns_facts *f) { f->helpers[0].setuid_root = false; }
static void nosuid(struct userns_facts *f) { f->helpers[0].nosuid_mount = (char *)"/usr"; }
static void no_new_privs(struct userns_facts *f) { f->no_new_privs = true; }
static void no_ranges(struct userns_facts *f) { f->subuid.n = f->subgid.n = 0; }
static void no_gids(struct userns_facts *f) { f->subgid.n = 0; }
static void nss_none(struct userns_facts *f) { f->from_nss = true; }
static void overlap(struct userns_facts *f) { f->subuid = (struct subid_file){ shared_range, 2 }; }

/* One line each: what is said, and the cure that can be pasted. */
static const struct { const char *name; void (*fault)(struct userns_facts *); const char *text, *hint; } cases[] = {
	{ "limit 0", max_zero, "user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=15000" },
	{ "limit used up", quota, "used up (user.max_user_namespaces is 1000)", "user.max_user_namespaces=2000" },
	{ "switched off", clone_off, "kernel.unprivileged_userns_clone is 0", "kernel.unprivileged_userns_clone=1" },
	{ "apparmor", apparmor, "AppArmor does not let /usr/bin/bryo", "profile bryo /usr/bin/bryo flags=(unconfined)" },
	{ "apparmor, own profile", apparmor_profile, "its profile \"some-profile\" has no rule", "\"userns,\"" },
	{ "apparmor refusing", apparmor_eacces, "AppArmor", "apparmor_parser -r" },
	{ "seccomp", seccomp, "seccomp filter", "seccomp=unconfined" },
	{ "chroot", chroot_, "chroot", "pivot_root" },
	{ "another policy", other_policy, "Permission denied", "dmesg" },
	{ "no kernel support", no_kernel, "CONFIG_USER_NS", "CONFIG_USER_NS=y" },
	{ "helper missing", no_helper, "newgidmap is not installed", "apt install uidmap" },
	{ "setuid bit lost", no_setuid, "/usr/bin/newuidmap has lost its setuid bit", "chmod u+s /usr/bin/newuidmap" },
	{ "nosuid mount", nosuid, "/usr is mounted nosuid", "remount,bind,suid /usr" },
	{ "no_new_privs", no_new_privs, "no_new_privs", "NoNewPrivileges=no" },
	{ "no ranges", no_ranges, "no subordinate user and group ids (/etc/subuid and /etc/subgid)",
	  "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 alice" },
	{ "no gids", no_gids, "no subordinate group ids (/etc/subgid)", "usermod --add-subgids 165536-231071 alice" },
	{ "nss without ranges", nss_none, "nsswitch.conf", "directory service" },
	{ "overlap", overlap, "gives ids of alice (100000:65536) to bob too (165535:65536)",
	  "usermod --del-subuids 100000-165535 --add-subuids 231071-296606 alice" },
};

static void each_fault_has_its_words_and_cure(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct userns_facts f = healthy();
		struct error err = { 0 };

		cases[i].fault(&f);
		if (diagnose_judge(arena, &f, &err) != -1 || !strstr(err.text, cases[i].text) ||
		    !strstr(err.hint, cases[i].hint) || !err.code[0] || strchr(diagnose_line(arena, &err), '\n') ||
		    strstr(err.hint, "sudo"))
			fail_msg("%s: \"%s\", hint \"%s\"", cases[i].name, err.text, err.hint);
	}
	arena_free(arena);
}

static void a_healthy_host_has_none(void **state)
{
	struct arena *arena = arena_new();
	struct userns_facts f = healthy();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	assert_null(diagnose_note(arena, &f));
	f.helpers[0].setuid_root = false;
	f.helpers[0].file_caps = true;
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	f.apparmor_restrict = 1;		/* a profile lets it through */
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	f = healthy();
	f.uid = 0;				/* needs neither helpers nor ranges */
	no_ranges(&f);
	no_helper(&f);
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	assert_int_equal(err.kind, ERROR_NONE);
	arena_free(arena);
}

static void small_and_odd_ranges_get_a_note(void **state)
{
	struct arena *arena = arena_new();
	struct userns_facts f = healthy();
	struct error err = { 0 };

	(void)state;
	f.subuid = (struct subid_file){ small_range, 1 };
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	assert_non_null(strstr(diagnose_note(arena, &f), "only 1000 subordinate uids"));
	f.subuid = (struct subid_file){ self_range, 1 };
	assert_int_equal(diagnose_judge(arena, &f, &err), 0);
	assert_non_null(strstr(diagnose_note(arena, &f), "own id 1000"));
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_words_and_cure),
		cmocka_unit_test(a_healthy_host_has_none),
		cmocka_unit_test(small_and_odd_ranges_get_a_note),
	};

	return cmocka_run_group_tests_name("userns/diagnose", tests, NULL, NULL);
}
