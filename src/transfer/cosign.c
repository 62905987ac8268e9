#include "transfer/cosign.h"

#include "transfer/document.h"

#define ACCEPT                                                                                                         \
	"Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"

char *cosign_tag(struct arena *arena, const char *digest)
{
	return arena_printf(arena, "sha256-%s.sig", digest_hex(digest));
}

int cosign_artifact(struct work *w, struct registry *r, const char *digest, struct image_manifest *ret,
		    struct error *err)
{
	char *tag = cosign_tag(w->arena, digest);
	char *what = arena_printf(w->arena, "signatures %.19s... of %s/%s", tag, r->shown_host, r->path);
	struct image_index index = { 0 };
	enum manifest_kind kind;
	struct document text;

	*ret = (struct image_manifest){ 0 };
	if (document_get(w, r, arena_printf(w->arena, "/v2/%s/manifests/%s", r->path, tag), ACCEPT, IMAGE_MANIFEST_MAX,
			 what, &text, err) < 0) {
		if (!error_is(err, ERROR_NOT_FOUND))
			return -1;
		error_clear(err);
		return 0;
	}
	if (image_manifest_decode(w->arena, text.data, text.size, NULL, &kind, ret, &index, err) < 0)
		return error_frame(err, "%s", what);
	return kind == MANIFEST_IMAGE;
}
