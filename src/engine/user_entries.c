#include "engine/user_entries.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "sys/fd.h"

#define HOME_FIELD 5

/* --- lines */

/* $NAME and the like in what a user wrote; unknown ones stay. */
static char *expand(struct arena *arena, const char *text, const char *const variables[][2])
{
	struct strings parts = { 0 };

	while (*text) {
		const char *value = NULL;
		size_t n = 1 + strcspn(text + 1, "$");

		for (size_t i = 0; *text == '$' && variables[i][0] && !value; i++)
			if (str_starts(text + 1, variables[i][0])) {
				value = variables[i][1];
				n = strlen(variables[i][0]) + 1;
			}
		strings_add(arena, &parts, value ? value : arena_strndup(arena, text, n));
		text += n;
	}
	return strings_join(arena, &parts, "");
}

static char *append(struct arena *arena, const char *text, const char *line)
{
	size_t n = strlen(text);

	return arena_printf(arena, "%s%s%s\n", text, n && text[n - 1] != '\n' ? "\n" : "", line);
}

static char *field(struct arena *arena, const char *line, int i)
{
	while (i-- > 0) {
		line += strcspn(line, ":\n");
		if (*line != ':')
			return NULL;
		line++;
	}
	return arena_strndup(arena, line, strcspn(line, ":\n"));
}

static const char *last(const struct strings *list)
{
	return list->n ? list->v[list->n - 1] : NULL;
}

/* --- users */

static char *passwd_line(struct engine *e, const struct container *c, const struct passwd_user *u, const char *name)
{
	const char *entry = last(&c->request.passwd_entry);
	char *uid = arena_printf(e->arena, "%u", u->uid), *gid = arena_printf(e->arena, "%u", u->gid);
	const char *const variables[][2] = {
		{ "USERNAME", name ? name : uid }, { "UID", uid }, { "GID", gid }, { "NAME", name ? name : "container user" },
		{ "HOME", c->workdir }, { NULL, NULL },
	};

	if (entry)
		return expand(e->arena, entry, variables);
	if (name)
		return arena_printf(e->arena, "%s:*:%s:%s::%s:/bin/sh", name, uid, gid, c->workdir);
	return arena_printf(e->arena, "%s:*:%s:%s:container user:%s:/bin/sh", uid, uid, gid, c->workdir);
}

static char *group_line(struct engine *e, const struct container *c, const struct passwd_user *u, const char *name)
{
	const char *entry = last(&c->request.group_entry);
	char *gid = arena_printf(e->arena, "%u", u->gid);
	const char *user = name ? name : u->name ? u->name : arena_printf(e->arena, "%u", u->uid);
	const char *const variables[][2] = {
		{ "GROUPNAME", name ? name : gid }, { "GID", gid }, { "USERLIST", user }, { NULL, NULL },
	};

	return entry ? expand(e->arena, entry, variables) : arena_printf(e->arena, "%s:x:%s:%s", name ? name : gid, gid, user);
}

/* The host's line, by name or number; NULL when there is none. */
static char *host_line(struct engine *e, const char *user)
{
	char *text = fd_read_file(e->arena, AT_FDCWD, "/etc/passwd", PASSWD_FILE_MAX, NULL), *line;
	bool own = str_eq(user, e->identity.user);
	struct passwd_user found;

	if (!text || passwd_resolve(e->arena, user, text, NULL, &found, NULL) < 0 || !found.name) {
		if (!own)
			return NULL;
		return arena_printf(e->arena, "%s:*:%u:%u::%s:/bin/sh", e->identity.user, e->identity.uid, e->identity.gid,
				    e->identity.home);
	}
	line = (char *)passwd_line_of(text, found.uid);
	return arena_printf(e->arena, "%s:*:%u:%u:%s:%s:/bin/sh", found.name, found.uid, found.gid,
			    line && field(e->arena, line, 4) ? field(e->arena, line, 4) : "", found.home);
}

static int add_host_users(struct engine *e, const struct create_request *r, char **text, bool *ret_added, struct error *err)
{
	for (size_t i = 0; i < r->hostuser.n; i++) {
		char *line = host_line(e, r->hostuser.v[i]), *name = line ? field(e->arena, line, 0) : NULL;
		struct passwd_user known;

		if (!line)
			return error_set(err, ERROR_USAGE, "--hostuser %s: this host has no such user", r->hostuser.v[i]);
		if (passwd_resolve(e->arena, name, *text, NULL, &known, NULL) == 0)
			continue;
		*text = append(e->arena, *text, line);
		*ret_added = true;
	}
	return 0;
}

int user_entries_add(struct engine *e, const struct container *c, struct passwd_user *u, const struct userns_user *kept,
		     struct user_files *files, struct error *err)
{
	char *passwd = files->passwd ? files->passwd : "", *group = files->group ? files->group : "";
	const char *name = kept->set && kept->uid == u->uid ? e->identity.user : NULL;
	bool added = false;

	if (c->request.no_passwd)
		return 0;
	if (add_host_users(e, &c->request, &passwd, &added, err) < 0)
		return -1;
	if (!passwd_line_of(passwd, u->uid)) {
		char *line = passwd_line(e, c, u, name), *home = field(e->arena, line, HOME_FIELD);

		passwd = append(e->arena, passwd, line);
		if (home && *home == '/')
			u->home = home;
		added = true;
	}
	if (added)
		files->new_passwd = passwd;
	if (!passwd_line_of(group, u->gid))
		files->new_group = append(e->arena, group, group_line(e, c, u, name));
	return 0;
}

static int check_lines(const char *flag, const struct strings *lines, const char *form, int colons, struct error *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		int n = 0;

		for (const char *at = lines->v[i]; *at; at++)
			n += *at == ':';
		if (n != colons || strchr(lines->v[i], '\n'))
			return error_set(err, ERROR_USAGE, "--%s: one line as %s is needed", flag, form);
	}
	return 0;
}

int user_entries_check(struct engine *e, const struct create_request *r, struct error *err)
{
	for (size_t i = 0; i < r->hostuser.n; i++)
		if (!host_line(e, r->hostuser.v[i]))
			return error_set(err, ERROR_USAGE, "--hostuser %s: this host has no such user", r->hostuser.v[i]);
	if (strings_has(&r->group_add, "keep-groups") && r->group_add.n > 1)
		return error_set(err, ERROR_USAGE, "the '--group-add keep-groups' option is not allowed with any other --group-add options");
	return check_lines("passwd-entry", &r->passwd_entry, "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh", 6, err) < 0 ? -1 :
	       check_lines("group-entry", &r->group_entry, "$GROUPNAME:x:$GID:$USERLIST", 3, err);
}
