#include "net/firewall.h"

#include "net/gateway.h"
#include "sys/spawn.h"

/* A refusal is an answer, so that programs inside do not wait for a timeout. */
static const char table[] =
	"table inet bryo\n"
	"delete table inet bryo\n"
	"table inet bryo {\n"
	"\tset same { type ifname . ifname; }\n"		/* each restricted bridge with itself */
	"\tset internal { type ifname; }\n"
	"\tset isolated { type ifname; }\n"
	"\tset strict { type ifname; }\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy accept;\n"
	"\t\tiifname . oifname @same accept\n"
	"\t\tiifname @internal reject with icmpx type admin-prohibited\n"
	"\t\toifname @internal reject with icmpx type admin-prohibited\n"
	"\t\tiifname @isolated oifname @isolated reject with icmpx type admin-prohibited\n"
	"\t\tiifname @strict oifname != \"" GATEWAY_INTERFACE "\" reject with icmpx type admin-prohibited\n"
	"\t\toifname @strict iifname != \"" GATEWAY_INTERFACE "\" reject with icmpx type admin-prohibited\n"
	"\t}\n"
	"}\n";

const char *firewall_table(void)
{
	return table;
}

static char *change(struct arena *arena, const struct network *n, const char *verb)
{
	enum network_isolation isolation = network_isolation(n);
	struct strings lines = { 0 };

	if (n->internal)
		strings_addf(arena, &lines, "%s element inet bryo internal { \"%s\" }\n", verb, n->interface);
	if (isolation != NETWORK_OPEN)
		strings_addf(arena, &lines, "%s element inet bryo %s { \"%s\" }\n", verb,
			     isolation == NETWORK_STRICT ? "strict" : "isolated", n->interface);
	if (!lines.n)
		return NULL;
	strings_addf(arena, &lines, "%s element inet bryo same { \"%s\" . \"%s\" }\n", verb, n->interface, n->interface);
	return strings_join(arena, &lines, "");
}

char *firewall_add(struct arena *arena, const struct network *n)
{
	return change(arena, n, "add");
}

char *firewall_remove(struct arena *arena, const struct network *n)
{
	return change(arena, n, "delete");
}

int firewall_load(struct arena *arena, const char *text, struct error *err)
{
	const struct spawn nft = { .program = spawn_find(arena, "nft"), .argv = (char *[]){ "nft", "-f", "-", NULL },
				   .input = text };
	char *said;
	int code;

	if (!nft.program) {
		error_set(err, ERROR_FAILED, "could not find nft, which networks of bridges need");
		error_code(err, "program-missing");
		error_hint(err, "have it installed, or use --network slirp4netns, pasta, host or none");
		return error_fix_admin(err, "apt install nftables    (Debian, Ubuntu; Fedora: dnf install nftables)");
	}
	code = spawn_run(arena, &nft, NULL, &said, err);
	if (code < 0)
		return error_frame(err, "set up the firewall of the networks");
	if (code == 0)
		return 0;
	if (code > 128)
		return error_set(err, ERROR_INTERRUPTED, "set up the firewall of the networks: nft was ended by signal %d", code - 128);
	return error_set(err, ERROR_FAILED, "set up the firewall of the networks: nft: %s", str_printable(arena, said, 300));
}
