/* spec/auth - auth.json and ~/.docker/config.json: which credentials belong to a repository */
#ifndef BRYO_SPEC_AUTH_H
#define BRYO_SPEC_AUTH_H

#include "base/json.h"

struct credentials {
	char *username, *password;	/* both NULL: anonymous */
	char *identity_token;		/* instead of a password; NULL */
};

struct auth_file {
	struct json *document;		/* everything, so that writing keeps what we do not know */
};

int auth_decode(struct arena *arena, const char *text, size_t len, const char *where, struct auth_file *ret,
		struct error *err);
/* ~/.dockercfg: the entries alone, without "auths" around them. */
int auth_decode_old(struct arena *arena, const char *text, size_t len, const char *where, struct auth_file *ret,
		    struct error *err);
/* Longest prefix of "registry/path" wins; docker.io has its historical aliases. 1 found, 0 none, -1 malformed. The
 * helper's name (from credHelpers or credsStore) is in *ret_helper when it must be asked instead. */
int auth_find(struct arena *arena, const struct auth_file *file, const char *repository, struct credentials *ret,
	      char **ret_helper, struct error *err);
void auth_set(struct arena *arena, struct auth_file *file, const char *registry, const struct credentials *c);
bool auth_remove(struct arena *arena, struct auth_file *file, const char *registry);
char *auth_print(struct arena *arena, const struct auth_file *file);

#endif
