/* The operation `import`: a tar of a root file system becomes an image of one layer.
 *
 * The tar is kept as it came when layers may be packed like that, else unpacked. It is read through once to get the diff
 * ID and to refuse what is no tar. The request's changes are members of the configuration's `config` as JSON texts. */
#include <errno.h>
#include <time.h>
#include <stdlib.h>
#include <unistd.h>

#include "transfer/load.h"
#include "transfer/tar_reader.h"

static int spool(int fd, struct sink *s, struct error *err)
{
	enum { BLOCK = 1 << 17 };
	char *block = malloc(BLOCK);
	ssize_t n = -1;
	int r = 0;

	while (block && r == 0 && ((n = read(fd, block, BLOCK)) > 0 || (n < 0 && errno == EINTR)))
		if (n > 0)
			r = sink_write(s, block, (size_t)n, err);
	if (r == 0 && n < 0)
		r = error_errno(err, "read the archive");
	free(block);
	return r;
}

static int spool_plain(struct inflate *in, struct sink *s, struct error *err)
{
	char block[65536];
	ssize_t n;

	while ((n = inflate_read(in, block, sizeof(block), err)) > 0)
		if (sink_write(s, block, (size_t)n, err) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* The diff ID, by reading the archive to its end. */
static int examine(struct inflate *in, char *diff_id, struct error *err)
{
	struct archive_entry *entry;
	struct tar_reader r;
	struct hash hash;
	int more, entries = 0;

	if (hash_init(&hash, NULL, err) < 0)
		return -1;
	more = tar_reader_open(&r, in, &hash, NULL, err);
	if (more == 0) {
		while ((more = tar_reader_next(&r, &entry, err)) > 0)
			entries++;
		if (more == 0)
			more = tar_reader_drain(&r, err);
		if (more == 0 && entries == 0)
			more = error_set(err, ERROR_INVALID, "the archive is empty");
		tar_reader_close(&r);
	}
	if (more == 0)
		hash_final(&hash, diff_id);
	hash_done(&hash);
	return more;
}

/* Packed with something that layers must not be packed with: the plain tar becomes the layer. */
static int replace_by_plain(struct sink *s, struct error *err)
{
	struct inflate *in = inflate_open(s->fd, err);
	struct sink plain;
	int r;

	if (!in)
		return -1;
	r = sink_open(&plain, s->places, err);
	if (r == 0) {
		r = spool_plain(in, &plain, err);
		sink_finish(&plain);
		sink_done(s);
		*s = plain;
	}
	inflate_close(in);
	return r;
}

static int make_layer(struct sink *s, char *diff_id, enum inflate_kind *ret_kind, struct error *err)
{
	struct inflate *in;
	int r;

	if (lseek(s->fd, 0, SEEK_SET) < 0 || !(in = inflate_open(s->fd, err)))
		return -1;
	*ret_kind = inflate_kind(in);
	if (load_layer_type(*ret_kind, false)) {
		r = examine(in, diff_id, err);
		inflate_close(in);
		return r < 0 ? -1 : sink_keep(s, NULL, -1, err);
	}
	inflate_close(in);
	if (lseek(s->fd, 0, SEEK_SET) < 0 || replace_by_plain(s, err) < 0)
		return -1;
	return make_layer(s, diff_id, ret_kind, err);
}

static char *now(struct arena *arena)
{
	struct timespec t;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(arena, "%s.%09ldZ", text, t.tv_nsec);
}

static void set_text(struct arena *arena, struct json *object, const char *name, const char *value)
{
	if (!str_is_empty(value))
		json_set(arena, object, name, json_new_string(arena, value));
}

static struct json *container_config(struct arena *arena, const struct string_map *changes, struct error *err)
{
	struct json *config = json_new_object(arena);

	for (size_t i = 0; i < changes->n; i++) {
		const char *text = changes->v[i].value;
		struct json *value = json_parse(arena, text, strlen(text), changes->v[i].key, err);

		if (!value)
			return NULL;
		json_set(arena, config, changes->v[i].key, value);
	}
	return config;
}

static struct json *history(struct arena *arena, const char *created, const char *message)
{
	struct json *list = json_new_list(arena), *step = json_new_object(arena);

	set_text(arena, step, "created", created);
	set_text(arena, step, "created_by", "/bin/sh -c #(nop) ADD file in /");
	set_text(arena, step, "comment", message);
	json_append(arena, list, step);
	return list;
}

static char *make_config(struct work *w, const struct transfer_request *r, const char *diff_id, struct error *err)
{
	struct arena *arena = w->arena;
	struct json *root = json_new_object(arena), *rootfs = json_new_object(arena), *ids = json_new_list(arena);
	struct json *config = container_config(arena, &r->changes, err);
	const char *platform = r->platform ? r->platform : image_host_platform(arena);
	struct strings parts = strings_split(arena, platform, "/");
	char *created = now(arena);

	if (!config)
		return NULL;
	set_text(arena, root, "created", created);
	set_text(arena, root, "os", parts.n > 0 ? parts.v[0] : NULL);
	set_text(arena, root, "architecture", parts.n > 1 ? parts.v[1] : NULL);
	set_text(arena, root, "variant", parts.n > 2 ? parts.v[2] : NULL);
	json_set(arena, root, "config", config);
	json_append(arena, ids, json_new_string(arena, diff_id));
	set_text(arena, rootfs, "type", "layers");
	json_set(arena, rootfs, "diff_ids", ids);
	json_set(arena, root, "rootfs", rootfs);
	json_set(arena, root, "history", history(arena, created, r->message));
	return json_print(arena, root, 0);
}

static int make_image(struct work *w, const struct transfer_request *r, struct sink *s, struct transfer_image *ret,
		      struct error *err)
{
	struct json *layers = json_new_list(w->arena);
	char diff_id[DIGEST_TEXT_MAX], *config;
	enum inflate_kind kind;

	if (make_layer(s, diff_id, &kind, err) < 0)
		return error_frame(err, "read the archive");
	config = make_config(w, r, diff_id, err);
	if (!config)
		return -1;
	json_append(w->arena, layers,
		    load_descriptor(w->arena, load_layer_type(kind, false), s->digest, (int64_t)s->size));
	return load_made(w, config, strlen(config), layers, false, ret, err);
}

int op_import(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct transfer_image image = { 0 };
	struct sink s;
	int result;

	if (sink_open(&s, &w->places, err) < 0)
		return -1;
	result = spool(w->channel->fds[0], &s, err);
	sink_finish(&s);
	if (result == 0)
		result = make_image(w, r, &s, &image, err);
	sink_done(&s);
	if (result == 0)
		*ARRAY_ADD(w->arena, &ret->images) = image;
	return result;
}
