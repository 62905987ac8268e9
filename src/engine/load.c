/* `load` and `import`: images out of files. Nothing here reaches the network. */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/image.h"
#include "engine/take.h"
#include "engine/trust.h"
#include "spec/reference.h"
#include "sys/fd.h"

/* A full name for what an archive calls an image: short ones are Docker's in a docker-archive ("busybox:1"), local ones
 * in an OCI layout, which may give no more than a tag. NULL when it is no name. */
static char *full_name(struct engine *e, const char *text, bool docker)
{
	struct reference r;

	if (reference_parse(e->arena, text, &r, NULL) < 0)
		return NULL;
	if (r.registry)
		return reference_print(e->arena, &r);
	text = arena_printf(e->arena, "%s/%s", docker ? "docker.io" : "localhost", text);
	return reference_parse(e->arena, text, &r, NULL) < 0 ? NULL : reference_print(e->arena, &r);
}

static void take_names(struct engine *e, const struct transfer_image *found, struct strings *ret)
{
	bool docker = str_starts(found->manifest_media_type, "application/vnd.docker.");

	for (size_t i = 0; i < found->names.n; i++) {
		char *name = full_name(e, found->names.v[i], docker);

		if (name)
			strings_add(e->arena, ret, name);
		else
			engine_warn(e, "the archive calls an image \"%.200s\", which is no image name", found->names.v[i]);
	}
}

static int take_loaded(struct engine *e, struct transfer *t, const struct transfer_image *found, const char *event,
		       struct images *ret, struct error *err)
{
	struct take take = { .event = event };
	struct image image;

	take_names(e, found, &take.names);
	if (image_take(e, t, &take, found, &image, err) < 0)
		return error_frame(err, "%.200s", found->names.n ? found->names.v[0] : found->id);
	*ARRAY_ADD(e->arena, ret) = image;
	return 0;
}

/* The transport that it came by, in the words of policies. */
static const char *transport_of(int input, const struct transfer_image *found)
{
	struct stat st;

	if (fstat(input, &st) == 0 && S_ISDIR(st.st_mode))
		return faccessat(input, "oci-layout", F_OK, 0) == 0 ? "oci" : "dir";
	return str_starts(found->manifest_media_type, "application/vnd.docker.") ? "docker-archive" : "oci-archive";
}

/* NULL: it came through a pipe, or has no name any more. */
static char *path_of(struct engine *e, int input)
{
	char link[32], path[PATH_MAX];
	ssize_t n = readlink(fd_path(input, link), path, sizeof(path));

	return n > 0 && (size_t)n < sizeof(path) && *path == '/' ? arena_strndup(e->arena, path, (size_t)n) : NULL;
}

static int check_trust(struct engine *e, int input, const struct transfer_event *found, struct error *err)
{
	for (size_t i = 0; i < found->images.n; i++)
		if (trust_check_file(e, transport_of(input, &found->images.v[i]), path_of(e, input), err) < 0)
			return -1;
	return 0;
}

static int load_with(struct engine *e, struct transfer *t, int input, const struct load_choice *choice,
		     struct images *ret, struct error *err)
{
	int64_t place = choice->place;
	struct transfer_request request = { .op = "load", .place = place >= 0 ? &place : NULL,
					    .reference = choice->name, .platform = choice->platform };
	struct transfer_event result;

	if (transfer_call(e, t, &request, &input, 1, &result, err) < 0 || check_trust(e, input, &result, err) < 0)
		return -1;
	for (size_t i = 0; i < result.images.n; i++)
		if (take_loaded(e, t, &result.images.v[i], choice->event, ret, err) < 0)
			return -1;
	return 0;
}

int image_load_chosen(struct engine *e, int input, const struct load_choice *choice, struct images *ret,
		      struct error *err)
{
	struct store_claim claim;
	struct transfer t;
	int r;

	*ret = (struct images){ 0 };
	if (engine_open(e, err) < 0 || store_claim(&e->store, &claim, err) < 0)
		return -1;
	r = transfer_open(e, &t, err);
	if (r == 0) {
		r = load_with(e, &t, input, choice, ret, err);
		transfer_close(&t);
	}
	store_claim_done(&e->store, &claim);
	for (size_t i = 0; i < ret->n; i++)
		image_take_done(e, &ret->v[i]);
	if (r < 0)
		image_take_failed(e, err);
	return r;
}

int image_load(struct engine *e, int input, const struct load_choice *choice, struct strings *ret_loaded,
	       struct error *err)
{
	struct images loaded;
	int r = image_load_chosen(e, input, choice, &loaded, err);

	for (size_t i = 0; i < loaded.n; i++) {
		const struct image *image = &loaded.v[i];

		if (image->names.n)
			strings_add_all(e->arena, ret_loaded, &image->names);
		else
			strings_addf(e->arena, ret_loaded, "sha256:%s", image->id);
	}
	return r;
}
