#include "explain/run_line.h"

static struct run_line copy(struct arena *arena, const struct run_line *line)
{
	struct run_line ret = { .image_at = line->image_at };

	strings_add_all(arena, &ret.words, &line->words);
	return ret;
}

struct run_line run_line_with(struct arena *arena, const struct run_line *line, const struct strings *options)
{
	struct run_line ret = { 0 };

	if (!line->words.n)
		return ret;
	for (size_t i = 0; i < line->image_at; i++)
		strings_add(arena, &ret.words, line->words.v[i]);
	strings_add_all(arena, &ret.words, options);
	ret.image_at = ret.words.n;
	for (size_t i = line->image_at; i < line->words.n; i++)
		strings_add(arena, &ret.words, line->words.v[i]);
	return ret;
}

/* How many words from i on are this option (0: none), and its value. */
static size_t option_at(const struct run_line *line, size_t i, char short_name, const char *long_name,
			const char **ret_value)
{
	const char *word = line->words.v[i], *rest = str_after(word, "--");
	bool has_next = i + 1 < line->image_at;

	*ret_value = NULL;
	if (rest && (rest = str_after(rest, long_name)) && (*rest == '=' || !*rest)) {
		*ret_value = *rest ? rest + 1 : has_next ? line->words.v[i + 1] : NULL;
		return !*ret_value ? 0 : *rest ? 1 : 2;
	}
	if (!short_name || word[0] != '-' || word[1] != short_name)
		return 0;
	*ret_value = word[2] == '=' ? word + 3 : word[2] ? word + 2 : has_next ? line->words.v[i + 1] : NULL;
	return !*ret_value ? 0 : word[2] ? 1 : 2;
}

static void take_out(struct arena *arena, struct run_line *line, size_t at, size_t n, struct strings *dropped)
{
	strings_add(arena, dropped, strings_join(arena, &(struct strings){ line->words.v + at, n }, " "));
	memmove(line->words.v + at, line->words.v + at + n, (line->words.n - at - n) * sizeof(*line->words.v));
	line->words.n -= n;
	line->image_at -= n;
}

void run_line_drop(struct arena *arena, struct run_line *line, char short_name, const char *long_name,
		   const char *value, struct strings *dropped)
{
	struct run_line changed = copy(arena, line);
	const char *found;

	for (size_t i = 0; i < changed.image_at;) {
		size_t n = option_at(&changed, i, short_name, long_name, &found);

		if (n && (!value || strcmp(found, value) == 0))
			take_out(arena, &changed, i, n, dropped);
		else
			i++;
	}
	*line = changed;
}

/* --- mounts */
static char *change_list(struct arena *arena, const char *text, const char *separator, const char *drop, const char *add)
{
	struct strings words = strings_split(arena, text, ","), kept = { 0 };

	for (size_t i = 0; i < words.n; i++)
		if (*words.v[i] && (!drop || (strcmp(words.v[i], drop) != 0 && !(strcmp(drop, "ro") == 0 &&
		    (str_starts(words.v[i], "ro=") || str_starts(words.v[i], "readonly"))))))
			strings_add(arena, &kept, words.v[i]);
	if (add)
		strings_add(arena, &kept, add);
	return kept.n ? arena_printf(arena, "%s%s", separator, strings_join(arena, &kept, ",")) : "";
}

/* SRC:DST[:OPTIONS] */
static char *change_volume(struct arena *arena, const char *value, const char *destination, const char *drop,
			   const char *add)
{
	struct strings parts = strings_split(arena, value, ":");

	if (parts.n < 2 || parts.n > 3 || strcmp(parts.v[1], destination) != 0)
		return NULL;
	return arena_printf(arena, "%s:%s%s", parts.v[0], parts.v[1],
			    change_list(arena, parts.n > 2 ? parts.v[2] : "", ":", drop, add));
}

static char *change_mount(struct arena *arena, const char *value, const char *destination, const char *drop,
			  const char *add)
{
	static const char *const keys[] = { "dst=", "target=", "destination=" };
	struct strings words = strings_split(arena, value, ",");
	const char *at = NULL;

	for (size_t i = 0; i < words.n; i++)
		for (size_t k = 0; k < ELEMENTS(keys); k++)
			if (str_starts(words.v[i], keys[k]))
				at = strchr(words.v[i], '=') + 1;
	if (!str_eq(at, destination))
		return NULL;
	if (str_eq(add, "z"))
		add = "relabel=shared";
	return change_list(arena, value, "", drop, str_eq(add, "U") ? "U=true" : add);
}

bool run_line_change_mount(struct arena *arena, struct run_line *line, const char *destination, const char *drop,
			   const char *add, struct strings *dropped, struct strings *added)
{
	struct run_line changed = copy(arena, line);

	for (size_t i = 0; i < changed.image_at; i++) {
		const char *value;
		char *text = NULL, *option = "-v";
		size_t n = option_at(&changed, i, 'v', "volume", &value);

		if (n) {
			text = change_volume(arena, value, destination, drop, add);
		} else if ((n = option_at(&changed, i, '\0', "mount", &value))) {
			text = change_mount(arena, value, destination, drop, add);
			option = "--mount";
		}
		if (!text)
			continue;
		take_out(arena, &changed, i, n, dropped);
		strings_add(arena, added, arena_printf(arena, "%s %s", option, text));
		*line = run_line_with(arena, &changed, &(struct strings){ (char *[]){ option, text }, 2 });
		return true;
	}
	return false;
}

/* --- printing */
char *run_line_print(struct arena *arena, const struct run_line *line)
{
	struct strings words = { 0 };

	if (!line->words.n)
		return NULL;
	strings_add(arena, &words, "bryo");
	strings_add(arena, &words, "run");
	for (size_t i = 0; i < line->words.n; i++)
		strings_add(arena, &words, str_quote(arena, line->words.v[i]));
	return strings_join(arena, &words, " ");
}
