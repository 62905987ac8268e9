/* udp - datagrams from a shell, for the tests: busybox and curl have none
 *
 * udp serve PORT             sends back what comes, for ever
 * udp who PORT               sends back the client's address in front of it
 * udp send HOST PORT TEXT    prints the answer; tries again every 200 ms, 5 seconds in all */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

static int serve(int sock, unsigned port, int who)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	char data[2048], answer[2100];

	if (bind(sock, (struct sockaddr *)&in, sizeof(in)) < 0) {
		perror("bind");
		return 1;
	}
	for (;;) {
		socklen_t length = sizeof(in);
		ssize_t n = recvfrom(sock, data, sizeof(data), 0, (struct sockaddr *)&in, &length);

		if (n < 0)
			continue;
		n = snprintf(answer, sizeof(answer), "%s%s%.*s", who ? inet_ntoa(in.sin_addr) : "", who ? " " : "", (int)n, data);
		sendto(sock, answer, (size_t)n, 0, (struct sockaddr *)&in, length);
	}
}

static int ask(int sock, const char *host, unsigned port, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	struct timeval patience = { .tv_usec = 200000 };
	char data[2048];

	if (inet_pton(AF_INET, host, &in.sin_addr) != 1 || connect(sock, (struct sockaddr *)&in, sizeof(in)) < 0) {
		perror(host);
		return 1;
	}
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (int i = 0; i < 25; i++) {
		ssize_t n = send(sock, text, strlen(text), 0) < 0 ? -1 : recv(sock, data, sizeof(data), 0);

		if (n >= 0) {
			printf("%.*s\n", (int)n, data);
			return 0;
		}
	}
	fprintf(stderr, "no answer\n");
	return 1;
}

int main(int argc, char **argv)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc == 3 && (strcmp(argv[1], "serve") == 0 || strcmp(argv[1], "who") == 0))
		return serve(sock, (unsigned)strtoul(argv[2], NULL, 10), argv[1][0] == 'w');
	if (argc == 5 && strcmp(argv[1], "send") == 0)
		return ask(sock, argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv[4]);
	fprintf(stderr, "usage: udp serve|who PORT | udp send HOST PORT TEXT\n");
	return 2;
}
