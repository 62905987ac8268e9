/* transfer/exchange - one question to a registry and its answer, with redirects and authorization
 *
 * An exchange is a curl handle and the rules around it. Redirects are followed by hand, at most ten: Authorization
 * never goes to another scheme, host or port, and never again afterwards; from https there is no way back to http; what
 * is sent to be kept follows 307 and 308 only. A 401 is answered once with what the challenge asks for, and what was
 * being sent is sent again. Bodies of 2xx go to the taker, or into memory up to a limit; bodies of errors are kept for
 * their message. All exchanges run in the registry's multi handle and share its connections. */
#ifndef BRYO_TRANSFER_EXCHANGE_H
#define BRYO_TRANSFER_EXCHANGE_H

#include <curl/curl.h>

#include "transfer/registry.h"

/* What is sent: memory, or a part of a file. */
struct exchange_body { const char *data; int fd; int64_t from, size; };

#define EXCHANGE_RENEWALS_MAX 3		/* of the token, for one exchange */

struct exchange {
	/* the question */
	struct registry *registry;
	const char *method;		/* "HEAD" "POST" "PATCH" "PUT"; NULL: GET, or POST of a form */
	const char *path;		/* below scheme://host, "/v2/..." */
	const char *address;		/* instead: where the registry said to go on; a stranger gets no credentials */
	const char *url;		/* instead: a token server's; no authorization is added to it */
	const char *accept;		/* NULL */
	const char *basic;		/* "user:password" for url */
	const char *form;		/* POST this form to url */
	const struct exchange_body *send;	/* with PATCH and PUT; NULL: nothing */
	const char *send_type, *send_range;	/* headers Content-Type, Content-Range; NULL */
	void (*sending)(void *context, int64_t sent);
	long patience_s;		/* how long silence is no failure; 0: a minute */
	int64_t range_from, range_to;	/* > 0: the rest only; a part only, last byte included */
	const char *ranges;		/* instead: several, "0-99,200-299"; NULL */
	size_t body_max;
	int (*take)(void *context, const char *p, size_t n);	/* -1 ends the transfer */
	void (*begin)(void *context);	/* headers of a 2xx are there */
	void *context;
	struct errand *errand;		/* that hears of its end (transfer/errand); NULL: nobody */

	/* the answer */
	long status;
	struct buffer body;
	char *content_type, *content_encoding, *content_digest, *content_range, *location, *range, *chunk_least, *link;
	int64_t content_length;		/* -1: not said */
	int64_t retry_after_s;		/* -1: not said */
	struct error error;		/* why there is none */
	bool transport_failed;		/* cut, timeout, no connection */
	CURLcode code;

	/* inside */
	CURL *easy;
	struct curl_slist *headers;
	char *at;			/* the URL asked now */
	struct challenges challenges;
	struct arena *arena;		/* of the answer's headers */
	int redirects, renewals;
	int64_t sent;
	bool authorize, too_long, refused_by_taker, refused_peer;
	size_t headers_size;		/* of all headers, those of interim answers too */
	unsigned token_number;		/* of the token that was sent */
};

enum exchange_next { EXCHANGE_DONE, EXCHANGE_AGAIN };

void exchange_init(struct exchange *x, struct registry *registry);
/* Makes the handle ready; add it to a multi handle (CURLINFO_PRIVATE is the exchange) or use exchange_run. */
int exchange_prepare(struct exchange *x);
/* After the handle ended: AGAIN means prepare and run it once more. DONE: look at error.kind, then at status. */
enum exchange_next exchange_ended(struct exchange *x, CURLcode code);
/* Alone, to the end. 0 when there was an answer of any status; -1 with x->error otherwise. */
int exchange_run(struct exchange *x);
void exchange_done(struct exchange *x);

/* What a status that is no success means, with the registry's own words: always -1. what: "manifest latest". */
int exchange_failure(const struct exchange *x, const char *what, struct error *err);
/* Worth another try: cut, 408, 429, 5xx? *ret_pause_ms: how long to wait before try number `tries` (1, 2, ...). */
bool exchange_may_retry(const struct exchange *x, int tries, int64_t *ret_pause_ms);
/* The same for an exchange that runs alone: waits and answers true when it is to be run once more. Where nobody is at
 * all waiting does not help. */
bool exchange_pause(const struct exchange *x, int tries);

#endif
