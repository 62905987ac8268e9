#include "engine/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "sys/fd.h"

#define ENV_FILE_MAX ((size_t)1 << 20)
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

extern char **environ;

static ssize_t find(const struct strings *env, const char *key, size_t n)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], key, n) == 0 && env->v[i][n] == '=')
			return (ssize_t)i;
	return -1;
}

const char *environment_get(const struct strings *env, const char *key)
{
	ssize_t i = find(env, key, strlen(key));

	return i < 0 ? NULL : env->v[i] + strlen(key) + 1;
}

void environment_set(struct arena *arena, struct strings *env, const char *key, const char *value)
{
	ssize_t i = find(env, key, strlen(key));

	if (i >= 0)
		env->v[i] = arena_printf(arena, "%s=%s", key, value);
	else
		strings_addf(arena, env, "%s=%s", key, value);
}

void environment_unset(struct strings *env, const char *key)
{
	ssize_t i = find(env, key, strlen(key));

	if (i < 0)
		return;
	memmove(env->v + i, env->v + i + 1, (env->n - (size_t)i) * sizeof(*env->v));	/* with the NULL at the end */
	env->n--;
}

static void add_pair(struct arena *arena, struct strings *env, const char *pair)
{
	const char *value = strchr(pair, '=');

	environment_set(arena, env, arena_strndup(arena, pair, (size_t)(value - pair)), value + 1);
}

static void add_prefixed(struct arena *arena, struct strings *env, const char *prefix, size_t n)
{
	for (char **p = environ; *p; p++)
		if (strncmp(*p, prefix, n) == 0 && strchr(*p, '='))
			add_pair(arena, env, *p);
}

int environment_add(struct arena *arena, struct strings *env, const char *text, struct error *err)
{
	size_t n = strlen(text);
	const char *value;

	if (!n || *text == '=')
		return error_set(err, ERROR_USAGE, "invalid environment variable \"%s\": the name is missing", text);
	if (strchr(text, '='))
		add_pair(arena, env, text);
	else if (text[n - 1] == '*')
		add_prefixed(arena, env, text, n - 1);
	else if ((value = getenv(text)))
		environment_set(arena, env, text, value);
	return 0;
}

int environment_add_file(struct arena *arena, struct strings *env, const char *path, struct error *err)
{
	size_t size;
	char *text = fd_read_file(arena, AT_FDCWD, path, ENV_FILE_MAX, &size);
	struct strings lines;

	if (!text)
		return error_errno(err, "read environment file %s", path);
	lines = strings_split(arena, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		char *line = lines.v[i] + strspn(lines.v[i], " \t");
		size_t n = strlen(line);

		if (n && line[n - 1] == '\r')
			line[n - 1] = '\0';
		if (*line && *line != '#' && environment_add(arena, env, line, err) < 0)
			return error_frame(err, "%s line %zu", path, i + 1);
	}
	return 0;
}

static void add_proxies(struct arena *arena, struct strings *env)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
					     "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY" };

	for (size_t i = 0; i < ELEMENTS(names); i++) {
		const char *value = getenv(names[i]);

		if (value)
			environment_set(arena, env, names[i], value);
	}
}

int environment_build(struct arena *arena, const struct create_request *r, const struct image_container_config *image,
		      struct strings *ret, struct error *err)
{
	environment_set(arena, ret, "PATH", DEFAULT_PATH);
	environment_set(arena, ret, "container", "bryo");
	if (r->env_host)
		add_prefixed(arena, ret, "", 0);
	if (!r->no_http_proxy)
		add_proxies(arena, ret);
	for (size_t i = 0; i < image->env.n; i++)
		if (strchr(image->env.v[i], '='))	/* an image's variable without a value is no request to copy ours */
			add_pair(arena, ret, image->env.v[i]);
	if (r->unsetenv_all)
		ret->n = 0;
	for (size_t i = 0; i < r->unsetenv.n; i++)
		environment_unset(ret, r->unsetenv.v[i]);
	for (size_t i = 0; i < r->env_file.n; i++)
		if (environment_add_file(arena, ret, r->env_file.v[i], err) < 0)
			return -1;
	for (size_t i = 0; i < r->env.n; i++)
		if (environment_add(arena, ret, r->env.v[i], err) < 0)
			return -1;
	return 0;
}
