/* Archives of layers as text: entries in their order, separated by blanks, as "TYPEpath", files with "=CONTENT", links
 * with ">TARGET". Types: d directory, f file, s symbolic link, h hard link, p FIFO, c device. What comes out is the index:
 * there d is a directory that was named, i one that is implied, D and I opaque ones, N an opaque one that only its contents
 * name, F and S what has links, w a whiteout. Each archive is also written to a disk and indexed from there: both must be
 * the same. */
#include "transfer/untar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sys/fd.h"
#include "transfer/layer_maker.h"
#include "transfer/work.h"

static struct arena *arena;
static char top_path[64];
static struct places places;
static int top;

static int setup(void **state)
{
	arena = arena_new();
	strcpy(top_path, "/tmp/layer.XXXXXX");
	assert_non_null(mkdtemp(top_path));
	top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(mkdirat(top, "objects", 0755) == 0 && mkdirat(top, "tmp", 0755) == 0 && mkdirat(top, "tmp/s", 0755) == 0);
	places = (struct places){ -1, fd_open_dir(top, "tmp"), fd_open_dir(top, "objects") };
	return 0;
}

static int teardown(void **state)
{
	fd_remove_tree(AT_FDCWD, top_path);
	close(places.tmp);
	close(places.objects);
	close(top);
	arena_free(arena);
	return 0;
}

/* --- an archive's entries, given to a target as untar does */

static int give(const struct untar_target *target, void *to, char *word, struct error *err)
{
	char *link = strchr(word, '>'), *content = strchr(word, '='), *name = word + 1;
	struct tree_entry e = { .mode = 0640, .mtime = { 1000000000, 7 } };
	struct tree_name path = { 0 }, target_path = { 0 };
	enum tree_mark mark;
	int r;

	if (link)
		*link++ = '\0';
	if (content)
		*content++ = '\0';
	e.path = tree_clean(&path, strcmp(name, "/") == 0 ? "." : name, err);
	mark = tree_mark_of(e.path);
	if (mark == MARK_WHITEOUT || mark == MARK_OPAQUE) {
		r = target->mark(to, e.path, mark, err);
	} else if (*word == 'd') {
		e.mode = 0750;
		r = target->directory(to, &e, err);
	} else if (*word == 'f') {
		int64_t size = content ? (int64_t)strlen(content) : 0;

		r = target->open_file(to, &e, size, err);
		if (r == 0 && size)
			r = target->write(to, content, (size_t)size, 0, err);
		if (r == 0)
			r = target->close_file(to, &e, size, err);
	} else if (*word == 's') {
		r = target->symlink(to, &e, link ? link : "", err);
	} else if (*word == 'h') {
		r = target->hardlink(to, &e, tree_clean(&target_path, link, err), err);
	} else if (*word == 'p') {
		r = target->fifo(to, &e, err);
	} else {
		r = target->device(to, &e, S_IFCHR, 0x103, err);
	}
	free(path.data);
	free(target_path.data);
	return r;
}

static int give_all(const struct untar_target *target, void *to, const char *text, struct error *err)
{
	char *rest = arena_strdup(arena, text), *word;

	while ((word = strsep(&rest, " ")))
		if (*word && give(target, to, word, err) < 0)
			return -1;
	return target->finish(to, err);
}

/* --- an index as text */

static bool is_new(const struct layer_entry *e)
{
	return e->type == LAYER_DIRECTORY && e->opaque && !e->implied && e->mode == 0755 && e->mtime.tv_sec == 0;
}

static char letter_of(const struct layer_entry *e)
{
	static const char letters[] = "?dfshpcw";

	if (is_new(e))
		return 'N';
	if (e->type == LAYER_DIRECTORY)
		return e->opaque ? (e->implied ? 'I' : 'D') : e->implied ? 'i' : 'd';
	return e->linked ? (char)(letters[e->type] - 'a' + 'A') : letters[e->type];
}

