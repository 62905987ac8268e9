#include "userns/nsswitch.h"

#include <fcntl.h>
#include <string.h>

#include "sys/fd.h"

#define FILE_MAX ((size_t)1 << 20)
#define BLANKS " \t\r"

/* "files [NOTFOUND=return] sss # comment" */
static void add_sources(struct arena *arena, char *line, struct strings *ret)
{
	char *word;

	line[strcspn(line, "#")] = '\0';
	while (*(line += strspn(line, BLANKS))) {
		word = line;
		line += *word == '[' ? strcspn(line, "]") : strcspn(line, BLANKS "[");
		if (*word != '[')
			strings_add(arena, ret, arena_strndup(arena, word, (size_t)(line - word)));
		else if (*line)
			line++;
	}
}

struct strings nsswitch_sources(struct arena *arena, const char *text, const char *database)
{
	char *rest = arena_strdup(arena, text), *line;
	size_t n = strlen(database);
	struct strings sources = { 0 };

	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, BLANKS);
		if (strncmp(line, database, n) == 0 && line[n] == ':')
			add_sources(arena, line + n + 1, &sources);
	}
	return sources;
}

static struct strings installed_sources(struct arena *arena, const char *database)
{
	char *text = fd_read_file(arena, AT_FDCWD, "/etc/nsswitch.conf", FILE_MAX, NULL);

	return nsswitch_sources(arena, text ? text : "", database);
}

bool nsswitch_has_other_ids(struct arena *arena)
{
	struct strings sources = installed_sources(arena, "subid");

	return sources.n && !str_eq(sources.v[0], "files");
}

bool nsswitch_has_other_accounts(struct arena *arena)
{
	struct strings sources = installed_sources(arena, "passwd");

	for (size_t i = 0; i < sources.n; i++)
		if (!str_eq(sources.v[i], "files"))
			return true;
	return false;
}
