/* The reader of spec/layer_index: each number and text is checked against the end of the file and against what it may
 * be; one that is not right makes the whole index an error. */
#include "spec/layer_index.h"

#include <errno.h>
#include <sys/stat.h>

#include "spec/layer_format.h"

struct layer_index {
	struct arena *arena;
	const char *where;
	const unsigned char *begin, *end;
	uint64_t entries, left;

	/* where the reader stands */
	const unsigned char *at;
	char *path;
	size_t path_size, path_room;
	struct layer_entry entry;
	struct layer_xattr *xattrs;
	bool wrong;			/* what was just read cannot be: what follows is not looked at */
};

int layer_index_compare(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (int)layer_rank(*a) - (int)layer_rank(*b);
}

/* --- pieces */

static uint64_t take_number(struct layer_index *x, uint64_t most)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && x->at < x->end; shift += 7) {
		uint64_t byte = *x->at++;

		if ((byte & 0x7f) << shift >> shift != (byte & 0x7f) || (!byte && shift))
			break;		/* too large, or longer than it must be */
		n |= (byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (n <= most)
			return n;
		break;
	}
	x->wrong = true;
	return 0;
}

static int64_t take_signed(struct layer_index *x)
{
	uint64_t n = take_number(x, UINT64_MAX);

	return (int64_t)(n >> 1 ^ (n & 1 ? UINT64_MAX : 0));
}

static const void *take_bytes(struct layer_index *x, size_t n)
{
	const unsigned char *p = x->at;

	if (x->wrong || (size_t)(x->end - x->at) < n) {
		x->wrong = true;
		return NULL;
	}
	x->at += n;
	return p;
}

/* "" when it is wrong. */
static const char *take_text(struct layer_index *x)
{
	size_t n = take_number(x, LAYER_PATH_MAX);
	const char *s = take_bytes(x, n + 1);

	if (!s || n == 0 || memchr(s, '\0', n + 1) != s + n) {
		x->wrong = true;
		return "";
	}
	return s;
}

/* --- paths */

