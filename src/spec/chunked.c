#include "spec/chunked.h"

#include <stdio.h>

#include "spec/oci_image.h"

#define FRAME_HEADER 8			/* of a frame that decoders skip */
#define TYPE_FILES 1
#define ENTRIES_MAX 2000000

struct entry {
	char *type, *name, *digest, *chunk_digest;
	int64_t size, offset, end_offset, chunk_size, chunk_offset;
	struct json *rest;
};

struct table { int64_t version; char *split_digest; ARRAY(struct entry) entries; };

static const struct json_field entry_fields[] = {
	JSON_FIELD(entry, type, "type", T_STRING, .required = true),
	JSON_FIELD(entry, name, "name", T_STRING),
	JSON_FIELD(entry, digest, "digest", T_STRING),
	JSON_FIELD(entry, chunk_digest, "chunkDigest", T_STRING),
	JSON_FIELD(entry, size, "size", T_INT),
	JSON_FIELD(entry, offset, "offset", T_INT),
	JSON_FIELD(entry, end_offset, "endOffset", T_INT),
	JSON_FIELD(entry, chunk_size, "chunkSize", T_INT),
	JSON_FIELD(entry, chunk_offset, "chunkOffset", T_INT),
	JSON_FIELD(entry, rest, "", T_REST),
};
static const struct json_shape entry_shape = { "entry", sizeof(struct entry), entry_fields, ELEMENTS(entry_fields) };

static const struct json_field table_fields[] = {
	JSON_FIELD(table, version, "version", T_INT, .required = true),
	JSON_FIELD(table, split_digest, "tarSplitDigest", T_STRING),
	JSON_FIELD(table, entries, "entries", T_OBJECTS, .shape = &entry_shape),
};
static const struct json_shape table_shape = { "table of contents", sizeof(struct table), table_fields,
					       ELEMENTS(table_fields) };

static int read_table(struct arena *arena, const char *text, size_t n, struct table *ret, struct error *err)
{
	if (json_decode(arena, &table_shape, ret, text, n, "table of contents", err) < 0)
		return -1;
	if (ret->version == 1 && ret->entries.n <= ENTRIES_MAX)
		return 0;
	return error_set(err, ERROR_UNSUPPORTED, "a table of contents of version %lld with %zu entries is not read",
			 (long long)ret->version, ret->entries.n);
}

static bool has_data(const struct entry *e)
{
	return strcmp(e->type, "reg") == 0 && e->end_offset > 0;
}

/* --- where the table is */

const char *chunked_annotation(const struct string_map *annotations, const char *word)
{
	static const char *const prefixes[] = { "io.github.containers.zstd-chunked.", "io.containers.zstd-chunked." };

	for (size_t i = 0; i < annotations->n; i++)
		for (size_t k = 0; k < ELEMENTS(prefixes); k++) {
			const char *rest = str_after(annotations->v[i].key, prefixes[k]);

			if (rest && strcmp(rest, word) == 0)
				return annotations->v[i].value;
		}
	return NULL;
}

static bool fits(struct chunked_table *t, int64_t blob_size)
{
	t->begin = t->offset - FRAME_HEADER;
	return t->offset > FRAME_HEADER && t->size > 0 && t->size <= CHUNKED_TABLE_MAX && t->plain_size > 0 &&
	       t->plain_size <= CHUNKED_PLAIN_MAX && t->offset <= blob_size && t->size <= blob_size - t->offset;
}

int chunked_position_parse(const char *text, int64_t blob_size, struct chunked_table *ret, struct error *err)
{
	struct chunked_table t = { 0 };
	int64_t type;

	if (!str_take_i64(&text, ':', &t.offset) || !str_take_i64(&text, ':', &t.size) ||
	    !str_take_i64(&text, ':', &t.plain_size) || !str_take_i64(&text, '\0', &type) || type != TYPE_FILES ||
	    !fits(&t, blob_size))
		return error_set(err, ERROR_INVALID, "the place of a layer's table of contents is not valid");
	*ret = t;
	return 0;
}

