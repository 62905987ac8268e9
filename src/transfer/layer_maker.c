#include "transfer/layer_maker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "sys/fd.h"

#define INDEX_MAX ((size_t)1 << 30)

int layer_maker_init(struct layer_maker *m, const struct places *places, const struct tree_options *options,
		     struct error *err)
{
	if (places->objects < 0)
		return error_set(err, ERROR_USAGE, "the store has no directory for objects");
	umask(0);
	if (objects_init(&m->objects, places->objects, err) < 0)
		return -1;
	m->tree = layer_tree_new(options, LAYER_TREE_MEMORY, err);
	if (m->tree)
		return 0;
	objects_done(&m->objects);
	return -1;
}

static int write_index(int stage, const struct buffer *index, struct error *err)
{
	_cleanup_fd_ int fd = openat(stage, "index", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, index->data, index->size) < 0)
		return error_errno(err, "write the layer's index");
	return 0;
}

int layer_maker_finish(struct layer_maker *m, int stage, struct error *err)
{
	struct layer_index_writer w;
	int r;

	layer_index_begin(&w, INDEX_MAX);
	r = layer_tree_write(m->tree, &w, err);
	if (r == 0)
		r = layer_index_end(&w, err);
	if (r == 0)
		r = write_index(stage, &w.out, err);
	layer_index_writer_done(&w);
	return r;
}

void layer_maker_done(struct layer_maker *m)
{
	layer_tree_free(m->tree);
	objects_done(&m->objects);
}
