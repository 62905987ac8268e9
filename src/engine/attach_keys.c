#include "engine/attach_keys.h"

#include <string.h>

#define DEFAULT_KEYS "ctrl-p,ctrl-q"

/* The control character of a key: ctrl-a is 1, ctrl-@ is 0. -1 when there is none. */
static int control_of(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	if (c == '@')
		return 0;
	if (c == '[' || c == '\\' || c == ']' || c == '^' || c == '_')
		return c - '@';
	return -1;
}

static int parse_key(const char *text, size_t n)
{
	if (n == 1)
		return (unsigned char)text[0];
	if (n == 6 && strncmp(text, "ctrl-", 5) == 0)
		return control_of(text[5]);
	return -1;
}

int attach_keys_parse(const char *text, struct attach_keys *ret, struct error *err)
{
	struct attach_keys keys = { 0 };

	if (!text)
		text = DEFAULT_KEYS;
	while (*text) {
		size_t n = strcspn(text, ",");
		int key = parse_key(text, n);

		if (key < 0)
			return error_set(err, ERROR_USAGE, "invalid detach keys: \"%.*s\" is neither one character nor "
					 "ctrl- with one of a-z @ [ \\ ] ^ _", (int)n, text);
		if (keys.n == ATTACH_KEYS_MAX)
			return error_set(err, ERROR_USAGE, "invalid detach keys: more than %d", ATTACH_KEYS_MAX);
		keys.v[keys.n++] = (unsigned char)key;
		text += n;
		if (*text && !*++text)
			return error_set(err, ERROR_USAGE, "invalid detach keys: a key is missing after the last comma");
	}
	*ret = keys;
	return 0;
}

bool attach_keys_filter(struct attach_keys *k, const unsigned char *in, size_t n, unsigned char *out, size_t *ret_n)
{
	size_t written = 0;

	for (size_t i = 0; i < n; i++) {
		if (k->n && in[i] == k->v[k->matched]) {
			if (++k->matched < k->n)
				continue;
			k->matched = 0;
			*ret_n = written;
			return true;
		}
		memcpy(out + written, k->v, k->matched);
		written += k->matched;
		k->matched = 0;
		if (k->n && in[i] == k->v[0])
			k->matched = 1;
		else
			out[written++] = in[i];
	}
	*ret_n = written;
	return false;
}
