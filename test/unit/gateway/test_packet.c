#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string.h"
#include "gateway/packet.h"
#include "gateway/policy.h"

/* Bytes from hexadecimal digits; blanks are ignored. */
static size_t bytes(const char *hex, uint8_t *ret)
{
	size_t n = 0;

	for (; *hex; hex += 2) {
		unsigned value;

		while (*hex == ' ')
			hex++;
		if (!*hex)
			break;
		assert_int_equal(sscanf(hex, "%2x", &value), 1);
		ret[n++] = (uint8_t)value;
	}
	return n;
}

/* Of a checksum's field and what it covers, with the pseudo header: 0xffff when it is right. */
static unsigned fold(const uint8_t *p, size_t n, unsigned s)
{
	for (size_t i = 0; i < n; i++)
		s += i % 2 ? p[i] : (unsigned)p[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static void assert_checksums(const uint8_t *p, size_t n)
{
	bool v4 = p[0] >> 4 == 4;
	size_t header = v4 ? 20 : 40, transport = n - header;
	unsigned protocol = v4 ? p[9] : p[6];
	unsigned s = protocol == IPPROTO_ICMP ? 0 : fold(p + (v4 ? 12 : 8), v4 ? 8 : 32, protocol + (unsigned)transport);

	if (v4)
		assert_int_equal(fold(p, 20, 0), 0xffff);
	assert_int_equal(fold(p + header, transport, s), 0xffff);
}

static struct tuple tuple_of(const char *from, uint16_t from_port, const char *to, uint16_t to_port, uint32_t protocol)
{
	struct tuple t = { .from_port = from_port, .to_port = to_port, .protocol = protocol };

	assert_true(policy_address(from, &t.from));
	assert_true(policy_address(to, &t.to));
	return t;
}

/* 10.89.0.2:40000 -> 192.0.2.1:80, SYN, sequence 0x01020304, one option */
#define SYN4 "4500002c 00014000 4006 0000 0a590002 c0000201  9c40 0050 01020304 00000000 6002 ffff 0000 0000 020405b4"
/* fd89::2 -> 2001:db8::1 */
#define HEAD6 "fd890000000000000000000000000002 20010db8000000000000000000000001"

static void a_segment_is_read(void **state)
{
	struct tuple expected = tuple_of("10.89.0.2", 40000, "192.0.2.1", 80, IPPROTO_TCP);
	uint8_t p[128];
	size_t n = bytes(SYN4 "ffffff", p);	/* what stands behind the packet does not belong to it */
	struct packet got;

	(void)state;
	assert_true(packet_parse(p, n, &got));
	assert_memory_equal(&got.tuple, &expected, sizeof(expected));
	assert_false(got.v6);
	assert_int_equal(got.size, 44);
	assert_int_equal(got.hops, 64);
	assert_int_equal(got.flags, TCP_SYN);
	assert_int_equal(got.sequence, 0x01020304);
	assert_int_equal(got.data_size, 0);
}

static void datagrams_and_echoes_are_read(void **state)
{
	struct tuple udp = tuple_of("fd89::2", 53, "2001:db8::1", 5353, IPPROTO_UDP);
	struct tuple echo = tuple_of("10.89.0.2", 0x1234, "192.0.2.1", 0, IPPROTO_ICMP);
	uint8_t p[128];
	struct packet got;

	(void)state;
	assert_true(packet_parse(p, bytes("60000000 000a 11 3f" HEAD6 "0035 14e9 000a 0000 6869", p), &got));
	assert_memory_equal(&got.tuple, &udp, sizeof(udp));
	assert_true(got.v6);
	assert_int_equal(got.data_size, 2);
	assert_memory_equal(got.data, "hi", 2);
	assert_true(packet_parse(p, bytes("4500001e 00000000 3f01 0000 0a590002 c0000201 0800 0000 1234 0007 6869", p), &got));
	assert_memory_equal(&got.tuple, &echo, sizeof(echo));
	assert_int_equal(got.sequence, 7);
	assert_int_equal(got.data_size, 2);
}

static void what_is_not_whole_is_not_taken(void **state)
{
	static const struct { const char *why, *hex; } cases[] = {
		{ "nothing", "" },
		{ "version 5", "5500002c 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "a header of 16 bytes", "4400002c 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "longer than it is", "4500002d 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "shorter than its header", "45000013 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "options that are not there", "4f000028 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000" },
		{ "a first fragment", "4500002c 00012000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "a later fragment", "4500002c 00010001 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000020405b4" },
		{ "TCP cut off", "45000020 00014000 4006 0000 0a590002 c0000201 9c400050 01020304 00000000" },
		{ "TCP options cut off", "45000028 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000006002ffff00000000" },
		{ "a TCP header of 16 bytes", "45000028 00014000 4006 0000 0a590002 c0000201 9c40005001020304000000004002ffff00000000" },
		{ "port 0", "45000028 00014000 4006 0000 0a590002 c0000201 9c400000 01020304 00000000 5002ffff00000000" },
		{ "UDP longer than the packet", "4500001e 00000000 3f11 0000 0a590002 c0000201 0035 14e9 000b 0000 6869" },
		{ "UDP shorter than its header", "4500001e 00000000 3f11 0000 0a590002 c0000201 0035 14e9 0007 0000 6869" },
		{ "an echo reply", "4500001c 00000000 3f01 0000 0a590002 c0000201 0000 0000 1234 0007" },
		{ "ICMPv6 by IPv4", "4500001c 00000000 3f3a 0000 0a590002 c0000201 8000 0000 1234 0007" },
		{ "IPv6 longer than it is", "60000000 000b 11 3f" HEAD6 "0035 14e9 000a 0000 6869" },
		{ "an extension header", "60000000 0010 00 3f" HEAD6 "1100000000000000 0035 14e9 0008 0000" },
		{ "an IPv4 address in an IPv6 packet",
		  "60000000 000a 11 3f fd890000000000000000000000000002 00000000000000000000ffff7f000001 0035 14e9 000a 0000 6869" },
	};
	uint8_t p[128];
	struct packet got;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		if (packet_parse(p, bytes(cases[i].hex, p), &got))
			fail_msg("%s was taken", cases[i].why);
}

static void every_beginning_of_a_packet_is_refused(void **state)
{
	uint8_t p[128];
	size_t n = bytes(SYN4, p);
	struct packet got;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint8_t *exact = malloc(i ? i : 1);	/* so that a sanitizer sees what is read beyond */

		memcpy(exact, p, i);
		assert_false(packet_parse(exact, i, &got));
		free(exact);
	}
}

static void what_is_made_can_be_read(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 1400, 65000, 65507 };
	static uint8_t data[PACKET_MAX], p[PACKET_MAX];
	struct tuple tuples[] = {
		tuple_of("192.0.2.1", 53, "10.89.0.2", 40000, IPPROTO_UDP), tuple_of("2001:db8::1", 53, "fd89::2", 40000, IPPROTO_UDP),
		tuple_of("10.89.0.2", 77, "192.0.2.1", 0, IPPROTO_ICMP), tuple_of("fd89::2", 77, "2001:db8::1", 0, IPPROTO_ICMP),
	};
	struct packet got;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < ELEMENTS(tuples); i++)
		for (size_t k = 0; k < ELEMENTS(sizes); k++) {
			bool udp = tuples[i].protocol == IPPROTO_UDP;
			size_t n = udp ? packet_make_udp(&tuples[i], data, sizes[k], p)
				       : packet_make_echo(&tuples[i], false, 9, data, sizes[k], p);

			if (sizes[k] > 65487 && !packet_is_v4(&tuples[i].from)) {
				assert_int_equal(n, 0);		/* an IPv6 packet would be too large */
				continue;
			}
			assert_true(packet_parse(p, n, &got));
			assert_memory_equal(&got.tuple, &tuples[i], sizeof(got.tuple));
			assert_int_equal(got.size, n);
			assert_int_equal(got.data_size, sizes[k]);
			assert_memory_equal(got.data, data, sizes[k]);
			assert_checksums(p, n);
		}
}

