/* The operations of a commit.
 *
 * `layer`: entries of a tree become one layer. Descriptors: the tree's root, and a file of records that say which: a
 * letter and an absolute path, ended by a NUL byte. 'A' and 'C' take the entry without its contents, 'D' writes a
 * whiteout, 'T' takes the whole tree. The layer is hashed and compressed on its way into blobs/.
 *
 * `compose`: a configuration and layers that are in blobs/ become an image. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/deflate.h"
#include "transfer/load.h"
#include "transfer/packer.h"

#define RECORDS_MAX ((size_t)1 << 30)
#define MARK ".wh."

struct layer {
	struct packer packer;
	struct hash plain;		/* the diff ID */
	struct deflate *deflate;
	struct sink sink;
	int root;
	char *parent_path;		/* of the last entry, and its descriptor */
	int parent;
};

/* --- the stream */

static int keep_packed(void *context, const void *p, size_t n, struct error *err)
{
	struct layer *l = context;

	return n ? sink_write(&l->sink, p, n, err) : 0;
}

static int take_plain(void *context, const void *p, size_t n, struct error *err)
{
	struct layer *l = context;

	hash_add(&l->plain, p, n);
	return deflate_add(l->deflate, p, n, false, err);
}

/* --- entries */

static int open_parent(struct layer *l, const char *path, size_t n)
{
	struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	if (l->parent >= 0 && strlen(l->parent_path) == n && memcmp(l->parent_path, path, n) == 0)
		return l->parent;
	fd_close(&l->parent);
	free(l->parent_path);
	l->parent_path = strndup(path, n);
	if (l->parent_path)
		l->parent = (int)syscall(SYS_openat2, l->root, n ? l->parent_path : ".", &how, sizeof(how));
	return l->parent;
}

/* What went since the list was made is left out. */
static int add_entry(struct layer *l, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int parent = open_parent(l, path, slash ? (size_t)(slash - path) : 0);

	if (parent < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (parent < 0)
		return error_errno(err, "open the directory of %s", path);
	return packer_add(&l->packer, parent, name, path, err);
}

static int add_whiteout(struct layer *l, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *mark;
	int r;

	if (asprintf(&mark, "%.*s%s%s", (int)(name - path), path, MARK, name) < 0)
		return error_errno(err, "allocate a name");
	r = packer_add_empty(&l->packer, mark, err);
	free(mark);
	return r;
}

static int add_record(struct layer *l, char kind, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');

	if (kind == 'T')
		return packer_add_tree(&l->packer, l->root, ".", "", err);
	if (path[0] != '/' || !path[1])
		return error_set(err, ERROR_USAGE, "malformed path in the list of changes");
	if (str_starts(slash + 1, MARK))	/* a layer could not tell it from a whiteout */
		return 0;
	return kind == 'D' ? add_whiteout(l, path + 1, err) : add_entry(l, path + 1, err);
}

static int add_records(struct layer *l, const char *text, size_t size, struct error *err)
{
	const char *end = text + size;

	while (text < end) {
		size_t n = strnlen(text, (size_t)(end - text));

		if (n < 2 || text + n == end)
			return error_set(err, ERROR_USAGE, "malformed list of changes");
		if (add_record(l, text[0], text + 1, err) < 0)
			return -1;
		text += n + 1;
	}
	return 0;
}

static int add_listed(struct layer *l, int list, struct error *err)
{
	_cleanup_buffer_ struct buffer records = BUFFER(RECORDS_MAX);

	if (lseek(list, 0, SEEK_SET) < 0 || fd_read_buffer(list, &records) < 0)
		return error_errno(err, "read the list of changes");
	return add_records(l, records.data, records.size, err);
}

/* --- layer */

/* The user waits for a commit, and a push can compress anew: the quickest level is the usual one. */
static int write_layer(struct work *w, const struct transfer_request *r, struct layer *l, struct error *err)
{
	const int64_t quick = 1;

	l->packer.ids = r;
	l->packer.plain = true;
	l->deflate = deflate_open(LAYER_GZIP, r->level ? r->level : &quick, keep_packed, l, err);
	if (!l->deflate || packer_open(&l->packer, take_plain, l, err) < 0 ||
	    add_listed(l, w->channel->fds[1], err) < 0 || packer_finish(&l->packer, err) < 0 ||
	    deflate_add(l->deflate, NULL, 0, true, err) < 0)
		return -1;
	return sink_keep(&l->sink, NULL, -1, err);
}

static void describe(struct work *w, struct layer *l, const char *diff_id, bool docker, struct transfer_event *ret)
{
	struct image_descriptor *d = ARRAY_ADD(w->arena, &ret->manifests);

	d->media_type = arena_strdup(w->arena, load_layer_type(INFLATE_GZIP, docker));
	d->digest = arena_strdup(w->arena, l->sink.digest);
	d->size = (int64_t)l->sink.size;
	ARRAY_ADD(w->arena, &ret->unpacked)->diff_id = arena_strdup(w->arena, diff_id);
}

int op_layer(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct layer *l = arena_new_one(w->arena, struct layer);
	char diff_id[DIGEST_TEXT_MAX];
	int result;

	l->root = w->channel->fds[0];
	l->parent = -1;
	if (sink_open(&l->sink, &w->places, err) < 0)
		return -1;
	result = hash_init(&l->plain, NULL, err);
	if (result == 0)
		result = write_layer(w, r, l, err);
	if (result == 0) {
		hash_final(&l->plain, diff_id);
		describe(w, l, diff_id, str_eq(r->format, "docker"), ret);
	}
	hash_done(&l->plain);
	packer_done(&l->packer);
	deflate_close(l->deflate);
	sink_done(&l->sink);
	fd_close(&l->parent);
	free(l->parent_path);
	return result;
}

/* --- compose */

int op_compose(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err)
{
	struct json *layers = json_new_list(w->arena);
	struct transfer_image image = { 0 };
	bool docker = str_eq(r->format, "docker");

	if (str_is_empty(r->document))
		return error_set(err, ERROR_USAGE, "an image needs a configuration");
	for (size_t i = 0; i < r->layers.n; i++) {
		const struct transfer_layer *l = &r->layers.v[i];
		const char *type = docker ? image_media_type_docker(l->media_type) : image_media_type_oci(l->media_type);

		if (!l->digest)
			return error_set(err, ERROR_USAGE, "a layer of the image has no blob");
		json_append(w->arena, layers, load_descriptor(w->arena, type, l->digest, l->size));
	}
	if (load_made(w, r->document, strlen(r->document), layers, docker, &image, err) < 0)
		return -1;
	*ARRAY_ADD(w->arena, &ret->images) = image;
	return 0;
}
