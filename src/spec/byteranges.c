#include "spec/byteranges.h"

#include <string.h>
#include <strings.h>

#include "base/string.h"

#define LINES_MAX 32

bool byteranges_parse(const char *text, int64_t *ret_from, int64_t *ret_end)
{
	int64_t to;

	if (strncasecmp(text, "bytes ", 6) != 0)
		return false;
	text += 6;
	if (!str_take_i64(&text, '-', ret_from) || !str_take_i64(&text, '/', &to) || to < *ret_from || to == INT64_MAX)
		return false;
	*ret_end = to + 1;
	return true;
}

bool byteranges_begin(struct byteranges *b, const char *content_type, byteranges_taker *take, void *context)
{
	static const char wanted[] = "multipart/byteranges";
	const char *text = content_type ? strcasestr(content_type, "boundary=") : NULL;
	size_t n;

	if (!text || strncasecmp(content_type, wanted, sizeof(wanted) - 1) != 0)
		return false;
	text += strlen("boundary=");
	if (*text == '"')
		n = strcspn(++text, "\"");
	else
		n = strcspn(text, "; \t");
	if (n == 0 || n > BYTERANGES_BOUNDARY_MAX)
		return false;
	memset(b, 0, sizeof(*b));
	b->take = take;
	b->context = context;
	memcpy(b->boundary, "--", 2);
	memcpy(b->boundary + 2, text, n);
	return true;
}

/* Before a part: its boundary, or the last one. What stands before the first may be anything. */
static int take_boundary(struct byteranges *b, struct error *err)
{
	const char *rest = str_after(b->line, b->boundary);

	if (rest && (!*rest || strcmp(rest, "--") == 0)) {
		b->at = *rest ? BYTERANGES_END : BYTERANGES_HEADER;
		b->left = -1;
		b->lines = 0;
		return 0;
	}
	if (++b->lines > LINES_MAX || (b->at == BYTERANGES_AFTER && b->line_size))
		return error_set(err, ERROR_NETWORK, "the parts of the answer are not divided by their boundary");
	return 0;
}

static int take_header(struct byteranges *b, struct error *err)
{
	static const char name[] = "Content-Range:";
	const char *value = b->line + sizeof(name) - 1;
	int64_t end;

	if (++b->lines > LINES_MAX)
		return error_set(err, ERROR_NETWORK, "a part of the answer has too many headers");
	if (!b->line_size && b->left < 0)
		return error_set(err, ERROR_NETWORK, "a part of the answer does not say where it belongs");
	if (!b->line_size) {
		b->at = BYTERANGES_PART;
		return 0;
	}
	if (strncasecmp(b->line, name, sizeof(name) - 1) != 0)
		return 0;
	while (*value == ' ' || *value == '\t')
		value++;
	if (b->left >= 0 || !byteranges_parse(value, &b->offset, &end))
		return error_set(err, ERROR_NETWORK, "a part of the answer does not say where it belongs");
	b->left = end - b->offset;
	return 0;
}

static int take_line(struct byteranges *b, struct error *err)
{
	if (b->line_size && b->line[b->line_size - 1] == '\r')
		b->line_size--;
	b->line[b->line_size] = '\0';
	if ((b->at == BYTERANGES_HEADER ? take_header : take_boundary)(b, err) < 0)
		return -1;
	b->line_size = 0;
	return 0;
}

static size_t take_part(struct byteranges *b, const char *p, size_t n)
{
	if ((int64_t)n > b->left)
		n = (size_t)b->left;
	if (b->take(b->context, b->offset, p, n) < 0)
		return 0;
	b->offset += (int64_t)n;
	b->left -= (int64_t)n;
	if (b->left == 0) {
		b->at = BYTERANGES_AFTER;
		b->lines = 0;
	}
	return n;
}

int byteranges_add(struct byteranges *b, const char *p, size_t n, struct error *err)
{
	while (n > 0 && b->at != BYTERANGES_END) {
		size_t used = 1;

		if (b->at == BYTERANGES_PART) {
			used = take_part(b, p, n);
			if (!used)
				return -1;
		} else if (*p == '\n') {
			if (take_line(b, err) < 0)
				return -1;
		} else if (b->line_size == sizeof(b->line) - 1) {
			return error_set(err, ERROR_NETWORK, "a header of a part of the answer is too long");
		} else {
			b->line[b->line_size++] = *p;
		}
		p += used;
		n -= used;
	}
	return 0;
}

bool byteranges_is_whole(const struct byteranges *b)
{
	return b->at == BYTERANGES_END;
}
