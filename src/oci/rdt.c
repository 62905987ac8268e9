#include "oci/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/mount.h"

#define FILE_MAX ((size_t)1 << 20)
#define POSITION ".linux.intelRdt"

/* --- what is asked for */

static bool has_lines(const struct oci_intel_rdt *r)
{
	return !str_is_empty(r->l3_cache_schema) || !str_is_empty(r->mem_bw_schema) || r->schemata.n;
}

static bool is_default_class(const struct oci_intel_rdt *r)
{
	return str_eq(r->clos_id, "/");
}

static int check_class(const char *name, struct error *err)
{
	if (str_is_empty(name) || str_eq(name, "/"))
		return 0;
	if (strchr(name, '/') || strchr(name, '\n') || str_eq(name, ".") || str_eq(name, ".."))
		return error_set(err, ERROR_INVALID, POSITION ".closID: it is not the name of one directory");
	if (strlen(name) > NAME_MAX)
		return error_set(err, ERROR_INVALID, POSITION ".closID: it is longer than %d bytes", NAME_MAX);
	return 0;
}

int rdt_check(const struct oci_intel_rdt *r, struct error *err)
{
	if (check_class(r->clos_id, err) < 0)
		return -1;
	if (!str_is_empty(r->mem_bw_schema) && !str_starts(r->mem_bw_schema, "MB:"))
		return error_set(err, ERROR_INVALID, POSITION ".memBwSchema: it does not begin with \"MB:\"");
	if (!str_is_empty(r->mem_bw_schema) && strchr(r->mem_bw_schema, '\n'))
		return error_set(err, ERROR_INVALID, POSITION ".memBwSchema: it is more than one line");
	for (size_t i = 0; i < r->schemata.n; i++)
		if (!*r->schemata.v[i] || strchr(r->schemata.v[i], '\n'))
			return error_set(err, ERROR_INVALID, POSITION ".schemata[%zu]: it is not one line", i);
	return 0;
}

/* With a memBwSchema the lines of its kind in the other one do not count. */
static char *cache_lines(struct arena *arena, const struct oci_intel_rdt *r)
{
	struct strings all, kept = { 0 };

	if (str_is_empty(r->l3_cache_schema) || str_is_empty(r->mem_bw_schema))
		return r->l3_cache_schema;
	all = strings_split(arena, r->l3_cache_schema, "\n");
	for (size_t i = 0; i < all.n; i++)
		if (*all.v[i] && !str_starts(all.v[i], "MB:"))
			strings_add(arena, &kept, all.v[i]);
	return strings_join(arena, &kept, "\n");
}

/* --- comparing: "L3:0=7f0;1=1f", in files with blanks before the name */

/* The value for one cache in the line of a resource; NULL when there is none. */
static const char *value_of(struct arena *arena, const struct strings *lines, const char *resource, const char *cache)
{
	for (size_t i = 0; i < lines->n; i++) {
		const char *line = lines->v[i] + strspn(lines->v[i], " "), *values = str_after(line, resource);
		struct strings parts;

		if (!values || *values != ':')
			continue;
		parts = strings_split(arena, values + 1, ";");
		for (size_t j = 0; j < parts.n; j++) {
			const char *value = str_after(parts.v[j], cache);

			if (value && *value == '=')
				return value + 1;
		}
	}
	return NULL;
}

static bool is_value(const char *resource, const char *wanted, const char *there, uint64_t granularity)
{
	int base = str_starts(resource, "MB") ? 10 : 16;
	char *end_wanted, *end_there;
	uint64_t a, b;

	errno = 0;
	a = strtoull(wanted, &end_wanted, base);
	b = strtoull(there, &end_there, base);
	if (errno || end_wanted == wanted || end_there == there || *end_wanted || *end_there)
		return str_eq(wanted, there);
	if (base == 10 && granularity && a <= UINT32_MAX)
		a = (a + granularity - 1) / granularity * granularity;
	return a == b;
}

static bool line_is_there(struct arena *arena, const struct strings *lines, const char *line, uint64_t granularity)
{
	const char *colon = strchr(line, ':');
	struct strings parts;
	char *resource;

	if (!colon)
		return false;
	resource = arena_strndup(arena, line, (size_t)(colon - line));
	parts = strings_split(arena, colon + 1, ";");
	for (size_t i = 0; i < parts.n; i++) {
		char *equals = strchr(parts.v[i], '=');
		const char *there;

		if (!*parts.v[i])
			continue;
		if (!equals)
			return false;
		*equals = '\0';
		there = value_of(arena, lines, resource, parts.v[i]);
		if (!there || !is_value(resource, equals + 1, there, granularity))
			return false;
	}
	return true;
}

