#include "engine/signatures.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/registry_config.h"
#include "spec/base64.h"
#include "spec/signature.h"
#include "sys/fd.h"

#define SIGNATURES_MAX 128

/* --- registries.d */

static int add_file(struct engine *e, struct transfer *t, struct lookaside *l, const char *path, struct error *err)
{
	struct transfer_request request = { .op = "yaml" };
	struct transfer_event result;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return error_errno(err, "read %s", path);
	if (transfer_call(e, t, &request, &fd, 1, &result, err) < 0)
		return error_frame(err, "%s", path);
	return lookaside_add(e->arena, l, result.value ? result.value : json_new_null(e->arena), path, err);
}

static int is_yaml(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(d->d_name, ".yaml");
}

static char *directory(struct engine *e)
{
	char *own = arena_printf(e->arena, "%s/containers/registries.d", e->identity.config_dir);
	struct stat st;

	return stat(own, &st) == 0 ? own : arena_strdup(e->arena, "/etc/containers/registries.d");
}

int signatures_config(struct engine *e, struct transfer *t, struct lookaside *ret, struct error *err)
{
	char *path = directory(e);
	struct dirent **list;
	int n = scandir(path, &list, is_yaml, alphasort), result = 0;

	*ret = (struct lookaside){ 0 };
	if (n < 0)
		return errno == ENOENT ? 0 : error_errno(err, "read %s", path);
	for (int i = 0; i < n; i++) {
		if (result == 0)
			result = add_file(e, t, ret, arena_printf(e->arena, "%s/%s", path, list[i]->d_name), err);
		free(list[i]);
	}
	free(list);
	return result;
}

/* Where nothing is said. */
static const char *built_in(struct engine *e)
{
	if (e->identity.uid == 0)
		return "file:///var/lib/containers/sigstore";
	return arena_printf(e->arena, "file://%s/.local/share/containers/sigstore", e->identity.home);
}

static char *image_url(struct engine *e, const char *base, const char *path)
{
	size_t n;

	if (!base)
		base = built_in(e);
	n = strlen(base);
	while (n && base[n - 1] == '/')
		n--;
	return arena_printf(e->arena, "%.*s/%s", (int)n, base, path);
}

static int scopes_of(struct engine *e, const struct registry_source *from, struct strings *ret, struct error *err)
{
	const char *text = arena_printf(e->arena, "%s%s%s", from->name, strchr(from->reference, ':') ? "@" : ":",
					from->reference);
	struct reference r;

	if (reference_parse(e->arena, text, &r, err) < 0)
		return -1;
	*ret = reference_scopes(e->arena, &r);
	return 0;
}

int signatures_places(struct engine *e, struct transfer *t, const struct registry_source *from,
		      struct signature_places *ret, struct error *err)
{
	struct strings scopes;
	struct lookaside l;

	if (scopes_of(e, from, &scopes, err) < 0 || signatures_config(e, t, &l, err) < 0)
		return -1;
	ret->lookaside = image_url(e, lookaside_url(&l, &scopes), from->path);
	ret->attachments = lookaside_attachments(&l, &scopes);
	return 0;
}

int signatures_staging(struct engine *e, struct transfer *t, const struct registry_source *to, char **ret_url,
		       struct error *err)
{
	struct strings scopes;
	struct lookaside l;

	if (scopes_of(e, to, &scopes, err) < 0 || signatures_config(e, t, &l, err) < 0)
		return -1;
	*ret_url = image_url(e, lookaside_staging(&l, &scopes), to->path);
	return 0;
}

/* --- simple signing */

/* "<url>@sha256=<hex>" */
static char *manifest_url(struct engine *e, const char *url, const char *digest)
{
	size_t algorithm = strcspn(digest, ":");

	return arena_printf(e->arena, "%s@%.*s=%s", url, (int)algorithm, digest, digest_hex(digest));
}

int signatures_in(struct engine *e, const char *directory, struct signature_list *ret, struct error *err)
{
	for (int number = 1; number <= SIGNATURES_MAX; number++) {
		char *name = arena_printf(e->arena, "%s/signature-%d", directory, number);
		struct gpg_bytes one;

		one.data = fd_read_file(e->arena, AT_FDCWD, name, SIGNATURE_MAX, &one.size);
		if (!one.data)
			return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, "read %s", name);
		*ARRAY_ADD(e->arena, ret) = one;
	}
	return error_set(err, ERROR_INVALID, "%s: more than %d signatures", directory, SIGNATURES_MAX);
}

static int take_blobs(struct engine *e, const struct transfer_event *found, struct signature_list *ret,
		      struct error *err)
{
	for (size_t i = 0; i < found->signatures.n; i++) {
		struct gpg_bytes *one = ARRAY_ADD(e->arena, ret);
		const char *blob = found->signatures.v[i].blob;

		one->data = blob ? base64_decode(e->arena, blob, &one->size) : NULL;
		if (!one->data)
			return error_set(err, ERROR_FAILED, "bryo-transfer answers without a signature");
	}
	return 0;
}

/* By a bryo-transfer of its own: a sandbox that was entered for the registry cannot read another host's certificates. */
static int from_server(struct engine *e, const char *url, struct signature_list *ret, struct error *err)
{
	const char *plain = str_after(url, "http://"), *place = plain ? plain : str_after(url, "https://");
	size_t host = place ? strcspn(place, "/") : 0;
	struct transfer_source source = { .insecure = plain != NULL };
	struct transfer_request request = { .op = "lookaside", .source = &source };
	struct transfer_event result;
	int code;

	if (!host)
		return error_set(err, ERROR_INVALID, "\"%s\" is no URL of https, http or file",
				 str_printable(e->arena, url, 300));
	source.host = arena_strndup(e->arena, place, host);
	source.path = arena_strdup(e->arena, place + host + 1);
	source.certs_dir = registry_config_certs(e, source.host);
	code = transfer_ask(e, &request, NULL, 0, &result, err);
	return code < 0 ? -1 : take_blobs(e, &result, ret, err);
}

int signatures_lookaside(struct engine *e, const char *url, const char *digest, struct signature_list *ret,
			 struct error *err)
{
	char *place = manifest_url(e, url, digest);
	const char *path = str_after(place, "file://");

	return path ? signatures_in(e, path, ret, err) : from_server(e, place, ret, err);
}

/* --- cosign */

int signatures_attached(struct engine *e, struct transfer *t, const struct transfer_source *source, const char *digest,
			const struct strings *keys, struct transfer_event *ret, struct error *err)
{
	struct transfer_request request = { .op = "attachments", .source = (struct transfer_source *)(uintptr_t)source,
					    .reference = (char *)(uintptr_t)digest, .keys = *keys };

	return transfer_call(e, t, &request, NULL, 0, ret, err);
}
