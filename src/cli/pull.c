/* cli/pull - pull, load, import: images come in */
#include "cli/pull.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "engine/image.h"
#include "spec/transport.h"
#include "sys/fd.h"
#include "sys/tty.h"

static const struct option pull_options[] = {
	OPT_FLAG('q', "quiet", pull_request, quiet, "No progress"),
	OPT_FLAG('a', "all-tags", pull_request, all_tags, "All tags of the repository"),
	OPT_STRING(0, "policy", pull_request, policy, "POLICY", "When to pull: always, missing, never, newer (default always)",
		   .words = "always|missing|never|newer"),
	OPT_STRING(0, "platform", pull_request, platform, "OS/ARCH[/VARIANT]", "Which of a multi-platform image"),
	OPT_STRING(0, "arch", pull_request, arch, "ARCH", "The architecture alone"),
	OPT_STRING(0, "os", pull_request, os, "OS", "The operating system alone"),
	OPT_STRING(0, "variant", pull_request, variant, "VARIANT", "The architecture's variant"),
	OPT_AUTHFILE(pull_request, authfile),
	OPT_STRING(0, "creds", pull_request, creds, "USER[:PASSWORD]", "Credentials for the registry"),
	OPT_STRING(0, "cert-dir", pull_request, cert_dir, "DIR", "Certificates and keys for the registry",
		   .complete = COMPLETE_DIRECTORIES),
	OPT_TLS_VERIFY(pull_request, tls_verify),
	OPT_SIGNATURE_POLICY(pull_request, signature_policy),
	OPT_FLAG(0, "keep-compressed", pull_request, keep_blobs, "Keep the layers also as they come, compressed"),
	OPT_INT(0, "retry", pull_request, retry, "N", "How often to try again (default 3)"),
	OPT_IGNORED(0, "retry-delay", "DURATION"),
	OPT_IGNORED(0, "disable-content-trust", NULL),
	OPT_UNSUPPORTED("decryption-key", "encrypted images are not read"),
	OPT_END
};

static int run_pull(struct cli *cli, const struct args *args, struct error *err)
{
	struct pull_request *r = args->request;
	struct engine *e;
	int code = 0;

	cli->quiet = r->quiet;
	if (!args_was_given(args, "retry"))
		r->retry = 3;
	e = cli_engine(cli, err);
	if (!e)
		return -1;
	for (size_t i = 0; i < args->operands.n; i++) {
		struct images images = { 0 };
		struct error failure = { 0 };
		int failed;

		r->name = args->operands.v[i];
		failed = image_pull_all(e, r, &images, &failure);
		progress_clear(cli->progress);
		if (failed < 0)
			cli_failed(cli, &code, &failure);
		for (size_t k = 0; k < images.n; k++)
			puts(images.v[k].id);
		fflush(stdout);
	}
	return code;
}

static const struct command_example pull_examples[] = {
	{ "bryo pull docker.io/library/alpine", NULL },
	{ "bryo pull --platform linux/arm64 alpine", "for another machine" },
	{ "bryo pull --tls-verify=false localhost:5000/app", "from a registry without TLS" },
	{ "bryo pull docker-archive:all.tar:app:1", "one image of an archive" },
	{ "id=$(bryo pull -q alpine:3.20)", "the ID alone" },
	{ NULL, NULL }
};

const struct command pull_command = {
	.names = "pull|image pull",
	.synopsis = "[options] IMAGE [IMAGE...]",
	.summary = "Pull images from a registry, an archive or a directory",
	.description = "IMAGE is a name, or docker-archive:FILE, oci-archive:FILE, oci:DIR (each also with :NAME or :@PLACE for one of "
		       "several images) or dir:DIR. Prints the ID of each. Layers that are already here are not fetched again, and a broken transfer goes on where it stopped.\n\n"
		       "Compressed layers are not kept (with the storage driver objects): the store makes their tars again, and a push or save "
		       "that wants them compressed as they were fetches them again from the image's registry. --keep-compressed keeps them, for "
		       "machines that will push to elsewhere without that registry.",
	.examples = pull_examples,
	.options = { pull_options },
	.request_size = sizeof(struct pull_request),
	.operands_min = 1, .operands_max = COMMAND_ANY_NUMBER,
	.complete = COMPLETE_IMAGES, .complete_rest = COMPLETE_IMAGES,
	.topic = TOPIC_IMAGES,
	.run = run_pull,
};

/* --- load */

struct load_request { char *input, *signature_policy; bool quiet; };

static const struct option load_options[] = {
	OPT_STRING('i', "input", load_request, input, "PATH", "Archive or OCI directory instead of standard input",
		   .complete = COMPLETE_FILES),
	OPT_FLAG('q', "quiet", load_request, quiet, "No progress"),
	OPT_SIGNATURE_POLICY(load_request, signature_policy),
	OPT_END
};

