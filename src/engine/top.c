#include "engine/top.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/glob.h"
#include "base/units.h"
#include "engine/pause.h"
#include "engine/state.h"
#include "engine/top_process.h"
#include "engine/top_ps.h"
#include "spec/passwd.h"
#include "sys/caps.h"
#include "sys/fd.h"
#include "sys/idmap.h"
#include "sys/inroot.h"

#define DEFAULT_DESCRIPTORS "user,pid,ppid,pcpu,etime,tty,time,args"
#define PROCESSES_MAX 65536

struct top {
	struct engine *e;
	struct arena *arena;
	struct { struct top_process *v; size_t n; } processes;
	const struct id_map *uids, *gids;	/* from ids of this namespace (outside) to the container's (inside); NULL: same */
	struct id_maps maps;
	const char *passwd, *group;		/* the container's; NULL: it has none */
	int64_t now_ns, boot_ns;		/* now, and how long the machine has been up */
	int64_t tick_ns;
};

/* --- names */

/* The first field of the line of an id. */
static char *name_of(struct top *t, const char *text, uint32_t id)
{
	const char *line = text ? passwd_line_of(text, id) : NULL;

	return line ? arena_strndup(t->arena, line, strcspn(line, ":\n")) : arena_printf(t->arena, "%" PRIu32, id);
}

static uint32_t inside(const struct id_map *map, uint32_t id)
{
	uint32_t mapped = map ? idmap_to_inside(map, id) : id;

	return mapped == ID_NONE ? 65534 : mapped;
}

static uint32_t on_host(const struct id_map *map, uint32_t id)
{
	uint32_t mapped = map->n ? idmap_to_outside(map, id) : id;

	return mapped == ID_NONE ? 65534 : mapped;
}

static char *user(struct top *t, uint32_t id) { return name_of(t, t->passwd, inside(t->uids, id)); }
static char *group(struct top *t, uint32_t id) { return name_of(t, t->group, inside(t->gids, id)); }

/* Users and groups of the host are numbers, as Podman prints them: they are looked up in no file. */
static char *host_user(struct top *t, uint32_t id)
{
	return arena_printf(t->arena, "%" PRIu32, on_host(&t->e->identity.maps.uid, id));
}

static char *host_group(struct top *t, uint32_t id)
{
	return arena_printf(t->arena, "%" PRIu32, on_host(&t->e->identity.maps.gid, id));
}

/* --- columns */
#define COLUMN(name) static char *column_##name(struct top *t, const struct top_process *p)

COLUMN(args) { return p->args; }
COLUMN(comm) { return p->comm; }
COLUMN(label) { return p->label; }
COLUMN(user) { return user(t, p->uid[TOP_EFFECTIVE]); }
COLUMN(ruser) { return user(t, p->uid[TOP_REAL]); }
COLUMN(group) { return group(t, p->gid[TOP_EFFECTIVE]); }
COLUMN(rgroup) { return group(t, p->gid[TOP_REAL]); }
COLUMN(huser) { return host_user(t, p->uid[TOP_EFFECTIVE]); }
COLUMN(hgroup) { return host_group(t, p->gid[TOP_EFFECTIVE]); }
COLUMN(uid) { return arena_printf(t->arena, "%" PRIu32, inside(t->uids, p->uid[TOP_EFFECTIVE])); }
COLUMN(gid) { return arena_printf(t->arena, "%" PRIu32, inside(t->gids, p->gid[TOP_EFFECTIVE])); }
COLUMN(huid) { return host_user(t, p->uid[TOP_EFFECTIVE]); }
COLUMN(hgid) { return host_group(t, p->gid[TOP_EFFECTIVE]); }
COLUMN(pid) { return arena_printf(t->arena, "%d", (int)p->pid); }
COLUMN(hpid) { return arena_printf(t->arena, "%d", (int)p->hpid); }
COLUMN(pgid) { return arena_printf(t->arena, "%d", (int)p->pgid); }
COLUMN(nice) { return arena_printf(t->arena, "%d", p->nice); }
COLUMN(state) { return arena_printf(t->arena, "%c", p->state); }
COLUMN(vsz) { return arena_printf(t->arena, "%" PRIu64, p->vsize / 1024); }
COLUMN(rss) { return arena_printf(t->arena, "%" PRIu64, p->rss_pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024); }
COLUMN(time) { return units_format_duration(t->arena, (int64_t)p->cpu_ticks * t->tick_ns); }

static char *join_groups(struct top *t, const struct top_process *p, char *(*name)(struct top *, uint32_t))
{
	struct strings names = { 0 };

	for (size_t i = 0; i < p->groups.n; i++)
		strings_add(t->arena, &names, name(t, p->groups.v[i]));
	return strings_join(t->arena, &names, ",");
}

COLUMN(groups) { return join_groups(t, p, group); }
COLUMN(hgroups) { return join_groups(t, p, host_group); }

/* A parent outside of the container is nobody there. */
COLUMN(ppid)
{
	for (size_t i = 0; i < t->processes.n; i++)
		if (t->processes.v[i].hpid == p->host_ppid)
			return arena_printf(t->arena, "%d", (int)t->processes.v[i].pid);
	return "0";
}

