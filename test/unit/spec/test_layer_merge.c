/* Layers as text: entries separated by blanks, "TYPEpath", for files with "=N" (their digest and mode), for links with
 * ">target". Types: d directory, o opaque directory, i implied directory, I implied and opaque, f file, F file with links, s symbolic link, h
 * hard link, p FIFO, P FIFO with links, c device, w whiteout. What a merge answers is printed in the same way, with the layer after "@". */
#include "spec/layer_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "base/string.h"

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static struct layer_entry entry_of(char *word)
{
	static const char letters[] = "?dfshpcw";
	static const struct layer_xattr xattr = { "user.x", "v", 1 };
	char letter = word[0], *path = word + 1, *target = strchr(path, '>'), *number = strchr(path, '=');
	struct layer_entry e = { .opaque = letter == 'o' || letter == 'I',
				 .implied = letter == 'i' || letter == 'I', .linked = letter == 'F' || letter == 'P' };
	const char *at = strchr(letters, e.opaque || e.implied ? 'd' : letter == 'F' ? 'f' : letter == 'P' ? 'p' : letter);

	e.type = (enum layer_entry_type)(at - letters);
	if (target)
		*target = '\0', e.target = target + 1;
	if (number)
		*number = '\0', e.mode = (uint32_t)(number[1] - '0');
	e.path = str_eq(path, "/") ? "" : path;
	if (e.type == LAYER_FILE) {
		e.size = 1;
		e.digest[0] = (unsigned char)e.mode;
		e.xattrs = &xattr;
		e.xattrs_n = 1;
	}
	if (e.type == LAYER_DEVICE)
		e.mode |= S_IFCHR;
	return e;
}

static struct layer_index *layer_of(const char *text)
{
	char *rest = arena_strdup(arena, text), *word;
	struct layer_index_writer w;
	struct layer_index *x;
	struct error err = { 0 };

	layer_index_begin(&w, 1 << 20);
	while ((word = strsep(&rest, " "))) {
		struct layer_entry e;

		if (!*word)
			continue;
		e = entry_of(word);
		assert_int_equal(layer_index_add(&w, &e, &err), 0);
	}
	assert_int_equal(layer_index_end(&w, &err), 0);
	x = layer_index_open(arena, arena_memdup(arena, w.out.data, w.out.size), w.out.size, "index", &err);
	assert_non_null(x);
	layer_index_writer_done(&w);
	return x;
}

static char *print_entry(const struct layer_entry *e, size_t layer)
{
	static const char letters[] = "?dfshpcw";
	char letter = e->linked ? (e->type == LAYER_FILE ? 'F' : 'P') : letters[e->type];
	char *text = arena_printf(arena, "%c%s", letter, *e->path ? e->path : "/");

	assert_false(e->opaque || e->implied);
	if (e->mode & 7)
		text = arena_printf(arena, "%s=%u", text, e->mode & 7);
	if (e->type == LAYER_FILE) {
		assert_true(e->size == 1 && e->digest[0] == e->mode && e->xattrs_n == 1);
		assert_string_equal(e->xattrs[0].name, "user.x");
	}
	if (e->target)
		text = arena_printf(arena, "%s>%s", text, e->target);
	return arena_printf(arena, "%s@%zu", text, layer);
}

static char *merge(const char *const *layers)
{
	struct layer_index *indexes[8];
	struct strings out = { 0 };
	const struct layer_entry *e;
	struct layer_merge *m;
	struct error err = { 0 };
	size_t n = 0, from;
	int more;

	while (n < 8 && layers[n]) {
		indexes[n] = layer_of(layers[n]);
		n++;
	}
	m = layer_merge_open(arena, indexes, n);
	while ((more = layer_merge_next(m, &e, &from, &err)) > 0)
		strings_add(arena, &out, print_entry(e, from));
	assert_int_equal(more, 0);
	return out.n ? strings_join(arena, &out, " ") : arena_strdup(arena, "");
}