static char *print_entry(const struct layer_entry *e)
{
	char *text = arena_printf(arena, "%c%s", letter_of(e), *e->path ? e->path : "/"), *content;
	char name[OBJECT_NAME_SIZE];
	size_t size;

	if (e->type == LAYER_FILE && e->size) {
		object_name(e->digest, name);
		content = fd_read_file(arena, places.objects, name, 4096, &size);
		assert_non_null(content);
		assert_int_equal(size, e->size);
		text = arena_printf(arena, "%s=%s", text, content);
	}
	if (e->type != LAYER_WHITEOUT && e->type != LAYER_HARDLINK && !e->implied && !is_new(e)) {
		assert_int_equal(e->mode & 07777, e->type == LAYER_DIRECTORY ? 0750 : e->type == LAYER_SYMLINK ? 0777 : 0640);
		assert_true(e->mtime.tv_sec == 1000000000 && e->mtime.tv_nsec == 7);
	}
	return e->target ? arena_printf(arena, "%s>%s", text, e->target) : text;
}

static char *print_index(void)
{
	struct error err = { 0 };
	struct strings out = { 0 };
	const struct layer_entry *e;
	struct layer_index *x;
	size_t size;
	char *file = fd_read_file(arena, places.tmp, "s/index", 1 << 20, &size);
	int more;

	assert_non_null(file);
	x = layer_index_open(arena, file, size, "index", &err);
	assert_non_null(x);
	while ((more = layer_index_next(x, &e, &err)) > 0)
		strings_add(arena, &out, print_entry(e));
	assert_int_equal(more, 0);
	return out.n ? strings_join(arena, &out, " ") : arena_strdup(arena, "");
}

static char *by_memory(const char *text, struct error *err)
{
	const struct tree_options options = { .squash_owner = true };
	_cleanup_fd_ int stage = fd_open_dir(places.tmp, "s");
	struct layer_maker maker;
	struct untar_layer to;
	int r;

	assert_int_equal(layer_maker_init(&maker, &places, &options, err), 0);
	to = (struct untar_layer){ .tree = maker.tree, .objects = &maker.objects };
	r = give_all(&untar_to_layer, &to, text, err);
	if (r == 0)
		r = layer_maker_finish(&maker, stage, err);
	layer_maker_done(&maker);
	return r == 0 ? print_index() : NULL;
}

static int write_to_disk(const char *text, struct error *err)
{
	const struct tree_options options = { .squash_owner = true };
	struct tree tree;
	int root, r;

	fd_remove_tree(top, "root");
	assert_int_equal(mkdirat(top, "root", 0755), 0);
	root = fd_open_dir(top, "root");
	assert_int_equal(tree_init(&tree, root, "", &options, open(top_path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), err), 0);
	r = give_all(&untar_to_tree, &tree, text, err);
	tree_done(&tree);
	if (r == 0)
		return root;
	close(root);
	return -1;
}

static char *by_disk(const char *text, struct error *err)
{
	_cleanup_fd_ int root = write_to_disk(text, err);
	struct transfer_layer layer = { .stage = (char *)(uintptr_t)"s" };
	struct transfer_request request = { .squash_owner = true, .layers = { &layer, 1 } };
	struct transfer_event event = { 0 };
	struct channel channel = { .socket = -1, .fds = { root, -1, -1, -1 } };
	struct work work = { .arena = arena, .channel = &channel, .places = places };
	struct layer_index *x;
	struct strings out = { 0 };
	const struct layer_entry *e;
	size_t size;
	char *file;

	if (root < 0 || op_index(&work, &request, &event, err) < 0)
		return NULL;
	/* Implied ones got the attributes of parents that are made: their letter alone is compared. */
	file = fd_read_file(arena, places.tmp, "s/index", 1 << 20, &size);
	x = layer_index_open(arena, file, size, "index", err);
	while (layer_index_next(x, &e, err) > 0)
		strings_addf(arena, &out, "%c%s%s%s", letter_of(e), *e->path ? e->path : "/", e->target ? ">" : "",
			     e->target ? e->target : "");
	return out.n ? strings_join(arena, &out, " ") : arena_strdup(arena, "");
}

/* What a disk cannot tell: which directories were named, and the root's own entry. Devices are not made there, and what
 * is under a device's name on the disk is what was there before. */
