/* The operation `download`: a file from a web server into a descriptor, for `import`. Redirects are followed as for registries:
 * from https there is no way back to http. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/exchange.h"

struct download {
	struct exchange x;
	struct progress progress;
	struct error error;		/* of the writing */
	int fd;
	int64_t done;
};

static void begin(void *context)
{
	struct download *d = context;

	d->progress.total = d->x.content_length > 0 ? d->x.content_length : 0;
}

static int take(void *context, const char *p, size_t n)
{
	struct download *d = context;

	if (fd_write_all(d->fd, p, n) < 0)
		return error_errno(&d->error, "write what was downloaded");
	d->done += (int64_t)n;
	progress_note(&d->progress, "Downloading", d->done);
	return 0;
}

static int failed(const struct download *d, const char *url, struct error *err)
{
	if (d->error.kind) {
		if (err)
			*err = d->error;
		return -1;
	}
	exchange_failure(&d->x, url, err);
	if (err)
		err->hint[0] = '\0';		/* it would say: log in */
	return -1;
}

static bool is_short(const struct download *d)
{
	return d->x.content_length >= 0 && d->done != d->x.content_length;
}

/* 1: once more. */
static int get_once(struct download *d, struct registry *r, const char *url, int tries, struct error *err)
{
	struct progress *p = &d->progress;
	int result = 0;

	exchange_init(&d->x, r);
	d->x.address = url;
	d->x.renewals = EXCHANGE_RENEWALS_MAX;			/* nothing is asked for by the way of registries */
	d->x.begin = begin;
	d->x.take = take;
	d->x.context = d;
	d->done = 0;
	if (ftruncate(d->fd, 0) < 0 || lseek(d->fd, 0, SEEK_SET) < 0)
		result = error_errno(err, "write what was downloaded");
	else if (exchange_run(&d->x) < 0 || d->x.status != 200)
		result = !d->error.kind && exchange_pause(&d->x, tries) ? 1 : failed(d, url, err);
	else if (is_short(d))
		result = error_set(err, ERROR_NETWORK, "%s: %lld of %lld bytes came", url, (long long)d->done,
				   (long long)d->x.content_length);
	else
		progress_note(p, "Download complete", d->done);
	exchange_done(&d->x);
	return result;
}

int op_download(struct work *w, const struct transfer_request *request, struct transfer_event *ret, struct error *err)
{
	struct registry *r = registry_open(w, request, err);
	struct download *d = arena_new_one(w->arena, struct download);
	const char *url = request->reference;
	int result, tries = 1;

	if (!r)
		return -1;
	if (!url || (!str_starts(url, "https://") && !str_starts(url, "http://")))
		return error_set(err, ERROR_USAGE, "the request for a download names no address");
	d->fd = w->channel->fds[0];
	d->progress.channel = w->channel;
	snprintf(d->progress.id, sizeof(d->progress.id), "archive");
	while ((result = get_once(d, r, url, tries, err)) > 0)
		tries++;
	return result;
}
