/* net/resolv_conf - the text of a container's /etc/resolv.conf
 *
 * --dns, --dns-search and --dns-option replace what the host's file says of the same kind. Name servers on the host's
 * loopback cannot be reached from a network namespace of its own and are left out there. */
#include <arpa/inet.h>

#include "base/buffer.h"
#include "net/net.h"

#define RESOLV_CONF_MAX ((size_t)1 << 16)

struct resolv_conf {
	struct strings servers, search, options;
};

static void add_words(struct arena *arena, struct strings *list, const struct strings *words)
{
	for (size_t i = 1; i < words->n; i++)
		strings_add(arena, list, words->v[i]);
}

static void parse_line(struct arena *arena, const char *line, struct resolv_conf *ret)
{
	struct strings all = strings_split(arena, arena_strndup(arena, line, strcspn(line, "#;")), " \t\r"), words = { 0 };

	for (size_t i = 0; i < all.n; i++)
		if (*all.v[i])
			strings_add(arena, &words, all.v[i]);
	if (words.n < 2)
		return;
	if (str_eq(words.v[0], "nameserver")) {
		strings_add(arena, &ret->servers, words.v[1]);
	} else if (str_eq(words.v[0], "search") || str_eq(words.v[0], "domain")) {
		ret->search = (struct strings){ 0 };	/* the last one counts: resolv.conf(5) */
		add_words(arena, &ret->search, &words);
	} else if (str_eq(words.v[0], "options")) {
		add_words(arena, &ret->options, &words);
	}
}

static void parse_host(struct arena *arena, const char *text, struct resolv_conf *ret)
{
	struct strings lines = strings_split(arena, text ? text : "", "\n");

	for (size_t i = 0; i < lines.n; i++)
		parse_line(arena, lines.v[i], ret);
}

static bool is_loopback(const char *server)
{
	return str_starts(server, "127.") || str_eq(server, "::1");
}

/* A scope such as fe80::1%eth0 names an interface that the container does not have. */
static bool is_usable(const struct net_request *r, const char *server)
{
	return r->mode == NET_HOST || (!is_loopback(server) && !strchr(server, '%'));
}

static void choose_servers(struct arena *arena, const struct net_request *r, const struct net_names *names,
			   const struct net_result *result, const struct resolv_conf *host, struct strings *ret)
{
	/* Who knows the names of containers asks the servers of --dns himself. */
	if (names->dns.n && !result->dns_only) {
		strings_add_all(arena, ret, &names->dns);
		return;
	}
	strings_add_all(arena, ret, &result->dns);
	if (result->dns_only)
		return;
	for (size_t i = 0; i < host->servers.n; i++)
		if (is_usable(r, host->servers.v[i]) && !strings_has(ret, host->servers.v[i]))
			strings_add(arena, ret, host->servers.v[i]);
}

static int check_servers(const struct strings *dns, struct error *err)
{
	unsigned char binary[16];

	for (size_t i = 0; i < dns->n; i++)
		if (inet_pton(AF_INET, dns->v[i], binary) != 1 && inet_pton(AF_INET6, dns->v[i], binary) != 1)
			return error_set(err, ERROR_USAGE, "%s is not an ip address", dns->v[i]);
	return 0;
}

static void print_list(struct buffer *out, struct arena *arena, const char *word, const struct strings *list)
{
	if (list->n)
		buffer_printf(out, "%s %s\n", word, strings_join(arena, list, " "));
}

char *net_resolv_conf(struct arena *arena, const struct net_request *r, const struct net_names *names,
		      const struct net_result *result, const char *base, struct error *err)
{
	struct buffer out = BUFFER(RESOLV_CONF_MAX * 2);
	const struct strings *options;
	struct resolv_conf host = { 0 };
	struct strings servers = { 0 }, search = { 0 };
	char *text;

	if (names->dns.n == 1 && str_eq(names->dns.v[0], "none"))
		return NULL;
	if (check_servers(&names->dns, err) < 0)
		return NULL;
	parse_host(arena, base, &host);
	choose_servers(arena, r, names, result, &host, &servers);
	strings_add_all(arena, &search, &result->search);
	strings_add_all(arena, &search, names->dns_search.n ? &names->dns_search : &host.search);
	options = names->dns_options.n ? &names->dns_options : &host.options;
	if (!strings_has(&names->dns_search, "."))	/* none */
		print_list(&out, arena, "search", &search);
	for (size_t i = 0; i < servers.n; i++)
		buffer_printf(&out, "nameserver %s\n", servers.v[i]);
	print_list(&out, arena, "options", options);
	text = arena_strdup(arena, out.data ? out.data : "");
	buffer_done(&out);
	return text;
}