static char *as_on_disk(const char *index)
{
	char *rest = arena_strdup(arena, index), *word;
	struct strings out = { 0 };

	strings_add(arena, &out, "d/");
	while ((word = strsep(&rest, " "))) {
		word[strcspn(word, "=")] = '\0';
		if (*word == 'i')
			*word = 'd';
		else if (*word == 'I' || *word == 'N')
			*word = 'D';
		if (word[0] && strcmp(word, "d/") == 0)
			continue;
		if (strcmp(word, "D/") == 0)
			out.v[0] = word;
		else if (*word && *word != 'c')
			strings_add(arena, &out, word);
	}
	return strings_join(arena, &out, " ");
}

static void archives(void **state)
{
	static const struct { const char *archive, *index; } cases[] = {
		{ "", "" },
		{ "d/ fb=1 da fa/x=2 sl>b hh>b pf", "d/ da fa/x=2 Fb=1 pf hh>b sl>b" },
		{ "fa/b/c=1", "ia ia/b fa/b/c=1" },
		{ "fa/b/c=1 da", "da ia/b fa/b/c=1" },
		{ "fb fa fa/../c f./d f/e", "fa fb fc fd fe" },
		/* out of the tree is in it */
		{ "f../up=1 f/abs=2 fa/../../b=3 s../../l>/ fl/through=4", "fabs=2 fb=3 sl>/ fthrough=4 fup=1" },
		/* links in place of parents */
		{ "dusr/lib slib>usr/lib flib/x=1", "slib>usr/lib iusr dusr/lib fusr/lib/x=1" },
		{ "da/b sa/l>../c dc fa/l/x=1", "ia da/b sa/l>../c dc fc/x=1" },
		{ "dd sl>/d sm>l sn>./m/../l/. fn/x=1", "dd fd/x=1 sl>/d sm>l sn>./m/../l/." },
		{ "dd sl>../../../d fl/x", "dd fd/x sl>../../../d" },
		{ "sl>victim fvictim=1 fl=2", "fl=2 fvictim=1" },
		{ "sl>d dd dl", "dd dl" },
		/* one entry takes another's place */
		{ "fa=1 fa=2", "fa=2" },
		{ "dd fd/x=1 fd=2", "fd=2" },
		{ "dd fd/x=1 fd=2 dd fd/y=3", "dd fd/y=3" },
		{ "ff=1 df ff/x", "df ff/x" },
		{ "fg=1 fg/inside=2", "ig fg/inside=2" },
		{ "pg fg/inside=2", "ig fg/inside=2" },
		{ "dt ft/kept=k dt", "dt ft/kept=k" },
		{ "ca fa=1", "fa=1" },
		/* whiteouts and opaque marks */
		{ "f.wh.a fd/.wh.b", "wa id wd/b" },
		{ "f.wh.a fa=1", "fa=1" },
		{ "fa=1 f.wh.a", "fa=1" },
		{ "f.wh.d dd fd/x", "Dd fd/x" },
		{ "dd f.wh.d", "Dd" },
		{ "f.wh.d fd/x=1", "Nd fd/x=1" },
		{ "fd/x=1 f.wh.d", "Nd fd/x=1" },
		{ "fo/.wh..wh..opq fo/x=1 do", "Do fo/x=1" },
		{ "fo/x=1 fo/.wh..wh..opq", "Io fo/x=1" },
		{ "f.wh..wh..opq fx", "I/ fx" },
		{ "d/ f.wh..wh..opq fx", "D/ fx" },
		{ "f.wh.a f.wh.a", "wa" },
		{ "f.wh.d sd>x", "sd>x" },
		{ "sl>d dd fl/.wh.x fl/.wh..wh..opq", "Dd wd/x sl>d" },
		/* hard links */
		{ "fb=1 ha>b hc>a", "Fa=1 hb>a hc>a" },
		{ "fb=1 ha>b fb=2", "fa=1 fb=2" },
		{ "fd/b=1 ha>d/b fd=2", "fa=1 fd=2" },
		{ "fb=1 hb>b", "fb=1" },
		{ "sl>x hm>l", "Sl>x hm>l" },
		{ "pf hg>f", "Pf hg>f" },
		{ "fb=1 dd sl>d hl/x>b", "Fb=1 dd hd/x>b sl>d" },
		{ "dd sl>d fd/b=1 ha>l/b", "Fa=1 dd hd/b>a sl>d" },
		{ "fz=1 ha>../../z", "Fa=1 hz>a" },
		/* the order of an index */
		{ "fa-b fa/b faa fa\x01", "ia fa/b fa\x01 fa-b faa" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		char *index = by_memory(cases[i].archive, &err), *disk;

		if (!str_eq(index, cases[i].index))
			fail_msg("%s: expected %s, got %s (%s)", cases[i].archive, cases[i].index, index, err.text);
		disk = by_disk(cases[i].archive, &err);
		if (!str_eq(disk, as_on_disk(index)))
			fail_msg("%s: on disk it is %s, not %s (%s)", cases[i].archive, disk, as_on_disk(index), err.text);
	}
}

/* Devices are made by nobody on disk, but hide what lower layers have there. */
static void devices(void **state)
{
	struct error err = { 0 };

	assert_string_equal(by_memory("cdev/null ca hb>a", &err), "ca cb idev cdev/null");
	assert_string_equal(by_memory("fa=1 ca", &err), "ca");
}

static void refusals(void **state)
{
	static const struct { const char *archive, *says; bool disk_takes_it; } cases[] = {
		{ "ha>absent", "/absent, which is not in the same archive", false },
		{ "ha>d/absent", "not in the same archive", false },
		{ "f.wh.w ha>w", "not in the same archive", false },
		{ "dd ha>d", "points to the directory /d", false },
		{ "ha>/", "points to the root", false },
		{ "f/", "the root of the archive is not a directory", false },
		{ "fx h/>x", "the root of the archive is not a directory", false },
		{ "sa", "points to nothing", false },
		{ "sl>/does/not/exist fl/x", "follow the link /l", false },
		{ "ff sl>f fl/x", "follow the link /l", false },
		{ "sl>l fl/x", "follow the link /l", false },
		{ "sa>b sb>a fa/x", "follow the link /a", false },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 }, disk = { 0 };

		assert_null(by_memory(cases[i].archive, &err));
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].archive, err.text);
		assert_null(by_disk(cases[i].archive, &disk));
		assert_string_equal(err.text, disk.text);
	}
}