int pull_open_input(const char *path, struct error *err)
{
	int fd;

	if (!path || strcmp(path, "-") == 0) {
		if (tty_is(STDIN_FILENO))
			return error_set(err, ERROR_USAGE, "cannot read from terminal, use command-line redirection or a file");
		return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	if (str_starts(path, "http://") || str_starts(path, "https://"))
		return error_set(err, ERROR_UNSUPPORTED, "loading never reaches the network: fetch %s with curl and give the file",
				 path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "open %s", path) : fd;
}

/* A path, or a transport with a path and at most one image of it. */
static int open_archive(struct cli *cli, const char *text, struct load_choice *ret, struct error *err)
{
	struct transport t = { .index = -1 };

	if (text && access(text, F_OK) < 0 && transport_parse(cli->arena, text, &t, err) < 0)
		return -1;
	ret->name = transport_is_path(&t) ? t.name : NULL;
	ret->place = t.index;
	return pull_open_input(transport_is_path(&t) ? t.path : text, err);
}

static int run_load(struct cli *cli, const struct args *args, struct error *err)
{
	struct load_request *r = args->request;
	struct load_choice choice = { .event = "loadfromarchive" };
	struct strings loaded = { 0 };
	struct engine *e;
	int input = open_archive(cli, r->input, &choice, err), result = -1;

	if (input < 0)
		return -1;
	cli->quiet = r->quiet;
	cli->globals->engine.signature_policy = r->signature_policy;
	e = cli_engine(cli, err);
	if (e)
		result = image_load(e, input, &choice, &loaded, err);
	close(input);
	progress_clear(cli->progress);
	for (size_t i = 0; result == 0 && i < loaded.n; i++)
		printf("Loaded image: %s\n", output_clean(cli->arena, loaded.v[i]));
	return result;
}

static const struct command_example load_examples[] = {
	{ "bryo load -i image.tar", NULL },
	{ "docker save app | bryo load", "from another engine" },
	{ "bryo load -i ./oci-layout", "an OCI directory" },
	{ "bryo load -i oci-archive:all.tar:app:1", "one image of several" },
	{ NULL, NULL }
};

const struct command load_command = {
	.names = "load|image load",
	.synopsis = "[options]",
	.summary = "Load images from an archive or directory",
	.description = "Reads docker-archive, oci-archive (compressed or not), OCI directories and skopeo's plain directories. Everything must "
		       "be in it: loading never fetches anything.",
	.examples = load_examples,
	.options = { load_options },
	.request_size = sizeof(struct load_request),
	.topic = TOPIC_IMAGES,
	.run = run_load,
};

/* --- import */

struct import_command_request { struct import_request import; char *signature_policy; bool quiet; };

static const struct option import_options[] = {
	OPT_STRINGS('c', "change", import_command_request, import.changes, "INSTRUCTION", "Set the configuration, as in a Containerfile: "
		    "CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME, WORKDIR"),
	OPT_STRING('m', "message", import_command_request, import.message, "TEXT", "Comment in the history"),
	OPT_STRING(0, "os", import_command_request, import.os, "OS", "Operating system"),
	OPT_STRING(0, "arch", import_command_request, import.arch, "ARCH", "Architecture"),
	OPT_STRING(0, "variant", import_command_request, import.variant, "VARIANT", "The architecture's variant"),
	OPT_FLAG('q', "quiet", import_command_request, quiet, "No progress"),
	OPT_SIGNATURE_POLICY(import_command_request, signature_policy),
	OPT_END
};

static int run_import(struct cli *cli, const struct args *args, struct error *err)
{
	struct import_command_request *r = args->request;
	const char *path = args->operands.v[0];
	bool url = image_import_is_url(path);
	struct engine *e;
	char *id = NULL;
	int input = url ? -1 : pull_open_input(path, err), result = -1;

	if (input < 0 && !url)
		return -1;
	cli->quiet = r->quiet;
	cli->globals->engine.signature_policy = r->signature_policy;
	if (args->operands.n > 1)
		r->import.reference = args->operands.v[1];
	e = cli_engine(cli, err);
	if (e)
		result = url ? image_import_url(e, path, &r->import, &id, err) : image_import(e, input, &r->import, &id, err);
	fd_close(&input);
	progress_clear(cli->progress);
	if (result == 0)
		printf("%s%s\n", str_starts(id, "sha256:") ? "" : "sha256:", id);
	return result;
}

static const struct command_example import_examples[] = {
	{ "bryo import rootfs.tar base:1", NULL },
	{ "bryo import https://example.org/rootfs.tar.xz base:1", "from a web server" },
	{ "tar c -C rootfs . | bryo import -c 'CMD [\"/bin/sh\"]' - base", "from a pipe" },
	{ NULL, NULL }
};

const struct command import_command = {
	.names = "import|image import",
	.synopsis = "[options] PATH|URL|- [REFERENCE]",
	.summary = "Make an image from a root file system's tar archive",
	.description = "`-` is standard input. An http or https URL is fetched; where its server redirects to is followed, but never from "
		       "https to http.",
	.examples = import_examples,
	.options = { import_options },
	.request_size = sizeof(struct import_command_request),
	.operands_min = 1, .operands_max = 2,
	.complete = COMPLETE_FILES,
	.topic = TOPIC_IMAGES,
	.run = run_import,
};
