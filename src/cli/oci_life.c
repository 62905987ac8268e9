/* cli/oci_life - kill, delete, pause, resume and update of the OCI runtime */
#include <fcntl.h>
#include <regex.h>
#include <unistd.h>

#include "base/signal.h"
#include "base/units.h"
#include "cli/cli.h"
#include "cli/oci.h"
#include "sys/fd.h"

#define TOPIC "Containers"
#define RESOURCES_MAX ((size_t)1 << 20)

/* The containers that an operand means: itself, or with --regex all whose ID matches. */
static int find(struct oci *o, const char *operand, bool regex, struct strings *ret, struct error *err)
{
	const struct json *list;
	regex_t pattern;

	if (!regex) {
		strings_add(o->arena, ret, operand);
		return 0;
	}
	if (regcomp(&pattern, operand, REG_EXTENDED | REG_NOSUB) != 0)
		return error_set(err, ERROR_USAGE, "\"%s\" is no regular expression", operand);
	list = oci_list(o, err);
	for (size_t i = 0; list && i < list->list.n; i++) {
		const char *id = json_get_string(list->list.v[i], "id");

		if (id && regexec(&pattern, id, 0, NULL, 0) == 0)
			strings_add(o->arena, ret, id);
	}
	regfree(&pattern);
	return list ? 0 : -1;
}

/* --- kill */

struct kill_request { bool all, regex; };

static const struct option kill_options[] = {
	OPT_FLAG('a', "all", kill_request, all, "All processes of the container"),
	OPT_FLAG('r', "regex", kill_request, regex, "All containers whose ID matches"),
	OPT_END
};

