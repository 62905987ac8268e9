#include "engine/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/credential_helper.h"
#include "engine/registry_config.h"
#include "sys/fd.h"

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
	strings_addf(e->arena, &list, "%s/.dockercfg", e->identity.home);
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
	if (str_ends(path, "/.dockercfg"))
		return auth_decode_old(e->arena, text, size, path, ret, err) < 0 ? -1 : 1;
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

/* --- auth files and helpers, as registries.conf orders them */

#define AUTH_FILES "containers-auth.json"	/* the word for all auth files among the helpers' names */

static int stores(struct engine *e, struct strings *ret, struct error *err)
{
	const struct registries *registries = registry_config(e, err);

	if (!registries)
		return -1;
	*ret = registries->credential_helpers;
	if (ret->n == 0)
		strings_add(e->arena, ret, AUTH_FILES);
	return 0;
}

static int find_in_files(struct engine *e, const char *authfile, const char *repository, struct credentials *ret,
			 struct error *err)
{
	struct strings list = files(e, authfile);

	for (size_t i = 0; i < list.n; i++) {
		struct auth_file file;
		char *helper = NULL;
		int found = read_file(e, list.v[i], &file, err);

		if (found > 0)
			found = auth_find(e->arena, &file, repository, ret, &helper, err);
		if (found > 0 && helper)
			found = credential_helper_get(e, helper, repository, ret, err);
		if (found)
			return found;
	}
	return 0;
}

/* A helper that fails does not hide what another store knows. */
int credentials_find(struct engine *e, const char *authfile, const char *repository, struct credentials *ret,
		     struct error *err)
{
	struct error first = { 0 };
	struct strings list;

	*ret = (struct credentials){ 0 };
	if (stores(e, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		struct error failure = { 0 };
		bool is_file = strcmp(list.v[i], AUTH_FILES) == 0;
		int found = is_file ? find_in_files(e, authfile, repository, ret, &failure) :
				      credential_helper_get(e, list.v[i], repository, ret, &failure);

		if (found > 0)
			return 1;
		if (found < 0 && !first.kind)
			first = failure;
	}
	if (!first.kind)
		return 0;
	if (err)
		*err = first;
	return error_frame(err, "credentials for %s", repository);
}

static int keep_in_file(struct engine *e, const char *authfile, const char *registry, const struct credentials *c,
			struct error *err)
{
	char *path = own_file(e, authfile), *helper = NULL;
	struct auth_file file;
	struct credentials before;

	if (read_file(e, path, &file, err) < 0)
		return -1;
	if (auth_find(e->arena, &file, registry, &before, &helper, NULL) > 0 && helper)
		return credential_helper_store(e, helper, registry, c, err);
	auth_set(e->arena, &file, registry, c);
	return write_file(e, path, &file, err);
}

int credentials_keep(struct engine *e, const char *authfile, const char *registry, const struct credentials *c,
		     struct error *err)
{
	struct strings list;

	if (stores(e, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		error_clear(err);
		if (strcmp(list.v[i], AUTH_FILES) == 0 ? keep_in_file(e, authfile, registry, c, err) == 0 :
							 credential_helper_store(e, list.v[i], registry, c, err) == 0)
			return 0;
	}
	return -1;
}

/* --- forgetting */

static int forget_all_in_file(struct engine *e, const char *path, struct auth_file *file, struct error *err)
{
	const struct json *auths = json_get(file->document, "auths"),
			  *helpers = json_get(file->document, "credHelpers");

	for (size_t i = 0; helpers && helpers->kind == JSON_OBJECT && i < helpers->object.n; i++)
		if (credential_helper_erase(e, helpers->object.v[i].value->string, helpers->object.v[i].name, err) < 0)
			return -1;
	if (!auths || auths->kind != JSON_OBJECT || !auths->object.n)
		return 0;
	json_set(e->arena, file->document, "auths", json_new_object(e->arena));
	return write_file(e, path, file, err) < 0 ? -1 : 1;
}

static int forget_in_file(struct engine *e, const char *authfile, const char *registry, struct error *err)
{
	char *path = own_file(e, authfile), *helper = NULL;
	struct auth_file file;
	struct credentials before;

	if (read_file(e, path, &file, err) < 0)
		return -1;
	if (!registry)
		return forget_all_in_file(e, path, &file, err);
	if (auth_find(e->arena, &file, registry, &before, &helper, NULL) > 0 && helper)
		return credential_helper_erase(e, helper, registry, err);
	if (!auth_remove(e->arena, &file, registry))
		return 0;
	return write_file(e, path, &file, err) < 0 ? -1 : 1;
}

int credentials_forget(struct engine *e, const char *authfile, const char *registry, struct error *err)
{
	struct strings list;
	int removed = 0;

	if (stores(e, &list, err) < 0)
		return -1;
	for (size_t i = 0; i < list.n; i++) {
		int r = strcmp(list.v[i], AUTH_FILES) == 0 ? forget_in_file(e, authfile, registry, err) :
			registry ? credential_helper_erase(e, list.v[i], registry, err) :
				   credential_helper_erase_all(e, list.v[i], err);

		if (r < 0)
			return -1;
		removed |= r;
	}
	return removed;
}
