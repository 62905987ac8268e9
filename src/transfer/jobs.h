/* transfer/jobs - things done side by side until all are done: by processes of their own, by errands at a registry
 *
 * What a job is and how it goes on knows its kind; here is the loop. The first failure ends it, and leaves what is under
 * way to the caller. */
#ifndef BRYO_TRANSFER_JOBS_H
#define BRYO_TRANSFER_JOBS_H

#include "transfer/errand.h"

struct jobs_kind {
	/* Begins what of the job can begin now. */
	int (*begin)(void *all, size_t job, struct error *err);
	/* The pipe that its process talks through; -1 while there is none. NULL: there are no processes. */
	int (*pipe)(const void *all, size_t job);
	/* Takes what there is to hear of it, if anything. */
	int (*hear)(void *all, size_t job, struct error *err);
	bool (*is_done)(const void *all, size_t job);
};

/* errands NULL: no network. */
int jobs_work_off(const struct jobs_kind *kind, void *all, size_t n, struct errands *errands, struct error *err);

/* Processors that this process may use: at least one, at most so many. */
size_t jobs_processors(size_t most);

#endif
