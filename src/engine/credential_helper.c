#include "engine/credential_helper.h"

#include "sys/spawn.h"

#define DOCKER_HUB "https://index.docker.io/v1/"	/* as Docker calls docker.io here */

static int run(struct engine *e, const char *helper, const char *verb, const char *input, char **ret_out,
	       struct error *err)
{
	char *program = arena_printf(e->arena, "docker-credential-%s", helper);
	char *argv[] = { program, arena_strdup(e->arena, verb), NULL };
	struct spawn s = { .program = program, .argv = argv, .input = input };
	int code;

	if (strchr(helper, '/'))
		return error_set(err, ERROR_INVALID, "the credential helper \"%s\" is not a plain name",
				 str_printable(e->arena, helper, 200));
	code = spawn_run(e->arena, &s, ret_out, NULL, err);
	if (code < 0 && !spawn_find(e->arena, program))
		error_hint(err, "install %s, or take it out of registries.conf (credential-helpers) and the auth file "
			   "(credHelpers, credsStore)", program);
	return code;
}

static int failed(struct engine *e, const char *helper, const char *verb, int code, const char *out, struct error *err)
{
	const char *said = str_printable(e->arena, out, 200);

	return error_set(err, ERROR_FAILED, "docker-credential-%s %s ended with status %d%s%s", helper, verb, code,
			 *said ? ": " : "", said);
}

/* Helpers that know nothing say so with these words and a status that is not 0. */
static bool says_unknown(const char *out)
{
	return out && strstr(out, "not found");
}

static char *host_of(struct engine *e, const char *repository)
{
	return arena_strndup(e->arena, repository, strcspn(repository, "/"));
}

static int check_whole(const char *helper, const char *registry, struct error *err)
{
	if (!strchr(registry, '/'))
		return 0;
	error_set(err, ERROR_UNSUPPORTED, "docker-credential-%s keeps credentials of whole registries only, not of %s",
		  helper, registry);
	return error_hint(err, "log in to the registry itself, or keep these in a file of their own: --authfile FILE");
}

static int take_answer(struct engine *e, const char *helper, const char *out, struct credentials *ret,
		       struct error *err)
{
	char *where = arena_printf(e->arena, "docker-credential-%s", helper);
	const struct json *answer = json_parse(e->arena, out, strlen(out), where, err);
	const char *user = json_get_string(answer, "Username");

	if (!answer)
		return -1;
	*ret = (struct credentials){ .username = arena_strdup(e->arena, user),
				     .password = arena_strdup(e->arena, json_get_string(answer, "Secret")) };
	if (str_eq(user, "<token>")) {
		ret->identity_token = ret->password;
		ret->password = NULL;
	}
	return ret->password || ret->identity_token ? 1 : 0;
}

static int get(struct engine *e, const char *helper, const char *server, struct credentials *ret, struct error *err)
{
	char *out = NULL;
	int code = run(e, helper, "get", server, &out, err);

	if (code < 0)
		return -1;
	if (code > 0)
		return says_unknown(out) ? 0 : failed(e, helper, "get", code, out, err);
	return take_answer(e, helper, out, ret, err);
}

int credential_helper_get(struct engine *e, const char *helper, const char *repository, struct credentials *ret,
			  struct error *err)
{
	char *host = host_of(e, repository);
	int found = str_eq(host, "docker.io") || str_eq(host, "registry-1.docker.io") ?
			get(e, helper, DOCKER_HUB, ret, err) : 0;

	return found ? found : get(e, helper, host, ret, err);
}

static const char *server_of(const char *registry)
{
	return strcmp(registry, "docker.io") == 0 ? DOCKER_HUB : registry;
}

int credential_helper_store(struct engine *e, const char *helper, const char *registry, const struct credentials *c,
			    struct error *err)
{
	struct json *record = json_new_object(e->arena);
	char *out = NULL;
	int code;

	if (check_whole(helper, registry, err) < 0)
		return -1;
	json_set(e->arena, record, "ServerURL", json_new_string(e->arena, server_of(registry)));
	json_set(e->arena, record, "Username", json_new_string(e->arena, c->username));
	json_set(e->arena, record, "Secret", json_new_string(e->arena, c->password));
	code = run(e, helper, "store", json_print(e->arena, record, 0), &out, err);
	return code > 0 ? failed(e, helper, "store", code, out, err) : code;
}

static int erase(struct engine *e, const char *helper, const char *server, struct error *err)
{
	char *out = NULL;
	int code = run(e, helper, "erase", server, &out, err);

	if (code <= 0)
		return code < 0 ? -1 : 1;
	return says_unknown(out) ? 0 : failed(e, helper, "erase", code, out, err);
}

/* Many helpers are content to erase what they do not have: so it is looked up first. */
int credential_helper_erase(struct engine *e, const char *helper, const char *registry, struct error *err)
{
	struct credentials before;
	int found;

	if (check_whole(helper, registry, err) < 0)
		return -1;
	found = credential_helper_get(e, helper, registry, &before, err);
	return found <= 0 ? found : erase(e, helper, server_of(registry), err);
}

int credential_helper_erase_all(struct engine *e, const char *helper, struct error *err)
{
	char *out = NULL;
	int code = run(e, helper, "list", NULL, &out, err);
	const struct json *list;

	if (code != 0)
		return code < 0 ? -1 : failed(e, helper, "list", code, out, err);
	list = json_parse(e->arena, out, strlen(out), arena_printf(e->arena, "docker-credential-%s", helper), err);
	if (!list)
		return -1;
	for (size_t i = 0; list->kind == JSON_OBJECT && i < list->object.n; i++)
		if (erase(e, helper, list->object.v[i].name, err) < 0)
			return -1;
	return 0;
}
