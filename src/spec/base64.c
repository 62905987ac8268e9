#include "spec/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *arena, const char *bytes, size_t n)
{
	char *text = arena_alloc(arena, (n + 2) / 3 * 4 + 1), *out = text;
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i < n; i += 3) {
		size_t rest = n - i;
		uint32_t word = (uint32_t)p[i] << 16 | (rest > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (rest > 2 ? p[i + 2] : 0);

		*out++ = alphabet[word >> 18];
		*out++ = alphabet[word >> 12 & 63];
		*out++ = rest > 1 ? alphabet[word >> 6 & 63] : '=';
		*out++ = rest > 2 ? alphabet[word & 63] : '=';
	}
	return text;
}

/* -1: none. */
static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *base64_decode(struct arena *arena, const char *text, size_t *ret_n)
{
	size_t len = strlen(text), digits = len;
	char *bytes = arena_alloc(arena, len + 1);
	uint32_t word = 0;
	size_t n = 0;

	while (digits > 0 && text[digits - 1] == '=')
		digits--;
	if (len % 4 != 0 || len - digits > 2)
		return NULL;
	for (size_t i = 0; i < digits; i++) {
		int digit = digit_of(text[i]);

		if (digit < 0)
			return NULL;
		word = word << 6 | (uint32_t)digit;
		if (i % 4)
			bytes[n++] = (char)(word >> (6 - 2 * (i % 4)));
	}
	bytes[n] = '\0';
	if (ret_n)
		*ret_n = n;
	return bytes;
}
