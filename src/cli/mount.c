/* cli/mount - files of containers, images and volumes where one can look at them: mount, unmount */
#include <stdio.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/selection.h"
#include "engine/show.h"
#include "engine/volume_use.h"
#include "store/image_files.h"

struct mount_request { char *format; bool all, latest, no_trunc, force; };

/* A mount is of use to those only who are in the rootless namespace already: the command must not be the one to join
 * it. */
static struct engine *open_inside(struct cli *cli, const struct args *args, struct error *err)
{
	struct stat before, after;
	struct engine *e;

	if (stat("/proc/self/ns/mnt", &before) < 0) {
		error_errno(err, "look at the mount namespace");
		return NULL;
	}
	e = cli_engine(cli, err);
	if (!e)
		return NULL;
	if (stat("/proc/self/ns/mnt", &after) == 0 && before.st_ino == after.st_ino)
		return e;
	error_set(err, ERROR_DENIED, "cannot run command \"bryo %s\" in rootless mode, must execute `bryo unshare` first", args->path);
	error_fix(err, "bryo unshare sh -c 'ls $(bryo %s NAME)'", args->path);
	return NULL;
}

static int check_format(const struct mount_request *r, struct error *err)
{
	if (!r->format || strcmp(r->format, "json") == 0)
		return 0;
	return error_set(err, ERROR_USAGE, "unknown --format argument: \"%s\"", r->format);
}

/* One path alone, or lines of names and paths. */
static int print_rows(struct cli *cli, const struct mount_request *r, const struct json *rows, struct json *views, bool one,
		      struct error *err)
{
	const struct listing listing = { .format = r->format, .table = "{{.Name}}\t{{.mountpoint}}", .no_heading = true };

	if (one && !r->format) {
		puts(json_get_string(rows->list.v[0], "mountpoint"));
		return 0;
	}
	return rows->list.n || r->format ? output_listing(cli, &listing, rows, views, err) : 0;
}

static void add_view(struct cli *cli, struct json *views, const struct json *row, const char *name)
{
	struct json *view = view_of(cli->arena, row);

	json_set(cli->arena, view, "Name", json_new_string(cli->arena, name));
	json_append(cli->arena, views, view);
}

/* --- containers */

static int mount_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	struct json *rows = context;
	char *path;

	if (show_container(&cli->engine, c, &path, err) < 0)
		return -1;
	json_append(cli->arena, rows, show_container_row(&cli->engine, c, path));
	return 0;
}

static int print_containers(struct cli *cli, const struct mount_request *r, const struct json *rows, bool one, struct error *err)
{
	struct json *views = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++)
		add_view(cli, views, rows->list.v[i],
			 view_short_id(cli->arena, json_get_string(rows->list.v[i], "id"), r->no_trunc));
	return print_rows(cli, r, rows, views, one, err);
}

static int run_mount(struct cli *cli, const struct args *args, struct error *err)
{
	const struct mount_request *r = args->request;
	const struct selection select = { .all = r->all, .latest = r->latest };
	struct json *rows = json_new_list(cli->arena);
	size_t n = args->operands.n + r->latest;
	int code = 0;

	if (check_format(r, err) < 0 || !open_inside(cli, args, err))
		return -1;
	if (n == 0 && !r->all)
		code = show_containers(&cli->engine, &rows, err);
	else
		code = selection_run(cli, &select, 0, mount_one, rows, err);
	if (code < 0 || print_containers(cli, r, rows, n == 1 && rows->list.n == 1, err) < 0)
		return -1;
	return code;
}

static int unmount_one(struct cli *cli, struct container *c, const char *given, void *context, struct error *err)
{
	if (show_container_end(&cli->engine, c, err) < 0)
		return -1;
	puts(given);
	return 0;
}

/* With --all only what is mounted. */
static int run_unmount(struct cli *cli, const struct args *args, struct error *err)
{
	const struct mount_request *r = args->request;
	const struct selection select = { .latest = r->latest };
	struct json *rows;
	int code = 0;

	if (r->all && args->operands.n)
		return error_set(err, ERROR_USAGE, "no arguments are needed with --all");
	if (!open_inside(cli, args, err))
		return -1;
	if (!r->all)
		return selection_run(cli, &select, 0, unmount_one, NULL, err);
	if (show_containers(&cli->engine, &rows, err) < 0)
		return -1;
	for (size_t i = 0; i < rows->list.n; i++) {
		const char *id = json_get_string(rows->list.v[i], "id");
		struct error failure = { 0 };
		struct container c;

		if (container_load(&cli->engine, id, &c, &failure) < 0 || unmount_one(cli, &c, id, NULL, &failure) < 0)
			cli_failed(cli, &code, &failure);
	}
	return code;
}