static void a_reset_answers_what_came(void **state)
{
	uint8_t p[128], reset[PACKET_HEADERS_MAX];
	struct packet syn, got;
	struct tuple back;
	size_t n;

	(void)state;
	assert_true(packet_parse(p, bytes(SYN4, p), &syn));
	n = packet_make_reset(&syn, reset);
	assert_true(packet_parse(reset, n, &got));
	back = packet_reverse(&syn.tuple);
	assert_memory_equal(&got.tuple, &back, sizeof(back));
	assert_int_equal(got.flags, TCP_RST | TCP_ACK);
	assert_int_equal(got.acknowledged, 0x01020305);
	assert_checksums(reset, n);
	/* a segment with an acknowledgement: the reset has its number */
	syn.flags = TCP_ACK;
	syn.acknowledged = 99;
	n = packet_make_reset(&syn, reset);
	assert_true(packet_parse(reset, n, &got));
	assert_int_equal(got.flags, TCP_RST);
	assert_int_equal(got.sequence, 99);
	syn.flags = TCP_RST;
	assert_int_equal(packet_make_reset(&syn, reset), 0);
}

static void a_report_quotes_its_packet(void **state)
{
	static uint8_t big[PACKET_MAX], error[PACKET_ERROR_MAX];
	struct tuple t4 = tuple_of("10.89.0.2", 40000, "192.0.2.1", 53, IPPROTO_UDP);
	struct tuple t6 = tuple_of("fd89::2", 40000, "2001:db8::1", 53, IPPROTO_UDP);
	struct in6_addr by4, by6;
	size_t n;

	(void)state;
	policy_address("169.254.1.1", &by4);
	policy_address("fd62:7279:6f00::1", &by6);
	n = packet_make_udp(&t4, error, 1000, big);
	n = packet_make_trouble(&by4, packet_trouble(false, TROUBLE_NO_PORT), big, n, error);
	assert_int_equal(n, 576);
	assert_int_equal(error[20], 3);
	assert_int_equal(error[21], 3);
	assert_memory_equal(error + 16, "\x0a\x59\x00\x02", 4);
	assert_memory_equal(error + 28, big, 548);
	assert_checksums(error, n);
	n = packet_make_udp(&t6, error, 1000, big);
	n = packet_make_trouble(&by6, (struct packet_trouble){ 2, 0, 1280 }, big, n, error);
	assert_int_equal(n, 48 + 40 + 8 + 1000);
	assert_int_equal(error[40], 2);
	assert_memory_equal(error + 44, "\x00\x00\x05\x00", 4);
	assert_checksums(error, n);
	assert_int_equal(packet_make_trouble(&by4, packet_trouble(false, TROUBLE_NO_PORT), big, n, error), 0);
	assert_int_equal(packet_make_trouble(&by4, packet_trouble(false, TROUBLE_NO_PORT), big, 3, error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_segment_is_read),
		cmocka_unit_test(datagrams_and_echoes_are_read),
		cmocka_unit_test(what_is_not_whole_is_not_taken),
		cmocka_unit_test(every_beginning_of_a_packet_is_refused),
		cmocka_unit_test(what_is_made_can_be_read),
		cmocka_unit_test(a_reset_answers_what_came),
		cmocka_unit_test(a_report_quotes_its_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
