#include "engine/top_ps.h"

#include <string.h>


static const struct { const char *ps, *descriptor; } names[] = {
	{ "%cpu", "pcpu" }, { "bsdstart", "stime" }, { "bsdtime", "time" }, { "c", "pcpu" }, { "cmd", "args" },
	{ "command", "args" }, { "cputime", "time" }, { "egroup", "group" }, { "euid", "uid" }, { "euser", "user" },
	{ "lstart", "stime" }, { "ni", "nice" }, { "rssize", "rss" }, { "rsz", "rss" }, { "s", "state" }, { "start", "stime" },
	{ "start_time", "stime" }, { "stat", "state" }, { "tname", "tty" }, { "tt", "tty" }, { "ucmd", "comm" },
	{ "ucomm", "comm" }, { "uname", "user" }, { "vsize", "vsz" },
};

static const char *descriptor_of(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (strcmp(names[i].ps, name) == 0)
			return names[i].descriptor;
	return name;
}

static void add_list(struct arena *arena, const char *list, struct strings *ret)
{
	struct strings parts = strings_split(arena, list, ", ");

	for (size_t i = 0; i < parts.n; i++)
		if (*parts.v[i])
			strings_add(arena, ret, descriptor_of(parts.v[i]));
}

bool top_ps_is(const struct strings *words)
{
	const char *first = words->n ? words->v[0] : "";

	return *first == '-' || strcmp(first, "aux") == 0 || strcmp(first, "ax") == 0 || strcmp(first, "auxww") == 0 ||
	       strcmp(first, "axo") == 0 || strcmp(first, "o") == 0;
}

/* Letters that choose processes or width say nothing: a container's processes are all shown, at full length. */
static int add_letters(struct arena *arena, const char *letters, struct strings *ret, bool *ret_list, struct error *err)
{
	bool user = strchr(letters, 'u') != NULL, full = strchr(letters, 'f') != NULL;

	if (letters[strspn(letters, "aAefuwxo")] || !*letters)
		return error_set(err, ERROR_USAGE, "ps option \"%.40s\" is not known here: use -o LIST, aux or -ef, or descriptors", letters);
	*ret_list = strchr(letters, 'o') != NULL;
	if (*ret_list || ret->n)
		return 0;
	add_list(arena, user ? "user,pid,pcpu,vsz,rss,tty,state,stime,time,args" : full ? "user,pid,ppid,pcpu,stime,tty,time,args" :
		 "pid,tty,state,time,args", ret);
	return 0;
}

int top_ps_descriptors(struct arena *arena, const struct strings *words, struct strings *ret, struct error *err)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i] + (words->v[i][0] == '-');
		const char *attached = words->v[i][0] == '-' && *word == 'o' && word[1] ? word + 1 : NULL;	/* -opid,args */
		bool list = false;

		if (attached) {
			add_list(arena, attached, ret);
			continue;
		}
		if (add_letters(arena, word, ret, &list, err) < 0)
			return -1;
		if (!list)
			continue;
		if (++i == words->n)
			return error_set(err, ERROR_USAGE, "-o needs a list of columns, as pid,user,args");
		add_list(arena, words->v[i], ret);
	}
	return 0;
}