/* Its plain size is the packer's affair. */
int chunked_split_parse(const char *text, const struct chunked_table *table, int64_t blob_size, struct chunked_table *ret,
			struct error *err)
{
	struct chunked_table t = { 0 };

	if (!str_take_i64(&text, ':', &t.offset) || !str_take_i64(&text, ':', &t.size) ||
	    !str_take_i64(&text, '\0', &t.plain_size) || t.size <= 0 || t.size > CHUNKED_SPLIT_MAX ||
	    t.offset < table->offset + table->size + FRAME_HEADER || t.offset > blob_size || t.size > blob_size - t.offset)
		return error_set(err, ERROR_INVALID, "the place of a layer's tar-split is not valid");
	t.begin = t.offset - FRAME_HEADER;
	*ret = t;
	return 0;
}

static int64_t little_endian(const unsigned char *p)
{
	uint64_t n = 0;

	for (int i = 7; i >= 0; i--)
		n = n << 8 | p[i];
	return n > INT64_MAX ? -1 : (int64_t)n;
}

/* Older footers have 40 bytes; newer ones say in 24 more where the tar's own bytes are, before the mark. */
bool chunked_footer_parse(const unsigned char *end, size_t n, int64_t blob_size, struct chunked_table *ret)
{
	static const size_t sizes[] = { 64, 40 };

	if (n < 40 || memcmp(end + n - 8, "GNUlInUx", 8) != 0)
		return false;
	for (size_t i = 0; i < ELEMENTS(sizes); i++) {
		const unsigned char *p = end + n - sizes[i];

		if (sizes[i] > n)
			continue;
		*ret = (struct chunked_table){ little_endian(p), little_endian(p + 8), little_endian(p + 16), 0 };
		if (little_endian(p + 24) == TYPE_FILES && fits(ret, blob_size))
			return true;
	}
	return false;
}

/* --- pieces */

/* Two FNV-1a of different beginnings: no hash against an adversary, who could gain nothing. */
static void mix(struct chunked_key *key, const char *s)
{
	for (const unsigned char *p = (const unsigned char *)(s ? s : ""); ; p++) {
		key->a = (key->a ^ *p) * 0x100000001b3u;
		key->b = (key->b ^ *p) * 0x100000001b3u;
		if (!*p)
			return;
	}
}

static void mix_number(struct chunked_key *key, int64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	mix(key, text);
}

static struct chunked_key new_key(const char *kind)
{
	struct chunked_key key = { 0xcbf29ce484222325u, 0x84222325cbf29ce4u };

	mix(&key, kind);
	return key;
}

struct walk {
	struct arena *arena;
	struct chunked_pieces *pieces;
	int64_t end, cursor, file_end;	/* file_end: of the file that is open; 0: none is */
	struct chunked_key gap, data;	/* what was said since cursor, and of the open data */
};

static int add_piece(struct walk *w, int64_t to, const struct chunked_key *key, struct error *err)
{
	if (to < w->cursor || to > w->end)
		return error_set(err, ERROR_INVALID, "the table of contents is not in order");
	if (to > w->cursor)
		*ARRAY_ADD(w->arena, w->pieces) = (struct chunked_piece){ w->cursor, to - w->cursor, *key };
	w->cursor = to;
	return 0;
}

static int close_file(struct walk *w, struct error *err)
{
	int64_t to = w->file_end;

	w->file_end = 0;
	return to ? add_piece(w, to, &w->data, err) : 0;
}

/* What stands in the headers before the next data. */
static void note_header(struct walk *w, const struct entry *e)
{
	mix(&w->gap, e->type);
	mix(&w->gap, e->name);
	mix_number(&w->gap, e->size);
	mix(&w->gap, e->rest ? json_print(w->arena, e->rest, 0) : "");
}

