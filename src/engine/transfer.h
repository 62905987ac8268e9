/* engine/transfer - the engine's end of a bryo-transfer process */
#ifndef BRYO_ENGINE_TRANSFER_H
#define BRYO_ENGINE_TRANSFER_H

#include "engine/engine.h"

struct transfer { int socket, pidfd; };

int transfer_open(struct engine *e, struct transfer *ret, struct error *err);
/* Sends one request with descriptors, passes progress to the face, and fills ret from the result. */
int transfer_call(struct engine *e, struct transfer *t, const struct transfer_request *r, const int *fds, size_t fds_n,
		  struct transfer_event *ret, struct error *err);
void transfer_close(struct transfer *t);
/* One request of a bryo-transfer of its own. */
int transfer_ask(struct engine *e, const struct transfer_request *r, const int *fds, size_t fds_n,
		 struct transfer_event *ret, struct error *err);

#endif