bool rdt_is_as_wanted(struct arena *arena, const char *file, const char *wanted, uint64_t granularity,
		      const char **ret_line)
{
	struct strings lines = strings_split(arena, file, "\n"), asked = strings_split(arena, wanted, "\n");

	for (size_t i = 0; i < asked.n; i++) {
		if (!*asked.v[i] || line_is_there(arena, &lines, asked.v[i], granularity))
			continue;
		*ret_line = asked.v[i];
		return false;
	}
	return true;
}

/* --- the file system */

struct place {
	struct arena *arena;
	int root, group;		/* the group: of the class */
	const char *name;		/* of the class below the root; "." for the default one */
	const char *path;		/* the same as a path */
	bool made;
	char *monitor;			/* a monitoring group that was made; NULL */
};

static char *read_text(const struct place *p, int dir_fd, const char *name)
{
	char *text = fd_read_file(p->arena, dir_fd, name, FILE_MAX, NULL), *end;

	if (!text)
		return NULL;
	end = text + strlen(text);
	while (end > text && end[-1] == '\n')
		*--end = '\0';
	return text;
}

/* errno alone says little here: the kernel keeps its words about the last failure in a file. */
static int refused(const struct place *p, const char *position, struct error *err)
{
	int number = errno;
	char *words = read_text(p, p->root, "info/last_cmd_status");

	errno = number;
	error_errno(err, POSITION "%s", position);
	if (!str_is_empty(words) && !str_eq(words, "ok"))
		error_hint(err, "the kernel says: %s", str_printable(p->arena, words, 200));
	return -1;
}