static void open_data(struct walk *w, const struct entry *e, int64_t otherwise)
{
	w->data = new_key("data");
	mix(&w->data, e->chunk_digest ? e->chunk_digest : e->digest);
	mix_number(&w->data, e->chunk_size ? e->chunk_size : otherwise);
}

static int take_file(struct walk *w, const struct entry *e, struct error *err)
{
	if (add_piece(w, e->offset, &w->gap, err) < 0)
		return -1;
	if (e->end_offset <= e->offset)
		return error_set(err, ERROR_INVALID, "the table of contents is not in order");
	w->file_end = e->end_offset;
	open_data(w, e, e->size);
	w->gap = new_key("gap");
	mix_number(&w->gap, e->size % 512);	/* its padding comes first */
	return 0;
}

/* The next part of the open file; its first part was in the file's own entry. */
static int take_chunk(struct walk *w, const struct entry *e, struct error *err)
{
	if (!w->file_end || e->offset > w->file_end)
		return error_set(err, ERROR_INVALID, "the table of contents has a part of no file");
	if (add_piece(w, e->offset, &w->data, err) < 0)
		return -1;
	open_data(w, e, -e->chunk_offset);
	return 0;
}

static int take_entry(struct walk *w, const struct entry *e, struct error *err)
{
	if (strcmp(e->type, "chunk") == 0)
		return take_chunk(w, e, err);
	if (close_file(w, err) < 0)
		return -1;
	note_header(w, e);
	return has_data(e) ? take_file(w, e, err) : 0;
}

int chunked_pieces_read(struct arena *arena, const char *text, size_t n, const struct chunked_table *table,
			struct chunked_pieces *ret, struct error *err)
{
	struct walk w = { .arena = arena, .pieces = ret, .end = table->begin, .gap = new_key("gap") };
	struct table t;

	*ret = (struct chunked_pieces){ 0 };
	if (read_table(arena, text, n, &t, err) < 0)
		return -1;
	for (size_t i = 0; i < t.entries.n; i++)
		if (take_entry(&w, &t.entries.v[i], err) < 0)
			return -1;
	return close_file(&w, err) < 0 || add_piece(&w, w.end, &w.gap, err) < 0 ? -1 : 0;
}

/* --- contents */

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* A valid digest has lower-case digits only. */
static bool read_digest(const char *text, unsigned char *ret)
{
	const char *hex = text && digest_is_valid(text) ? str_after(text, "sha256:") : NULL;

	for (size_t i = 0; hex && i < OBJECT_DIGEST_SIZE; i++)
		ret[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return hex != NULL;
}

int chunked_contents_read(struct arena *arena, const char *text, size_t n, const struct chunked_table *table,
			  struct chunked_contents *ret, struct error *err)
{
	int64_t cursor = 0, left = table->begin < INT64_MAX / CHUNKED_RATIO_MAX ? table->begin * CHUNKED_RATIO_MAX : INT64_MAX;
	struct table t;

	*ret = (struct chunked_contents){ 0 };
	if (read_table(arena, text, n, &t, err) < 0)
		return -1;
	for (size_t i = 0; i < t.entries.n; i++) {
		const struct entry *e = &t.entries.v[i];
		struct chunked_content *c;

		if (!has_data(e))
			continue;
		if (e->offset < cursor || e->end_offset <= e->offset || e->end_offset > table->begin)
			return error_set(err, ERROR_INVALID, "the table of contents is not in order");
		if (e->size <= 0 || e->size > left)
			return error_set(err, ERROR_INVALID, "the table of contents has impossible sizes");
		left -= e->size;
		cursor = e->end_offset;
		c = ARRAY_ADD(arena, ret);
		*c = (struct chunked_content){ e->offset, e->end_offset, e->size };
		c->has_digest = read_digest(e->digest, c->digest);
	}
	ret->split_digest = t.split_digest;
	return 0;
}
