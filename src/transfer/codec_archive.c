/* xz and bzip2, which archives given to `load` and `import` may have, by libarchive's filters over a raw stream. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

#include "transfer/codec.h"

struct filter {
	struct archive *archive;
	struct inflate *in;		/* of the call that runs */
	struct error *err;
	bool begun;
};

static void filter_close(void *state)
{
	struct filter *f = state;

	archive_read_free(f->archive);
	free(f);
}

static void *filter_open(void)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->archive = archive_read_new();
	if (!f->archive || archive_read_support_filter_xz(f->archive) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(f->archive) != ARCHIVE_OK ||
	    archive_read_support_format_raw(f->archive) != ARCHIVE_OK) {
		filter_close(f);
		errno = EOPNOTSUPP;
		return NULL;
	}
	return f;
}

static la_ssize_t give_packed(struct archive *archive, void *context, const void **ret)
{
	struct filter *f = context;
	size_t n;
	int more = codec_fill(f->in, f->err);

	if (more <= 0)
		return more;
	*ret = f->in->next;
	n = f->in->left;
	codec_eat(f->in, n);
	return (la_ssize_t)n;
}

static int filter_failed(struct filter *f, struct error *err)
{
	const char *text = archive_error_string(f->archive);

	if (err && err->kind)
		return -1;
	return error_set(err, ERROR_INVALID, "%s", text ? text : "the packed data is damaged");
}

static ssize_t filter_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct filter *f = state;
	struct archive_entry *entry;
	la_ssize_t got;

	f->in = in;
	f->err = err;
	if (!f->begun) {
		if (archive_read_open(f->archive, f, NULL, give_packed, NULL) != ARCHIVE_OK ||
		    archive_read_next_header(f->archive, &entry) != ARCHIVE_OK)
			return filter_failed(f, err);
		f->begun = true;
	}
	got = archive_read_data(f->archive, p, n);
	return got < 0 ? filter_failed(f, err) : (ssize_t)got;
}

const struct codec codec_archive = { .name = "filter", .open = filter_open, .read = filter_read, .close = filter_close };
