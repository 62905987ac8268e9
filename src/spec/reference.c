#include "spec/reference.h"

#include <ctype.h>
#include <string.h>

#include "base/string.h"
#include "spec/oci_image.h"

#define PATH_MAX_LENGTH 255
#define TAG_MAX_LENGTH 128
#define HOST_MAX_LENGTH 255

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* path-component := alpha-numeric [separator alpha-numeric]*, separator := "." | "_" | "__" | "-"* */
static const char *component_problem(const char *s, size_t n)
{
	if (n == 0)
		return "an empty part";
	for (size_t i = 0; i < n; i++)
		if (isupper((unsigned char)s[i]))
			return "repository name must be lowercase";
		else if (!is_lower(s[i]) && !strchr("._-", s[i]))
			return "a character that names cannot have";
	if (!is_lower(s[0]) || !is_lower(s[n - 1]))
		return "a part that starts or ends with a separator";
	for (size_t i = 1; i < n; i++) {
		bool both = !is_lower(s[i - 1]) && !is_lower(s[i]);

		if (!both || (s[i - 1] == '-' && s[i] == '-'))
			continue;
		if (s[i - 1] != '_' || s[i] != '_' || s[i + 1] == '_')
			return "two separators in a row";
	}
	return NULL;
}

static const char *path_problem(const char *path)
{
	if (strlen(path) > PATH_MAX_LENGTH)
		return "repository name of more than 255 characters";
	if (strlen(path) == 64 && strspn(path, "0123456789abcdef") == 64)
		return "64 hexadecimal digits are an ID, not a name";
	for (;;) {
		size_t n = strcspn(path, "/");
		const char *problem = component_problem(path, n);

		if (problem || !path[n])
			return problem;
		path += n + 1;
	}
}

static const char *port_problem(const char *port)
{
	unsigned number;

	return str_to_u32(port, &number) < 0 || number == 0 || number > 65535 ? "a malformed port" : NULL;
}

static bool is_host_label(const char *s, size_t n)
{
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

static const char *host_problem(const char *host)
{
	if (strlen(host) > HOST_MAX_LENGTH)
		return "registry name of more than 255 characters";
	if (*host == '[') {		/* IPv6 */
		const char *end = strchr(host, ']');

		if (!end || strspn(host + 1, "0123456789abcdefABCDEF:.") != (size_t)(end - host - 1) || end - host < 3)
			return "a malformed registry address";
		host = end + 1;
		return !*host ? NULL : *host == ':' ? port_problem(host + 1) : "a malformed registry address";
	}
	for (;;) {
		size_t n = strcspn(host, ".:");

		if (!is_host_label(host, n))
			return "a malformed registry name";
		if (host[n] != '.')
			return host[n] ? port_problem(host + n + 1) : NULL;
		host += n + 1;
	}
}

static const char *tag_problem(const char *tag)
{
	size_t n = strlen(tag);

	if (n == 0)
		return "an empty tag";
	if (n > TAG_MAX_LENGTH)
		return "tag of more than 128 characters";
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)tag[i]) && tag[i] != '_' && (i == 0 || (tag[i] != '.' && tag[i] != '-')))
			return "a character that tags cannot have";
	return NULL;
}

/* A first part is a registry when it cannot be a repository: it has a dot, a port, upper case, or is localhost. */
static bool is_registry(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] == '.' || s[i] == ':' || isupper((unsigned char)s[i]))
			return true;
	return n == strlen("localhost") && strncmp(s, "localhost", n) == 0;
}

static void normalize(struct arena *arena, struct reference *r)
{
	if (!r->registry)
		return;
	if (strcmp(r->registry, "index.docker.io") == 0)
		r->registry = arena_strdup(arena, "docker.io");
	if (strcmp(r->registry, "docker.io") == 0 && !strchr(r->path, '/'))
		r->path = arena_printf(arena, "library/%s", r->path);
}

/* Cuts the text into its parts; each is checked afterwards. */
static void split(struct arena *arena, const char *text, struct reference *r)
{
	char *rest = arena_strdup(arena, text), *mark, *slash;

	mark = strchr(rest, '@');
	if (mark) {
		*mark = '\0';
		r->digest = mark + 1;
	}
	slash = strchr(rest, '/');
	if (slash && is_registry(rest, (size_t)(slash - rest))) {
		*slash = '\0';
		r->registry = rest;
		rest = slash + 1;
	}
	slash = strrchr(rest, '/');
	mark = strchr(slash ? slash : rest, ':');
	if (mark) {
		*mark = '\0';
		r->tag = mark + 1;
	}
	r->path = rest;
}

static const char *problem_of(const struct reference *r)
{
	const char *problem = path_problem(r->path);

	if (!problem && r->registry)
		problem = host_problem(r->registry);
	if (!problem && r->tag)
		problem = tag_problem(r->tag);
	if (!problem && r->digest && !digest_is_valid(r->digest))
		problem = "a malformed digest";
	return problem;
}

int reference_parse(struct arena *arena, const char *text, struct reference *ret, struct error *err)
{
	const char *name = str_after(text, "docker://"), *problem;
	struct reference r = { 0 };

	if (!name)
		name = text;
	if (!*name)
		return error_set(err, ERROR_USAGE, "an image name must not be empty");
	split(arena, name, &r);
	problem = problem_of(&r);
	if (problem)
		return error_set(err, ERROR_USAGE, "invalid reference format: \"%s\": %s", str_printable(arena, text, 300),
				 problem);
	normalize(arena, &r);
	*ret = r;
	return 0;
}

char *reference_repository(struct arena *arena, const struct reference *r)
{
	return arena_printf(arena, "%s%s%s", r->registry ? r->registry : "", r->registry ? "/" : "", r->path);
}

char *reference_print(struct arena *arena, const struct reference *r)
{
	const char *tag = r->tag ? r->tag : r->digest ? NULL : "latest";

	return arena_printf(arena, "%s%s%s%s%s", reference_repository(arena, r), tag ? ":" : "", tag ? tag : "",
			    r->digest ? "@" : "", r->digest ? r->digest : "");
}

struct strings reference_scopes(struct arena *arena, const struct reference *r)
{
	/* With tag and digest, the digest is what is meant. */
	const struct reference exact = { r->registry, r->path, r->digest ? NULL : r->tag, r->digest };
	char *name = reference_repository(arena, r), *slash;
	struct strings list = { 0 };

	strings_add(arena, &list, reference_print(arena, &exact));
	strings_add(arena, &list, name);
	while ((slash = strrchr(name, '/'))) {
		*slash = '\0';
		strings_add(arena, &list, name);
	}
	for (const char *dot = strchr(name, '.'); dot && dot[1]; dot = strchr(dot + 1, '.'))
		strings_addf(arena, &list, "*%s", dot);
	return list;
}

bool reference_is_object_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 255 || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}
