/* transfer/channel - requests in, events out, over the socket to the engine */
#ifndef BRYO_TRANSFER_CHANNEL_H
#define BRYO_TRANSFER_CHANNEL_H

#include "spec/transfer.h"

#define CHANNEL_FDS_MAX 4
#define CHANNEL_MESSAGE_MAX ((size_t)8 << 20)

struct channel {
	int socket;
	struct buffer in;
	int fds[CHANNEL_FDS_MAX];	/* that came with the current request; -1 */
};

void channel_init(struct channel *c, int socket);
/* The next request: 1; 0 at end of file; -1 when the engine's words cannot be understood. Descriptors of the request
 * before are closed. */
int channel_receive(struct channel *c, struct arena *arena, struct transfer_request *ret, struct error *err);
/* Sends an event. -1 when nobody listens any more. */
int channel_send(struct channel *c, const struct transfer_event *event);
int channel_send_error(struct channel *c, const struct error *error);

/* Progress of one blob: the first and the last state are sent, and at most ten a second between. */
struct progress {
	struct channel *channel;	/* NULL: tells nobody */
	char id[16];			/* first 12 hex digits */
	const char *status;
	int64_t total, last_ms;
};
void progress_init(struct progress *p, struct channel *c, const char *digest, int64_t total);
void progress_note(struct progress *p, const char *status, int64_t current);

#endif
