/* gateway/policy - where a container's packets may go
 *
 * Pure. The world and the host's own addresses are open to them, as to any program of the user's; the host's loopback
 * and what belongs to one link of the host alone (link-local addresses: there live services that trust whoever asks) are
 * not. Everything that connect(2) would take for the loopback is refused by its address. */
#ifndef BRYO_GATEWAY_POLICY_H
#define BRYO_GATEWAY_POLICY_H

#include <netinet/in.h>
#include <stdbool.h>

enum policy {
	POLICY_OUT,
	POLICY_DNS,		/* the forwarder's address: port 53 of it, and it answers an echo */
	POLICY_HOST,		/* stands for the host's own address */
	POLICY_REFUSE,		/* answered: prohibited */
	POLICY_IGNORE,		/* multicast, broadcast: never answered */
};

enum policy policy_judge(const struct in6_addr *to);
/* Can somebody be answered at this address? */
bool policy_is_source(const struct in6_addr *from);

/* An address in the gateway's own form. "" or another word is not one: false. */
bool policy_address(const char *text, struct in6_addr *ret);

#endif
