/* What containers send to the gateway: packets, one after the other, each with its size in front. What is taken lies within
 * its packet; what is answered can be read, and is no answer to an answer. The rest is taken for a resolv.conf. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/facts.h"
#include "gateway/packet.h"
#include "gateway/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t out[PACKET_MAX], error[PACKET_ERROR_MAX];

static void demand(bool condition)
{
	if (!condition)
		abort();
}

static void check(const struct packet *p)
{
	struct tuple back = packet_reverse(&p->tuple);
	struct in6_addr by;
	struct packet again;
	size_t n;

	demand(p->data >= p->bytes && p->data + p->data_size <= p->bytes + p->size);
	demand(p->v6 != packet_is_v4(&p->tuple.from) && p->v6 != packet_is_v4(&p->tuple.to));
	policy_judge(&p->tuple.to);
	policy_is_source(&p->tuple.from);
	policy_address(p->v6 ? "fd62:7279:6f00::1" : "169.254.1.1", &by);
	n = packet_make_trouble(&by, packet_trouble(p->v6, TROUBLE_NO_HOST), p->bytes, p->size, error);
	demand(n > 0 && n <= sizeof(error) && !packet_parse(error, n, &again));
	if (p->tuple.protocol == IPPROTO_TCP) {
		n = packet_make_reset(p, error);
		demand(n == 0 || (packet_parse(error, n, &again) && memcmp(&again.tuple, &back, sizeof(back)) == 0));
		return;
	}
	n = p->tuple.protocol == IPPROTO_UDP ? packet_make_udp(&back, p->data, p->data_size, out)
					     : packet_make_echo(&back, true, (uint16_t)p->sequence, p->data, p->data_size, out);
	demand(n <= sizeof(out));
	if (p->tuple.protocol == IPPROTO_UDP && n)
		demand(packet_parse(out, n, &again) && again.data_size == p->data_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts facts;
	struct packet p;
	char *text;

	while (size >= 2) {
		size_t n = (size_t)(data[0] << 8 | data[1]);
		uint8_t *exact;

		data += 2, size -= 2;
		n = n < size ? n : size;
		exact = malloc(n + 1);
		memcpy(exact, data, n);
		if (packet_parse(exact, n, &p))
			check(&p);
		free(exact);
		data += n, size -= n;
		if (data[-1] == 0xff)
			break;
	}
	text = calloc(1, size + 1);
	memcpy(text, data, size);
	facts_parse_servers(text, &facts);
	demand(facts.servers_n >= 1 && facts.servers_n <= FACTS_SERVERS);
	free(text);
	return 0;
}
