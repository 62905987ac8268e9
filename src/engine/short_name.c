#include "engine/short_name.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "engine/registry_config.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define ALIASES_MAX ((size_t)4 << 20)

enum { NOBODY_TO_ASK = -2 };

static int ask(struct engine *e, const struct reference *name, const struct strings *choices)
{
	char *question =
		arena_printf(e->arena, "Several registries may have \"%s\". Which image is meant?", name->path);

	return e->face.choose ? e->face.choose(e->face.context, question, choices) : NOBODY_TO_ASK;
}

static int refuse(struct engine *e, const struct reference *name, const struct strings *choices, struct error *err)
{
	error_set(err, ERROR_FAILED, "the short name \"%s\" may mean several images, short-name-mode is enforcing, and "
		  "there is no terminal to ask", name->path);
	error_code(err, "short-name");
	return error_hint(err, "write the full name: %s", strings_join(e->arena, choices, " or "));
}

static int choose(struct engine *e, const char *mode, const struct reference *name, struct strings *names,
		  bool *ret_chosen, struct error *err)
{
	int chosen = ask(e, name, names);
	char *one;

	if (chosen == NOBODY_TO_ASK)
		return str_eq(mode, "enforcing") ? refuse(e, name, names, err) : 0;
	if (chosen < 0 || (size_t)chosen >= names->n)
		return error_set(err, ERROR_FAILED, "no image was chosen for the short name \"%s\"", name->path);
	one = names->v[chosen];
	*names = (struct strings){ 0 };
	strings_add(e->arena, names, one);
	*ret_chosen = true;
	return 0;
}

int short_name_resolve(struct engine *e, const struct registries *registries, const struct reference *name,
		       struct strings *ret, bool *ret_chosen, struct error *err)
{
	*ret_chosen = false;
	if (name->registry) {
		strings_add(e->arena, ret, reference_print(e->arena, name));
		return 0;
	}
	if (registries_candidates(e->arena, registries, name, ret, err) < 0)
		return -1;
	if (ret->n < 2 || str_eq(registries->short_name_mode, "disabled"))
		return 0;
	return choose(e, registries->short_name_mode, name, ret, ret_chosen, err);
}

/* --- the file of chosen aliases, which Podman writes, too */

static int read_aliases(struct engine *e, const char *path, struct registries *ret, struct error *err)
{
	size_t size;
	char *text = fd_read_file(e->arena, AT_FDCWD, path, ALIASES_MAX, &size);

	if (!text)
		return errno == ENOENT ? 0 : error_errno(err, "read %s", path);
	return registries_add(e->arena, ret, text, size, path, err);
}

static int write_aliases(struct engine *e, const char *path, const struct string_map *aliases, struct error *err)
{
	_cleanup_buffer_ struct buffer text = BUFFER(ALIASES_MAX);

	buffer_adds(&text, "[aliases]\n");
	for (size_t i = 0; i < aliases->n; i++)
		buffer_printf(&text, "  \"%s\" = \"%s\"\n", aliases->v[i].key, aliases->v[i].value);
	if (text.failed)
		return error_set(err, ERROR_FAILED, "%s: too many aliases", path);
	if (fd_write_file(AT_FDCWD, path, text.data, text.size, 0600, false) < 0)
		return error_errno(err, "write %s", path);
	return 0;
}

static int remember(struct engine *e, const char *path, const char *name, const char *value, struct error *err)
{
	char *folder = arena_strndup(e->arena, path, (size_t)(strrchr(path, '/') - path));
	struct registries known = { 0 };
	_cleanup_fd_ int lock = -1;

	if (fd_mkdirs(AT_FDCWD, folder, 0700) < 0)
		return error_errno(err, "make %s", folder);
	lock = lock_open(AT_FDCWD, arena_printf(e->arena, "%s.lock", path), LOCK_EXCLUSIVE, true);
	if (lock < 0)
		return error_errno(err, "lock %s", path);
	if (read_aliases(e, path, &known, err) < 0)
		return -1;
	map_set(e->arena, &known.aliases, name, value);
	return write_aliases(e, path, &known.aliases, err);
}

void short_name_remember(struct engine *e, const struct reference *name, const char *full)
{
	struct reference value;
	struct error err = { 0 };

	if (reference_parse(e->arena, full, &value, &err) < 0 ||
	    remember(e, registry_config_aliases(e), name->path, reference_repository(e->arena, &value), &err) < 0)
		engine_warn(e, "the choice for \"%s\" is not remembered: %s", name->path, err.text);
}