static bool is_clean(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (n == 0 || (s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.'))))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

/* The start of the component that byte `at` lies in. */
static size_t component_of(const char *path, size_t at)
{
	while (at > 0 && path[at - 1] != '/')
		at--;
	return at;
}

/* Is the new path's parent a directory of this index, or the root? What lies above a path that was read is one; so is
 * that path itself when its entry says so. */
static bool has_parent(const struct layer_index *x, const char *path, size_t shared, size_t before_size)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n == 0)
		return true;
	return shared > n || (shared == n && before_size == n && x->entry.type == LAYER_DIRECTORY);
}

static bool grow_path(struct layer_index *x, size_t size)
{
	size_t room = x->path_room ? x->path_room : 256;
	char *path;

	if (size < x->path_room)
		return true;
	if (size > LAYER_PATH_MAX)
		return false;
	while (room <= size)
		room *= 2;
	path = arena_alloc(x->arena, room);
	if (x->path)
		memcpy(path, x->path, x->path_size + 1);
	x->path = path;
	x->path_room = room;
	return true;
}

static void take_path(struct layer_index *x, bool first)
{
	size_t before = x->path_size, shared = take_number(x, before), rest = take_number(x, LAYER_PATH_MAX);
	const char *p = take_bytes(x, rest);
	char next;

	if (x->wrong || !grow_path(x, shared + rest) || (rest && memchr(p, '\0', rest))) {
		x->wrong = true;
		return;
	}
	next = x->path[shared];
	if (rest)
		memcpy(x->path + shared, p, rest);
	x->path_size = shared + rest;
	x->path[x->path_size] = '\0';
	if (first && x->path_size == 0)
		return;
	if (layer_rank(x->path[shared]) <= layer_rank(next) ||
	    !is_clean(x->path + component_of(x->path, shared)) || !has_parent(x, x->path, shared, before))
		x->wrong = true;
}

/* --- entries */

static void take_attributes(struct layer_index *x, struct layer_entry *e)
{
	e->mode = (uint32_t)take_number(x, e->type == LAYER_DEVICE ? S_IFMT | 07777 : 07777);
	e->uid = (uint32_t)take_number(x, UINT32_MAX - 1);
	e->gid = (uint32_t)take_number(x, UINT32_MAX - 1);
	e->mtime.tv_sec = take_signed(x);
	e->mtime.tv_nsec = (long)take_number(x, 999999999);
}

static void take_content(struct layer_index *x, struct layer_entry *e)
{
	const void *digest;

	e->size = (int64_t)take_number(x, INT64_MAX);
	digest = e->size ? take_bytes(x, sizeof(e->digest)) : NULL;
	if (digest)
		memcpy(e->digest, digest, sizeof(e->digest));
}

static void take_xattrs(struct layer_index *x, struct layer_entry *e)
{
	size_t n = take_number(x, LAYER_XATTRS_MAX);

	if (!x->xattrs)
		x->xattrs = arena_new_array(x->arena, struct layer_xattr, LAYER_XATTRS_MAX);
	if (n == 0)
		x->wrong = true;
	for (size_t i = 0; i < n && !x->wrong; i++) {
		x->xattrs[i].name = take_text(x);
		x->xattrs[i].size = take_number(x, SIZE_MAX);
		x->xattrs[i].value = take_bytes(x, x->xattrs[i].size);
	}
	e->xattrs = x->xattrs;
	e->xattrs_n = n;
}

static bool flags_fit(enum layer_entry_type type, unsigned head)
{
	static const unsigned allowed[] = {
		[LAYER_DIRECTORY] = HEAD_OPAQUE | HEAD_IMPLIED | HEAD_XATTRS, [LAYER_FILE] = HEAD_LINKED | HEAD_XATTRS,
		[LAYER_SYMLINK] = HEAD_LINKED, [LAYER_HARDLINK] = 0, [LAYER_FIFO] = HEAD_LINKED, [LAYER_DEVICE] = 0,
		[LAYER_WHITEOUT] = 0,
	};

	return type && !(head & ~(unsigned)HEAD_TYPE & ~allowed[type]);
}

/* What an entry must be by itself and by its place. */
static bool makes_sense(const struct layer_index *x, const struct layer_entry *e)
{
	if (!x->path_size)
		return e->type == LAYER_DIRECTORY;
	if (e->type == LAYER_HARDLINK)
		return layer_index_compare(e->target, e->path) < 0;
	return e->type != LAYER_DEVICE || S_ISCHR(e->mode) || S_ISBLK(e->mode);
}

static void take_rest(struct layer_index *x, struct layer_entry *e, unsigned head)
{
	if (e->type == LAYER_HARDLINK)
		e->target = take_text(x);
	if (e->type == LAYER_HARDLINK || e->type == LAYER_WHITEOUT)
		return;
	take_attributes(x, e);
	if (e->type == LAYER_FILE)
		take_content(x, e);
	else if (e->type == LAYER_SYMLINK)
		e->target = take_text(x);
	else if (e->type == LAYER_DEVICE)
		e->device = take_number(x, UINT64_MAX);
	if (head & HEAD_XATTRS)
		take_xattrs(x, e);
}

static void take_entry(struct layer_index *x)
{
	unsigned head = x->at < x->end ? *x->at++ : 0;
	struct layer_entry e = { .type = head & HEAD_TYPE, .opaque = head & HEAD_OPAQUE, .implied = head & HEAD_IMPLIED,
				 .linked = head & HEAD_LINKED };

	if (!flags_fit(e.type, head)) {
		x->wrong = true;
		return;
	}
	take_path(x, x->left == x->entries);
	if (x->wrong)
		return;
	e.path = x->path;
	take_rest(x, &e, head);
	if (!x->wrong && !makes_sense(x, &e))
		x->wrong = true;
	x->entry = e;
}

int layer_index_next(struct layer_index *x, const struct layer_entry **ret, struct error *err)
{
	uint64_t number = x->entries - x->left;

	if (!x->wrong && !x->left && x->at == x->end)
		return 0;
	if (!x->left)
		x->wrong = true;
	if (!x->wrong)
		take_entry(x);
	if (x->wrong)
		return error_set(err, ERROR_INVALID, "%s is damaged: entry %llu is not right", x->where,
				 (unsigned long long)number);
	x->left--;
	*ret = &x->entry;
	return 1;
}

void layer_index_rewind(struct layer_index *x)
{
	x->at = x->begin;
	x->left = x->entries;
	x->path_size = 0;
	x->path[0] = '\0';
	x->wrong = false;
}

uint64_t layer_index_entries(const struct layer_index *x)
{
	return x->entries;
}

/* --- the file */

static int check_header(const struct layer_header *h, const unsigned char *body, size_t n, const char *where,
			struct error *err)
{
	if (memcmp(h->magic, LAYER_MAGIC, sizeof(h->magic)) != 0)
		return error_set(err, ERROR_INVALID, "%s is not the index of a layer", where);
	if (le32toh(h->version) != LAYER_VERSION)
		return error_set(err, ERROR_UNSUPPORTED, "%s has the format %u, this bryo reads %u", where,
				 le32toh(h->version), LAYER_VERSION);
	if (le64toh(h->size) != sizeof(*h) + n)
		return error_set(err, ERROR_INVALID, "%s is damaged: it has %zu bytes instead of %llu", where,
				 sizeof(*h) + n, (unsigned long long)le64toh(h->size));
	if (le64toh(h->checksum) != layer_checksum(*h, body, n))
		return error_set(err, ERROR_INVALID, "%s is damaged: its checksum does not match", where);
	return 0;
}

struct layer_index *layer_index_open(struct arena *arena, const void *p, size_t n, const char *where,
				     struct error *err)
{
	struct layer_header h;
	struct layer_index *x;

	if (n < sizeof(h)) {
		error_set(err, ERROR_INVALID, "%s is damaged: it has %zu bytes only", where, n);
		return NULL;
	}
	memcpy(&h, p, sizeof(h));
	if (check_header(&h, (const unsigned char *)p + sizeof(h), n - sizeof(h), where, err) < 0)
		return NULL;
	x = arena_new_one(arena, struct layer_index);
	x->arena = arena;
	x->where = arena_strdup(arena, where);
	x->begin = (const unsigned char *)p + sizeof(h);
	x->end = (const unsigned char *)p + n;
	x->entries = le64toh(h.entries);
	grow_path(x, 0);
	layer_index_rewind(x);
	return x;
}