static void names(void **state)
{
	struct error err = { 0 };
	char *name = arena_alloc(arena, 300);

	*name = 'f';
	memset(name + 1, 'n', 255);
	assert_non_null(by_memory(name, &err));
	name[256] = 'n';
	assert_null(by_memory(name, &err));
	assert_non_null(strstr(err.text, "longer than 255"));
	assert_null(by_memory(arena_printf(arena, "%s/x", name), &err));
	assert_null(by_memory(arena_printf(arena, "sl>%0*d", 4096, 7), &err));
}

static void owners(void **state)
{
	static const int64_t ranges[] = { 0, 1000 };
	const struct tree_options options = { .uids = { ranges, 2 }, .gids = { ranges, 2 } };
	struct tree_entry e = { .path = "a", .uid = 999, .gid = 5 };
	struct error err = { 0 };
	struct layer_tree *t = layer_tree_new(&options, LAYER_TREE_MEMORY, &err);

	assert_int_equal(layer_tree_fifo(t, &e, &err), 0);
	e.uid = 1000;
	assert_int_equal(layer_tree_check(t, &e, &err), -1);
	assert_int_equal(layer_tree_file(t, &e, 0, NULL, &err), -1);
	assert_int_equal(layer_tree_directory(t, &e, &err), -1);
	assert_int_equal(layer_tree_symlink(t, &e, "x", &err), -1);
	assert_int_equal(err.kind, ERROR_DENIED);
	assert_non_null(strstr(err.text, "/a belongs to 1000:5"));
	assert_int_equal(layer_tree_totals(t)->max_uid, 999);
	assert_int_equal(layer_tree_totals(t)->max_gid, 5);
	layer_tree_free(t);
}

