#include "engine/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sys/fd.h"
#include "sys/spawn.h"

#define FILE_MAX ((size_t)4 << 20)

/* The file that login writes. */
static char *own_file(struct engine *e, const char *authfile)
{
	const char *named = str_is_empty(authfile) ? getenv("REGISTRY_AUTH_FILE") : authfile;
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (!str_is_empty(named))
		return arena_strdup(e->arena, named);
	if (!str_is_empty(runtime))
		return arena_printf(e->arena, "%s/containers/auth.json", runtime);
	return arena_printf(e->arena, "%s/containers/auth.json", e->identity.config_dir);
}

static struct strings files(struct engine *e, const char *authfile)
{
	const char *docker = getenv("DOCKER_CONFIG");
	struct strings list = { 0 };

	strings_add(e->arena, &list, own_file(e, authfile));
	if (!str_is_empty(authfile) || !str_is_empty(getenv("REGISTRY_AUTH_FILE")))
		return list;
	strings_addf(e->arena, &list, "%s/containers/auth.json", e->identity.config_dir);
	if (!str_is_empty(docker))
		strings_addf(e->arena, &list, "%s/config.json", docker);
	else
		strings_addf(e->arena, &list, "%s/.docker/config.json", e->identity.home);
	return list;
}

/* 1 read, 0 no such file, -1. */
static int read_file(struct engine *e, const char *path, struct auth_file *ret, struct error *err)
{
	size_t size;
	char *text = fd_read_file(e->arena, AT_FDCWD, path, FILE_MAX, &size);

	ret->document = json_new_object(e->arena);
	if (!text)
		return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, "read %s", path);
	if (strspn(text, " \t\r\n") == size)
		return 1;
	return auth_decode(e->arena, text, size, path, ret, err) < 0 ? -1 : 1;
}

static int write_file(struct engine *e, const char *path, const struct auth_file *file, struct error *err)
{
	char *text = auth_print(e->arena, file), *slash = strrchr(path, '/');

	if (slash && slash > path &&
	    fd_mkdirs(AT_FDCWD, arena_strndup(e->arena, path, (size_t)(slash - path)), 0700) < 0)
		return error_errno(err, "make the directory of %s", path);
	if (fd_write_file(AT_FDCWD, path, text, strlen(text), 0600, false) < 0)
		return error_errno(err, "write %s", path);
	return 0;
}

/* --- helper programs: docker-credential-NAME get|store|erase, talking through stdin and stdout */

static int run_helper(struct engine *e, const char *helper, const char *verb, const char *input, char **ret_out,
		      struct error *err)
{
	char *program = arena_printf(e->arena, "docker-credential-%s", helper);
	char *argv[] = { program, arena_strdup(e->arena, verb), NULL };
	struct spawn s = { .program = program, .argv = argv, .input = input };

	if (strchr(helper, '/'))
		return error_set(err, ERROR_INVALID, "the credential helper \"%s\" is not a plain name", helper);
	return spawn_run(e->arena, &s, ret_out, NULL, err);
}

static const char *server_of(struct engine *e, const char *repository)
{
	char *host = arena_strndup(e->arena, repository, strcspn(repository, "/"));

	return strcmp(host, "docker.io") == 0 ? "https://index.docker.io/v1/" : host;
}

static int ask_helper(struct engine *e, const char *helper, const char *repository, struct credentials *ret,
		      struct error *err)
{
	const struct json *answer;
	const char *user;
	char *out = NULL;
	int code = run_helper(e, helper, "get", server_of(e, repository), &out, err);

	if (code < 0)
		return -1;
	if (code > 0)
		return out && strstr(out, "not found") ? 0 : error_set(err, ERROR_FAILED,
			"docker-credential-%s ended with status %d", helper, code);
	answer = json_parse(e->arena, out, strlen(out), "credential helper", err);
	if (!answer)
		return -1;
	user = json_get_string(answer, "Username");
	*ret = (struct credentials){ .username = arena_strdup(e->arena, user),
				     .password = arena_strdup(e->arena, json_get_string(answer, "Secret")) };
	if (str_eq(user, "<token>")) {
		ret->identity_token = ret->password;
		ret->password = NULL;
	}
	return ret->password || ret->identity_token ? 1 : 0;
}

static int store_in_helper(struct engine *e, const char *helper, const char *registry, const struct credentials *c,
			   struct error *err)
{
	struct json *record = json_new_object(e->arena);
	int code;

	json_set(e->arena, record, "ServerURL", json_new_string(e->arena, server_of(e, registry)));
	json_set(e->arena, record, "Username", json_new_string(e->arena, c->username));
	json_set(e->arena, record, "Secret", json_new_string(e->arena, c->password));
	code = run_helper(e, helper, "store", json_print(e->arena, record, 0), NULL, err);
	return code > 0 ? error_set(err, ERROR_FAILED, "docker-credential-%s ended with status %d", helper, code) : code;
}

/* --- */

int credentials_find(struct engine *e, const char *authfile, const char *repository, struct credentials *ret,
		     struct error *err)
{
	struct strings list = files(e, authfile);

	*ret = (struct credentials){ 0 };
	for (size_t i = 0; i < list.n; i++) {
		struct auth_file file;
		char *helper = NULL;
		int found = read_file(e, list.v[i], &file, err);

		if (found > 0)
			found = auth_find(e->arena, &file, repository, ret, &helper, err);
		if (found > 0 && helper)
			found = ask_helper(e, helper, repository, ret, err);
		if (found < 0)
			return error_frame(err, "credentials for %s", repository);
		if (found > 0)
			return 1;
	}
	return 0;
}

int credentials_keep(struct engine *e, const char *authfile, const char *registry, const struct credentials *c,
		     struct error *err)
{
	char *path = own_file(e, authfile), *helper = NULL;
	struct auth_file file;
	struct credentials before;

	if (read_file(e, path, &file, err) < 0)
		return -1;
	if (auth_find(e->arena, &file, registry, &before, &helper, NULL) > 0 && helper)
		return store_in_helper(e, helper, registry, c, err);
	auth_set(e->arena, &file, registry, c);
	return write_file(e, path, &file, err);
}

static int forget_all(struct engine *e, const char *path, struct auth_file *file, struct error *err)
{
	const struct json *auths = json_get(file->document, "auths");

	if (!auths || auths->kind != JSON_OBJECT || !auths->object.n)
		return 0;
	json_set(e->arena, file->document, "auths", json_new_object(e->arena));
	return write_file(e, path, file, err) < 0 ? -1 : 1;
}

int credentials_forget(struct engine *e, const char *authfile, const char *registry, struct error *err)
{
	char *path = own_file(e, authfile), *helper = NULL;
	struct auth_file file;
	struct credentials before;
	int code;

	if (read_file(e, path, &file, err) < 0)
		return -1;
	if (!registry)
		return forget_all(e, path, &file, err);
	if (auth_find(e->arena, &file, registry, &before, &helper, NULL) > 0 && helper) {
		code = run_helper(e, helper, "erase", server_of(e, registry), NULL, err);
		return code < 0 ? -1 : code == 0;
	}
	if (!auth_remove(e->arena, &file, registry))
		return 0;
	return write_file(e, path, &file, err) < 0 ? -1 : 1;
}
