#include "engine/last.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "sys/fd.h"

#define LAST_MAX ((size_t)4 << 20)
#define NAME "last-failed"

JSON_SHAPE(last_run,
	JSON_FIELD(last_run, words, "words", T_STRINGS, .required = true),
	JSON_FIELD(last_run, cwd, "cwd", T_STRING, .required = true),
	JSON_FIELD(last_run, exit_code, "exitCode", T_INT),
	JSON_FIELD(last_run, time, "time", T_INT));

void last_write(struct engine *e, const struct last_run *run)
{
	const char *text = json_print(e->arena, json_encode(e->arena, &last_run_shape, run), 0);
	char stage[64];
	int fd;

	snprintf(stage, sizeof(stage), NAME ".%d", getpid());
	fd = openat(e->run_fd, stage, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (fd_write_all(fd, text, strlen(text)) < 0 || renameat(e->run_fd, stage, e->run_fd, NAME) < 0)
		unlinkat(e->run_fd, stage, 0);
	close(fd);
}

int last_read(struct engine *e, struct last_run *ret, struct error *err)
{
	size_t n;
	char *text = fd_read_file(e->arena, e->run_fd, NAME, LAST_MAX, &n);

	*ret = (struct last_run){ 0 };
	if (!text && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "no run failed since you logged in");
	if (!text)
		return error_errno(err, "read %s/" NAME, e->run_path);
	return json_decode(e->arena, &last_run_shape, ret, text, n, NAME, err);
}