static void xattrs(void **state)
{
	static const struct tree_xattr given[] = {
		{ "user.z", "1", 1 }, { "user.overlay.opaque", "y", 1 }, { "security.capability", "\1\2", 2 }, { "user.a", "", 0 },
		{ "user.z", "22", 2 }, { "trusted.x", "x", 1 },
	};
	const struct tree_options options = { .squash_owner = true };
	struct tree_entry e = { .path = "d", .xattrs = given, .xattrs_n = ELEMENTS(given) };
	struct error err = { 0 };
	struct layer_tree *t = layer_tree_new(&options, LAYER_TREE_MEMORY, &err);
	const struct layer_entry *out;
	struct layer_index_writer w;
	struct layer_index *x;

	assert_int_equal(layer_tree_directory(t, &e, &err), 0);
	layer_index_begin(&w, 1 << 20);
	assert_int_equal(layer_tree_write(t, &w, &err), 0);
	assert_int_equal(layer_index_end(&w, &err), 0);
	x = layer_index_open(arena, w.out.data, w.out.size, "index", &err);
	assert_int_equal(layer_index_next(x, &out, &err), 1);
	assert_false(out->opaque);
	assert_int_equal(out->xattrs_n, 3);
	assert_string_equal(out->xattrs[0].name, "security.capability");
	assert_string_equal(out->xattrs[1].name, "user.a");
	assert_string_equal(out->xattrs[2].name, "user.z");
	assert_memory_equal(out->xattrs[2].value, "22", 2);
	layer_index_writer_done(&w);
	e.xattrs = &(struct tree_xattr){ "user.big", given, 65537 };
	e.xattrs_n = 1;
	assert_int_equal(layer_tree_directory(t, &e, &err), -1);
	layer_tree_free(t);
}

/* Attributes that no kernel takes are refused while the layer is read, as on disk. */
static void impossible_xattrs(void **state)
{
	static const struct { struct tree_xattr x; int result; } rows[] = {
		{ { "user.fine", "1", 1 }, 0 }, { { "user.", "1", 1 }, -1 }, { { "user.overlay.redirect", "/", 1 }, 0 },
		{ { "system.posix_acl_access", "\2\0\0\0x", 5 }, -1 }, { { "system.posix_acl_default", "\2\0\0\0x", 5 }, -1 },
	};
	const struct tree_options options = { .squash_owner = true };

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct tree_entry e = { .path = "f", .mode = 0644, .xattrs = &rows[i].x, .xattrs_n = 1 };
		struct error err = { 0 };
		struct layer_maker maker;
		struct untar_layer to;

		assert_int_equal(layer_maker_init(&maker, &places, &options, &err), 0);
		to = (struct untar_layer){ .tree = maker.tree, .objects = &maker.objects };
		assert_int_equal(untar_to_layer.open_file(&to, &e, 0, &err), rows[i].result);
		assert_int_equal(untar_to_layer.directory(&to, &e, &err), rows[i].result);
		assert_int_equal(untar_to_layer.finish(&to, &err), 0);
		layer_maker_done(&maker);
	}
}

/* Many names in one directory, and names that are replaced again and again, end at the limit and not before. */
static void memory_is_bounded(void **state)
{
	static const struct { const char *before, *after; } forms[] = { { "n", "" }, { "d/e/f", "/g/h" } };
	const struct tree_options options = { .squash_owner = true };

	for (size_t form = 0; form < 2; form++) {
		struct error err = { 0 };
		struct layer_tree *t = layer_tree_new(&options, (size_t)4 << 20, &err);
		size_t n = 0;

		for (;; n++) {
			char path[64];
			struct tree_entry e = { .path = path };

			snprintf(path, sizeof(path), "%s%zu%s", forms[form].before, n, forms[form].after);
			if (layer_tree_fifo(t, &e, &err) < 0)
				break;
		}
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.text, "too many entries"));
		assert_true(n > 4000 && n < 40000);
		layer_tree_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(archives), cmocka_unit_test(devices), cmocka_unit_test(refusals), cmocka_unit_test(names),
		cmocka_unit_test(owners), cmocka_unit_test(xattrs), cmocka_unit_test(impossible_xattrs),
		cmocka_unit_test(memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
