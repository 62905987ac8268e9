#include "engine/limits.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/units.h"
#include "engine/limits_io.h"

static const struct { const char *name; const char *oci; int resource; } rlimit_names[] = {
	{ "as", "RLIMIT_AS", RLIMIT_AS }, { "core", "RLIMIT_CORE", RLIMIT_CORE }, { "cpu", "RLIMIT_CPU", RLIMIT_CPU },
	{ "data", "RLIMIT_DATA", RLIMIT_DATA }, { "fsize", "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "locks", "RLIMIT_LOCKS", RLIMIT_LOCKS }, { "memlock", "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "msgqueue", "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "nice", "RLIMIT_NICE", RLIMIT_NICE },
	{ "nofile", "RLIMIT_NOFILE", RLIMIT_NOFILE }, { "nproc", "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "rss", "RLIMIT_RSS", RLIMIT_RSS }, { "rtprio", "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "rttime", "RLIMIT_RTTIME", RLIMIT_RTTIME }, { "sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "stack", "RLIMIT_STACK", RLIMIT_STACK },
};

static int limit_value(const char *text, uint64_t *ret)
{
	unsigned long long n;

	if (strcmp(text, "-1") == 0 || strcmp(text, "unlimited") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (str_to_u64(text, &n) < 0)
		return -1;
	*ret = n;
	return 0;
}

static void set_rlimit(struct arena *arena, struct oci_process *p, const char *type, uint64_t soft, uint64_t hard)
{
	struct oci_rlimit *l = NULL;

	for (size_t i = 0; i < p->rlimits.n; i++)
		if (strcmp(p->rlimits.v[i].type, type) == 0)
			l = &p->rlimits.v[i];
	if (!l)
		l = ARRAY_ADD(arena, &p->rlimits);
	*l = (struct oci_rlimit){ .type = (char *)type, .soft = soft, .hard = hard };
}

static int parse_ulimit(struct arena *arena, const char *text, struct oci_process *p, struct error *err)
{
	struct strings halves = strings_split(arena, text, "=");
	uint64_t soft, hard;

	if (halves.n != 2)
		return error_set(err, ERROR_USAGE, "ulimit option \"%s\" requires name=SOFT:HARD", text);
	struct strings values = strings_split(arena, halves.v[1], ":");
	if (values.n > 2 || limit_value(values.v[0], &soft) < 0 || limit_value(values.v[values.n - 1], &hard) < 0)
		return error_set(err, ERROR_USAGE, "ulimit option \"%s\" requires name=SOFT:HARD, failed to be parsed", text);
	if (soft > hard)
		return error_set(err, ERROR_USAGE, "ulimit soft limit must be less than or equal to hard limit: %s", text);
	for (size_t i = 0; i < ELEMENTS(rlimit_names); i++) {
		struct rlimit mine;

		if (strcmp(rlimit_names[i].name, halves.v[0]) != 0)
			continue;
		if (getrlimit((__rlimit_resource_t)rlimit_names[i].resource, &mine) == 0 && hard > mine.rlim_max) {
			error_set(err, ERROR_DENIED, "ulimit %s: the hard limit of this user is %llu", text,
				  (unsigned long long)mine.rlim_max);
			return error_hint(err, "use --ulimit %s=%llu, or have the administrator raise it in "
					  "/etc/security/limits.conf", halves.v[0], (unsigned long long)mine.rlim_max);
		}
		set_rlimit(arena, p, rlimit_names[i].oci, soft, hard);
		return 0;
	}
	return error_set(err, ERROR_USAGE, "invalid ulimit type: %s", halves.v[0]);
}

int limits_ulimits(struct arena *arena, const struct create_request *r, struct oci_process *p, struct error *err)
{
	bool host = r->ulimit.n == 1 && strcmp(r->ulimit.v[0], "host") == 0;
	static const struct { int resource; const char *type; } raised[] = {
		{ RLIMIT_NOFILE, "RLIMIT_NOFILE" }, { RLIMIT_NPROC, "RLIMIT_NPROC" },
	};

	if (host)
		return 0;
	for (size_t i = 0; i < ELEMENTS(raised); i++) {
		struct rlimit mine;

		if (getrlimit((__rlimit_resource_t)raised[i].resource, &mine) == 0)
			set_rlimit(arena, p, raised[i].type, mine.rlim_max, mine.rlim_max);
	}
	for (size_t i = 0; i < r->ulimit.n; i++)
		if (parse_ulimit(arena, r->ulimit.v[i], p, err) < 0)
			return -1;
	return 0;
}

/* --- cgroup */
static int64_t *kept(struct arena *arena, int64_t n)
{
	return arena_memdup(arena, &n, sizeof(n));
}

static uint64_t *kept_unsigned(struct arena *arena, uint64_t n)
{
	return arena_memdup(arena, &n, sizeof(n));
}

static int size_or_unlimited(const char *flag, const char *text, int64_t *ret, struct error *err)
{
	uint64_t n;

	*ret = 0;
	if (!text)
		return 0;
	if (strcmp(text, "-1") == 0) {
		*ret = -1;
		return 0;
	}
	if (units_parse_size(text, &n) < 0 || n > INT64_MAX / 2)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for %s: not a size such as 512m or 2g", text, flag);
	*ret = (int64_t)n;
	return 0;
}

static int memory(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err)
{
	struct oci_memory m = { 0 };
	int64_t limit, swap, low;

	if (size_or_unlimited("--memory", r->memory, &limit, err) < 0 ||
	    size_or_unlimited("--memory-swap", r->memory_swap, &swap, err) < 0 ||
	    size_or_unlimited("--memory-reservation", r->memory_reservation, &low, err) < 0)
		return -1;
	if (r->memory_swap && !r->memory)
		return error_set(err, ERROR_USAGE, "you should always set the --memory limit when using the --memory-swap limit");
	if (limit > 0 && limit < 512 * 1024)
		return error_set(err, ERROR_USAGE, "--memory %s: the minimum is 512k", r->memory);
	if (swap > 0 && swap < limit)
		return error_set(err, ERROR_USAGE, "minimum memoryswap limit should be larger than memory limit");
	if (limit)
		m.limit = kept(arena, limit);
	if (limit > 0)	/* memory and swap together, as in Docker: twice the memory unless it is said */
		m.swap = kept(arena, swap ? swap : 2 * limit);
	if (low)
		m.reservation = kept(arena, low);
	if (limit || low)
		ret->memory = arena_memdup(arena, &m, sizeof(m));
	return 0;
}

static int number(const char *flag, const char *text, uint64_t least, uint64_t most, uint64_t *ret, struct error *err)
{
	unsigned long long n;

	if (str_to_u64(text, &n) < 0 || n < least || n > most)
		return error_set(err, ERROR_USAGE, "invalid value \"%s\" for %s: a number from %llu to %llu is needed", text,
				 flag, (unsigned long long)least, (unsigned long long)most);
	*ret = n;
	return 0;
}

static int quota(struct arena *arena, const struct create_request *r, struct oci_cpu *ret, struct error *err)
{
	uint64_t period = 100000, time = 0;

	if (r->cpus && (r->cpu_period || r->cpu_quota))
		return error_set(err, ERROR_USAGE, "--cpus and --cpu-period/--cpu-quota cannot be set together");
	if (r->cpus) {
		char *end;
		double n = strtod(r->cpus, &end);

		if (*end || !(n >= 0) || n > 100000)
			return error_set(err, ERROR_USAGE, "invalid value \"%s\" for --cpus: a number such as 1.5 is needed", r->cpus);
		time = (uint64_t)(n * 100000);
	}
	if (r->cpu_period && number("--cpu-period", r->cpu_period, 1000, 1000000, &period, err) < 0)
		return -1;
	if (r->cpu_quota && number("--cpu-quota", r->cpu_quota, 1000, INT64_MAX, &time, err) < 0)
		return -1;
	if (time)
		ret->quota = kept(arena, (int64_t)time);
	if (time || r->cpu_period)
		ret->period = kept_unsigned(arena, period);
	return 0;
}

static int cpu(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err)
{
	struct oci_cpu c = { .cpus = r->cpuset_cpus, .mems = r->cpuset_mems };
	uint64_t shares = 0;

	if (quota(arena, r, &c, err) < 0)
		return -1;
	if (r->cpu_shares) {
		if (number("--cpu-shares", r->cpu_shares, 2, 262144, &shares, err) < 0)
			return -1;
		c.shares = kept_unsigned(arena, shares);
	}
	if (c.quota || c.period || c.shares || c.cpus || c.mems)
		ret->cpu = arena_memdup(arena, &c, sizeof(c));
	return 0;
}

int limits_resources(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err)
{
	uint64_t pids = 0;

	*ret = (struct oci_resources){ 0 };
	if (memory(arena, r, ret, err) < 0 || cpu(arena, r, ret, err) < 0 || limits_io(arena, r, ret, err) < 0)
		return -1;
	if (r->pids_limit && strcmp(r->pids_limit, "-1") != 0 && strcmp(r->pids_limit, "0") != 0) {
		if (number("--pids-limit", r->pids_limit, 1, 4194304, &pids, err) < 0)
			return -1;
		ret->pids = arena_new_one(arena, struct oci_pids);
		ret->pids->limit = kept(arena, (int64_t)pids);
	}
	return 0;
}

int limits_check(struct arena *arena, const struct create_request *r, struct error *err)
{
	struct oci_resources resources;
	struct oci_process process = { 0 };

	if (limits_resources(arena, r, &resources, err) < 0 || limits_ulimits(arena, r, &process, err) < 0)
		return -1;
	return cgroup_check(&(struct cgroup_host){ .unified = true }, &resources, "", err);
}
