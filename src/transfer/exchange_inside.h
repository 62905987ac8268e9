/* transfer/exchange_inside - the parts of transfer/exchange: the question, the answer, what it means */
#ifndef BRYO_TRANSFER_EXCHANGE_INSIDE_H
#define BRYO_TRANSFER_EXCHANGE_INSIDE_H

#include "transfer/exchange.h"

#define EXCHANGE_HEADERS_MAX ((size_t)256 << 10)
#define EXCHANGE_IDLE_S 60L
#define EXCHANGE_SPEED_MIN 100L		/* bytes a second: less is silence */
#define EXCHANGE_IN_MEMORY_S 300L	/* for a whole answer of a few MiB, however steadily it drips */
#define EXCHANGE_CONNECT_S 30L

/* Sets the handle's options: what is asked, and what is sent. -1: no memory. */
int exchange_set_question(struct exchange *x);
/* Nothing has been answered yet; and who takes what will be. */
void exchange_set_answer(struct exchange *x);
/* Why there was no answer, with a cure where one is known. */
void exchange_explain(struct exchange *x, CURLcode code);

#endif
