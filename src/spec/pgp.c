#include "spec/pgp.h"

#include "base/buffer.h"
#include "spec/base64.h"

#define ARMOR_BEGIN "-----BEGIN PGP PUBLIC KEY BLOCK-----"
#define ARMOR_END "-----END PGP PUBLIC KEY BLOCK-----"
#define TAG_PUBLIC_KEY 6
#define TAG_USER_ID 13
#define KEYBOX_MAGIC_AT 8		/* "KBXf" after length, type and version */

/* --- armour */

/* The line after this one; NULL at the end. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

/* Headers ("Version: ...") end with an empty line. */
static const char *skip_headers(const char *line)
{
	while (line && *line != '\n' && !str_starts(line, "\r\n") && strncmp(line, "-----", 5) != 0)
		line = next_line(line);
	return line;
}

/* The base64 lines up to the checksum ("=abcd") or the end mark, without blanks. The checksum guards against accidents
 * of mail only; gpgv checks the keys themselves. */
static char *collect(struct arena *arena, const char *line, const char *end)
{
	char *text = arena_alloc(arena, (size_t)(end - line) + 1), *out = text;

	for (; line && line < end && *line != '='; line = next_line(line))
		for (const char *c = line; c < end && *c != '\n'; c++)
			if (!strchr(" \t\r", *c))
				*out++ = *c;
	*out = '\0';
	return text;
}

static int add_block(struct arena *arena, const char *begin, const char *end, struct buffer *out)
{
	const char *body = skip_headers(next_line(begin));
	size_t n = 0;
	char *bytes = body && body < end ? base64_decode(arena, collect(arena, body, end), &n) : NULL;

	return bytes && n ? buffer_add(out, bytes, n) : -1;
}

static char *dearmor(struct arena *arena, const char *text, size_t n, size_t *ret_n)
{
	_cleanup_buffer_ struct buffer out = BUFFER(n + 1);
	const char *begin = text, *end;

	while ((begin = strstr(begin, ARMOR_BEGIN))) {
		end = strstr(begin, ARMOR_END);
		if (!end || add_block(arena, begin, end, &out) < 0)
			return NULL;
		begin = end;
	}
	*ret_n = out.size;
	return out.size ? arena_memdup(arena, out.data, out.size) : NULL;
}

/* --- packets */

struct packet { int tag; size_t at, size; };	/* its body */

