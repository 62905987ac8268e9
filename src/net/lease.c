#include "net/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

#define DIRECTORY "networks"
#define ID_MAX 128
#define TRIES_MAX ((uint64_t)1 << 20)	/* of a range that has more: nobody has so many containers */

/* --- the files */

static int open_network(int run_fd, const char *network, bool make)
{
	char path[NAME_MAX + sizeof(DIRECTORY) + 2];
	int fd;

	snprintf(path, sizeof(path), DIRECTORY "/%s", network);
	fd = fd_open_dir(run_fd, path);
	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	return fd_mkdirs(run_fd, path, 0700) < 0 ? -1 : fd_open_dir(run_fd, path);
}

/* Whose it is; false when it is nobody's. */
static bool read_holder(int dir, const char *name, char ret[ID_MAX])
{
	ssize_t n = readlinkat(dir, name, ret, ID_MAX - 1);

	if (n < 0)
		return false;
	ret[n] = '\0';
	return true;
}

/* --- taking */

static const char *latest_name(const struct network_subnet *s, char ret[IP_TEXT_SIZE + 16])
{
	struct ip_address first = ip_first(&s->prefix);
	char text[IP_TEXT_SIZE];

	snprintf(ret, IP_TEXT_SIZE + 16, ".latest-%s", ip_print(&first, text));
	return ret;
}

/* Where the search begins: after the latest address, at the start of the range when nothing is known. */
static struct ip_address first_try(int dir, const struct network_subnet *s)
{
	char name[IP_TEXT_SIZE + 16], text[ID_MAX];
	struct ip_address latest, next;

	if (read_holder(dir, latest_name(s, name), text) && ip_parse(text, &latest) && ip_add(&latest, 1, &next) &&
	    ip_range_has(&s->lease, &next))
		return next;
	return s->lease.first;
}

/* A hint only: of two who write it at once one may lose. */
static void remember(int dir, const struct network_subnet *s, const char *text)
{
	char name[IP_TEXT_SIZE + 16];

	unlinkat(dir, latest_name(s, name), 0);
	if (symlinkat(text, dir, name) < 0)
		return;
}

/* Neither the gateway's nor one that means the network or everybody in it. */
static bool is_for_containers(const struct network_subnet *s, const struct ip_address *a)
{
	struct ip_address first = ip_first(&s->prefix), last = ip_last(&s->prefix);
	bool tiny = s->prefix.length + 2 > ip_bits(s->prefix.address.family);	/* RFC 3021, RFC 6164: both may be used */

	if (!ip_has(&s->prefix, a) || ip_compare(a, &s->gateway_ip) == 0)
		return false;
	return tiny || (ip_compare(a, &first) != 0 && (a->family == IP_V6 || ip_compare(a, &last) != 0));
}

static int take_wanted(int dir, const struct network_subnet *s, const struct ip_address *a, const char *id, struct error *err)
{
	char text[IP_TEXT_SIZE], holder[ID_MAX];

	ip_print(a, text);
	if (!is_for_containers(s, a))
		return error_set(err, ERROR_USAGE, "requested ip address %s cannot be given to a container: it is the gateway's, or "
				 "means the whole network %s", text, s->subnet);
	if (symlinkat(id, dir, text) == 0)
		return 0;
	if (errno != EEXIST || !read_holder(dir, text, holder))
		return error_errno(err, "take the address %s", text);
	if (str_eq(holder, id))
		return 0;
	error_set(err, ERROR_IN_USE, "IPAM error: requested ip address %s is already allocated to container ID %s", text, holder);
	return error_hint(err, "choose another with --ip, or remove that container: bryo rm -f %.12s", holder);
}

static int take_next(int dir, const struct network_subnet *s, const char *id, struct ip_address *ret, struct error *err)
{
	uint64_t count = ip_range_count(&s->lease);
	struct ip_address a = first_try(dir, s);
	char text[IP_TEXT_SIZE], other[IP_TEXT_SIZE];

	for (uint64_t i = 0; i < count && i < TRIES_MAX; i++) {
		if (is_for_containers(s, &a)) {
			if (symlinkat(id, dir, ip_print(&a, text)) == 0) {
				remember(dir, s, text);
				*ret = a;
				return 0;
			}
			if (errno != EEXIST)
				return error_errno(err, "take the address %s", text);
		}
		if (ip_compare(&a, &s->lease.last) == 0 || !ip_add(&a, 1, &a))
			a = s->lease.first;
	}
	error_set(err, ERROR_NO_SPACE, "IPAM error: failed to find free IP in range: %s - %s", ip_print(&s->lease.first, text),
		  ip_print(&s->lease.last, other));
	return error_hint(err, "every address of the network is in use: remove containers, or make a network with a larger subnet");
}

int lease_take(int run_fd, const char *network, const struct network_subnet *s, const struct ip_address *wanted,
	       const char *id, struct ip_address *ret, struct error *err)
{
	_cleanup_fd_ int dir = open_network(run_fd, network, true);

	if (dir < 0)
		return error_errno(err, "open the addresses of network %s", network);
	if (!wanted)
		return take_next(dir, s, id, ret, err);
	if (take_wanted(dir, s, wanted, id, err) < 0)
		return -1;
	*ret = *wanted;
	return 0;
}

/* --- giving back */

void lease_give_back(int run_fd, const char *network, const char *address, const char *id)
{
	_cleanup_fd_ int dir = open_network(run_fd, network, false);
	char holder[ID_MAX];

	if (dir >= 0 && read_holder(dir, address, holder) && str_eq(holder, id))
		unlinkat(dir, address, 0);
}

struct look {
	const struct lease_search *search;
	bool only_look;
	struct lease_census c;
};

static bool is_enough(const struct look *l)
{
	return l->search->enough && l->c.living >= l->search->enough;
}

static void look_at_lease(struct look *l, int dir, const char *name)
{
	const struct lease_search *s = l->search;
	char holder[ID_MAX];

	if (!read_holder(dir, name, holder))
		return;
	if ((s->id && str_eq(holder, s->id)) || !s->lives(s->context, holder)) {
		l->c.dead++;
		if (l->only_look || unlinkat(dir, name, 0) == 0)
			return;
	}
	l->c.living++;
}

/* True when nobody is left on this network. */
static bool look_at_network(struct look *l, int parent, const char *network)
{
	_cleanup_dir_ DIR *dir = fd_opendir(parent, network);
	size_t before = l->c.living;
	struct dirent *entry;

	errno = dir ? 0 : EIO;
	while (dir && !is_enough(l) && (entry = fd_next_entry(dir)))
		if (entry->d_name[0] != '.')
			look_at_lease(l, dirfd(dir), entry->d_name);
	if (!is_enough(l) && errno)
		l->c.living++;		/* what cannot be read is not taken for empty */
	return l->c.living == before;
}

static struct lease_census look_at_all(const struct lease_search *search, int run_fd, bool only_look)
{
	struct look l = { .search = search, .only_look = only_look };
	_cleanup_dir_ DIR *dir = fd_opendir(run_fd, DIRECTORY);
	struct dirent *entry;

	while (dir && !is_enough(&l) && (entry = fd_next_entry(dir)))
		if (look_at_network(&l, dirfd(dir), entry->d_name) && !only_look)
			fd_remove_tree(dirfd(dir), entry->d_name);
	return l.c;
}

struct lease_census lease_collect(int run_fd, const struct lease_search *search)
{
	return look_at_all(search, run_fd, false);
}

struct lease_census lease_count(int run_fd, const struct lease_search *search)
{
	return look_at_all(search, run_fd, true);
}
