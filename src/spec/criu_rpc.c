#include "spec/criu_rpc.h"

#include <errno.h>

/* --- the wire: fields of a number and a kind, the value after them */

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void put_varint(struct buffer *out, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
		n++;
	} while (v);
	buffer_add(out, bytes, n);
}

/* Negative numbers are sent as 64 bits. */
static void put_int(struct buffer *out, unsigned field, int64_t v)
{
	put_varint(out, field << 3 | WIRE_VARINT);
	put_varint(out, (uint64_t)v);
}

static void put_bytes(struct buffer *out, unsigned field, const void *p, size_t n)
{
	put_varint(out, field << 3 | WIRE_BYTES);
	put_varint(out, n);
	buffer_add(out, p, n);
}

static void put_string(struct buffer *out, unsigned field, const char *s)
{
	if (!str_is_empty(s))
		put_bytes(out, field, s, strlen(s));
}

static void put_message(struct buffer *out, unsigned field, struct buffer *message)
{
	out->failed = out->failed || message->failed;
	put_bytes(out, field, message->data ? message->data : "", message->size);
	buffer_done(message);
}

/* --- options */

enum kind { BOOL, INT, STRING, STRINGS, PAIRS };

#define FIELD(number, member, kind) { number, kind, offsetof(struct criu_options, member) }

static const struct { unsigned number; enum kind kind; size_t offset; } fields[] = {
	FIELD(2, pid, INT),			FIELD(3, leave_running, BOOL),		FIELD(4, ext_unix_sk, BOOL),
	FIELD(5, tcp_established, BOOL),	FIELD(6, evasive_devices, BOOL),	FIELD(7, shell_job, BOOL),
	FIELD(8, file_locks, BOOL),		FIELD(9, log_level, INT),		FIELD(10, log_file, STRING),
	FIELD(12, notify_scripts, BOOL),	FIELD(13, root, STRING),		FIELD(14, parent, STRING),
	FIELD(15, track_mem, BOOL),		FIELD(16, auto_dedup, BOOL),		FIELD(17, work_fd, INT),
	FIELD(23, mounts, PAIRS),		FIELD(24, manages_cgroups, BOOL),	FIELD(25, cgroup_roots, PAIRS),
	FIELD(26, restore_sibling, BOOL),	FIELD(30, external_masters, BOOL),	FIELD(37, external, STRINGS),
	FIELD(38, empty_ns, INT),		FIELD(39, join, PAIRS),			FIELD(44, freeze_cgroup, STRING),
	FIELD(48, lazy_pages, BOOL),		FIELD(50, orphan_pts_master, BOOL),	FIELD(51, config_file, STRING),
	FIELD(53, lsm_profile, STRING),		FIELD(63, lsm_mount_context, STRING),	FIELD(64, network_lock, INT),
	FIELD(66, skip_permissions, BOOL),
};

static void put_pairs(struct buffer *out, unsigned field, const struct string_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		struct buffer pair = BUFFER(out->limit);

		put_bytes(&pair, 1, map->v[i].key, strlen(map->v[i].key));
		put_bytes(&pair, 2, map->v[i].value, strlen(map->v[i].value));
		put_message(out, field, &pair);
	}
}

static void put_field(struct buffer *out, unsigned number, enum kind kind, const void *p)
{
	const struct strings *list = p;

	switch (kind) {
	case BOOL:
		if (*(const bool *)p)
			put_int(out, number, 1);
		break;
	case INT:
		if (*(const int *)p)
			put_int(out, number, *(const int *)p);
		break;
	case STRING:
		put_string(out, number, *(char *const *)p);
		break;
	case STRINGS:
		for (size_t i = 0; i < list->n; i++)
			put_string(out, number, list->v[i]);
		break;
	case PAIRS:
		put_pairs(out, number, p);
		break;
	}
}

static void put_page_server(struct buffer *out, const struct criu_options *o)
{
	struct buffer server = BUFFER(out->limit);

	if (!o->page_port)
		return;
	put_string(&server, 1, o->page_address);
	put_int(&server, 2, o->page_port);
	put_message(out, 11, &server);
}

static void put_inherited(struct buffer *out, const struct criu_options *o)
{
	for (size_t i = 0; i < o->inherited.n; i++) {
		struct buffer one = BUFFER(out->limit);

		put_string(&one, 1, o->inherited.v[i].key);
		put_int(&one, 2, o->inherited.v[i].fd);
		put_message(out, 27, &one);
	}
}

static void put_options(struct buffer *out, const struct criu_options *o)
{
	put_int(out, 1, o->images_fd);		/* required */
	for (size_t i = 0; i < ELEMENTS(fields); i++)
		put_field(out, fields[i].number, fields[i].kind, (const char *)o + fields[i].offset);
	if (o->manages_cgroups)
		put_int(out, 34, o->cgroup_mode);
	put_page_server(out, o);
	put_inherited(out, o);
}

