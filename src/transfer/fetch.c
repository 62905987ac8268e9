#include "transfer/fetch.h"
struct fetch *fetch_open(struct work *w, const struct transfer_request *r, struct error *err){ error_set(err, ERROR_UNSUPPORTED, "no registry client"); return NULL; }
void fetch_close(struct fetch *f){}
struct fetch_blob *fetch_add(struct fetch *f, const char *digest, int64_t size, struct progress *progress,
			     struct error *err){return NULL;}
size_t fetch_running(const struct fetch *f){return 0;}
int fetch_wait(struct fetch *f, struct pollfd *fds, size_t n, struct error *err){return 0;}
int fetch_result(struct fetch_blob *b, struct error *err){return 0;}