static int kill_them(struct cli *cli, const struct args *args, struct error *err)
{
	const char *name = args->operands.n > 1 ? args->operands.v[1] : "SIGTERM";
	const struct kill_request *r = args->request;
	struct strings ids = { 0 };
	int signal = strcmp(name, "0") == 0 ? 0 : signal_parse(name);	/* 0: is it there? */
	struct oci *o = cli_oci(cli, err);

	if (!o)
		return -1;
	if (signal < 0)
		return error_set(err, ERROR_USAGE, "unknown signal \"%s\"", name);
	if (find(o, args->operands.v[0], r->regex, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (oci_kill(o, ids.v[i], signal, r->all, err) < 0)
			return -1;
	return 0;
}

const struct command oci_kill_command = {
	.names = "kill",
	.synopsis = "[options] ID [SIGNAL]",
	.summary = "Send a signal (default SIGTERM) to a container's first process",
	.options = { kill_options },
	.request_size = sizeof(struct kill_request),
	.operands_min = 1, .operands_max = 2,
	.operands_missing = "a container ID is needed",
	.complete_rest = COMPLETE_SIGNALS,
	.topic = TOPIC,
	.run = kill_them,
};

/* --- delete */

struct delete_request { bool force, regex; };

static const struct option delete_options[] = {
	OPT_FLAG('f', "force", delete_request, force, "Kill it first if it runs; an unknown container is no error"),
	OPT_FLAG('r', "regex", delete_request, regex, "All containers whose ID matches"),
	OPT_END
};

static int delete_them(struct cli *cli, const struct args *args, struct error *err)
{
	const struct delete_request *r = args->request;
	struct strings ids = { 0 };
	struct oci *o = cli_oci(cli, err);

	for (size_t i = 0; o && i < args->operands.n; i++)
		if (find(o, args->operands.v[i], r->regex, &ids, err) < 0)
			return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (oci_delete(o, ids.v[i], r->force, err) < 0)
			return -1;
	return o ? 0 : -1;
}

const struct command oci_delete_command = {
	.names = "delete",
	.synopsis = "[options] ID [ID...]",
	.summary = "Delete what was made for a container that has ended",
	.options = { delete_options },
	.request_size = sizeof(struct delete_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = delete_them,
};

/* --- pause and resume */

static int pause_it(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);

	return o ? oci_pause(o, args->operands.v[0], true, err) : -1;
}

static int resume(struct cli *cli, const struct args *args, struct error *err)
{
	struct oci *o = cli_oci(cli, err);

	return o ? oci_pause(o, args->operands.v[0], false, err) : -1;
}

const struct command oci_pause_command = {
	.names = "pause",
	.synopsis = "ID",
	.summary = "Stop all processes of a container where they are",
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = pause_it,
};

const struct command oci_resume_command = {
	.names = "resume",
	.synopsis = "ID",
	.summary = "Let a paused container go on",
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = resume,
};

/* --- update */

struct update_request {
	char *resources;
	char *memory, *memory_reservation, *memory_swap, *kernel_memory, *kernel_memory_tcp;
	char *cpuset_cpus, *cpuset_mems, *l3_cache_schema, *mem_bw_schema;
	int64_t cpu_period, cpu_quota, cpu_burst, cpu_shares, cpu_rt_period, cpu_rt_runtime, cpu_idle, pids_limit, blkio_weight;
};

static const struct option update_options[] = {
	OPT_STRING('r', "resources", update_request, resources, "FILE", "linux.resources in JSON; - is standard input",
		   .complete = COMPLETE_FILES),
	OPT_STRING(0, "memory", update_request, memory, "BYTES", "Memory limit"),
	OPT_STRING(0, "memory-reservation", update_request, memory_reservation, "BYTES", "Memory that is left to it when it gets short"),
	OPT_STRING(0, "memory-swap", update_request, memory_swap, "BYTES", "Limit of memory and swap together"),
	OPT_STRING(0, "kernel-memory", update_request, kernel_memory, "BYTES", "Limit of kernel memory (cgroup v1)"),
	OPT_STRING(0, "kernel-memory-tcp", update_request, kernel_memory_tcp, "BYTES", "Limit of TCP buffers (cgroup v1)"),
	OPT_INT(0, "cpu-period", update_request, cpu_period, "US", "Period of the CPU quota, in microseconds"),
	OPT_INT(0, "cpu-quota", update_request, cpu_quota, "US", "CPU time in each period, in microseconds"),
	OPT_INT(0, "cpu-burst", update_request, cpu_burst, "US", "CPU time that may be saved up"),
	OPT_INT(0, "cpu-share", update_request, cpu_shares, "N", "Relative weight of its CPU time"),
	OPT_ALIAS(0, "cpu-shares", "cpu-share"),
	OPT_INT(0, "cpu-rt-period", update_request, cpu_rt_period, "US", "Period of the real-time quota (cgroup v1)"),
	OPT_INT(0, "cpu-rt-runtime", update_request, cpu_rt_runtime, "US", "Real-time CPU time in each period (cgroup v1)"),
	OPT_INT(0, "cpu-idle", update_request, cpu_idle, "0|1", "Run only when nothing else wants the CPU"),
	OPT_STRING(0, "cpuset-cpus", update_request, cpuset_cpus, "LIST", "CPUs that it may use, such as 0-3,7"),
	OPT_STRING(0, "cpuset-mems", update_request, cpuset_mems, "LIST", "Memory nodes that it may use"),
	OPT_INT(0, "pids-limit", update_request, pids_limit, "N", "How many processes it may have"),
	OPT_INT(0, "blkio-weight", update_request, blkio_weight, "N", "Relative weight of its block I/O, 10 to 1000"),
	OPT_END
};

static char *read_resources(struct cli *cli, const char *path, size_t *ret_size, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER(RESOURCES_MAX);
	char *file;

	if (strcmp(path, "-") != 0) {
		file = fd_read_given(cli->arena, path, RESOURCES_MAX, ret_size);
		if (!file)
			error_errno(err, "%s", path);
		return file;
	}
	if (fd_read_buffer(STDIN_FILENO, &text) < 0) {
		error_errno(err, "read the resources from standard input");
		return NULL;
	}
	*ret_size = text.size;
	return arena_strndup(cli->arena, text.data ? text.data : "", text.size);
}

static int from_file(struct cli *cli, const char *path, struct oci_resources *ret, struct error *err)
{
	size_t size;
	char *text = read_resources(cli, path, &size, err);

	return text ? json_decode(cli->arena, &oci_resources_shape, ret, text, size, "resources", err) : -1;
}

static int64_t *new_int(struct arena *arena, int64_t n)
{
	return arena_memdup(arena, &n, sizeof(n));
}

static uint64_t *new_uint(struct arena *arena, int64_t n)
{
	return arena_memdup(arena, &(uint64_t){ (uint64_t)n }, sizeof(uint64_t));
}

/* "64m", "-1" for no limit. */
static int size(struct arena *arena, const char *name, const char *text, int64_t **ret, struct error *err)
{
	uint64_t n = 0;

	if (!text)
		return 0;
	if (strcmp(text, "-1") != 0 && (units_parse_size(text, &n) < 0 || n > INT64_MAX))
		return error_set(err, ERROR_USAGE, "--%s \"%s\": not a size", name, text);
	*ret = new_int(arena, strcmp(text, "-1") == 0 ? -1 : (int64_t)n);
	return 0;
}

static int memory_options(struct arena *arena, const struct update_request *u, struct oci_resources *r, struct error *err)
{
	struct oci_memory *m = arena_new_one(arena, struct oci_memory);

	if (size(arena, "memory", u->memory, &m->limit, err) < 0 ||
	    size(arena, "memory-reservation", u->memory_reservation, &m->reservation, err) < 0 ||
	    size(arena, "memory-swap", u->memory_swap, &m->swap, err) < 0 ||
	    size(arena, "kernel-memory", u->kernel_memory, &m->kernel, err) < 0 ||
	    size(arena, "kernel-memory-tcp", u->kernel_memory_tcp, &m->kernel_tcp, err) < 0)
		return -1;
	if (m->limit || m->reservation || m->swap || m->kernel || m->kernel_tcp)
		r->memory = m;
	return 0;
}

static void cpu_options(struct cli *cli, const struct update_request *u, struct oci_resources *r)
{
	struct oci_cpu *c = arena_new_one(cli->arena, struct oci_cpu);
	const struct { const char *name; int64_t value; int64_t **to; uint64_t **to_unsigned; } numbers[] = {
		{ "cpu-period", u->cpu_period, NULL, &c->period }, { "cpu-quota", u->cpu_quota, &c->quota, NULL },
		{ "cpu-burst", u->cpu_burst, NULL, &c->burst }, { "cpu-share", u->cpu_shares, NULL, &c->shares },
		{ "cpu-rt-period", u->cpu_rt_period, NULL, &c->realtime_period },
		{ "cpu-rt-runtime", u->cpu_rt_runtime, &c->realtime_runtime, NULL },
		{ "cpu-idle", u->cpu_idle, &c->idle, NULL },
	};

	c->cpus = u->cpuset_cpus;
	c->mems = u->cpuset_mems;
	if (c->cpus || c->mems)
		r->cpu = c;
	for (size_t i = 0; i < ELEMENTS(numbers); i++) {
		if (!args_was_given(cli->args, numbers[i].name))
			continue;
		r->cpu = c;
		if (numbers[i].to)
			*numbers[i].to = new_int(cli->arena, numbers[i].value);
		else
			*numbers[i].to_unsigned = new_uint(cli->arena, numbers[i].value);
	}
}

static int from_options(struct cli *cli, const struct update_request *u, struct oci_resources *ret, struct error *err)
{
	*ret = (struct oci_resources){ 0 };
	if (memory_options(cli->arena, u, ret, err) < 0)
		return -1;
	cpu_options(cli, u, ret);
	if (args_was_given(cli->args, "pids-limit")) {
		ret->pids = arena_new_one(cli->arena, struct oci_pids);
		ret->pids->limit = new_int(cli->arena, u->pids_limit);
	}
	if (args_was_given(cli->args, "blkio-weight")) {
		ret->block_io = arena_new_one(cli->arena, struct oci_block_io);
		ret->block_io->weight = new_uint(cli->arena, u->blkio_weight);
	}
	return 0;
}

static int update(struct cli *cli, const struct args *args, struct error *err)
{
	const struct update_request *u = args->request;
	struct oci_resources resources;
	struct oci *o = cli_oci(cli, err);
	int result;

	if (!o)
		return -1;
	result = u->resources ? from_file(cli, u->resources, &resources, err) : from_options(cli, u, &resources, err);
	return result < 0 ? -1 : oci_update(o, args->operands.v[0], &resources, u->resources ? "resources: " : "", err);
}

const struct command oci_update_command = {
	.names = "update",
	.synopsis = "[options] ID",
	.summary = "Change the limits of a container",
	.options = { update_options },
	.request_size = sizeof(struct update_request),
	.operands_min = 1, .operands_max = 1,
	.operands_missing = "a container ID is needed",
	.topic = TOPIC,
	.run = update,
};
