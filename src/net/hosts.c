/* net/hosts - the text of a container's /etc/hosts
 *
 * The order is Podman's: --add-host, the lines of the host's file, localhost if it was missing, the names of the host,
 * the container's own names. A name that the user or the file gave is not given again. */
#include <arpa/inet.h>

#include "base/buffer.h"
#include "net/net.h"

#define HOSTS_MAX ((size_t)1 << 20)

struct hosts {
	struct arena *arena;
	struct buffer text;
	struct strings names;		/* given so far */
	bool full;
};

static void add_line(struct hosts *h, const char *ip, const char *names)
{
	h->full |= buffer_printf(&h->text, "%s\t%s\n", ip, names) < 0;
}

/* Adds those of the names that nobody gave before. */
static void add_new(struct hosts *h, const char *ip, const char *const *names, size_t n)
{
	struct strings new = { 0 };

	for (size_t i = 0; i < n; i++)
		if (!str_is_empty(names[i]) && !strings_has(&h->names, names[i]) && !strings_has(&new, names[i]))
			strings_add(h->arena, &new, names[i]);
	if (!new.n || !ip)
		return;
	add_line(h, ip, strings_join(h->arena, &new, " "));
	strings_add_all(h->arena, &h->names, &new);
}

static bool is_address(const char *text)
{
	unsigned char binary[16];

	return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

/* "name[;name]:address", "name:host-gateway"; also Docker's "name=address". */
static int add_user_host(struct hosts *h, const char *text, const char *host_ip, struct error *err)
{
	size_t n = strcspn(text, ":=");
	const char *ip = text[n] ? text + n + 1 : "";
	struct strings names = strings_split(h->arena, arena_strndup(h->arena, text, n), ";");
	size_t ip_n = strlen(ip);

	if (!n || !*ip)
		return error_set(err, ERROR_USAGE, "unable to parse host entry \"%s\": incorrect format", text);
	if (str_eq(ip, "host-gateway")) {
		if (!host_ip) {
			error_set(err, ERROR_FAILED, "--add-host %s: the address of the host is not known in this network", text);
			return error_hint(err, "use --network slirp4netns or --network host, or write the address");
		}
		ip = host_ip;
	} else if (*ip == '[' && ip[ip_n - 1] == ']') {
		ip = arena_strndup(h->arena, ip + 1, ip_n - 2);
	}
	if (!is_address(ip))
		return error_set(err, ERROR_USAGE, "invalid IP address in add-host: \"%s\"", ip);
	add_line(h, ip, strings_join(h->arena, &names, " "));
	strings_add_all(h->arena, &h->names, &names);
	return 0;
}

/* One line of the host's file; the names of the host itself mean something else in the container. */
static void add_base_line(struct hosts *h, const char *line)
{
	struct strings words = { 0 }, all = strings_split(h->arena, arena_strndup(h->arena, line, strcspn(line, "#")), " \t\r");
	struct strings names = { 0 };

	for (size_t i = 0; i < all.n; i++)
		if (*all.v[i])
			strings_add(h->arena, &words, all.v[i]);
	for (size_t i = 1; i < words.n; i++)
		if (!str_eq(words.v[i], "host.containers.internal") && !str_eq(words.v[i], "host.docker.internal"))
			strings_add(h->arena, &names, words.v[i]);
	if (!names.n || !is_address(words.v[0]))
		return;
	add_line(h, words.v[0], strings_join(h->arena, &names, " "));
	strings_add_all(h->arena, &h->names, &names);
}

static void add_base(struct hosts *h, const char *text)
{
	struct strings lines = strings_split(h->arena, text ? text : "", "\n");

	for (size_t i = 0; i < lines.n; i++)
		add_base_line(h, lines.v[i]);
}

/* Where the container's own names point. */
static const char *own_address(const struct net_request *r, const struct net_result *result)
{
	if (result->ip)
		return result->ip;
	return r->mode == NET_NONE || r->mode == NET_HOST ? "127.0.0.1" : NULL;
}

/* With several networks each address has the names. */
static void add_own(struct hosts *h, const struct net_request *r, const struct net_result *result, const char *const own[2])
{
	struct strings before = { 0 };

	strings_add_all(h->arena, &before, &h->names);
	if (!result->ips.n)
		add_new(h, own_address(r, result), own, 2);
	for (size_t i = 0; i < result->ips.n; i++) {
		h->names = before;
		add_new(h, result->ips.v[i], own, 2);
	}
}

char *net_hosts(struct arena *arena, const struct net_request *r, const struct net_names *names,
		const struct net_result *result, const char *base, struct error *err)
{
	static const char *const localhost[] = { "localhost" };
	static const char *const host[] = { "host.containers.internal", "host.docker.internal" };
	const char *const own[] = { names->hostname, names->name };
	const char *host_ip = r->mode == NET_HOST ? "127.0.0.1" : result->host_ip;
	struct hosts h = { .arena = arena, .text = BUFFER(HOSTS_MAX * 2) };
	char *text = NULL;

	if (names->no_hosts)
		return NULL;
	for (size_t i = 0; i < names->add_host.n; i++)
		if (add_user_host(&h, names->add_host.v[i], host_ip, err) < 0)
			goto out;
	add_base(&h, base);
	if (!strings_has(&h.names, "localhost")) {
		add_line(&h, "127.0.0.1", "localhost");
		add_new(&h, "::1", localhost, ELEMENTS(localhost));
	}
	add_new(&h, host_ip, host, ELEMENTS(host));
	add_own(&h, r, result, own);
	for (size_t i = 0; i < names->others.n; i++)
		add_base_line(&h, names->others.v[i]);
	text = h.full ? NULL : arena_strdup(arena, h.text.data);
	if (!text)
		error_set(err, ERROR_FAILED, "/etc/hosts of the container would be larger than %zu bytes", h.text.limit);
out:
	buffer_done(&h.text);
	return text;
}
