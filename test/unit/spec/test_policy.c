#include "spec/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "spec/lookaside.h"
#include "spec/signature.h"

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct reference reference_of(const char *text)
{
	struct error err = { 0 };
	struct reference r;

	if (reference_parse(arena, text, &r, &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

static struct policy policy_of(const char *text)
{
	struct error err = { 0 };
	struct policy p;

	if (policy_decode(arena, text, strlen(text), "policy.json", &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void scopes(void **state)
{
	static const struct { const char *name, *scopes; } cases[] = {
		{ "docker.io/busybox", "docker.io/library/busybox:latest docker.io/library/busybox docker.io/library docker.io *.io" },
		{ "a.b.c:5000/x@" DIGEST, "a.b.c:5000/x@" DIGEST " a.b.c:5000/x a.b.c:5000 *.b.c:5000 *.c:5000" },
		{ "localhost/x:1", "localhost/x:1 localhost/x localhost" },
		{ "r.io/x:1@" DIGEST, "r.io/x@" DIGEST " r.io/x r.io *.io" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct reference r = reference_of(cases[i].name);
		struct strings list = reference_scopes(arena, &r);

		assert_string_equal(strings_join(arena, &list, " "), cases[i].scopes);
	}
}

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]"
#define SIGSTORE "[{\"type\":\"sigstoreSigned\",\"keyData\":\"aGk=\"}]"

static void longest_match(void **state)
{
	static const char text[] = "{\"default\":" REJECT ",\"transports\":{\"docker\":{\"docker.io/library\":" ACCEPT ","
				   "\"docker.io/library/busybox:bad\":" REJECT ",\"*.example.com\":" SIGNED ",\"q.io\":" SIGSTORE "},"
				   "\"dir\":{\"\":" ACCEPT ",\"/a/b\":" REJECT "}}}";
	static const struct { const char *transport, *name, *scope; enum policy_type type; } cases[] = {
		{ "docker", "docker.io/busybox", "docker.io/library", POLICY_ACCEPT },
		{ "docker", "docker.io/busybox:bad", "docker.io/library/busybox:bad", POLICY_REJECT },
		{ "docker", "docker.io/team/app", "", POLICY_REJECT },
		{ "docker", "a.b.example.com/x", "*.example.com", POLICY_SIGNED_BY },
		{ "docker", "example.com/x", "", POLICY_REJECT },
		{ "docker", "q.io/x", "q.io", POLICY_SIGSTORE },
		{ "docker", "qq.io/x", "", POLICY_REJECT },
		{ "oci-archive", "q.io/x", "", POLICY_REJECT },
		{ "dir", "q.io/x", "", POLICY_ACCEPT },
	};
	const struct policy p = policy_of(text);

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct reference r = reference_of(cases[i].name);
		struct strings list = reference_scopes(arena, &r);
		const struct policy_scope *scope = policy_find(&p, cases[i].transport, &list);

		assert_string_equal(scope->name, cases[i].scope);
		assert_int_equal(scope->requirements.v[0].type, cases[i].type);
	}
}

static void requirements(void **state)
{
	static const char text[] = "{\"default\":["
		"{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[\"/a\",\"/b\"],\"signedIdentity\":{\"type\":\"matchExact\"}},"
		"{\"type\":\"sigstoreSigned\",\"keyPath\":\"/c\",\"rekorPublicKeyPath\":\"/r\","
		"\"signedIdentity\":{\"type\":\"exactRepository\",\"dockerRepository\":\"docker.io/busybox\"}},"
		"{\"type\":\"sigstoreSigned\",\"fulcio\":{\"caPath\":\"/x\"},\"rekorPublicKeyData\":\"aGk=\"}]}";
	const struct policy p = policy_of(text);
	const struct policy_requirement *r = p.fallback.requirements.v;

	assert_int_equal(p.fallback.requirements.n, 3);
	assert_string_equal(strings_join(arena, &r[0].key_paths, " "), "/a /b");
	assert_int_equal(r[0].identity.match, IDENTITY_EXACT);
	assert_null(r[0].unsupported);
	assert_string_equal(r[1].unsupported, "rekorPublicKeyPath");
	assert_string_equal(r[1].identity.reference.path, "library/busybox");
	assert_non_null(r[2].unsupported);
	assert_int_equal(r[2].identity.match, IDENTITY_REPO_DIGEST_OR_EXACT);
}

static void bad_policies(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "[]", "policy.json: expected object, got list" },
		{ "{}", ".default: missing" },
		{ "{\"default\":[]}", ".default: the list of requirements is empty" },
		{ "{\"default\":{}}", ".default: expected list, got object" },
		{ "{\"default\":" ACCEPT ",\"x\":1}", "unknown member \"x\"" },
		{ "{\"default\":" ACCEPT ",\"default\":" REJECT "}", "appears twice" },
		{ "{\"default\":" ACCEPT ",\"transports\":[]}", ".transports: expected object, got list" },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":[]}}", ".transports.docker: expected object, got list" },
		{ "{\"default\":" ACCEPT ",\"transports\":{\"docker\":{\"a.io\":{}}}}", ".transports.docker[\"a.io\"]: expected list" },
		{ "{\"default\":[{}]}", ".default[0]: .type: missing" },
		{ "{\"default\":[1]}", ".default[0]" },
		{ "{\"default\":[{\"type\":\"signed\"}]}", ".default[0]: unknown type of requirement \"signed\"" },
		{ "{\"default\":[{\"type\":\"reject\",\"keyPath\":\"/k\"}]}", "reject has no member \"keyPath\"" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyPath\":\"/k\"}]}", "keyType of signedBy must be \"GPGKeys\"" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}", "exactly one of keyPath, keyPaths and keyData" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\",\"keyData\":\"aGk=\"}]}", "exactly one of" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"k\"}]}", "\"k\" is not absolute" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keypath\":\"/k\"}]}", "signedBy has no member \"keypath\"" },
		{ "{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\",\"rekorPublicKeyPath\":\"/r\"}]}",
		  "signedBy has no member \"rekorPublicKeyPath\"" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct policy p;

		if (policy_decode(arena, cases[i].text, strlen(cases[i].text), "policy.json", &p, &err) == 0 ||
		    !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

/* --- identities */

static struct signed_identity identity_of(const char *text)
{
	struct json *value = json_parse(arena, text, strlen(text), "t", NULL);
	struct signed_identity identity;
	struct error err = { 0 };

	if (signed_identity_decode(arena, value, "t", &identity, &err) < 0)
		fail_msg("%s", err.text);
	return identity;
}

#define T(type) "{\"type\":\"" type "\"}"
#define REMAP "{\"type\":\"remapIdentity\",\"prefix\":\"mirror:5000/vendor\",\"signedPrefix\":\"vendor.com\"}"

static void identities(void **state)
{
	static const struct { const char *identity, *image, *claimed; bool fits; } cases[] = {
		{ T("matchExact"), "a.io/x:1", "a.io/x:1", true },
		{ T("matchExact"), "a.io/x:1", "a.io/x:2", false },
		{ T("matchExact"), "a.io/x", "a.io/x:latest", true },
		{ T("matchExact"), "a.io/x", "a.io/x", false },
		{ T("matchExact"), "a.io/x@" DIGEST, "a.io/x:1", false },
		{ T("matchExact"), "a.io/x@" DIGEST, "a.io/x@" DIGEST, true },
		{ T("matchExact"), "docker.io/busybox:1", "busybox:1", true },
		{ T("matchRepoDigestOrExact"), "a.io/x:1", "a.io/x:1", true },
		{ T("matchRepoDigestOrExact"), "a.io/x:1", "a.io/x:2", false },
		{ T("matchRepoDigestOrExact"), "a.io/x@" DIGEST, "a.io/x:2", true },
		{ T("matchRepoDigestOrExact"), "a.io/x:1@" DIGEST, "a.io/x:2", true },
		{ T("matchRepoDigestOrExact"), "a.io/x@" DIGEST, "a.io/y:2", false },
		{ T("matchRepoDigestOrExact"), "a.io/x@" DIGEST, "a.io/x", false },
		{ T("matchRepository"), "a.io/x:1", "a.io/x:2", true },
		{ T("matchRepository"), "a.io/x:1", "a.io/x", true },
		{ T("matchRepository"), "a.io/x:1", "b.io/x:1", false },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.io/x:1\"}", "b.io/y:9", "a.io/x:1", true },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.io/x:1\"}", "a.io/x:1", "a.io/x:2", false },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.io/x:1\"}", NULL, "a.io/x:1", true },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"a.io/x\"}", NULL, "a.io/x:7", true },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"a.io/x\"}", "a.io/x:7", "a.io/xy:7", false },
		{ REMAP, "mirror:5000/vendor/app/i:1", "vendor.com/app/i:1", true },
		{ REMAP, "mirror:5000/vendor/app/i:1", "vendor.com/app/i:2", false },
		{ REMAP, "mirror:5000/vendor/app/i:1", "mirror:5000/vendor/app/i:1", false },
		{ REMAP, "mirror:5000/vendors/app:1", "mirror:5000/vendors/app:1", true },
		{ REMAP, "mirror:5000/vendor/app@" DIGEST, "vendor.com/app:3", true },
		{ T("matchExact"), NULL, "a.io/x:1", false },
		{ T("matchRepository"), NULL, "a.io/x:1", false },
		{ REMAP, NULL, "a.io/x:1", false },
		{ T("matchRepository"), "a.io/x:1", "a.io/X", false },
		{ T("matchRepository"), "a.io/x:1", "", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct signed_identity identity = identity_of(cases[i].identity);
		struct reference image = cases[i].image ? reference_of(cases[i].image) : (struct reference){ 0 };
		struct error err = { 0 };
		int r = signed_identity_check(arena, &identity, cases[i].image ? &image : NULL, cases[i].claimed, &err);

		if ((r == 0) != cases[i].fits)
			fail_msg("%s: %s, %s: %s", cases[i].identity, cases[i].image, cases[i].claimed, err.text);
	}
}

static void bad_identities(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "[]", "t: expected object" },
		{ "{}", ".type: missing" },
		{ T("match"), "unknown type of signedIdentity \"match\"" },
		{ "{\"type\":\"matchExact\",\"x\":1}", "unknown member: x" },
		{ "{\"type\":\"matchExact\",\"prefix\":\"a.io\"}", "unknown member: of another type" },
		{ T("exactReference"), "exactReference lacks a member" },
		{ "{\"type\":\"exactReference\",\"dockerReference\":\"a.io/x\"}", "is not a full name with tag or digest" },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"a.io/x:1\"}", "is not a full name without tag or digest" },
		{ "{\"type\":\"exactRepository\",\"dockerRepository\":\"A.io/X\"}", "invalid reference format" },
		{ "{\"type\":\"remapIdentity\",\"prefix\":\"a.io\"}", "lacks a member" },
		{ "{\"type\":\"remapIdentity\",\"prefix\":\"a.io/x:1\",\"signedPrefix\":\"b.io\"}", "no registry, namespace or repository" },
		{ "{\"type\":\"remapIdentity\",\"prefix\":\"a.io/\",\"signedPrefix\":\"b.io\"}", "no registry, namespace or repository" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct json *value = json_parse(arena, cases[i].text, strlen(cases[i].text), "t", NULL);
		struct signed_identity identity;
		struct error err = { 0 };

		if (signed_identity_decode(arena, value, "t", &identity, &err) == 0 || !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

/* --- payloads */

#define CRITICAL(type, image, identity) "\"critical\":{\"type\":\"" type "\",\"image\":" image ",\"identity\":" identity "}"
#define IMAGE "{\"docker-manifest-digest\":\"" DIGEST "\"}"
#define IDENTITY "{\"docker-reference\":\"a.io/x:1\"}"
#define SIMPLE "atomic container signature"

static void payloads(void **state)
{
	static const struct { const char *text; enum signature_kind kind; const char *error; } cases[] = {
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{}}", SIGNATURE_SIMPLE, NULL },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{\"creator\":\"x\",\"timestamp\":7,\"more\":[]}}", SIGNATURE_SIMPLE, NULL },
		{ "{" CRITICAL("cosign container image signature", IMAGE, IDENTITY) ",\"optional\":null}", SIGNATURE_COSIGN, NULL },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":null}", SIGNATURE_SIMPLE, "optional is no object" },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{\"creator\":1}}", SIGNATURE_SIMPLE, "creator is no string" },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{\"timestamp\":\"1\"}}", SIGNATURE_SIMPLE, "timestamp is no integer" },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) "}", SIGNATURE_SIMPLE, "it lacks optional" },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{},\"x\":1}", SIGNATURE_SIMPLE, "it has an unknown member" },
		{ "{" CRITICAL("x", IMAGE, IDENTITY) ",\"optional\":{}}", SIGNATURE_SIMPLE, "another type" },
		{ "{" CRITICAL(SIMPLE, IMAGE, IDENTITY) ",\"optional\":{}}", SIGNATURE_COSIGN, "another type" },
		{ "{" CRITICAL(SIMPLE, "{}", IDENTITY) ",\"optional\":{}}", SIGNATURE_SIMPLE, "image lacks docker-manifest-digest" },
		{ "{" CRITICAL(SIMPLE, "{\"docker-manifest-digest\":\"sha256:0\"}", IDENTITY) ",\"optional\":{}}", SIGNATURE_SIMPLE,
		  "names no digest" },
		{ "{" CRITICAL(SIMPLE, IMAGE, "{\"docker-reference\":\"a\",\"x\":1}") ",\"optional\":{}}", SIGNATURE_SIMPLE,
		  "identity has an unknown member" },
		{ "{" CRITICAL(SIMPLE, IMAGE, "{\"docker-reference\":7}") ",\"optional\":{}}", SIGNATURE_SIMPLE, "names no image" },
		{ "{\"critical\":[],\"optional\":{}}", SIGNATURE_SIMPLE, "critical is no object" },
		{ "[]", SIGNATURE_SIMPLE, "it is no object" },
		{ "{", SIGNATURE_SIMPLE, "signature: line 1" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct signature_claim claim = { 0 };
		struct error err = { 0 };
		int r = signature_decode(arena, cases[i].text, strlen(cases[i].text), cases[i].kind, &claim, &err);

		if (cases[i].error ? r == 0 || !strstr(err.text, cases[i].error) : r < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		if (!cases[i].error) {
			assert_string_equal(claim.digest, DIGEST);
			assert_string_equal(claim.reference, "a.io/x:1");
		}
	}
}

