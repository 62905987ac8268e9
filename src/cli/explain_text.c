#include "cli/explain_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/string.h"
#include "cli/output.h"

struct page {
	struct arena *arena;
	const struct verdict *v;
	const struct explain_style *style;
	struct buffer out;
};

bool explain_has_utf8(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ELEMENTS(variables); i++) {
		const char *value = getenv(variables[i]);

		if (!str_is_empty(value))
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

/* --- lines */

static void put(struct page *p, const char *label, const char *text)
{
	buffer_printf(&p->out, "  %-11s%s\n", label, output_clean(p->arena, text));
}

static void put_colored(struct page *p, const char *color, const char *label, const char *text)
{
	buffer_printf(&p->out, "%s%s:%s %s\n", p->style->colored ? color : "", label, p->style->colored ? "\033[0m" : "",
		      output_clean(p->arena, text));
}

const char *explain_who(const struct verdict_subject *s, uint32_t host_id, const char *user)
{
	if (host_id == ID_NONE)
		return "unknown";
	if (host_id == s->user_uid)
		return user;
	if (host_id == 0)
		return "root of the host";
	if (idmap_to_inside(&s->rootless.uid, host_id) != ID_NONE)
		return "one of your subordinate ids";
	return "another user";
}

static const char *inside_name(struct arena *arena, uint32_t id)
{
	return id == 0 ? "root" : id == 65534 ? "nobody" : arena_printf(arena, "%u", id);
}

static const char *bits(struct arena *arena, unsigned rwx)
{
	return arena_printf(arena, "%c%c%c", rwx & 4 ? 'r' : '-', rwx & 2 ? 'w' : '-', rwx & 1 ? 'x' : '-');
}

static const char *mode_text(struct arena *arena, mode_t mode)
{
	char *text = arena_printf(arena, "%s%s%s", bits(arena, mode >> 6 & 7), bits(arena, mode >> 3 & 7), bits(arena, mode & 7));

	if (mode & S_ISUID)
		text[2] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		text[5] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		text[8] = mode & S_IXOTH ? 't' : 'T';
	return arena_printf(arena, "%c%s", S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISSOCK(mode) ? 's' : S_ISCHR(mode) ? 'c' :
			    S_ISBLK(mode) ? 'b' : S_ISFIFO(mode) ? 'p' : '-', text);
}

/* --- one thing in the way */

static const char *wanted(struct arena *arena, uint8_t rwx)
{
	static const char *const names[] = { "read (r)", "write (w)", "search or execute (x)" };
	struct strings list = { 0 };

	for (size_t i = 0; i < 3; i++)
		if (rwx & (4 >> i))
			strings_add(arena, &list, names[i]);
	return strings_join(arena, &list, " and ");
}

static void put_class(struct page *p, const struct verdict_block *b)
{
	static const char *const classes[] = {
		[CLASS_OWNER] = "as its owner", [CLASS_ACL_USER] = "by an entry of its ACL", [CLASS_GROUP] = "as member of its group",
		[CLASS_ACL_GROUP] = "by a group of its ACL", [CLASS_OTHER] = "as any other user",
	};

	if (b->class != CLASS_NONE)
		put(p, "rights", arena_printf(p->arena, "%s: %s; needed: %s", classes[b->class], bits(p->arena, b->has),
					      wanted(p->arena, b->wants)));
}

static void put_place(struct page *p, const struct verdict_block *b)
{
	const struct verdict_subject *s = &p->v->subject;
	size_t width = 0;

	for (size_t i = 0; i < 2; i++) {
		const char *path = i ? b->host : b->container;

		width = path && strlen(path) > width ? strlen(path) : width;
	}
	if (b->container && !s->on_host)
		put(p, "container", b->mode ? arena_printf(p->arena, "%-*s  %s %s:%s", (int)width, b->container,
			mode_text(p->arena, b->mode), inside_name(p->arena, b->uid), inside_name(p->arena, b->gid)) : b->container);
	if (b->host)
		put(p, "host", b->mode ? arena_printf(p->arena, "%-*s  %s%s%u:%u, %s", (int)width, b->host,
			s->on_host ? mode_text(p->arena, b->mode) : "", s->on_host ? " " : "really ", b->host_uid, b->host_gid,
			explain_who(s, b->host_uid, p->style->user)) : b->host);
}

static void put_process(struct page *p)
{
	const struct verdict_subject *s = &p->v->subject;

	if (s->on_host)
		put(p, "you are", arena_printf(p->arena, "%s (%u)", p->style->user, s->host_uid));
	else
		put(p, "process", arena_printf(p->arena, "%u:%u in the container, %u:%u on the host: %s", s->uid, s->gid, s->host_uid,
						   s->host_gid, explain_who(s, s->host_uid, p->style->user)));
}

static const char *verb(const struct verdict *v)
{
	static const struct { const char *access, *verb; } verbs[] = {
		{ "append", "append to" }, { "exec", "execute" }, { "list", "list" }, { "search", "enter" }, { "connect", "connect to" },
		{ "mkdir", "make the directory" }, { "symlink", "make the link" }, { "mknod", "make the node" }, { "link", "link" },
		{ "unlink", "delete" }, { "rmdir", "remove the directory" }, { "chmod", "change the mode of" },
		{ "chown", "change the owner of" }, { "utimes", "set the times of" }, { "touch", "touch" }, { "write", "write to" },
	};

	for (size_t i = 0; i < ELEMENTS(verbs); i++)
		if (str_eq(v->access, verbs[i].access))
			return verbs[i].verb;
	return v->access;
}

static const char *subject_name(struct page *p)
{
	const struct verdict_subject *s = &p->v->subject;

	return s->on_host ? "you" : s->uid == 0 ? "root in the container" : arena_printf(p->arena, "user %u in the container", s->uid);
}

static void put_block(struct page *p, const struct verdict_block *b, bool first)
{
	const char *code = arena_printf(p->arena, "%s[%s]", first ? "error" : "also", reason_code(b->reason));

	if (first)
		put_colored(p, "\033[1;31m", code, arena_printf(p->arena, "%s can't %s %s", subject_name(p), verb(p->v), p->v->path));
	else
		put_colored(p, "\033[1;31m", code, b->container && !p->v->subject.on_host ? b->container : b->host ? b->host : p->v->path);
	put_place(p, b);
	if (first)
		put_process(p);
	put_class(p, b);
	put(p, "why", reason_text(b->reason)->line);
	if (b->detail)
		put(p, "", b->detail);
	if (!b->certain)
		put(p, "", "perhaps: who has the last word on this cannot be asked");
}

/* --- the rest */

static bool is_about_ids(const struct verdict *v)
{
	static const enum reason reasons[] = {
		REASON_UID_SHIFT, REASON_UNMAPPED_OWNER, REASON_CAP_INERT, REASON_ACL_WRONG_ID, REASON_SUBUID_OWNED, REASON_CHOWN_UNMAPPED,
		REASON_CREATE_UNMAPPED, REASON_USER_OUT_OF_RANGE,
	};

	for (size_t i = 0; i < v->blocks.n; i++)
		for (size_t k = 0; k < ELEMENTS(reasons); k++)
			if (v->blocks.v[i].reason == reasons[k])
				return true;
	return false;
}

static void put_fix(struct page *p, size_t number, const struct verdict_fix *f)
{
	const char *label = p->v->fixes.n > 1 ? arena_printf(p->arena, "fix %zu", number) : "fix";
	bool first = true;

	for (size_t i = 0; i < 2; i++) {
		const char *line = i ? f->host : f->run;

		if (line)
			put_colored(p, "\033[1;36m", first ? label : "  and", line);
		first = first && !line;
	}
	if (f->admin)
		put_colored(p, "\033[1;36m", first ? "as root" : "  and as root", f->admin);
	if (f->effect)
		buffer_printf(&p->out, "       %s\n", output_clean(p->arena, f->effect));
}

static void put_rest(struct page *p)
{
	const struct verdict *v = p->v;

	if (v->fixes.n)
		buffer_adds(&p->out, "\n");
	for (size_t i = 0; i < v->fixes.n; i++)
		put_fix(p, i + 1, &v->fixes.v[i]);
	if (!v->fixes.n && v->kind == VERDICT_DENIED)
		buffer_adds(&p->out, "\nNothing that you could change was found to open it.\n");
	if (v->not_fixes.n)
		put_colored(p, "\033[1m", "not a fix", strings_join(p->arena, &v->not_fixes, "; "));
	for (size_t i = 0; i < v->notes.n; i++)
		put_colored(p, "\033[1m", "note", v->notes.v[i]);
	if (v->kind == VERDICT_DENIED)
		put_colored(p, "\033[1m", "more", arena_printf(p->arena, "bryo help %s", reason_code(v->reason)));
}

char *explain_text(struct arena *arena, const struct verdict *v, const struct explain_style *style)
{
	struct page p = { .arena = arena, .v = v, .style = style, .out = BUFFER(4 << 20) };
	char *text;

	if (v->kind == VERDICT_ALLOWED) {
		put_colored(&p, "\033[1;32m", "allowed", arena_printf(arena, "%s can %s %s", subject_name(&p), verb(v), v->path));
		if (v->host_path && !v->subject.on_host)
			put(&p, "host", v->host_path);
		put_process(&p);
	} else if (v->kind == VERDICT_UNKNOWN && !v->blocks.n) {
		put_colored(&p, "\033[1;33m", arena_printf(arena, "unknown[%s]", reason_code(v->reason)),
			    arena_printf(arena, "whether %s can %s %s cannot be told", subject_name(&p), verb(v), v->path));
	}
	for (size_t i = 0; i < v->blocks.n; i++)
		put_block(&p, &v->blocks.v[i], i == 0);
	if (is_about_ids(v))
		explain_map(arena, v, style, &p.out);
	put_rest(&p);
	text = arena_strndup(arena, p.out.data ? p.out.data : "", p.out.size);
	buffer_done(&p.out);
	return text;
}