static int64_t age_ns(const struct top *t, const struct top_process *p)
{
	int64_t age = t->boot_ns - (int64_t)p->start_ticks * t->tick_ns;

	return age > 0 ? age : 0;
}

COLUMN(etime) { return units_format_duration(t->arena, age_ns(t, p)); }
COLUMN(stime) { return units_format_time_local(t->arena, t->now_ns - age_ns(t, p)); }

COLUMN(pcpu)
{
	int64_t age = age_ns(t, p);

	return arena_printf(t->arena, "%.3f", age ? (double)p->cpu_ticks * (double)t->tick_ns * 100 / (double)age : 0.0);
}

/* The numbers of Documentation/admin-guide/devices: 136 to 143 are pseudo-terminals, 4 the consoles. */
COLUMN(tty)
{
	unsigned number = (unsigned)p->tty, high = major((dev_t)number), low = minor((dev_t)number);

	if (high >= 136 && high <= 143)
		return arena_printf(t->arena, "pts/%u", (high - 136) * 256 + low);
	if (high == 4)
		return arena_printf(t->arena, "tty%u", low);
	return "?";
}

COLUMN(seccomp)
{
	return p->seccomp == 2 ? "filter" : p->seccomp == 1 ? "strict" : "disabled";
}

static char *format_caps(struct top *t, uint64_t mask)
{
	uint64_t all = (CAPS_BIT(caps_last()) << 1) - 1;
	struct strings names = { 0 };

	if (!mask)
		return "none";
	if ((mask & all) == all)
		return "full";
	for (int i = 0; i < 64; i++) {
		const char *name = caps_name(i);

		if ((mask & CAPS_BIT(i)) && name)
			strings_add(t->arena, &names, name + strlen("CAP_"));
	}
	return strings_join(t->arena, &names, ",");
}

COLUMN(capinh) { return format_caps(t, p->caps[TOP_INHERITABLE]); }
COLUMN(capprm) { return format_caps(t, p->caps[TOP_PERMITTED]); }
COLUMN(capeff) { return format_caps(t, p->caps[TOP_EFFECTIVE_CAPS]); }
COLUMN(capbnd) { return format_caps(t, p->caps[TOP_BOUNDING]); }
COLUMN(capamb) { return format_caps(t, p->caps[TOP_AMBIENT]); }

static const struct descriptor {
	const char *name, *code, *header;	/* code: ps's AIX format */
	char *(*value)(struct top *t, const struct top_process *p);
} descriptors[] = {
	{ "args", "%a", "COMMAND", column_args },		{ "capamb", NULL, "AMBIENT CAPS", column_capamb },
	{ "capbnd", NULL, "BOUNDING CAPS", column_capbnd },	{ "capeff", NULL, "EFFECTIVE CAPS", column_capeff },
	{ "capinh", NULL, "INHERITED CAPS", column_capinh },	{ "capprm", NULL, "PERMITTED CAPS", column_capprm },
	{ "comm", "%c", "COMMAND", column_comm },		{ "etime", "%t", "ELAPSED", column_etime },
	{ "gid", NULL, "GID", column_gid },			{ "group", "%G", "GROUP", column_group },
	{ "groups", NULL, "GROUPS", column_groups },		{ "hgid", NULL, "HGID", column_hgid },
	{ "hgroup", NULL, "HGROUP", column_hgroup },		{ "hgroups", NULL, "HGROUPS", column_hgroups },
	{ "hpid", NULL, "HPID", column_hpid },			{ "huid", NULL, "HUID", column_huid },
	{ "huser", NULL, "HUSER", column_huser },		{ "label", NULL, "LABEL", column_label },
	{ "nice", "%n", "NI", column_nice },			{ "pcpu", "%C", "%CPU", column_pcpu },
	{ "pgid", "%r", "PGID", column_pgid },			{ "pid", "%p", "PID", column_pid },
	{ "ppid", "%P", "PPID", column_ppid },			{ "rgroup", "%g", "RGROUP", column_rgroup },
	{ "rss", NULL, "RSS", column_rss },			{ "ruser", "%u", "RUSER", column_ruser },
	{ "seccomp", NULL, "SECCOMP", column_seccomp },		{ "state", NULL, "STATE", column_state },
	{ "stime", NULL, "STIME", column_stime },		{ "time", "%x", "TIME", column_time },
	{ "tty", "%y", "TTY", column_tty },			{ "uid", NULL, "UID", column_uid },
	{ "user", "%U", "USER", column_user },			{ "vsz", "%z", "VSZ", column_vsz },
};

/* --- the list of descriptors */
struct columns { const struct descriptor **v; size_t n; };

static int unknown_descriptor(struct arena *arena, const char *word, struct error *err)
{
	const char *names[ELEMENTS(descriptors) + 1] = { NULL };
	struct strings known = { 0 };
	const char *closest;

	for (size_t i = 0; i < ELEMENTS(descriptors); i++) {
		names[i] = descriptors[i].name;
		strings_add(arena, &known, descriptors[i].name);
	}
	error_set(err, ERROR_USAGE, "unknown descriptor \"%s\"; known are: %s", word, strings_join(arena, &known, " "));
	closest = glob_closest(word, names);
	return closest ? error_hint(err, "did you mean \"%s\"?", closest) : -1;
}

