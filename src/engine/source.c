#include "engine/source.h"

#include "engine/credentials.h"
#include "engine/registry_config.h"

/* "USER[:PASSWORD]" */
static void take_given(struct engine *e, const char *creds, struct transfer_source *ret)
{
	const char *colon = strchr(creds, ':');

	ret->username = colon ? arena_strndup(e->arena, creds, (size_t)(colon - creds)) : arena_strdup(e->arena, creds);
	ret->password = arena_strdup(e->arena, colon ? colon + 1 : "");
}

/* --tls-verify decides when given; else registries.conf, and loopback addresses may be without TLS as in Docker. */
static bool is_insecure(const struct registry_source *from, const char *tls_verify)
{
	if (!str_is_empty(tls_verify))
		return strcmp(tls_verify, "false") == 0 || strcmp(tls_verify, "0") == 0;
	return from->insecure || registry_config_is_loopback(from->host);
}

int source_make(struct engine *e, const struct registry_source *from, const struct source_options *o,
		struct transfer_source *ret, struct error *err)
{
	struct credentials c;

	*ret = (struct transfer_source){ .host = from->host, .path = from->path };
	ret->insecure = is_insecure(from, o->tls_verify);
	ret->certs_dir = str_is_empty(o->cert_dir) ? registry_config_certs(e, from->host) :
			 *o->cert_dir == '/' ? arena_strdup(e->arena, o->cert_dir) :
			 arena_printf(e->arena, "%s/%s", e->identity.cwd, o->cert_dir);
	if (!str_is_empty(o->creds)) {
		take_given(e, o->creds, ret);
		return 0;
	}
	if (credentials_find(e, o->authfile, str_is_empty(from->path) ? from->host :
			     arena_printf(e->arena, "%s/%s", from->host, from->path), &c, err) < 0)
		return -1;
	ret->username = c.username;
	ret->password = c.password;
	ret->identity_token = c.identity_token;
	return 0;
}
