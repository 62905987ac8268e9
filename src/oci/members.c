#include "oci/members.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sys/fd.h"

static int namespace_of(const char *pid, struct stat *ret)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	return stat(path, ret);
}

static int ascending(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int by_namespace(struct oci *o, const struct record *r, struct members *ret, struct error *err)
{
	_cleanup_dir_ DIR *proc = opendir("/proc");
	char first[16];
	struct dirent *entry;
	struct stat ns, mine, its;
	unsigned pid;

	snprintf(first, sizeof(first), "%d", (int)r->pid);
	if (!proc || namespace_of(first, &ns) < 0 || namespace_of("self", &mine) < 0)
		return error_errno(err, "find the container's processes");
	if (ns.st_ino == mine.st_ino)
		return error_set(err, ERROR_UNSUPPORTED, "the container has neither a cgroup nor a pid namespace of its own: its "
				 "processes cannot be told from others");
	while ((entry = readdir(proc)))
		if (str_to_u32(entry->d_name, &pid) == 0 && namespace_of(entry->d_name, &its) == 0 && its.st_ino == ns.st_ino)
			*ARRAY_ADD(o->arena, ret) = (int)pid;
	qsort(ret->v, ret->n, sizeof(*ret->v), ascending);
	return 0;
}

int members_find(struct oci *o, const struct opened *c, struct members *ret, struct error *err)
{
	*ret = (struct members){ 0 };
	if (c->record.cgroup.places.n)
		return cgroup_pids(o->arena, &c->record.cgroup, &ret->v, &ret->n, err);
	return c->status == RECORD_STOPPED ? 0 : by_namespace(o, &c->record, ret, err);
}

int oci_ps(struct oci *o, const char *id, int **ret_pids, size_t *ret_n, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;
	struct members m;

	if (record_find(o, id, false, &c, err) < 0)
		return -1;
	if (members_find(o, &c, &m, err) < 0)
		return error_frame(err, "container `%s`", id);
	*ret_pids = m.v;
	*ret_n = m.n;
	return 0;
}
