#include "engine/request_check.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/sysctl.h"
#include "engine/user_entries.h"
#include "net/net.h"

static int wrong(struct error *err, const char *flag, const char *value, const char *needed)
{
	return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --%s: %s", value, flag, needed);
}

static int check_numbers(const struct container *c, struct error *err)
{
	const struct create_request *r = &c->request;
	const char *max_size = map_get(&c->log_options, "max-size");
	uint64_t bytes;
	long long n;

	if (r->shm_size && units_parse_size(r->shm_size, &bytes) < 0)
		return wrong(err, "shm-size", r->shm_size, "not a size such as 64m");
	if (max_size && units_parse_size(max_size, &bytes) < 0)
		return wrong(err, "log-opt max-size", max_size, "not a size such as 10m");
	if (r->oom_score_adj && (str_to_i64(r->oom_score_adj, &n) < 0 || n < -1000 || n > 1000))
		return wrong(err, "oom-score-adj", r->oom_score_adj, "-1000 to 1000");
	if (r->timeout && (str_to_i64(r->timeout, &n) < 0 || n < 0 || n > UINT32_MAX))
		return wrong(err, "timeout", r->timeout, "seconds are needed");
	if (r->umask && (!*r->umask || strlen(r->umask) > 4 || r->umask[strspn(r->umask, "01234567")]))
		return wrong(err, "umask", r->umask, "an octal mode such as 0022 is needed");
	return 0;
}

static int check_namespace(const char *flag, const char *mode, const char *words, struct error *err)
{
	size_t n = mode ? strlen(mode) : 0;

	if (!n || str_starts(mode, "container:") || str_starts(mode, "ns:"))
		return 0;
	for (const char *at = strstr(words, mode); at; at = strstr(at + 1, mode))
		if ((at == words || at[-1] == ' ') && (at[n] == ',' || at[n] == ' ' || !at[n]))
			return 0;
	return error_set(err, ERROR_USAGE, "--%s %s: it must be %s, container:NAME or ns:PATH", flag, mode, words);
}

static int check_namespaces(const struct create_request *r, struct error *err)
{
	return check_namespace("pid", r->pid, "private, host", err) < 0 ||
	       check_namespace("ipc", r->ipc, "private, shareable, none, host", err) < 0 ||
	       check_namespace("uts", r->uts, "private, host", err) < 0 ||
	       check_namespace("cgroupns", r->cgroupns, "private, host", err) < 0 ? -1 : 0;
}

/* What host-gateway means is known at start only. */
static int check_hosts(struct engine *e, const struct create_request *r, struct error *err)
{
	struct net_names names = { .hostname = "", .name = "" };
	struct net_request request = { .mode = NET_NONE };
	struct net_result result = { 0 };

	for (size_t i = 0; i < r->add_host.n; i++)
		if (!str_ends(r->add_host.v[i], ":host-gateway"))
			strings_add(e->arena, &names.add_host, r->add_host.v[i]);
	return !names.add_host.n || net_hosts(e->arena, &request, &names, &result, "", err) ? 0 : -1;
}

static int check_attach(const struct create_request *r, struct error *err)
{
	for (size_t i = 0; i < r->attach.n; i++)
		if (strcasecmp(r->attach.v[i], "stdin") != 0 && strcasecmp(r->attach.v[i], "stdout") != 0 &&
		    strcasecmp(r->attach.v[i], "stderr") != 0)
			return error_set(err, ERROR_USAGE, "invalid stream \"%s\" for --attach - must be one of stdin, stdout, or stderr",
					 r->attach.v[i]);
	return 0;
}

static int check_files(struct engine *e, const struct create_request *r, struct error *err)
{
	char *zone = r->tz ? arena_printf(e->arena, "/usr/share/zoneinfo/%s", r->tz) : NULL;

	if (zone && strcmp(r->tz, "local") != 0 && (strstr(r->tz, "..") || access(zone, R_OK) < 0))
		return error_set(err, ERROR_USAGE, "finding timezone \"%s\": %s is not there", r->tz, zone);
	if (r->init && r->init_path && access(r->init_path, X_OK) < 0)
		return error_errno(err, "--init-path %s", r->init_path);
	return 0;
}

int request_check(struct engine *e, const struct container *c, struct error *err)
{
	const struct create_request *r = &c->request;

	if (check_numbers(c, err) < 0 || check_namespaces(r, err) < 0 || check_attach(r, err) < 0)
		return -1;
	if (check_files(e, r, err) < 0 || check_hosts(e, r, err) < 0)
		return -1;
	return user_entries_check(e, r, err) < 0 ? -1 : sysctl_check(r, err);
}