static void own_payloads(void **state)
{
	const struct signature_claim claim = { (char *)(uintptr_t)DIGEST, (char *)(uintptr_t)"a.io/x:1" };
	struct signature_claim again;
	struct error err = { 0 };

	for (enum signature_kind kind = SIGNATURE_SIMPLE; kind <= SIGNATURE_COSIGN; kind++) {
		char *text = signature_encode(arena, kind, &claim, 1700000000);

		assert_int_equal(signature_decode(arena, text, strlen(text), kind, &again, &err), 0);
		assert_string_equal(again.reference, claim.reference);
	}
}

/* --- registries.d */

static void add_document(struct lookaside *l, const char *text, const char *where, const char *error)
{
	struct json *document = json_parse(arena, text, strlen(text), "t", NULL);
	struct error err = { 0 };
	int r = lookaside_add(arena, l, document, where, &err);

	if (error ? r == 0 || !strstr(err.text, error) : r < 0)
		fail_msg("%s: %s", text, err.text);
}

static void places_of_signatures(void **state)
{
	static const struct { const char *name, *url, *staging; bool attachments; } cases[] = {
		{ "a.io/x", "https://a.io/l", "https://a.io/l", false },
		{ "a.io/team/x", "https://a.io/l", "file:///team", true },
		{ "a.io/team/x:new", "http://new", "http://new", true },
		{ "b.w.io/x", "https://w.io", "https://w.io", false },
		{ "other.io/x", "file:///all", "file:///all", false },
	};
	struct lookaside l = { 0 };

	add_document(&l, "{\"default-docker\":{\"sigstore\":\"file:///all\"},\"docker\":{\"a.io\":{\"lookaside\":\"https://a.io/l\","
			 "\"sigstore\":\"file:///old\"},\"a.io/team\":{\"lookaside-staging\":\"file:///team\","
			 "\"use-sigstore-attachments\":true}}}", "1.yaml", NULL);
	add_document(&l, "{\"docker\":{\"a.io/team/x:new\":{\"lookaside\":\"http://new\"},\"*.w.io\":{\"lookaside\":\"https://w.io\"}}}",
		     "2.yaml", NULL);
	add_document(&l, "null", "3.yaml", NULL);
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct reference r = reference_of(cases[i].name);
		struct strings list = reference_scopes(arena, &r);

		assert_string_equal(lookaside_url(&l, &list), cases[i].url);
		assert_string_equal(lookaside_staging(&l, &list), cases[i].staging);
		assert_int_equal(lookaside_attachments(&l, &list), cases[i].attachments);
	}
	add_document(&l, "{\"docker\":{\"a.io\":{}}}", "4.yaml", "4.yaml: docker: a.io: the section is also in 1.yaml");
	add_document(&l, "{\"default-docker\":{}}", "4.yaml", "also in 1.yaml");
	add_document(&l, "[]", "4.yaml", "expected a mapping, got list");
	add_document(&l, "{\"docker\":[]}", "4.yaml", "docker: expected a mapping, got list");
	add_document(&l, "{\"docker\":{\"b.io\":{\"lookaside\":\"ftp://x\"}}}", "4.yaml", "no URL of https, http or file");
	add_document(&l, "{\"docker\":{\"b.io\":{\"use-sigstore-attachments\":\"yes\"}}}", "4.yaml", "expected boolean");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes),	cmocka_unit_test(longest_match),  cmocka_unit_test(requirements),
		cmocka_unit_test(bad_policies), cmocka_unit_test(identities),	  cmocka_unit_test(bad_identities),
		cmocka_unit_test(payloads),	cmocka_unit_test(own_payloads),	  cmocka_unit_test(places_of_signatures),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
