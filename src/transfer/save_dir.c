/* A directory of one image as skopeo's dir: manifest.json as it is, everything else by the hex digits of its digest. A
 * directory that has an image of this kind already gets the new one in its place. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "transfer/save.h"

#define VERSION "Directory Transport Version: 1.1\n"

static bool is_ours(const char *name)
{
	return strcmp(name, "version") == 0 || strcmp(name, "manifest.json") == 0 || str_starts(name, ".bryo-") ||
	       (strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64) || str_starts(name, "signature-");
}

/* Removes what an image that was here before left; with `check`, only looks whether it is that and nothing else. */
static int walk(struct save *s, bool check, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->out.dir, ".");
	struct dirent *d;

	if (!dir)
		return error_errno(err, "read the directory");
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (check && !is_ours(d->d_name))
			return error_set(err, ERROR_EXISTS, "the directory has something else in it: %.100s",
					 str_printable(s->work->arena, d->d_name, 100));
		if (!check && is_ours(d->d_name) && !bundle_writer_has(&s->out, d->d_name) &&
		    unlinkat(s->out.dir, d->d_name, 0) < 0 && errno != ENOENT)
			return error_errno(err, "remove %.100s", d->d_name);
	}
	return 0;
}

int save_dir(struct save *s, const bool *docker, struct error *err)
{
	struct save_image *image = s->images.v;

	if (s->images.n != 1)
		return error_set(err, ERROR_USAGE, "a directory of this form has one image");
	if (s->out.dir < 0)
		return error_set(err, ERROR_USAGE, "this form needs a directory");
	if (walk(s, true, err) < 0 || save_repack(s, docker && *docker, err) < 0)
		return -1;
	if (unlinkat(s->out.dir, "manifest.json", 0) < 0 && errno != ENOENT)
		return error_errno(err, "remove the manifest that is there");
	if (bundle_writer_add(&s->out, "version", VERSION, strlen(VERSION), err) < 0)
		return -1;
	for (size_t i = 0; i < image->m.layers.n; i++)
		if (save_blob(s, digest_hex(image->m.layers.v[i].digest), &image->m.layers.v[i], err) < 0)
			return -1;
	if (bundle_writer_add(&s->out, digest_hex(image->m.config.digest), image->config, image->config_size, err) < 0 ||
	    !save_manifest(s, image, docker ? *docker : save_is_docker(image), "manifest.json", err))
		return -1;
	return walk(s, false, err);
}
