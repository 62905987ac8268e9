/* `import` of an address: bryo-transfer fetches the archive into a stage of the store, then it is a file like any other. */
#include <errno.h>
#include <fcntl.h>

#include "engine/image.h"
#include "engine/transfer.h"
#include "sys/fd.h"

bool image_import_is_url(const char *path)
{
	return str_starts(path, "https://") || str_starts(path, "http://");
}

/* "example.org:8080" of "https://example.org:8080/a.tar" */
static char *server_of(struct engine *e, const char *url, struct error *err)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, "/?#");

	if (n && !memchr(host, '@', n))
		return arena_strndup(e->arena, host, n);
	error_set(err, ERROR_USAGE, n ? "an address with a user name in it is not fetched" : "the address names no server");
	return NULL;
}

static int fetch(struct engine *e, const char *url, int fd, struct error *err)
{
	struct transfer_source source = { .insecure = str_starts(url, "http://") };
	struct transfer_request request = { .op = "download", .source = &source, .reference = (char *)(uintptr_t)url };
	struct transfer_event result;
	int code;

	source.host = server_of(e, url, err);
	if (!source.host)
		return -1;
	code = transfer_ask(e, &request, &fd, 1, &result, err);
	if (code == 0 && lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "read what was downloaded");
	return code;
}

int image_import_url(struct engine *e, const char *url, const struct import_request *r, char **ret_id, struct error *err)
{
	_cleanup_fd_ int fd = -1;
	char *stage;
	int lock, result = -1;

	if (engine_open(e, err) < 0)
		return -1;
	lock = store_stage(e->arena, &e->store, &stage, err);
	if (lock < 0)
		return -1;
	fd = openat(e->store.tmp_fd, arena_printf(e->arena, "%s/archive", stage), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		error_errno(err, "make a file for the archive");
	else if (fetch(e, url, fd, err) == 0)
		result = image_import(e, fd, r, ret_id, err);
	store_stage_done(&e->store, stage, &lock);
	return result;
}
