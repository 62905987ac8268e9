#include "engine/info.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/network_default.h"
#include "net/names.h"
#include "sys/fd.h"
#include "sys/self.h"
#include "sys/spawn.h"

/* --- programs */

/* The first line of what the program says of its version; "" when it says nothing. */
static char *ask_version(struct engine *e, const char *path)
{
	char *argv[] = { (char *)path, (char *)"--version", NULL };
	int stdio[] = { -1, -1, -1 };
	struct spawn s = { .program = path, .argv = argv, .stdio = stdio, .input = "" };
	char *out = NULL, *talk = NULL;

	if (spawn_run(e->arena, &s, &out, &talk, NULL) < 0)
		return (char *)"";
	if (!*out)
		out = talk;
	out[strcspn(out, "\n")] = '\0';
	return out;
}

static void add_program(struct engine *e, struct json *host, const char *name, const char *executable_key)
{
	struct json *o = info_object(e, host, name);
	char *path = spawn_find(e->arena, name);

	info_text(e, o, executable_key, path);
	info_text(e, o, "package", "");
	info_text(e, o, "version", path ? ask_version(e, path) : "");
}

/* --- the way out of networks */

/* What the gateway will find (gateway/link). */
static void add_interface(struct engine *e, struct json *gateway)
{
	_cleanup_fd_ int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	info_text(e, gateway, "interfaceReason", tun >= 0 ? "" : arena_printf(e->arena, "/dev/net/tun: %s", strerror(errno)));
	info_text(e, gateway, "interface", tun >= 0 ? "tun" : "veth");
}

/* The gateway is of the same groups. */
static void add_ping(struct engine *e, struct json *gateway)
{
	_cleanup_fd_ int echo = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	info_flag(e, gateway, "ping", echo >= 0);
	info_text(e, gateway, "pingReason", echo >= 0 ? "" : "this user's group may not send echo requests; as root: sysctl "
		  "net.ipv4.ping_group_range='0 2147483647'");
}

static void add_gateway(struct engine *e, struct json *backend)
{
	struct json *gateway = info_object(e, backend, "gateway");

	info_text(e, gateway, "path", spawn_own_program(e->arena, "bryo-gateway", NULL));
	add_interface(e, gateway);
	add_ping(e, gateway);
}

/* What a container without --network gets. */
static void add_default(struct engine *e, struct json *host, struct json *backend)
{
	struct net_request r = { .mode = NET_BRIDGE, .by_default = true };
	struct error err = { 0 }, over;
	bool works = network_default_try(e, &err) == 0;
	const char *mode = "";

	over = err;
	if (works || network_default_replace(e, &r, &over))
		mode = net_mode_name(r.mode);
	info_text(e, backend, "defaultNetwork", mode);
	info_text(e, backend, "defaultNetworkReason",
		  *err.hint ? arena_printf(e->arena, "%s; cure: %s", err.text, err.hint) : err.text);
	info_text(e, host, "rootlessNetworkCmd", works ? "bryo-gateway" : mode);
}

void info_add_network(struct engine *e, struct json *host)
{
	char *path = arena_printf(e->arena, "%s/bryo.sock", e->identity.runtime_dir);
	struct json *backend, *dns, *socket;

	info_text(e, host, "networkBackend", "bryo");
	backend = info_object(e, host, "networkBackendInfo");
	info_text(e, backend, "backend", "bryo");
	info_text(e, backend, "version", "bryo " BRYO_VERSION);
	info_text(e, backend, "package", "bryo");
	info_text(e, backend, "path", self_path(e->arena));
	dns = info_object(e, backend, "dns");
	info_text(e, dns, "path", names_program(e->arena));
	add_default(e, host, backend);
	add_gateway(e, backend);
	add_program(e, host, "pasta", "executable");
	add_program(e, host, "slirp4netns", "executable");
	socket = info_object(e, host, "remoteSocket");
	info_flag(e, socket, "exists", access(path, F_OK) == 0);
	info_text(e, socket, "path", arena_printf(e->arena, "unix://%s", path));
}