static const struct option mount_options[] = {
	OPT_FLAG('a', "all", mount_request, all, "All containers"),
	OPT_STRING(0, "format", mount_request, format, "FORMAT", "json instead of lines", .words = "json"),
	OPT_FLAG(0, "no-trunc", mount_request, no_trunc, "Whole IDs"),
	OPT_ALIAS(0, "notruncate", "no-trunc"),
	OPT_LATEST(mount_request, latest),
	OPT_END
};

static const struct option unmount_options[] = {
	OPT_FLAG('a', "all", mount_request, all, "All that are mounted"),
	OPT_FLAG('f', "force", mount_request, force, "Even when it was mounted more than once"),
	OPT_LATEST(mount_request, latest),
	OPT_END
};

static const struct command_example mount_examples[] = {
	{ "bryo unshare sh -c 'ls $(bryo mount web)'", NULL },
	{ "bryo unshare bryo mount", "what is mounted" },
	{ NULL, NULL }
};

const struct command mount_command = {
	.names = "mount|container mount",
	.synopsis = "[options] [CONTAINER...]",
	.summary = "Mount the file tree of a container, running or not",
	.description = "Prints where. What is changed there is changed in the container. It must be called in `bryo unshare`, where the "
		       "mount can be seen; it stays until it is unmounted. Without CONTAINER it lists what is mounted.",
	.examples = mount_examples,
	.options = { mount_options },
	.request_size = sizeof(struct mount_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_mount,
};

const struct command unmount_command = {
	.names = "unmount|umount|container unmount|container umount",
	.synopsis = "[options] CONTAINER [CONTAINER...]",
	.summary = "Unmount the file tree of a container",
	.options = { unmount_options },
	.request_size = sizeof(struct mount_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_CONTAINERS, .complete_rest = COMPLETE_CONTAINERS,
	.topic = TOPIC_CONTAINERS,
	.run = run_unmount,
};

/* --- images */

static int find_images(struct cli *cli, const struct strings *names, bool all, struct images *ret, int *code, struct error *err)
{
	if (all)
		return image_list(cli->arena, &cli->engine.store, ret, err);
	*ret = (struct images){ 0 };
	for (size_t i = 0; i < names->n; i++) {
		struct error failure = { 0 };
		struct image image;

		if (image_find(cli->arena, &cli->engine.store, names->v[i], &image, NULL, &failure) < 0)
			cli_failed(cli, code, &failure);
		else
			*ARRAY_ADD(cli->arena, ret) = image;
	}
	return 0;
}

static int print_images(struct cli *cli, const struct mount_request *r, const struct json *rows, bool one, struct error *err)
{
	struct json *views = json_new_list(cli->arena);

	for (size_t i = 0; i < rows->list.n; i++) {
		const struct json *row = rows->list.v[i], *names = json_get(row, "Repositories");

		for (size_t j = 0; j < names->list.n; j++)
			add_view(cli, views, row, names->list.v[j]->string);
		if (names->list.n == 0)
			add_view(cli, views, row, json_get_string(row, "id"));
	}
	return print_rows(cli, r, rows, views, one, err);
}

static int mount_images(struct cli *cli, const struct images *images, struct json *rows)
{
	int code = 0;

	for (size_t i = 0; i < images->n; i++) {
		struct error failure = { 0 };
		char *path;

		if (show_image(&cli->engine, &images->v[i], &path, &failure) < 0)
			cli_failed(cli, &code, &failure);
		else
			json_append(cli->arena, rows, show_image_row(&cli->engine, &images->v[i], path));
	}
	return code;
}

static int run_image_mount(struct cli *cli, const struct args *args, struct error *err)
{
	const struct mount_request *r = args->request;
	const struct strings *names = &args->operands;
	struct json *rows = json_new_list(cli->arena);
	struct images images = { 0 };
	int code = 0, failed;

	if (r->all && names->n)
		return error_set(err, ERROR_USAGE, "when using the --all switch, you may not pass any image names or IDs");
	if (check_format(r, err) < 0 || !open_inside(cli, args, err))
		return -1;
	if (!r->all && !names->n)
		return show_images(&cli->engine, &rows, err) < 0 ? -1 : print_images(cli, r, rows, false, err);
	if (find_images(cli, names, r->all, &images, &code, err) < 0)
		return -1;
	failed = mount_images(cli, &images, rows);
	if (print_images(cli, r, rows, !r->all && names->n == 1 && rows->list.n == 1, err) < 0)
		return -1;
	return failed > code ? failed : code;
}

static int run_image_unmount(struct cli *cli, const struct args *args, struct error *err)
{
	const struct mount_request *r = args->request;
	struct images images = { 0 };
	int code = 0;

	if (r->all && args->operands.n)
		return error_set(err, ERROR_USAGE, "when using the --all switch, you may not pass any image names or IDs");
	if (!r->all && !args->operands.n)
		return error_set(err, ERROR_USAGE, "image name or ID must be specified");
	if (!open_inside(cli, args, err) || find_images(cli, &args->operands, r->all, &images, &code, err) < 0)
		return -1;
	for (size_t i = 0; i < images.n; i++) {
		struct error failure = { 0 };

		if (r->all && !image_files_mounted(cli->arena, &cli->engine.store, images.v[i].id))
			continue;
		if (show_image_end(&cli->engine, &images.v[i], &failure) < 0)
			cli_failed(cli, &code, &failure);
		else
			puts(images.v[i].id);
	}
	return code;
}

static const struct option image_mount_options[] = {
	OPT_FLAG('a', "all", mount_request, all, "All images"),
	OPT_STRING(0, "format", mount_request, format, "FORMAT", "json instead of lines", .words = "json"),
	OPT_END
};

static const struct option image_unmount_options[] = {
	OPT_FLAG('a', "all", mount_request, all, "All that are mounted"),
	OPT_FLAG('f', "force", mount_request, force, "Even when it was mounted more than once"),
	OPT_END
};

static const struct command_example image_mount_examples[] = {
	{ "bryo unshare sh -c 'cat $(bryo image mount alpine)/etc/os-release'", NULL },
	{ NULL, NULL }
};

const struct command image_mount_command = {
	.names = "image mount",
	.synopsis = "[options] [IMAGE...]",
	.summary = "Mount an image's files, read-only",
	.description = "Prints where. It must be called in `bryo unshare`, where the mount can be seen; it stays until it is unmounted. "
		       "Without IMAGE it lists what is mounted.",
	.examples = image_mount_examples,
	.options = { image_mount_options },
	.request_size = sizeof(struct mount_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_image_mount,
};

const struct command image_unmount_command = {
	.names = "image unmount|image umount",
	.synopsis = "[options] IMAGE [IMAGE...]",
	.summary = "Unmount an image's files",
	.options = { image_unmount_options },
	.request_size = sizeof(struct mount_request),
	.operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.run = run_image_unmount,
};

/* --- volumes: directories that are always there, but for those in memory */

static int mount_volume(struct cli *cli, const char *name, struct error *err)
{
	const struct volume_place nowhere = { .root_fd = -1 };
	struct volume v;

	if (volume_use(&cli->engine, name, &nowhere, &v, err) < 0)
		return -1;
	puts(v.mountpoint);
	return 0;
}

static int unmount_volume(struct cli *cli, const char *name, struct error *err)
{
	struct volume v;

	if (volume_read(cli->arena, &cli->engine.store, name, &v, err) < 0 || volume_use_unmount(&cli->engine, &v, err) < 0)
		return -1;
	puts(v.name);
	return 0;
}

static int each_volume(struct cli *cli, const struct args *args, bool mount, struct error *err)
{
	int code = 0;

	if (!open_inside(cli, args, err))
		return -1;
	for (size_t i = 0; i < args->operands.n; i++) {
		struct error failure = { 0 };

		if ((mount ? mount_volume : unmount_volume)(cli, args->operands.v[i], &failure) < 0)
			cli_failed(cli, &code, &failure);
	}
	return code;
}

static int run_volume_mount(struct cli *cli, const struct args *args, struct error *err)
{
	return each_volume(cli, args, true, err);
}

static int run_volume_unmount(struct cli *cli, const struct args *args, struct error *err)
{
	return each_volume(cli, args, false, err);
}

const struct command volume_mount_command = {
	.names = "volume mount",
	.synopsis = "VOLUME [VOLUME...]",
	.summary = "Print where a volume's files are",
	.description = "Most volumes are directories and need no mount; one of type tmpfs is mounted, and stays so until the last "
		       "container that has it ends. It must be called in `bryo unshare`, where the files belong to the caller.",
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_VOLUMES, .complete_rest = COMPLETE_VOLUMES,
	.run = run_volume_mount,
};

const struct command volume_unmount_command = {
	.names = "volume unmount",
	.synopsis = "VOLUME [VOLUME...]",
	.summary = "The reverse of volume mount",
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_VOLUMES, .complete_rest = COMPLETE_VOLUMES,
	.run = run_volume_unmount,
};
