/* `login` and `logout`: credentials are tried before they are kept. */
#include "engine/credentials.h"
#include "engine/image.h"
#include "engine/source.h"
#include "engine/transfer.h"

/* "https://quay.io/v1/" and "quay.io/" are quay.io; a namespace stays part of the key. */
static char *registry_of(struct engine *e, const char *text)
{
	const char *plain = str_after(text, "https://"), *slash;
	size_t n;

	if (!plain)
		plain = str_after(text, "http://");
	if (plain) {
		n = strcspn(plain, "/");
		return arena_strndup(e->arena, plain, n);
	}
	n = strlen(text);
	for (slash = text + n; slash > text && slash[-1] == '/'; slash--)
		n--;
	return arena_strndup(e->arena, text, n);
}

static int try_login(struct engine *e, const struct login_request *r, const char *registry, struct error *err)
{
	const struct source_options options = { .cert_dir = r->cert_dir, .tls_verify = r->tls_verify, .creds = ":" };
	struct registry_source from = { .host = arena_strndup(e->arena, registry, strcspn(registry, "/")), .path = "" };
	struct transfer_source source;
	struct transfer_request request = { .op = "login", .source = &source };
	struct transfer_event result;

	if (source_make(e, &from, &options, &source, err) < 0 || engine_open(e, err) < 0)
		return -1;
	source.username = r->username;
	source.password = r->password;
	return transfer_ask(e, &request, NULL, 0, &result, err);
}

static int show_login(struct engine *e, const struct login_request *r, const char *registry, char **ret_message,
		      struct error *err)
{
	struct credentials c;
	int found = credentials_find(e, r->authfile, registry, &c, err);

	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ERROR_FAILED, "not logged into %s", registry);
	*ret_message = c.username;
	return 0;
}

int registry_login(struct engine *e, const struct login_request *r, char **ret_message, struct error *err)
{
	char *registry = registry_of(e, r->registry);
	const struct credentials c = { .username = r->username, .password = r->password };

	*ret_message = NULL;
	if (!*registry)
		return error_set(err, ERROR_USAGE, "no registry is named");
	if (r->get_login)
		return show_login(e, r, registry, ret_message, err);
	if (try_login(e, r, registry, err) < 0 || credentials_keep(e, r->authfile, registry, &c, err) < 0)
		return -1;
	*ret_message = arena_strdup(e->arena, "Login Succeeded!");
	return 0;
}

int registry_logout(struct engine *e, const struct login_request *r, bool all, char **ret_message, struct error *err)
{
	char *registry = all ? NULL : registry_of(e, r->registry);
	int removed = credentials_forget(e, r->authfile, registry, err);

	if (removed < 0)
		return -1;
	if (!removed && !all)
		return error_set(err, ERROR_FAILED, "not logged into %s", registry);
	*ret_message = all ? arena_strdup(e->arena, "Removed login credentials for all registries") :
		       arena_printf(e->arena, "Removed login credentials for %s", registry);
	return 0;
}