static size_t big_endian(const unsigned char *p, size_t n)
{
	size_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

/* The new format: one byte up to 191, two up to 8383, 255 and four. */
static size_t new_length(const unsigned char *p, size_t n, size_t *ret_size)
{
	size_t bytes = n < 2 ? 0 : p[1] < 192 ? 1 : p[1] < 224 ? 2 : p[1] == 255 ? 5 : 0;

	if (!bytes || n < 1 + bytes)
		return 0;
	*ret_size = bytes == 1 ? p[1] : bytes == 2 ? ((size_t)(p[1] - 192) << 8) + p[2] + 192 : big_endian(p + 2, 4);
	return bytes;
}

static size_t old_length(const unsigned char *p, size_t n, size_t *ret_size)
{
	static const size_t widths[] = { 1, 2, 4, 0 };
	size_t bytes = widths[p[0] & 3];

	if (!bytes || n < 1 + bytes)
		return 0;
	*ret_size = big_endian(p + 1, bytes);
	return bytes;
}

/* The packet at `at`; false at the end, and for what is none or has no certain length (keys always have). */
static bool packet_at(const char *bytes, size_t n, size_t at, struct packet *ret)
{
	const unsigned char *p = (const unsigned char *)bytes + at;
	size_t length;
	bool is_new;

	if (at >= n || !(p[0] & 0x80))
		return false;
	is_new = p[0] & 0x40;
	length = is_new ? new_length(p, n - at, &ret->size) : old_length(p, n - at, &ret->size);
	ret->tag = is_new ? p[0] & 0x3f : p[0] >> 2 & 0xf;
	ret->at = at + 1 + length;
	return length && ret->size <= n - ret->at;
}

static bool is_keyring(const char *bytes, size_t n)
{
	struct packet first;

	if (n >= KEYBOX_MAGIC_AT + 4 && memcmp(bytes + KEYBOX_MAGIC_AT, "KBXf", 4) == 0)
		return true;
	return packet_at(bytes, n, 0, &first) && first.tag == TAG_PUBLIC_KEY;
}

char *pgp_keyring(struct arena *arena, const char *bytes, size_t n, size_t *ret_n, struct error *err)
{
	char *copy = arena_memdup(arena, bytes, n);		/* with a NUL after it */

	*ret_n = n;
	if (n && (unsigned char)*copy < 0x80 && strstr(copy, ARMOR_BEGIN))
		copy = dearmor(arena, copy, n, ret_n);
	if (copy && is_keyring(copy, *ret_n))
		return copy;
	error_set(err, ERROR_INVALID, "it holds no OpenPGP public key");
	error_hint(err, "export one with: gpg --export --armor NAME > FILE");
	return NULL;
}

struct strings pgp_user_ids(struct arena *arena, const char *bytes, size_t n)
{
	struct strings list = { 0 };
	struct packet p;

	for (size_t at = 0; packet_at(bytes, n, at, &p); at = p.at + p.size)
		if (p.tag == TAG_USER_ID)
			strings_add(arena, &list, arena_strndup(arena, bytes + p.at, p.size));
	return list;
}

/* --- gpgv's words */

/* Any of these ends the hope, whatever else is said. */
static const struct { const char *word, *meaning; } refusals[] = {
	{ "BADSIG",	"the signature is bad: the signed text was changed" },
	{ "EXPSIG",	"the signature has expired" },
	{ "EXPKEYSIG",	"the key that made the signature has expired" },
	{ "REVKEYSIG",	"the key that made the signature is revoked" },
	{ "NO_PUBKEY",	"the signature is by another key" },
	{ "ERRSIG",	"the signature cannot be checked" },
	{ "NODATA",	"it is no signature" },
	{ "UNEXPECTED",	"it is no signature" },
	{ "BADARMOR",	"it is no signature" },
	{ "FAILURE",	"gpgv failed" },
	{ "ERROR",	"gpgv failed" },
};

struct tally { unsigned texts, signatures, good, valid; struct strings valid_words; bool size_differs; };

/* ERRSIG KEYID ALGORITHM HASH CLASS TIME CODE ...: 9 is a key that is not in the keyrings. */
static const char *refusal(const struct strings *words)
{
	const char *word = words->v[0];

	if (strcmp(word, "ERRSIG") == 0 && words->n > 6 && strcmp(words->v[6], "9") == 0)
		word = "NO_PUBKEY";
	for (size_t i = 0; i < ELEMENTS(refusals); i++)
		if (strcmp(refusals[i].word, word) == 0)
			return refusals[i].meaning;
	return NULL;
}

static void count(struct tally *t, const struct strings *words, size_t text_size)
{
	const char *word = words->v[0];
	unsigned long long size;

	t->texts += strcmp(word, "PLAINTEXT") == 0;
	t->signatures += strcmp(word, "NEWSIG") == 0;
	t->good += strcmp(word, "GOODSIG") == 0;
	if (strcmp(word, "PLAINTEXT_LENGTH") == 0)
		t->size_differs = words->n < 2 || str_to_u64(words->v[1], &size) < 0 || size != text_size;
	if (strcmp(word, "VALIDSIG") != 0)
		return;
	t->valid++;
	t->valid_words = *words;
}

/* VALIDSIG FINGERPRINT DATE TIMESTAMP EXPIRES VERSION RESERVED ALGORITHM HASH CLASS PRIMARY: class 00 is over a binary
 * document as it is; over a text the line ends would not count. */
static const char *judge(const struct tally *t)
{
	if (t->texts != 1 || t->signatures != 1 || t->good != 1 || t->valid != 1)
		return "it is not one signed text with one signature";
	if (t->size_differs)
		return "the signed text is too long";
	if (t->valid_words.n < 11 || strcmp(t->valid_words.v[9], "00") != 0)
		return "the signature is not over a binary text";
	return NULL;
}

int pgp_verdict(struct arena *arena, const char *status, size_t text_size, char **ret_fingerprint, struct error *err)
{
	struct strings lines = strings_split(arena, status, "\n");
	const char *problem = NULL;
	struct tally t = { 0 };

	for (size_t i = 0; i < lines.n && !problem; i++) {
		const char *line = str_after(lines.v[i], "[GNUPG:] ");
		struct strings words;

		if (!line)
			continue;
		words = strings_split(arena, line, " ");
		problem = refusal(&words);
		count(&t, &words, text_size);
	}
	if (!problem)
		problem = judge(&t);
	if (problem)
		return error_set(err, ERROR_DENIED, "%s", problem);
	*ret_fingerprint = t.valid_words.v[10];
	return 0;
}
