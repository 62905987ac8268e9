#include "transfer/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_on_link_4(const unsigned char *address)
{
	return address[0] == 169 && address[1] == 254;
}

bool peer_is_on_link(const struct sockaddr *address)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		return is_on_link_4((const unsigned char *)&four.sin_addr);
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&six, address, sizeof(six));
	if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return is_on_link_4(six.sin6_addr.s6_addr + 12);
	return IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	bool *refused = context;

	if (peer_is_on_link(&address->addr)) {
		*refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void peer_setup(CURL *easy, bool own_host, bool *refused)
{
	*refused = false;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, own_host ? NULL : open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, own_host ? NULL : refused);
}
