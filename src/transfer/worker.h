/* transfer/worker - one forked process for each layer that is unpacked
 *
 * It has no network, tells its progress and its result through a pipe, and dies with its parent. */
#ifndef BRYO_TRANSFER_WORKER_H
#define BRYO_TRANSFER_WORKER_H

#include <sys/types.h>

#include "transfer/chunked.h"

struct worker_result { char diff_id[DIGEST_TEXT_MAX]; int64_t size, max_uid, max_gid; bool recipe; };

enum worker_word { WORKER_PROGRESS, WORKER_DONE, WORKER_FAILED };

struct worker_message {			/* smaller than PIPE_BUF: never half */
	enum worker_word word;
	int64_t consumed;
	union {
		struct worker_result result;
		struct error error;
	};
};

struct worker {
	pid_t pid;			/* 0: none */
	int pipe;
};

/* chunked: what the layer is made of instead of its blob; NULL. */
int worker_start(struct worker *worker, const struct work *w, const struct transfer_request *r,
		 const struct transfer_layer *layer, struct chunked *chunked, struct error *err);
/* Reads what it says: 1 and a message, 0 when there is nothing more to come now. A worker that died without a word is
 * a WORKER_FAILED message. After DONE or FAILED the worker is reaped. */
int worker_read(struct worker *worker, struct worker_message *ret);
void worker_kill(struct worker *worker);

#endif
