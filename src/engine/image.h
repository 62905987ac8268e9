/* engine/image - images: find or pull, load, import, list, inspect, history, tag, remove */
#ifndef BRYO_ENGINE_IMAGE_H
#define BRYO_ENGINE_IMAGE_H

#include "engine/engine.h"
#include "spec/oci_image.h"
#include "store/image.h"

struct pull_request {
	char *policy;				/* of `pull`: as for image_need, but NULL means always */
	char *name, *platform, *arch, *os, *variant, *authfile, *creds, *cert_dir, *tls_verify;	/* tls_verify "true" "false" NULL */
	char *signature_policy;
	bool quiet, all_tags, keep_blobs;
	int64_t retry;
};
int image_pull(struct engine *e, const struct pull_request *r, struct image *ret, struct error *err);
/* Everything that the request means: one image, all tags of a repository, or what is in an archive. */
int image_pull_all(struct engine *e, const struct pull_request *r, struct images *ret, struct error *err);
/* By local name, or by pulling as the policy says ("always" "missing" "never" "newer"; NULL: missing). */
int image_need(struct engine *e, const char *name, const char *policy, const struct pull_request *how,
	       struct image *ret, char **ret_name, struct error *err);
int image_read_config(struct engine *e, const struct image *image, struct image_config *ret, struct error *err);
/* input: an open file, or a directory. One image of an archive: by its name (NULL), or by its place from 0 (-1: not said);
 * else all. */
struct load_choice { char *name; int64_t place; char *platform; const char *event; };
int image_load_chosen(struct engine *e, int input, const struct load_choice *choice, struct images *ret,
		      struct error *err);
/* Answers what was loaded, by name or id. */
int image_load(struct engine *e, int input, const struct load_choice *choice, struct strings *ret_loaded,
	       struct error *err);
struct import_request { char *reference, *message, *os, *arch, *variant; struct strings changes; };
bool image_import_is_url(const char *path);	/* http:// or https:// */
int image_import_url(struct engine *e, const char *url, const struct import_request *r, char **ret_id, struct error *err);
int image_import(struct engine *e, int input, const struct import_request *r, char **ret_id, struct error *err);
struct rmi_options { bool force, ignore, no_prune; };
/* Removes or untags; the names that are gone go to ret_untagged (printed as "Untagged: NAME"), ids to ret_deleted. An
 * image with several names loses the given one only. ERROR_IN_USE when a container uses it; force removes those. */
int image_rmi(struct engine *e, const char *name, const struct rmi_options *o, struct strings *ret_untagged,
	      struct strings *ret_deleted, struct error *err);
int image_tag_names(struct engine *e, const char *source, const struct strings *names, struct error *err);
int image_untag_names(struct engine *e, const char *source, const struct strings *names, struct error *err);
/* Rows for `images` (one an image, newest first), `history`, and the object of `inspect`, with Podman's field names.
 * Sizes and times are numbers. With a reference pattern a row's Names are those that it means. */
struct image_filter { struct strings filters; bool all; char *reference; };
int image_rows(struct engine *e, const struct image_filter *f, struct json **ret, struct error *err);
int image_inspect(struct engine *e, const char *name, struct json **ret, struct error *err);
/* Topmost first: id created createdBy size comment tags. */
int image_history(struct engine *e, const char *name, struct json **ret, struct error *err);
int image_prune(struct engine *e, bool all, const struct strings *filters, struct strings *ret_deleted, struct error *err);

struct login_request { char *registry, *username, *password, *authfile, *cert_dir, *tls_verify; bool get_login; };
int registry_login(struct engine *e, const struct login_request *r, char **ret_message, struct error *err);
int registry_logout(struct engine *e, const struct login_request *r, bool all, char **ret_message, struct error *err);

#endif
