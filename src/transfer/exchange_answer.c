/* What comes back: headers that are kept, bodies to their taker or into memory. */
#include <ctype.h>
#include <strings.h>

#include "transfer/exchange_inside.h"

#define ERROR_BODY_MAX ((size_t)64 << 10)
#define HEADER_MAX 8192

static void forget_answer(struct exchange *x)
{
	x->status = 0;
	x->content_type = x->content_encoding = x->content_digest = x->content_range = NULL;
	x->location = x->range = x->chunk_least = x->link = NULL;
	x->retry_after_s = x->content_length = -1;
	x->challenges = (struct challenges){ 0 };
	buffer_done(&x->body);
	x->body = BUFFER(x->take || x->body_max < ERROR_BODY_MAX ? ERROR_BODY_MAX : x->body_max);
	x->too_long = x->refused_by_taker = x->transport_failed = false;
	error_clear(&x->error);
}

static char *header_value(struct exchange *x, const char *line, size_t n, const char *name)
{
	size_t skip = strlen(name);

	if (n < skip || strncasecmp(line, name, skip) != 0)
		return NULL;
	while (skip < n && isspace((unsigned char)line[skip]))
		skip++;
	while (n > skip && isspace((unsigned char)line[n - 1]))
		n--;
	return arena_strndup(x->arena, line + skip, n - skip);
}

/* The headers that are kept as they are. */
static bool take_text(struct exchange *x, const char *line, size_t n)
{
	const struct { const char *name; char **place; } texts[] = {
		{ "Docker-Content-Digest:", &x->content_digest }, { "Content-Type:", &x->content_type },
		{ "Content-Encoding:", &x->content_encoding },
		{ "Content-Range:", &x->content_range },	  { "Location:", &x->location },
		{ "Range:", &x->range },			  { "OCI-Chunk-Min-Length:", &x->chunk_least },
		{ "Link:", &x->link },
	};

	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		char *value = header_value(x, line, n, texts[i].name);

		if (!value)
			continue;
		*texts[i].place = value;
		return true;
	}
	return false;
}

static size_t on_header(char *line, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	long long length;
	unsigned seconds;
	char *value;

	n *= size;
	x->headers_size += n;
	if (x->headers_size > EXCHANGE_HEADERS_MAX) {
		x->too_long = true;
		return 0;
	}
	if (n > HEADER_MAX)
		return n;
	if (n > 5 && strncmp(line, "HTTP/", 5) == 0)
		forget_answer(x);
	else if (take_text(x, line, n))
		return n;
	else if ((value = header_value(x, line, n, "WWW-Authenticate:")))
		challenge_parse(x->arena, value, &x->challenges);
	else if ((value = header_value(x, line, n, "Content-Length:")) && str_to_i64(value, &length) == 0)
		x->content_length = length;
	else if ((value = header_value(x, line, n, "Retry-After:")) && str_to_u32(value, &seconds) == 0)
		x->retry_after_s = seconds;
	return n;
}

static bool is_success(const struct exchange *x)
{
	return x->status >= 200 && x->status < 300;
}

static size_t on_body(char *p, size_t size, size_t n, void *context)
{
	struct exchange *x = context;

	n *= size;
	if (!x->status) {
		curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &x->status);
		if (x->begin && is_success(x))
			x->begin(x->context);
	}
	if (x->take && is_success(x)) {
		x->refused_by_taker = x->take(x->context, p, n) < 0;
		return x->refused_by_taker ? 0 : n;
	}
	if (buffer_add(&x->body, p, n) == 0)
		return n;
	x->too_long = true;
	return is_success(x) ? 0 : n;		/* the rest of an error's text is of no interest */
}

void exchange_set_answer(struct exchange *x)
{
	CURL *c = x->easy;

	forget_answer(x);
	x->headers_size = 0;
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
}
