#include "cgroup/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* A bundle in the words of the table: what of it is asked for, and who gets the cgroup (-1: nobody). */
static const struct { const char *linux_, *mounts; uint64_t uid; long owner; } cases[] = {
	{ "'namespaces':[{'type':'cgroup'}]", "'options':['nosuid']", 0, 0 },
	{ "'namespaces':[{'type':'cgroup'}]", "'options':['nosuid']", 1000, 1000 },
	{ "'namespaces':[{'type':'cgroup'}]", "'options':['rw','ro']", 0, -1 },
	{ "'namespaces':[{'type':'cgroup','path':'/proc/1/ns/cgroup'}]", "'options':[]", 0, -1 },
	{ "'namespaces':[{'type':'pid'}]", "'options':[]", 0, -1 },
	{ "'namespaces':[{'type':'cgroup'},{'type':'user'}],'uidMappings':[{'containerID':0,'hostID':1000,'size':1},"
	  "{'containerID':1,'hostID':100000,'size':65536}]", "'options':[]", 0, 1000 },
	{ "'namespaces':[{'type':'cgroup'},{'type':'user'}],'uidMappings':[{'containerID':0,'hostID':1000,'size':1},"
	  "{'containerID':1,'hostID':100000,'size':65536}]", "'options':[]", 33, 100032 },
	/* not mapped; and mapped by somebody else */
	{ "'namespaces':[{'type':'cgroup'},{'type':'user'}],'uidMappings':[{'containerID':0,'hostID':1000,'size':1}]",
	  "'options':[]", 1, -1 },
	{ "'namespaces':[{'type':'cgroup'},{'type':'user','path':'/proc/1/ns/user'}]", "'options':[]", 0, -1 },
};

static void who_gets_the_cgroup(void **state)
{
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		char *text = arena_printf(arena, "{'ociVersion':'1.2.0','process':{'cwd':'/','user':{'uid':%llu,'gid':0}},"
					  "'mounts':[{'destination':'/proc'},{'destination':'/sys/fs/cgroup','source':'cgroup',%s}],"
					  "'linux':{%s}}", (unsigned long long)cases[i].uid, cases[i].mounts, cases[i].linux_);
		struct error err = { 0 };
		struct oci_spec spec;
		uid_t owner = 7;

		for (char *c = text; *c; c++)
			if (*c == '\'')
				*c = '"';
		if (json_decode(arena, &oci_spec_shape, &spec, text, strlen(text), "t", &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(owner_wanted(&spec, &owner), cases[i].owner >= 0);
		if (cases[i].owner >= 0)
			assert_int_equal(owner, cases[i].owner);
	}
}

static void without_a_mount(void **state)
{
	struct oci_namespace ns = { .type = "cgroup" };
	struct oci_linux l = { .namespaces = { &ns, 1 } };
	struct oci_spec spec = { .linux_ = &l };
	uid_t owner;

	assert_false(owner_wanted(&spec, &owner));
	spec.linux_ = NULL;
	assert_false(owner_wanted(&spec, &owner));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(who_gets_the_cgroup), cmocka_unit_test(without_a_mount) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
