/* What is asked and sent: headers, body, ranges, how long silence may be. */
#include <errno.h>
#include <unistd.h>

#include "transfer/exchange_inside.h"

static int add_header(struct exchange *x, const char *text)
{
	struct curl_slist *more = curl_slist_append(x->headers, text);

	if (!more)
		return -1;
	x->headers = more;
	return 0;
}

/* Without "Expect: 100-continue", which costs a second where it is not understood. */
static int set_sending_headers(struct exchange *x)
{
	const char *type = x->send_type ? arena_printf(x->arena, "Content-Type: %s", x->send_type) : "Content-Type:";

	if (!x->method)
		return 0;
	if (add_header(x, type) < 0 || add_header(x, "Expect:") < 0)
		return -1;
	return x->send_range ? add_header(x, arena_printf(x->arena, "Content-Range: %s", x->send_range)) : 0;
}

static int set_headers(struct exchange *x)
{
	struct registry *r = x->registry;

	curl_slist_free_all(x->headers);
	x->headers = NULL;
	if ((x->accept && add_header(x, x->accept) < 0) || set_sending_headers(x) < 0)
		return -1;
	x->token_number = r->token_number;
	if (!x->url && x->authorize && r->authorization &&
	    add_header(x, arena_printf(x->arena, "Authorization: %s", r->authorization)) < 0)
		return -1;
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	return 0;
}

/* --- sending */

static size_t on_send(char *p, size_t size, size_t n, void *context)
{
	struct exchange *x = context;
	const struct exchange_body *b = x->send;
	int64_t left = b->size - x->sent;
	ssize_t done;

	n *= size;
	if ((int64_t)n > left)
		n = (size_t)left;
	if (b->data) {
		memcpy(p, b->data + b->from + x->sent, n);
		done = (ssize_t)n;
	} else {
		do
			done = pread(b->fd, p, n, b->from + x->sent);
		while (done < 0 && errno == EINTR);
	}
	if (done < 0 || (done == 0 && n > 0)) {
		error_set(&x->error, ERROR_INVALID, "what is to be sent is not there any more");
		return CURL_READFUNC_ABORT;
	}
	x->sent += done;
	if (x->sending)
		x->sending(x->context, x->sent);
	return (size_t)done;
}

static int on_rewind(void *context, curl_off_t offset, int origin)
{
	struct exchange *x = context;

	if (origin != SEEK_SET || offset < 0 || offset > x->send->size)
		return CURL_SEEKFUNC_FAIL;
	x->sent = offset;
	return CURL_SEEKFUNC_OK;
}

static void set_method(struct exchange *x)
{
	static const struct exchange_body nothing = { .data = "" };
	CURL *c = x->easy;

	x->sent = 0;
	if (!x->method)
		return;
	if (strcmp(x->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (!x->send)
		x->send = &nothing;
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, x->method);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->send->size);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_send);
	curl_easy_setopt(c, CURLOPT_READDATA, x);
	curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, on_rewind);
	curl_easy_setopt(c, CURLOPT_SEEKDATA, x);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
}

static void set_range(struct exchange *x)
{
	const char *text = x->ranges;

	if (!text && x->range_to > 0)
		text = arena_printf(x->arena, "%lld-%lld", (long long)x->range_from, (long long)x->range_to);
	else if (!text && x->range_from > 0)
		text = arena_printf(x->arena, "%lld-", (long long)x->range_from);
	curl_easy_setopt(x->easy, CURLOPT_RANGE, text);
}

int exchange_set_question(struct exchange *x)
{
	CURL *c = x->easy;

	if (set_headers(x) < 0)
		return -1;
	curl_easy_setopt(c, CURLOPT_URL, x->at);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PRIVATE, x);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "bryo/" BRYO_VERSION);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, EXCHANGE_CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, EXCHANGE_SPEED_MIN);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, x->take || x->method ? 0L : EXCHANGE_IN_MEMORY_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, x->patience_s ? x->patience_s : EXCHANGE_IDLE_S);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 131072L);
	set_range(x);
	if (x->form)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, x->form);
	if (x->basic) {
		curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(c, CURLOPT_USERPWD, x->basic);
	}
	set_method(x);
	return 0;
}
