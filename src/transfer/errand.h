/* transfer/errand - what is wanted of a registry, many things side by side, each by one exchange after another
 *
 * An errand asks, hears the answer, asks on, or waits a while before its next try; what it is after its kind knows. All
 * errands of a registry are moved on by one loop, which also listens to descriptors of others. Redirects, authorization
 * and new tokens (EXCHANGE_AGAIN) are not heard of by the kind. */
#ifndef BRYO_TRANSFER_ERRAND_H
#define BRYO_TRANSFER_ERRAND_H

#include <poll.h>

#include "transfer/exchange.h"

#define ERRAND_TRIES_MAX 50		/* however much progress each of them makes */

struct errand;

struct errand_kind {
	void (*answered)(struct errand *e, CURLcode code);	/* e->x ended, whether well or not */
	void (*wake)(struct errand *e);				/* its pause is over */
};

struct errands {
	struct registry *registry;
	struct errand *all;
	size_t running;			/* that have not ended */
};

struct errand {
	struct errands *among;
	struct errand *next;
	const struct errand_kind *kind;
	void *context;
	struct exchange x;		/* of the last question; its context is the kind's */
	bool asked, pausing;
	int64_t wake_ms;
	int tries, all_tries;		/* since the last progress; ever */
};

/* The errand and its context outlive the others. */
void errand_begin(struct errands *all, struct errand *e, const struct errand_kind *kind, void *context);
/* A new question, to be filled in; what is known of the one before is gone. */
struct exchange *errand_question(struct errand *e);
/* Sends it. -1: no memory. */
int errand_ask(struct errand *e);
/* Counts a try that failed: may there be another? */
bool errand_may_retry(struct errand *e);
void errand_pause(struct errand *e, int64_t ms);
void errand_end(struct errand *e);
/* As at the end of the process: nothing is heard of it any more. */
void errand_drop(struct errand *e);

/* Moves everything on and waits for news, of errands or of the given descriptors (revents are not meaningful). */
int errand_wait(struct errands *all, struct pollfd *fds, size_t n, struct error *err);

#endif