int criu_request_encode(const struct criu_request *r, struct buffer *out)
{
	struct buffer options = BUFFER(out->limit), features = BUFFER(16);

	put_int(out, 1, r->type);
	if (r->options) {
		put_options(&options, r->options);
		put_message(out, 2, &options);
	}
	if (r->type == CRIU_NOTIFY)
		put_int(out, 3, r->success);
	if (r->type == CRIU_FEATURE_CHECK) {
		if (r->mem_track)
			put_int(&features, 1, 1);
		if (r->lazy_pages)
			put_int(&features, 2, 1);
		put_message(out, 5, &features);
	}
	if (!out->failed)
		return 0;
	errno = EFBIG;
	return -1;
}

/* --- answers */

struct reader { const unsigned char *at, *end; };

struct field {
	unsigned number;
	uint64_t value;			/* of a number */
	struct reader bytes;		/* of what has a length; at NULL otherwise */
};

static int get_varint(struct reader *r, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
		unsigned char byte = *r->at++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = v;
		return 0;
	}
	return -1;
}

static int skip(struct reader *r, uint64_t n)
{
	if (n > (uint64_t)(r->end - r->at))
		return -1;
	r->at += n;
	return 0;
}

/* 1: a field, 0: the end, -1 */
static int next_field(struct reader *r, struct field *ret)
{
	uint64_t key, n;

	if (r->at == r->end)
		return 0;
	if (get_varint(r, &key) < 0 || key >> 3 == 0 || key >> 3 > UINT32_MAX)
		return -1;
	*ret = (struct field){ .number = (unsigned)(key >> 3) };
	switch (key & 7) {
	case WIRE_VARINT:	return get_varint(r, &ret->value) < 0 ? -1 : 1;
	case WIRE_64:		return skip(r, 8) < 0 ? -1 : 1;
	case WIRE_32:		return skip(r, 4) < 0 ? -1 : 1;
	case WIRE_BYTES:
		if (get_varint(r, &n) < 0)
			return -1;
		ret->bytes.at = r->at;
		if (skip(r, n) < 0)
			return -1;
		ret->bytes.end = r->at;
		return 1;
	default:		return -1;
	}
}

static char *text_of(struct arena *arena, const struct field *f)
{
	return f->bytes.at ? arena_strndup(arena, (const char *)f->bytes.at, (size_t)(f->bytes.end - f->bytes.at)) : NULL;
}

enum message { ANSWER, RESTORED, NOTIFICATION, FEATURES, VERSION };

static int read_message(struct arena *arena, struct reader r, enum message what, struct criu_answer *ret);

static int take_from_answer(struct arena *arena, const struct field *f, struct criu_answer *ret)
{
	switch (f->number) {
	case 1:		ret->type = (unsigned)f->value; return 0;
	case 2:		ret->success = f->value; return 0;
	case 4:		return read_message(arena, f->bytes, RESTORED, ret);
	case 5:		return read_message(arena, f->bytes, NOTIFICATION, ret);
	case 7:		ret->error = (int)f->value; return 0;
	case 8:		return read_message(arena, f->bytes, FEATURES, ret);
	case 9:		ret->message = text_of(arena, f); return 0;
	case 10:	return read_message(arena, f->bytes, VERSION, ret);
	default:	return 0;
	}
}

static int take(struct arena *arena, enum message what, const struct field *f, struct criu_answer *ret)
{
	if (what == ANSWER)
		return take_from_answer(arena, f, ret);
	if (what == RESTORED && f->number == 1)
		ret->pid = (int)f->value;
	if (what == NOTIFICATION && f->number == 1)
		ret->script = text_of(arena, f);
	if (what == NOTIFICATION && f->number == 2)
		ret->pid = (int)f->value;
	if (what == FEATURES && f->number == 1)
		ret->mem_track = f->value;
	if (what == FEATURES && f->number == 2)
		ret->lazy_pages = f->value;
	if (what == VERSION && f->number == 1)
		ret->major = (int)f->value;
	if (what == VERSION && f->number == 2)
		ret->minor = (int)f->value;
	if (what == VERSION && f->number == 4)
		ret->sublevel = (int)f->value;
	return 0;
}

static int read_message(struct arena *arena, struct reader r, enum message what, struct criu_answer *ret)
{
	struct field f;
	int result;

	while ((result = next_field(&r, &f)) > 0)
		if (take(arena, what, &f, ret) < 0)
			return -1;
	return result;
}

int criu_answer_decode(struct arena *arena, const void *p, size_t n, struct criu_answer *ret)
{
	struct reader r = { p, (const unsigned char *)p + n };

	*ret = (struct criu_answer){ 0 };
	if (read_message(arena, r, ANSWER, ret) == 0)
		return 0;
	errno = EBADMSG;
	return -1;
}
