#include "engine/top_process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string.h"
#include "sys/fd.h"

#define PROC_FILE_MAX ((size_t)256 << 10)

int top_process_parse_stat(struct arena *arena, const char *text, struct top_process *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	unsigned long long user, system;

	if (!open || !close || close < open)
		return -1;
	ret->comm = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
	if (sscanf(close + 1, " %c %d %*d %*d %d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %d %*d %*d %" SCNu64 " %" SCNu64
		   " %" SCNu64, &ret->state, &ret->host_ppid, &ret->tty, &user, &system, &ret->nice, &ret->start_ticks,
		   &ret->vsize, &ret->rss_pages) != 9)
		return -1;
	ret->cpu_ticks = user + system;
	return 0;
}

/* "1 22 333": the last number, the innermost namespace's. */
static pid_t last_number(const char *text)
{
	pid_t last = 0;
	char *end;

	for (long n = strtol(text, &end, 10); end != text; n = strtol(text, &end, 10)) {
		last = (pid_t)n;
		text = end;
	}
	return last;
}

static void parse_groups(struct arena *arena, const char *text, struct top_process *ret)
{
	char *end;

	for (unsigned long n = strtoul(text, &end, 10); end != text; n = strtoul(text, &end, 10)) {
		*ARRAY_ADD(arena, &ret->groups) = (uint32_t)n;
		text = end;
	}
}

static void parse_status_line(struct arena *arena, const char *line, struct top_process *ret)
{
	static const char *const caps[TOP_CAPS] = { "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:" };
	const char *rest;

	if ((rest = str_after(line, "Uid:")))
		sscanf(rest, "%" SCNu32 " %" SCNu32, &ret->uid[TOP_REAL], &ret->uid[TOP_EFFECTIVE]);
	else if ((rest = str_after(line, "Gid:")))
		sscanf(rest, "%" SCNu32 " %" SCNu32, &ret->gid[TOP_REAL], &ret->gid[TOP_EFFECTIVE]);
	else if ((rest = str_after(line, "Groups:")))
		parse_groups(arena, rest, ret);
	else if ((rest = str_after(line, "NSpid:")))
		ret->pid = last_number(rest);
	else if ((rest = str_after(line, "NSpgid:")))
		ret->pgid = last_number(rest);
	else if ((rest = str_after(line, "Seccomp:")))
		ret->seccomp = (int)last_number(rest);
	for (size_t i = 0; i < TOP_CAPS; i++)
		if ((rest = str_after(line, caps[i])))
			ret->caps[i] = strtoull(rest, NULL, 16);
}

int top_process_parse_status(struct arena *arena, const char *text, struct top_process *ret)
{
	struct strings lines = strings_split(arena, text, "\n");

	for (size_t i = 0; i < lines.n; i++)
		parse_status_line(arena, lines.v[i], ret);
	return ret->pid > 0 ? 0 : -1;
}

static char *read_proc(struct arena *arena, pid_t pid, const char *name, size_t *ret_size)
{
	return fd_read_file(arena, AT_FDCWD, arena_printf(arena, "/proc/%d/%s", (int)pid, name), PROC_FILE_MAX, ret_size);
}

static void read_args(struct arena *arena, struct top_process *p)
{
	size_t size = 0;
	char *text = read_proc(arena, p->hpid, "cmdline", &size);

	while (text && size && text[size - 1] == '\0')
		size--;
	if (!text || !size) {
		p->args = arena_printf(arena, "[%s]", p->comm);
		return;
	}
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	p->args = text;
}

/* An SELinux context has colons; without SELinux there is none to show. */
static void read_label(struct arena *arena, struct top_process *p)
{
	char *text = read_proc(arena, p->hpid, "attr/current", NULL);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	p->label = text && strchr(text, ':') ? text : "?";
}

int top_process_read(struct arena *arena, pid_t pid, struct top_process *ret)
{
	char *stat = read_proc(arena, pid, "stat", NULL), *status = read_proc(arena, pid, "status", NULL);

	*ret = (struct top_process){ .hpid = pid };
	if (!stat || !status || top_process_parse_stat(arena, stat, ret) < 0 ||
	    top_process_parse_status(arena, status, ret) < 0)
		return -1;
	read_args(arena, ret);
	read_label(arena, ret);
	return 0;
}
