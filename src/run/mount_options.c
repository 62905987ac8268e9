#include "run/mount_options.h"

#include <string.h>
#include <sys/mount.h>

enum option_kind {
	OPTION_SET,		/* a flag of the mount */
	OPTION_CLEAR,
	OPTION_ATIME,		/* one of the values of the field MOUNT_ATTR__ATIME */
	OPTION_PROPAGATION,
	OPTION_BIND,
	OPTION_RBIND,
	OPTION_COPY_UP,
	OPTION_COPY_SYMLINK,
	OPTION_REMOUNT,
	OPTION_IDMAP,
	OPTION_SUPERBLOCK,	/* a flag that fsconfig(2) takes by its name, for a new file system only */
	OPTION_IGNORE,		/* says what is so anyway, or what concerns the engine only */
};

struct option_word {
	const char *name;
	enum option_kind kind;
	uint64_t value;
	bool tree;
};

/* A flag, its opposite, and the two for whole trees. */
#define FLAG(on, off, flag) \
	{ on, OPTION_SET, flag, false }, { off, OPTION_CLEAR, flag, false }, \
	{ "r" on, OPTION_SET, flag, true }, { "r" off, OPTION_CLEAR, flag, true }
#define PROPAGATION(word, flag) \
	{ word, OPTION_PROPAGATION, flag, false }, { "r" word, OPTION_PROPAGATION, flag, true }