static int add_column(struct arena *arena, const char *word, struct columns *ret, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(descriptors); i++) {
		if (strcmp(descriptors[i].name, word) != 0 && !str_eq(descriptors[i].code, word))
			continue;
		*ARRAY_ADD(arena, ret) = &descriptors[i];
		return 0;
	}
	return unknown_descriptor(arena, word, err);
}

static int choose_columns(struct arena *arena, const struct strings *wanted, struct columns *ret, struct error *err)
{
	struct strings words = { 0 };

	bool ps = top_ps_is(wanted);

	if (ps && top_ps_descriptors(arena, wanted, &words, err) < 0)
		return -1;
	for (size_t i = 0; i < wanted->n && !ps; i++) {
		struct strings parts = strings_split(arena, wanted->v[i], ", ");

		strings_add_all(arena, &words, &parts);
	}
	if (!words.n)
		words = strings_split(arena, DEFAULT_DESCRIPTORS, ",");
	for (size_t i = 0; i < words.n; i++)
		if (*words.v[i] && add_column(arena, words.v[i], ret, err) < 0)
			return -1;
	return 0;
}

/* --- the processes */
static void add_process(struct top *t, pid_t pid)
{
	struct top_process p;

	if (t->processes.n < PROCESSES_MAX && top_process_read(t->arena, pid, &p) == 0)
		*ARRAY_ADD(t->arena, &t->processes) = p;
}

static void add_cgroup(struct top *t, const struct cgroup *c)
{
	int *pids;
	size_t n;

	if (cgroup_pids(t->arena, c, &pids, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		add_process(t, pids[i]);
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = ((const struct top_process *)a)->pid, y = ((const struct top_process *)b)->pid;

	return (x > y) - (x < y);
}

static int read_processes(struct top *t, const struct container_state *s, struct error *err)
{
	struct pid_list pids;

	if (s->cgroup)
		add_cgroup(t, s->cgroup);
	if (!t->processes.n) {
		if (pause_pids(t->arena, (pid_t)s->pid, &pids, err) < 0)
			return -1;
		for (size_t i = 0; i < pids.n; i++)
			add_process(t, pids.v[i]);
	}
	qsort(t->processes.v, t->processes.n, sizeof(*t->processes.v), compare_pids);
	return 0;
}

/* --- what names need */
static bool is_own_user_namespace(pid_t pid)
{
	struct stat mine, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return stat("/proc/self/ns/user", &mine) < 0 || stat(path, &its) < 0 ||
	       (mine.st_ino == its.st_ino && mine.st_dev == its.st_dev);
}

static int read_names(struct top *t, const struct container_state *s, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);
	_cleanup_fd_ int root = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%lld/root", (long long)s->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (process < 0 || root < 0)
		return error_set(err, ERROR_STATE, "top can only be used on running containers");
	/* A FIFO or an absurd file instead of a text is as good as none: then numbers are shown. */
	t->passwd = inroot_read_file(t->arena, root, "/etc/passwd", PASSWD_FILE_MAX, NULL);
	t->group = inroot_read_file(t->arena, root, "/etc/group", PASSWD_FILE_MAX, NULL);
	if (is_own_user_namespace((pid_t)s->pid))
		return 0;
	if (idmap_read(t->arena, (pid_t)s->pid, &t->maps, err) < 0)
		return -1;
	t->uids = &t->maps.uid;
	t->gids = &t->maps.gid;
	return 0;
}

static void read_clocks(struct top *t)
{
	struct timespec up;

	clock_gettime(CLOCK_BOOTTIME, &up);
	t->boot_ns = (int64_t)up.tv_sec * 1000000000 + up.tv_nsec;
	t->now_ns = units_now();
	t->tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);
}

static void add_row(struct top *t, const struct columns *columns, const struct top_process *p, struct top_rows *ret)
{
	struct strings *row = ARRAY_ADD(t->arena, ret);

	for (size_t i = 0; i < columns->n; i++)
		strings_add(t->arena, row, p ? columns->v[i]->value(t, p) : columns->v[i]->header);
}

int container_top(struct engine *e, const struct container *c, const struct strings *wanted, struct top_rows *ret,
		  struct error *err)
{
	struct top t = { .e = e, .arena = e->arena };
	struct columns columns = { 0 };
	struct container_state s;

	*ret = (struct top_rows){ 0 };
	if (choose_columns(e->arena, wanted, &columns, err) < 0 || container_load_state(e, c, &s, err) < 0)
		return -1;
	if (!state_is_live(&s))
		return error_set(err, ERROR_STATE, "top can only be used on running containers");
	read_clocks(&t);
	if (read_names(&t, &s, err) < 0 || read_processes(&t, &s, err) < 0)
		return -1;
	add_row(&t, &columns, NULL, ret);
	for (size_t i = 0; i < t.processes.n; i++)
		add_row(&t, &columns, &t.processes.v[i], ret);
	return 0;
}
