/* transfer/upload - blobs to a registry, several at a time, each only when it is not there yet
 *
 * A blob is asked for first; then the registry is asked to take it from another of its repositories; then it is sent,
 * in one piece unless the registry wants smaller ones. After a cut the upload goes on from where the registry says it
 * is, or begins again where it has forgotten it. A cut, 408, 429 and 5xx are tried again after a pause; what an address
 * or a range means is decided by transfer/url and spec/upload, which believe nothing. */
#ifndef BRYO_TRANSFER_UPLOAD_H
#define BRYO_TRANSFER_UPLOAD_H

#include "transfer/errand.h"

#define UPLOAD_PARALLEL 6

struct upload;
struct upload_blob;

/* What is to be at the registry. fd: the bytes, -1 when they are not here; stays the caller's. */
struct upload_request {
	const char *digest;
	int64_t size;
	int fd;
	const struct strings *from;		/* repositories of the same registry that may have it; NULL */
	struct progress *progress;
};

struct upload *upload_open(struct work *w, const struct transfer_request *r, struct error *err);
void upload_close(struct upload *u);
/* Begins a blob; the answer belongs to the upload. */
struct upload_blob *upload_add(struct upload *u, const struct upload_request *r);
size_t upload_running(const struct upload *u);
/* To be moved on. */
struct errands *upload_errands(struct upload *u);

enum upload_result { UPLOAD_FAILED = -1, UPLOAD_UNDER_WAY, UPLOAD_DONE, UPLOAD_MISSING /* neither there nor here */ };
/* After anything but UNDER_WAY the blob must not be used any more. */
enum upload_result upload_result(const struct upload_blob *b, struct error *err);

#endif