static void merges(void **state)
{
	static const struct { const char *layers[6], *result; } cases[] = {
		{ { NULL }, "" },
		{ { "", "" }, "" },
		{ { "d/=1 da fa/x=1 fb=2" }, "d/=1@0 da@0 fa/x=1@0 fb=2@0" },
		/* upper ones take the place of lower ones */
		{ { "d/=1 fa=1 fc=1", "d/=2 fb=2 fc=3" }, "d/=2@1 fa=1@0 fb=2@1 fc=3@1" },
		{ { "da=1 fa/x=1", "da=2 fa/y=2" }, "da=2@1 fa/x=1@0 fa/y=2@1" },
		{ { "da=1 fa/x=1", "ia fa/y=2" }, "da=1@0 fa/x=1@0 fa/y=2@1" },
		{ { "da=1 fa/x=1", "ia fa/y=2", "ia" }, "da=1@0 fa/x=1@0 fa/y=2@1" },
		{ { "ia fa/x=1", "ia fa/y=2" }, "da@1 fa/x=1@0 fa/y=2@1" },
		{ { "fa=1", "ia fa/y=2" }, "da@1 fa/y=2@1" },
		{ { "d/=1", "i/" }, "d/=1@0" },
		{ { "da fa/x=1", "sa>b" }, "sa>b@1" },
		{ { "sa>b", "da fa/x=1" }, "da@1 fa/x=1@1" },
		{ { "da fa/x=1 da/y fa/y/z=1 fa-=1", "fa=2", "da fa/w=3" }, "da@2 fa/w=3@2 fa-=1@0" },
		{ { "da fa/x=1", "ca" }, "ca@1" },
		{ { "pa", "fa=1" }, "fa=1@1" },
		/* whiteouts */
		{ { "fa=1 fb=1", "wa" }, "fb=1@0" },
		{ { "wa", "wb" }, "" },
		{ { "da fa/x=1 fa/y=1", "da wa/x" }, "da@1 fa/y=1@0" },
		{ { "da da/b fa/b/c=1 fa/x=1 fab=1", "wa" }, "fab=1@0" },
		{ { "da da/b fa/b/c=1 fa/x=1", "wa", "da fa/y=2" }, "da@2 fa/y=2@2" },
		{ { "da=1 fa/x=1", "wa", "ia fa/y=2" }, "da@2 fa/y=2@2" },
		{ { "da fa/x=1", "da wa/x", "da fa/x=3" }, "da@2 fa/x=3@2" },
		{ { "da fa/x=1", "wa", "wa", "da" }, "da@3" },
		/* opaque directories */
		{ { "da da/b fa/b/c=1 fa/x=1 fc=1", "oa fa/y=2" }, "da@1 fa/y=2@1 fc=1@0" },
		{ { "da fa/x=1", "oa", "da=3 fa/y=2" }, "da=3@2 fa/y=2@2" },
		{ { "da fa/x=1", "oa fa/z=2", "da=3 fa/y=2" }, "da=3@2 fa/y=2@2 fa/z=2@1" },
		{ { "d/ fx=1", "o/ fy=2" }, "d/@1 fy=2@1" },
		{ { "da da/b da/b/c fa/b/c/x=1 fa/b/y=1 fa/z=1", "da oa/b da/b/c fa/b/c/w=2" },
		  "da@1 da/b@1 da/b/c@1 fa/b/c/w=2@1 fa/z=1@0" },
		{ { "da da/b fa/b/x=1 da/c fa/c/x=1", "da oa/b oa/c", "da da/c fa/c/y=3" },
		  "da@2 da/b@1 da/c@2 fa/c/y=3@2" },
		{ { "oa fa/x=1", "da" }, "da@1 fa/x=1@0" },
		/* the mark alone: the lower directory's attributes stand */
		{ { "da=1 fa/x=1", "Ia fa/y=2" }, "da=1@0 fa/y=2@1" },
		{ { "d/=1 fx=1", "I/ fy=2" }, "d/=1@0 fy=2@1" },
		{ { "da=1 fa/x=1", "ia fa/z=1", "Ia fa/y=2", "ia fa/w=3" }, "da=1@0 fa/w=3@3 fa/y=2@2" },
		{ { "da=1 fa/x=1", "da=2 fa/z=1", "Ia fa/y=2" }, "da=2@1 fa/y=2@2" },
		{ { "da=1 fa/x=1", "Ia fa/z=1", "Ia fa/y=2" }, "da=1@0 fa/y=2@2" },
		{ { "da=1 fa/x=1", "oa=2 fa/z=1", "Ia fa/y=2" }, "da=2@1 fa/y=2@2" },
		{ { "da=1 fa/x=1", "Ia fa/y=2", "da=3" }, "da=3@2 fa/y=2@1" },
		{ { "da=1 fa/x=1", "wa", "Ia fa/y=2" }, "da@2 fa/y=2@2" },
		{ { "da=1 fa/x=1", "fa=2", "Ia fa/y=2" }, "da@2 fa/y=2@2" },
		{ { "fa=1", "Ia fa/y=2" }, "da@1 fa/y=2@1" },
		{ { "da=1 da/b=1 fa/b/x=1", "oa=2", "ia Ia/b fa/b/y=3" }, "da=2@1 da/b@2 fa/b/y=3@2" },
		{ { "da=1 da/b=1 fa/b/x=1", "Ia", "ia ia/b fa/b/y=3" }, "da=1@0 da/b@2 fa/b/y=3@2" },
		/* hard links */
		{ { "Fa=1 hb>a hc>a" }, "Fa=1@0 hb>a@0 hc>a@0" },
		{ { "Fa=1 hb>a hc>a", "fa=2" }, "fa=2@1 Fb=1@0 hc>b@0" },
		{ { "Fa=1 hb>a hc>a", "wa" }, "Fb=1@0 hc>b@0" },
		{ { "Fa=1 hb>a hc>a", "wa", "wb" }, "Fc=1@0" },
		{ { "Fa=1 hb>a hc>a", "wb" }, "Fa=1@0 hc>a@0" },
		{ { "Fa=1 hb>a", "Fa=2 hc>a" }, "Fa=2@1 Fb=1@0 hc>a@1" },
		{ { "dd Fd/a=1 Fd/b=2 he>d/a hf>d/b hg>d/a", "od" }, "dd@1 Fe=1@0 Ff=2@0 hg>e@0" },
		{ { "dd Fd/a=1 he>d/a", "fd=2" }, "fd=2@1 Fe=1@0" },
		{ { "Pa hb>a", "wa" }, "Pb@0" },
		{ { "Fa=1 hb>a", "da", "fa=3" }, "fa=3@2 Fb=1@0" },
		/* nothing of one directory is seen in its neighbours */
		{ { "da fa/x=1 da-b fa-b/x=1 dab fab/x=1", "oa", "da-b" }, "da@1 da-b@2 fa-b/x=1@0 dab@0 fab/x=1@0" },
		{ { "da da/b fa/b/x=1 da/c fa/c/x=1", "da fa/b=2" }, "da@1 fa/b=2@1 da/c@0 fa/c/x=1@0" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const char *result = merge(cases[i].layers);

		if (!str_eq(result, cases[i].result))
			fail_msg("case %zu: expected %s, got %s", i, cases[i].result, result);
	}
}

/* The second layer's header says one entry more than there is. */
static void damage_ends_a_merge(void **state)
{
	struct layer_entry a = { .type = LAYER_FIFO, .path = "a" };
	struct layer_index *layers[2] = { layer_of("fa=1 fb=1") };
	struct layer_index_writer w;
	const struct layer_entry *e;
	struct layer_merge *m;
	struct error err = { 0 };

	layer_index_begin(&w, 1 << 20);
	assert_int_equal(layer_index_add(&w, &a, &err), 0);
	w.entries++;
	assert_int_equal(layer_index_end(&w, &err), 0);
	layers[1] = layer_index_open(arena, w.out.data, w.out.size, "index", &err);
	m = layer_merge_open(arena, layers, 2);
	assert_int_equal(layer_merge_next(m, &e, NULL, &err), 1);
	assert_string_equal(e->path, "a");
	assert_int_equal(layer_merge_next(m, &e, NULL, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	layer_index_writer_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(merges), cmocka_unit_test(damage_ends_a_merge) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