static const struct option_word words[] = {
	FLAG("ro", "rw", MOUNT_ATTR_RDONLY),
	FLAG("nosuid", "suid", MOUNT_ATTR_NOSUID),
	FLAG("nodev", "dev", MOUNT_ATTR_NODEV),
	FLAG("noexec", "exec", MOUNT_ATTR_NOEXEC),
	FLAG("nodiratime", "diratime", MOUNT_ATTR_NODIRATIME),
	FLAG("nosymfollow", "symfollow", MOUNT_ATTR_NOSYMFOLLOW),
	{ "noatime", OPTION_ATIME, MOUNT_ATTR_NOATIME, false },
	{ "relatime", OPTION_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "strictatime", OPTION_ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "atime", OPTION_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "norelatime", OPTION_ATIME, MOUNT_ATTR_STRICTATIME, false },
	{ "nostrictatime", OPTION_ATIME, MOUNT_ATTR_RELATIME, false },
	{ "rnorelatime", OPTION_ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "rnostrictatime", OPTION_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rnoatime", OPTION_ATIME, MOUNT_ATTR_NOATIME, true },
	{ "rrelatime", OPTION_ATIME, MOUNT_ATTR_RELATIME, true },
	{ "rstrictatime", OPTION_ATIME, MOUNT_ATTR_STRICTATIME, true },
	{ "ratime", OPTION_ATIME, MOUNT_ATTR_RELATIME, true },
	PROPAGATION("private", MS_PRIVATE),
	PROPAGATION("slave", MS_SLAVE),
	PROPAGATION("shared", MS_SHARED),
	PROPAGATION("unbindable", MS_UNBINDABLE),
	{ "bind", OPTION_BIND, 0, false },
	{ "rbind", OPTION_RBIND, 0, false },
	{ "tmpcopyup", OPTION_COPY_UP, 0, false },
	{ "copy-symlink", OPTION_COPY_SYMLINK, 0, false },
	{ "remount", OPTION_REMOUNT, 0, false },
	{ "idmap", OPTION_IDMAP, 0, false },
	{ "ridmap", OPTION_IDMAP, 0, true },
	{ "sync", OPTION_SUPERBLOCK, 0, false },
	{ "dirsync", OPTION_SUPERBLOCK, 0, false },
	{ "lazytime", OPTION_SUPERBLOCK, 0, false },
	{ "notmpcopyup", OPTION_IGNORE, 0, false },
	{ "defaults", OPTION_IGNORE, 0, false },
	{ "async", OPTION_IGNORE, 0, false },
	{ "rsync", OPTION_IGNORE, 0, false },
	{ "rasync", OPTION_IGNORE, 0, false },
	{ "rdirsync", OPTION_IGNORE, 0, false },
	{ "loud", OPTION_IGNORE, 0, false },
	{ "silent", OPTION_IGNORE, 0, false },
	{ "nomand", OPTION_IGNORE, 0, false },
	{ "mand", OPTION_IGNORE, 0, false },		/* Linux has none since 5.15 */
	{ "rmand", OPTION_IGNORE, 0, false },
	{ "rnomand", OPTION_IGNORE, 0, false },
	{ "iversion", OPTION_IGNORE, 0, false },
	{ "noiversion", OPTION_IGNORE, 0, false },
	{ "nolazytime", OPTION_IGNORE, 0, false },
	{ "z", OPTION_IGNORE, 0, false },
	{ "Z", OPTION_IGNORE, 0, false },
	{ "U", OPTION_IGNORE, 0, false },
};

static const struct option_word *find(const char *word)
{
	for (size_t i = 0; i < ELEMENTS(words); i++)
		if (strcmp(words[i].name, word) == 0)
			return &words[i];
	return NULL;
}

/* The last word about a flag wins. */
static void apply_flag(struct mount_options *o, const struct option_word *w)
{
	uint64_t *set = w->tree ? &o->set_tree : &o->set, *clear = w->tree ? &o->clear_tree : &o->clear;

	if (w->kind == OPTION_ATIME) {
		*set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | w->value;
		*clear |= MOUNT_ATTR__ATIME;
	} else if (w->kind == OPTION_SET) {
		*set |= w->value;
		*clear &= ~w->value;
	} else {
		*set &= ~w->value;
		*clear |= w->value;
	}
}

static void apply(struct mount_options *o, const struct option_word *w)
{
	switch (w->kind) {
	case OPTION_SET: case OPTION_CLEAR: case OPTION_ATIME:
		apply_flag(o, w);
		break;
	case OPTION_PROPAGATION:
		o->propagation = w->value;
		o->propagation_tree = w->tree;
		break;
	case OPTION_RBIND:
		o->bind_tree = true;
		o->bind = true;
		break;
	case OPTION_BIND:
		o->bind = true;
		break;
	case OPTION_COPY_UP:
		o->copy_up = true;
		break;
	case OPTION_COPY_SYMLINK:
		o->copy_symlink = true;
		break;
	case OPTION_REMOUNT:
		o->remount = true;
		break;
	case OPTION_IDMAP:
		o->idmap = true;
		o->idmap_tree |= w->tree;
		break;
	case OPTION_SUPERBLOCK: case OPTION_IGNORE:
		break;
	}
}

/* "idmap=uids=...;gids=..." with a mapping of its own, as crun has it. */
static bool apply_idmap(struct mount_options *o, const char *word)
{
	const char *tree = str_after(word, "ridmap="), *text = tree ? tree : str_after(word, "idmap=");

	if (!text)
		return false;
	o->idmap = true;
	o->idmap_tree |= tree != NULL;
	o->idmap_text = text;
	return true;
}

void mount_options_parse(struct arena *arena, const struct strings *list, struct mount_options *ret)
{
	struct mount_options o = { 0 };

	for (size_t i = 0; i < list->n; i++) {
		const struct option_word *w = find(list->v[i]);

		if (w)
			apply(&o, w);
		if (w ? w->kind == OPTION_SUPERBLOCK : *list->v[i] && !apply_idmap(&o, list->v[i]))
			strings_add(arena, &o.data, list->v[i]);
	}
	*ret = o;
}

/* The word that the specification has for a bit, so that a plan reads like the request. */
static int print_words(struct buffer *out, uint64_t bits, enum option_kind kind, bool tree, const char **separator)
{
	for (size_t i = 0; i < ELEMENTS(words); i++) {
		if (words[i].kind != kind || words[i].tree != tree || !(words[i].value & bits))
			continue;
		if (buffer_printf(out, "%s%s", *separator, words[i].name) < 0)
			return -1;
		*separator = ",";
		bits &= ~words[i].value;
	}
	return 0;
}

static int print_word(struct buffer *out, bool wanted, const char *word, const char **separator)
{
	if (!wanted)
		return 0;
	if (buffer_printf(out, "%s%s", *separator, word) < 0)
		return -1;
	*separator = ",";
	return 0;
}

int mount_options_print(const struct mount_options *o, struct buffer *out)
{
	const char *separator = " ";

	if (print_words(out, o->set, OPTION_SET, false, &separator) < 0 ||
	    print_words(out, o->clear, OPTION_CLEAR, false, &separator) < 0 ||
	    print_words(out, o->set, OPTION_ATIME, false, &separator) < 0 ||
	    print_words(out, o->set_tree, OPTION_SET, true, &separator) < 0 ||
	    print_words(out, o->clear_tree, OPTION_CLEAR, true, &separator) < 0 ||
	    print_words(out, o->set_tree, OPTION_ATIME, true, &separator) < 0 ||
	    print_words(out, o->propagation, OPTION_PROPAGATION, o->propagation_tree, &separator) < 0)
		return -1;
	if (print_word(out, o->copy_up, "tmpcopyup", &separator) < 0 ||
	    print_word(out, o->copy_symlink, "copy-symlink", &separator) < 0 ||
	    print_word(out, o->idmap, o->idmap_tree ? "ridmap" : "idmap", &separator) < 0)
		return -1;
	for (size_t i = 0; i < o->data.n; i++)
		if (print_word(out, true, o->data.v[i], &separator) < 0)
			return -1;
	return 0;
}

uint64_t mount_options_propagation(const char *word, bool *ret_tree)
{
	const struct option_word *w = find(word);

	if (!w || w->kind != OPTION_PROPAGATION)
		return 0;
	*ret_tree = w->tree;
	return w->value;
}

void mount_options_names(struct arena *arena, struct strings *ret)
{
	for (size_t i = 0; i < ELEMENTS(words); i++)
		strings_add(arena, ret, words[i].name);
}
