/* The reader of spec/recipe: the steps must use all objects and make a tar of the size that the header says. */
#include "spec/recipe.h"

#include "spec/recipe_format.h"

#define BLOCK ((size_t)1 << 16)

struct recipe {
	const char *where;
	const unsigned char *digests, *packed, *end;
	uint64_t objects;
	int64_t tar_size;

	/* where the reader stands */
	recipe_source *source;
	void *context;
	unsigned char *block;
	size_t at, n;			/* unpacked steps not yet taken: block[at..n] */
	int64_t left, bytes;		/* of the tar; of a step's own bytes */
	uint64_t used;			/* objects */
	bool wrong;
};

/* --- the file */

static int check_header(const struct recipe_header *h, const void *body, size_t n, const char *where, struct error *err)
{
	if (memcmp(h->magic, RECIPE_MAGIC, sizeof(h->magic)) != 0)
		return error_set(err, ERROR_INVALID, "%s is no recipe of a layer", where);
	if (le32toh(h->version) != RECIPE_VERSION)
		return error_set(err, ERROR_UNSUPPORTED, "%s is of version %u, this program knows %d", where, le32toh(h->version),
				 RECIPE_VERSION);
	if (le64toh(h->size) != sizeof(*h) + n)
		return error_set(err, ERROR_INVALID, "%s is damaged: it has %zu bytes instead of %llu", where, sizeof(*h) + n,
				 (unsigned long long)le64toh(h->size));
	if (le64toh(h->checksum) != recipe_checksum(*h, body, n))
		return error_set(err, ERROR_INVALID, "%s is damaged: its checksum does not match", where);
	if (le64toh(h->objects) > n / OBJECT_DIGEST_SIZE || le64toh(h->tar_size) > RECIPE_SIZE_MAX)
		return error_set(err, ERROR_INVALID, "%s is damaged: its header is not right", where);
	return 0;
}

struct recipe *recipe_open(struct arena *arena, const void *p, size_t n, const char *where, struct error *err)
{
	const unsigned char *body = (const unsigned char *)p + sizeof(struct recipe_header);
	struct recipe_header h;
	struct recipe *r;

	if (n < sizeof(h)) {
		error_set(err, ERROR_INVALID, "%s is damaged: it has %zu bytes only", where, n);
		return NULL;
	}
	memcpy(&h, p, sizeof(h));
	if (check_header(&h, body, n - sizeof(h), where, err) < 0)
		return NULL;
	r = arena_new_one(arena, struct recipe);
	r->where = arena_strdup(arena, where);
	r->digests = body;
	r->objects = le64toh(h.objects);
	r->packed = body + r->objects * OBJECT_DIGEST_SIZE;
	r->end = (const unsigned char *)p + n;
	r->tar_size = (int64_t)le64toh(h.tar_size);
	r->block = arena_alloc(arena, BLOCK);
	return r;
}

uint64_t recipe_objects(const struct recipe *r)
{
	return r->objects;
}

const unsigned char *recipe_object(const struct recipe *r, uint64_t i)
{
	return r->digests + i * OBJECT_DIGEST_SIZE;
}

int64_t recipe_tar_size(const struct recipe *r)
{
	return r->tar_size;
}

const void *recipe_packed(const struct recipe *r, size_t *ret_size)
{
	*ret_size = (size_t)(r->end - r->packed);
	return r->packed;
}

/* --- steps */

void recipe_start(struct recipe *r, recipe_source *source, void *context)
{
	r->source = source;
	r->context = context;
	r->at = r->n = 0;
	r->left = r->tar_size;
	r->bytes = 0;
	r->used = 0;
	r->wrong = false;
}

/* At least one byte: 1; 0 at the end. */
static int fill(struct recipe *r, struct error *err)
{
	ssize_t n;

	if (r->at < r->n)
		return 1;
	n = r->source(r->context, r->block, BLOCK, err);
	if (n < 0)
		return -1;
	r->at = 0;
	r->n = (size_t)n;
	return n > 0;
}

static int take_number(struct recipe *r, uint64_t *ret, struct error *err)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		int more = fill(r, err);
		uint64_t byte;

		if (more < 0)
			return -1;
		if (!more)
			break;
		byte = r->block[r->at++];
		if ((byte & 0x7f) << shift >> shift != (byte & 0x7f) || (!byte && shift))
			break;		/* too large, or longer than it must be */
		*ret |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 0;
	}
	r->wrong = true;
	return 0;
}

static int take_bytes(struct recipe *r, struct recipe_step *ret, struct error *err)
{
	int more = fill(r, err);
	size_t n = r->n - r->at;

	if (more <= 0) {
		r->wrong = more == 0;
		return more;
	}
	if ((int64_t)n > r->bytes)
		n = (size_t)r->bytes;
	*ret = (struct recipe_step){ .bytes = r->block + r->at, .size = (int64_t)n };
	r->at += n;
	r->bytes -= (int64_t)n;
	return 0;
}

static int take_object(struct recipe *r, enum recipe_kind kind, int64_t size, struct recipe_step *ret,
		       struct error *err)
{
	uint64_t offset = 0;

	if (kind != RECIPE_OBJECT && take_number(r, &offset, err) < 0)
		return -1;
	if (kind != RECIPE_SAME)
		r->used++;
	if (r->used == 0 || r->used > r->objects || offset > (uint64_t)(RECIPE_SIZE_MAX - size))
		r->wrong = true;
	else
		*ret = (struct recipe_step){ .digest = recipe_object(r, r->used - 1), .offset = (int64_t)offset, .size = size };
	return 0;
}

static int take_step(struct recipe *r, struct recipe_step *ret, struct error *err)
{
	uint64_t number;

	if (r->bytes)
		return take_bytes(r, ret, err);
	if (take_number(r, &number, err) < 0)
		return -1;
	if (number >> 2 == 0 || number >> 2 > (uint64_t)r->left)
		r->wrong = true;
	if (r->wrong)
		return 0;
	r->left -= (int64_t)(number >> 2);
	if ((number & RECIPE_KIND) != RECIPE_BYTES)
		return take_object(r, number & RECIPE_KIND, (int64_t)(number >> 2), ret, err);
	r->bytes = (int64_t)(number >> 2);
	return take_bytes(r, ret, err);
}

int recipe_next(struct recipe *r, struct recipe_step *ret, struct error *err)
{
	int more = 1;

	if (!r->wrong && !r->left && !r->bytes) {
		more = fill(r, err);
		if (more == 0 && r->used == r->objects)
			return 0;
		r->wrong = more >= 0;
	} else if (!r->wrong && take_step(r, ret, err) < 0) {
		more = -1;
	}
	if (more < 0)
		return error_frame(err, "%s", r->where);
	return r->wrong ? error_set(err, ERROR_INVALID, "%s is damaged: its steps are not right", r->where) : 1;
}
