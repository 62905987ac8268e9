#include "spec/pgp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

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

#define BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
#define END "-----END PGP PUBLIC KEY BLOCK-----\n"

/* A key of Exp <exp@example.com>. */
static const char armored[] = "some text\n" BEGIN "Comment: x\n\n"
	"mDMEawsboBYJKwYBBAHaRw8BAQdAY5XwvwUEhATMEXcU9WRsywaB9kIVVh/GQyHH\n"
	"ykTiRIe0FUV4cCA8ZXhwQGV4YW1wbGUuY29tPoiWBBMWCAA+FiEE8BNkzJL9X6TM\n"
	"hJugjElnU37T/3IFAmsLG6ACGwMFCQAAABQFCwkIBwIGFQoJCAsCBBYCAwECHgEC\n"
	"F4AACgkQjElnU37T/3IUQgD/ZeAIHL5VsL5CUWjzMtyA4cfTB+X+tmHD8xLDkwde\r\n"
	"hakBAMpric3RJf2GrsBNM3A9i42xv/G5fxtL8QAiTW+A+XYI\n=IabJ\n" END;

static void keyrings(void **state)
{
	size_t n, twice_n, again_n;
	struct error err = { 0 };
	char *twice = arena_printf(arena, "%s%s", armored, armored);
	char *keys = pgp_keyring(arena, armored, strlen(armored), &n, &err), *both, *again;
	struct strings ids;

	assert_non_null(keys);
	ids = pgp_user_ids(arena, keys, n);
	assert_string_equal(strings_join(arena, &ids, "|"), "Exp <exp@example.com>");
	both = pgp_keyring(arena, twice, strlen(twice), &twice_n, &err);
	assert_int_equal(twice_n, 2 * n);
	ids = pgp_user_ids(arena, both, twice_n);
	assert_int_equal(ids.n, 2);
	again = pgp_keyring(arena, keys, n, &again_n, &err);
	assert_true(again && again_n == n && memcmp(again, keys, n) == 0);
	/* Cut anywhere, it is read without a look behind its end. */
	for (size_t cut = 0; cut <= n; cut++)
		pgp_user_ids(arena, arena_memdup(arena, keys, cut), cut);
}

static void no_keyrings(void **state)
{
	static const char *const cases[] = {
		"", "x", "hello\n", BEGIN, BEGIN END, BEGIN "\n" END, BEGIN "\nnot base64!\n" END, BEGIN "\naGk=\n" END,
		BEGIN "\nmDMEawsboBYJ\n", BEGIN "no empty line\n" END, "\x88\x01", "\xff", "\x98",
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		size_t n;

		if (pgp_keyring(arena, cases[i], strlen(cases[i]), &n, &err))
			fail_msg("case %zu is taken for a keyring", i);
		assert_non_null(strstr(err.hint, "gpg --export"));
	}
}

#define S "[GNUPG:] "
#define TEXT S "PLAINTEXT 62 1795890080 p\n" S "PLAINTEXT_LENGTH 8\n"
#define NEW S "NEWSIG alice@example.com\n" S "KEY_CONSIDERED 2CB6 0\n" S "SIG_ID L1 2026-11-28 1795890080\n"
#define GOOD S "GOODSIG 82D6 Alice <alice@example.com>\n"
#define VALID(class) S "VALIDSIG 2CB6 2026-11-28 1795890080 0 4 0 1 10 " class " PRIMARY\n"

static void verdicts(void **state)
{
	static const struct { const char *status, *error; } cases[] = {
		{ TEXT NEW GOOD VALID("00"), NULL },
		{ "gpgv: talk\n" TEXT NEW GOOD VALID("00") "more talk", NULL },
		{ "", "not one signed text" },
		{ TEXT, "not one signed text" },
		{ TEXT NEW GOOD, "not one signed text" },
		{ TEXT NEW VALID("00"), "not one signed text" },
		{ TEXT GOOD VALID("00"), "not one signed text" },
		{ NEW GOOD VALID("00"), "not one signed text" },
		{ TEXT TEXT NEW GOOD VALID("00"), "not one signed text" },
		{ TEXT NEW GOOD VALID("00") NEW GOOD VALID("00"), "not one signed text" },
		{ TEXT NEW GOOD VALID("01"), "not over a binary text" },
		{ TEXT NEW GOOD S "VALIDSIG 2CB6\n", "not over a binary text" },
		{ S "PLAINTEXT 62 0 p\n" S "PLAINTEXT_LENGTH 9\n" NEW GOOD VALID("00"), "too long" },
		{ S "PLAINTEXT 62 0 p\n" S "PLAINTEXT_LENGTH\n" NEW GOOD VALID("00"), "too long" },
		{ TEXT NEW S "EXPKEYSIG 8C49 Exp\n" VALID("00"), "the key that made the signature has expired" },
		{ TEXT NEW S "REVKEYSIG 27FC Rev\n" VALID("00"), "is revoked" },
		{ TEXT NEW S "EXPSIG 27FC Rev\n" VALID("00"), "the signature has expired" },
		{ TEXT NEW S "BADSIG 82D6 Alice\n", "the signature is bad" },
		{ TEXT NEW GOOD VALID("00") S "BADSIG 82D6 Alice\n", "the signature is bad" },
		{ TEXT NEW S "ERRSIG 82D6 1 10 00 1795890080 9 2CB6\n" S "NO_PUBKEY 82D6\n", "by another key" },
		{ TEXT NEW S "ERRSIG 82D6 1 10 00 1795890080 4 2CB6\n", "cannot be checked" },
		{ TEXT S "NODATA 4\n", "it is no signature" },
		{ "x" S "GOODSIG\n x" S "VALIDSIG", "not one signed text" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		char *fingerprint = NULL;
		int r = pgp_verdict(arena, cases[i].status, 8, &fingerprint, &err);

		if (cases[i].error ? r == 0 || !strstr(err.text, cases[i].error) : r < 0)
			fail_msg("case %zu: %s", i, err.text);
		if (!cases[i].error)
			assert_string_equal(fingerprint, "PRIMARY");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyrings), cmocka_unit_test(no_keyrings), cmocka_unit_test(verdicts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
