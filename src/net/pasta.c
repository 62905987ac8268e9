/* net/pasta - a container connected by pasta
 *
 * One process a container; the container sees the host's address, gateway and interface name. Connections to the host
 * itself go to --map-guest-addr's address where this pasta knows it. Nothing of the host's loopback is reachable and
 * no port is forwarded that was not published. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/helper.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#define DNS_ADDRESS "169.254.1.1"
#define HOST_ADDRESS "169.254.1.2"

/* The value of an option that the user gave ("-a X" as two items, or "--address=X"); "" for one without a value. */
static const char *user_option(const struct net_request *r, const char *short_name, const char *long_name)
{
	for (size_t i = 0; i < r->options.n; i++) {
		const char *item = r->options.v[i], *rest = str_after(item, long_name);

		if (rest && *rest == '=')
			return rest + 1;
		if ((rest && !*rest) || (short_name && str_eq(item, short_name)))
			return i + 1 < r->options.n ? r->options.v[i + 1] : "";
	}
	return NULL;
}

/* Does this pasta know an option? Its --help is no way to ask: old versions write all of it to the system log. The
 * option's name is in the program. */
static bool knows(const char *program, const char *option)
{
	_cleanup_fd_ int fd = open(program, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool found;
	void *text;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return false;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return false;
	found = memmem(text, (size_t)st.st_size, option, strlen(option) + 1) != NULL;
	munmap(text, (size_t)st.st_size);
	return found;
}

static bool is_recent(struct arena *arena)
{
	const char *program = spawn_find(arena, "pasta");

	return program && knows(program, "map-guest-addr");
}

static const char *host_address(struct arena *arena, const struct net_request *r, const struct host_net *host)
{
	const char *given = user_option(r, NULL, "--map-guest-addr");

	if (given)
		return given;
	if (user_option(r, NULL, "--map-gw"))
		return host->gateway;
	return is_recent(arena) ? HOST_ADDRESS : host->other_ip;
}

int pasta_plan(struct arena *arena, const struct net_request *r, const struct host_net *host, struct net_result *ret,
	       struct error *err)
{
	const char *address = user_option(r, "-a", "--address"), *name = user_option(r, "-I", "--ns-ifname");
	const char *gateway = user_option(r, "-g", "--gateway"), *dns = user_option(r, NULL, "--dns-forward");

	if (!host->interface && !user_option(r, "-i", "--interface")) {
		error_set(err, ERROR_FAILED, "pasta needs a default route on the host, and there is none");
		return error_hint(err, "use --network slirp4netns, which needs none, or --network none");
	}
	ret->ip = arena_strdup(arena, !str_is_empty(address) ? address : host->ip ? host->ip : host->ip6);
	ret->gateway = arena_strdup(arena, !str_is_empty(gateway) ? gateway : host->gateway);
	ret->interface = arena_strdup(arena, !str_is_empty(name) ? name : host->interface);
	ret->host_ip = arena_strdup(arena, host_address(arena, r, host));
	if (dns ? *dns && !str_eq(dns, "none") : host->ip != NULL)
		strings_add(arena, &ret->dns, dns ? dns : DNS_ADDRESS);
	return 0;
}

/* pasta's "[ADDRESS/]FIRST[-LAST]:FIRST[-LAST]" */
static char *port_spec(struct arena *arena, const struct net_port *p)
{
	const char *slash = *p->host_ip ? "/" : "";

	if (p->range == 1)
		return arena_printf(arena, "%s%s%u:%u", p->host_ip, slash, p->host_port, p->container_port);
	return arena_printf(arena, "%s%s%u-%u:%u-%u", p->host_ip, slash, p->host_port, p->host_port + p->range - 1,
			    p->container_port, p->container_port + p->range - 1);
}

static void add_ports(struct arena *arena, const struct net_request *r, const char *protocol, const char *option,
		      const char *long_option, bool publish, struct strings *ret)
{
	bool any = user_option(r, option, long_option) != NULL;

	for (size_t i = 0; publish && i < r->ports.n; i++)
		if (str_eq(r->ports.v[i].protocol, protocol)) {
			strings_add(arena, ret, option);
			strings_add(arena, ret, port_spec(arena, &r->ports.v[i]));
			any = true;
		}
	if (!any) {
		strings_add(arena, ret, option);
		strings_add(arena, ret, "none");
	}
}

static void add_unless_given(struct arena *arena, const struct net_request *r, const char *short_name,
			     const char *long_name, const char *value, struct strings *ret)
{
	if (user_option(r, short_name, long_name))
		return;
	strings_add(arena, ret, long_name);
	if (value)
		strings_add(arena, ret, value);
}

void pasta_arguments(struct arena *arena, const struct net_request *r, const struct host_net *host, bool recent,
		     const char *runtime_dir, struct strings *ret)
{
	strings_add(arena, ret, "--config-net");
	for (size_t i = 0; i < r->options.n; i++)
		if (!str_eq(r->options.v[i], "--map-gw"))	/* Podman's word for "without --no-map-gw" */
			strings_add(arena, ret, r->options.v[i]);
	add_ports(arena, r, "tcp", "-t", "--tcp-ports", true, ret);
	add_ports(arena, r, "udp", "-u", "--udp-ports", recent, ret);
	add_unless_given(arena, r, "-T", "--tcp-ns", "none", ret);
	add_unless_given(arena, r, "-U", "--udp-ns", "none", ret);
	if (!user_option(r, NULL, "--map-gw"))
		add_unless_given(arena, r, NULL, "--no-map-gw", NULL, ret);
	if (host->ip)
		add_unless_given(arena, r, NULL, "--dns-forward", DNS_ADDRESS, ret);
	if (recent)
		add_unless_given(arena, r, NULL, "--map-guest-addr", HOST_ADDRESS, ret);
	add_unless_given(arena, r, "-q", "--quiet", NULL, ret);
	strings_add(arena, ret, "--pid");
	strings_addf(arena, ret, "%s/pasta.pid", runtime_dir);
	strings_add(arena, ret, "--netns");
	strings_addf(arena, ret, "%s/netns", runtime_dir);
}

static int read_pid(struct arena *arena, const char *runtime_dir, int *ret, struct error *err)
{
	const char *path = arena_printf(arena, "%s/pasta.pid", runtime_dir);
	const char *text = fd_read_file(arena, AT_FDCWD, path, 64, NULL);

	if (!text)
		return error_errno(err, "read %s", path);
	*ret = (int)strtol(text, NULL, 10);
	return *ret > 1 ? 0 : error_set(err, ERROR_FAILED, "pasta wrote no process id to %s", path);
}

static int failed(struct arena *arena, const struct helper_process *process, struct error *err)
{
	const char *words = helper_words(arena, process->log);
	bool port = strstr(words, "Failed to bind") != NULL;	/* 126 as in Podman */

	return helper_failed(err, port ? ERROR_NOT_EXECUTABLE : ERROR_FAILED,
			     arena_printf(arena, "pasta failed with exit code %d", process->exit_code), words);
}

int pasta_start(struct arena *arena, const struct net_request *r, pid_t pid, const char *runtime_dir,
		struct net_result *ret, struct error *err)
{
	struct strings argv = { 0 };
	struct helper h = { .program = "pasta", .argv = &argv, .runtime_dir = runtime_dir, .netns_of = pid, .forks = true };
	struct helper_process process;
	bool recent = is_recent(arena);
	struct host_net host;
	int result = 0;

	host_net_read(arena, &host);
	strings_add(arena, &argv, "pasta");
	pasta_arguments(arena, r, &host, recent, runtime_dir, &argv);
	if (helper_start(arena, &h, &process, err) < 0)
		return -1;
	if (process.exit_code != 0)
		result = failed(arena, &process, err);
	helper_seal_log(process.log);
	close(process.log);
	if (result < 0 || read_pid(arena, runtime_dir, &ret->helper_pid, err) < 0)
		return -1;
	if (helper_record(runtime_dir, ret->helper_pid, err) < 0)
		return -1;
	if (!recent && udp_relay_is_needed(r) && udp_relay_start(arena, r, pid, runtime_dir, ret, err) < 0) {
		fd_close(&ret->keep_fd);
		net_stop(runtime_dir);
		return -1;
	}
	return 0;
}