static int write_once(int dir_fd, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(dir_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int open_class(struct place *p, const struct oci_intel_rdt *r, bool make, struct error *err)
{
	if (make && mkdirat(p->root, p->name, 0755) == 0)
		p->made = true;
	else if (make && errno != EEXIST)
		return refused(p, "", err);
	p->group = openat(p->root, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->group >= 0)
		return 0;
	if (errno != ENOENT)
		return error_errno(err, POSITION ": %s", p->path);
	error_set(err, ERROR_INVALID, POSITION ".closID: there is no class of service %s", p->path);
	return error_hint(err, "give l3CacheSchema, memBwSchema or schemata to have it made");
}

static uint64_t granularity(const struct place *p)
{
	unsigned long long n;
	char *text = read_text(p, p->root, "info/MB/bandwidth_gran");

	return text && str_to_u64(text, &n) == 0 ? n : 0;
}

/* A class that others have made is theirs: it is used when it is what is wanted. */
static int compare(struct place *p, const char *wanted, const char *file, const char *member, struct error *err)
{
	const char *line;

	if (str_is_empty(wanted) || rdt_is_as_wanted(p->arena, file, wanted, granularity(p), &line))
		return 0;
	return error_set(err, ERROR_INVALID, POSITION ".%s: the class of service %s exists, and has not \"%s\"", member, p->path,
			 str_printable(p->arena, line, 200));
}

static int compare_all(struct place *p, const struct oci_intel_rdt *r, struct error *err)
{
	char *file = read_text(p, p->group, "schemata");

	if (!file)
		return error_errno(err, POSITION ": %s/schemata", p->path);
	if (compare(p, cache_lines(p->arena, r), file, "l3CacheSchema", err) < 0)
		return -1;
	return compare(p, r->mem_bw_schema, file, "memBwSchema", err);
}

static int write_lines(struct place *p, const char *lines, const char *member, struct error *err)
{
	if (str_is_empty(lines))
		return 0;
	if (write_once(p->group, "schemata", arena_printf(p->arena, "%s%s", lines, str_ends(lines, "\n") ? "" : "\n")) < 0)
		return refused(p, member, err);
	return 0;
}

/* One after the other: in one piece the kernel would take no second value for a cache. */
static int write_all(struct place *p, const struct oci_intel_rdt *r, struct error *err)
{
	bool exists = !str_is_empty(r->clos_id) && !p->made;

	if (exists && has_lines(r) && compare_all(p, r, err) < 0)
		return -1;
	if (!exists && (write_lines(p, cache_lines(p->arena, r), ".l3CacheSchema", err) < 0 ||
			write_lines(p, r->mem_bw_schema, ".memBwSchema", err) < 0))
		return -1;
	return r->schemata.n ? write_lines(p, strings_join(p->arena, &r->schemata, "\n"), ".schemata", err) : 0;
}

static int add_task(struct place *p, int dir_fd, const char *name, pid_t pid, const char *position, struct error *err)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	return write_once(dir_fd, name, number) < 0 ? refused(p, position, err) : 0;
}

static char *monitor_name(const struct place *p, const char *id)
{
	return arena_printf(p->arena, "mon_groups/%s", id);
}

static int make_monitor(struct place *p, const char *id, struct error *err)
{
	char *name = monitor_name(p, id);

	if (mkdirat(p->group, name, 0755) < 0)
		return errno == EEXIST ? 0 : refused(p, ".enableMonitoring", err);
	p->monitor = arena_printf(p->arena, "%s/%s", p->path, name);
	return 0;
}

/* A monitoring group takes only tasks of its class. */
static int enter(struct place *p, const struct oci_intel_rdt *r, const char *id, pid_t pid, struct error *err)
{
	if (add_task(p, p->group, "tasks", pid, "", err) < 0)
		return -1;
	if (!r->enable_monitoring)
		return 0;
	return add_task(p, p->group, arena_printf(p->arena, "%s/tasks", monitor_name(p, id)), pid, ".enableMonitoring", err);
}

static int open_root(struct place *p, struct arena *arena, const char *root, const struct oci_intel_rdt *r, const char *id,
		     struct error *err)
{
	*p = (struct place){ .arena = arena, .group = -1, .name = str_is_empty(r->clos_id) ? id : r->clos_id };
	p->path = arena_printf(arena, "%s/%s", root, p->name);
	if (is_default_class(r)) {
		p->name = ".";
		p->path = root;
	}
	p->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->root < 0 ? error_errno(err, POSITION ": %s", root) : 0;
}

static void close_place(struct place *p)
{
	fd_close(&p->group);
	fd_close(&p->root);
}

static int join(struct place *p, const struct oci_intel_rdt *r, const char *id, pid_t pid, struct error *err)
{
	bool own = str_is_empty(r->clos_id);

	if (open_class(p, r, own || (has_lines(r) && !is_default_class(r)), err) < 0 || write_all(p, r, err) < 0)
		return -1;
	if (r->enable_monitoring && make_monitor(p, id, err) < 0)
		return -1;
	return enter(p, r, id, pid, err);
}

int rdt_join_at(struct arena *arena, const char *root, const struct oci_intel_rdt *r, const char *id, pid_t pid,
		char **ret_made, struct error *err)
{
	struct place p;
	int result = rdt_check(r, err);

	if (result < 0 || open_root(&p, arena, root, r, id, err) < 0)
		return -1;
	result = join(&p, r, id, pid, err);
	if (result < 0) {
		rdt_remove(p.monitor);
		if (p.made)
			unlinkat(p.root, p.name, AT_REMOVEDIR);
	} else if (p.made && str_is_empty(r->clos_id)) {
		*ret_made = arena_strdup(arena, p.path);
	} else {
		*ret_made = p.monitor;
	}
	close_place(&p);
	return result;
}

int rdt_follow_at(struct arena *arena, const char *root, const struct oci_intel_rdt *r, const char *id, pid_t pid,
		  struct error *err)
{
	struct place p;
	int result;

	if (rdt_check(r, err) < 0 || open_root(&p, arena, root, r, id, err) < 0)
		return -1;
	result = open_class(&p, r, false, err);
	if (result == 0)
		result = enter(&p, r, id, pid, err);
	close_place(&p);
	return result;
}

/* --- where it is mounted */

static char *find_root(struct arena *arena, struct error *err)
{
	struct mount_table table = { 0 };

	if (mount_read_table(arena, "/proc/self/mountinfo", &table, err) < 0) {
		error_frame(err, POSITION);
		return NULL;
	}
	for (size_t i = 0; i < table.n; i++)
		if (str_eq(table.v[i].fstype, "resctrl") && str_eq(table.v[i].root, "/"))
			return table.v[i].point;
	error_set(err, ERROR_UNSUPPORTED, POSITION ": the resctrl file system is not mounted");
	error_hint(err, "where the processor and the kernel have it (CONFIG_X86_CPU_RESCTRL): mount -t resctrl resctrl "
		   "/sys/fs/resctrl");
	return NULL;
}

int rdt_join(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, char **ret_made, struct error *err)
{
	char *root = find_root(o->arena, err);

	return root ? rdt_join_at(o->arena, root, r, id, pid, ret_made, err) : -1;
}

int rdt_follow(struct oci *o, const struct oci_intel_rdt *r, const char *id, pid_t pid, struct error *err)
{
	char *root = find_root(o->arena, err);

	return root ? rdt_follow_at(o->arena, root, r, id, pid, err) : -1;
}

/* The kernel moves tasks that are left to the class or group above it. */
void rdt_remove(const char *group)
{
	if (group)
		rmdir(group);
}
