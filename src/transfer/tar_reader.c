#include "transfer/tar_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 17 };

/* consumed: up to there the bytes before were parsed. */
static ssize_t next_block(struct tar_reader *r, int64_t consumed, const void **ret, struct error *err)
{
	ssize_t n;

	if (r->recipe)
		recipe_maker_turn(r->recipe, consumed);
	n = inflate_next(r->in, r->block, BLOCK, ret, err);
	if (n > 0 && r->hash)
		hash_add(r->hash, *ret, (size_t)n);
	if (n > 0 && r->recipe)
		recipe_maker_block(r->recipe, *ret, (size_t)n);
	return n;
}

static la_ssize_t give_plain(struct archive *archive, void *context, const void **ret)
{
	struct tar_reader *r = context;
	ssize_t n = next_block(r, archive_filter_bytes(archive, 0), ret, &r->error);

	if (n < 0)
		archive_set_error(archive, EIO, "%s", r->error.text);
	return n;
}

static int failed(struct tar_reader *r, struct error *err)
{
	const char *text = archive_error_string(r->archive);

	if (r->error.kind) {
		if (err)
			*err = r->error;
		return -1;
	}
	return error_set(err, ERROR_INVALID, "tar: %s", text ? text : "the archive is damaged");
}

int tar_reader_open(struct tar_reader *r, struct inflate *in, struct hash *hash, struct recipe_maker *recipe,
		    struct error *err)
{
	memset(r, 0, sizeof(*r));
	r->in = in;
	r->hash = hash;
	r->recipe = recipe;
	r->block = malloc(BLOCK);
	r->archive = archive_read_new();
	if (!r->block || !r->archive || archive_read_support_format_tar(r->archive) != ARCHIVE_OK ||
	    archive_read_support_format_empty(r->archive) != ARCHIVE_OK) {
		tar_reader_close(r);
		errno = ENOMEM;
		return error_errno(err, "start the tar reader");
	}
	if (archive_read_open(r->archive, r, NULL, give_plain, NULL) != ARCHIVE_OK) {
		failed(r, err);
		tar_reader_close(r);
		return -1;
	}
	return 0;
}

/* A name that is no UTF-8 gives a warning: its bytes are there all the same. Any other warning is about a header that is
 * malformed and would be passed over, as damaged blocks would (ARCHIVE_RETRY), by this reader but not by every other. */
static bool is_about_names(const struct tar_reader *r)
{
	const char *text = archive_error_string(r->archive);

	return text && strstr(text, "converted");
}

int tar_reader_next(struct tar_reader *r, struct archive_entry **ret, struct error *err)
{
	int code = archive_read_next_header(r->archive, ret);

	if (code == ARCHIVE_EOF)
		return 0;
	if (code == ARCHIVE_OK || (code == ARCHIVE_WARN && is_about_names(r)))
		return 1;
	return failed(r, err);
}

int tar_reader_data(struct tar_reader *r, const void **ret, size_t *ret_size, int64_t *ret_offset, struct error *err)
{
	int code = archive_read_data_block(r->archive, ret, ret_size, ret_offset);

	if (code == ARCHIVE_EOF)
		return 0;
	return code == ARCHIVE_OK || code == ARCHIVE_WARN ? 1 : failed(r, err);
}

/* What libarchive gives of the data it counts when it is asked for more. */
int64_t tar_reader_position(const struct tar_reader *r)
{
	return archive_filter_bytes(r->archive, 0);
}

int tar_reader_drain(struct tar_reader *r, struct error *err)
{
	const void *p;
	ssize_t n;

	while ((n = next_block(r, INT64_MAX, &p, err)) > 0)
		;
	return n < 0 ? -1 : 0;
}

void tar_reader_close(struct tar_reader *r)
{
	if (r->archive)
		archive_read_free(r->archive);
	r->archive = NULL;
	free(r->block);
	r->block = NULL;
}
