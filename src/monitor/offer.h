/* monitor/offer - clients of published ports, offered to the container as they are
 *
 * With socket bypass the forwarder (monitor/forward) lets the container have a client itself: it makes the usual connection to
 * the container, whose listening socket becomes ready by that, and writes down here which client it stands for. When the
 * container's accept(2) finds that connection the monitor (monitor/bypass) gives it the client's socket instead, and no byte
 * passes the forwarder. A table in memory that both share; one word of each place decides who has the client.
 *
 * made -> free: by the forwarder, which carries the bytes, as without bypass. made -> taken: by the monitor, which then says
 * how it went: given, or back, when the container could not be given it after all. Both only by compare and exchange. */
#ifndef BRYO_MONITOR_OFFER_H
#define BRYO_MONITOR_OFFER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "monitor/forward.h"

#define OFFERS 256			/* who comes when so many wait for the container is carried */

enum offer_state { OFFER_FREE, OFFER_MADE, OFFER_TAKEN, OFFER_GIVEN, OFFER_BACK };
#define OFFER_STATES 8u			/* the rest of the word counts how often the place was used */

struct offer {
	_Atomic uint32_t word;
	int32_t fd;			/* of the client, in the forwarder */
	union forward_name client;	/* the source of the connection to the container */
	uint16_t port;			/* the container's */
};

struct offers {
	_Atomic uint32_t made;		/* how many may be taken, roughly */
	struct offer offer[OFFERS];
};

static inline enum offer_state offer_state(uint32_t word)
{
	return (enum offer_state)(word % OFFER_STATES);
}

/* From one state to another, if it is still the same use of the place. */
static inline bool offer_turn(struct offer *o, uint32_t word, enum offer_state from, enum offer_state to)
{
	uint32_t use = word - word % OFFER_STATES, expected = use + from;

	return atomic_compare_exchange_strong(&o->word, &expected, use + to);
}

#endif
