#include "store/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/near.h"
#include "sys/fd.h"

#define PATH_SIZE (NETWORK_NAME_MAX + 20)

static int not_found(const char *name, struct error *err)
{
	error_set(err, ERROR_NOT_FOUND, "unable to find network with name or ID %.300s: network not found", name);
	return error_code(err, "no-such-network");
}

/* "podman" is what Podman calls it; a file cannot have that name. */
static const char *own_name(const char *name)
{
	return strcmp(name, "podman") == 0 ? NETWORK_DEFAULT : name;
}

static bool record_path(const char *name, char path[PATH_SIZE])
{
	if (network_check_name(name, NULL) < 0)
		return false;
	snprintf(path, PATH_SIZE, "networks/%s.json", name);
	return true;
}

int network_lock(const struct store *s, enum lock_mode mode, struct error *err)
{
	int fd = lock_open(s->root_fd, "networks.lock", mode, true);

	return fd < 0 ? error_errno(err, "lock the networks of %s", s->path) : fd;
}

/* --- read */

/* Its id is the SHA-256 of its name. */
static const char default_record[] =
	"{\"name\":\"" NETWORK_DEFAULT "\",\"id\":\"17f29b073143d8cd97b5bbe492bdeffec1c5fee55cc1fe2112c8b9335f8b6121\","
	"\"driver\":\"bridge\",\"network_interface\":\"br0\",\"created\":\"2026-11-28T00:00:00Z\",\"subnets\":[{\"subnet\":"
	"\"10.88.0.0/16\",\"gateway\":\"10.88.0.1\"}],\"dns_enabled\":false,\"ipam_options\":{\"driver\":\"host-local\"}}";

static int decode(struct arena *arena, const struct store *s, const char *path, const char *name, const char *text, size_t n,
		  struct network *ret, struct error *err)
{
	struct error why = { 0 };

	if (network_decode(arena, text, n, path, ret, &why) == 0 && strcmp(ret->name, name) == 0)
		return 0;
	error_set(err, ERROR_INVALID, "the record of network %s is damaged: %s", name, *why.text ? why.text : "it has another name");
	return error_hint(err, "mend %s/%s, or remove it: bryo network rm %s", s->path, path, name);
}

int network_read(struct arena *arena, const struct store *s, const char *name, struct network *ret, struct error *err)
{
	char path[PATH_SIZE];
	const char *text;
	size_t n;

	name = own_name(name);
	if (!record_path(name, path))
		return not_found(name, err);
	text = fd_read_file(arena, s->root_fd, path, NETWORK_RECORD_MAX, &n);
	if (text)
		return decode(arena, s, path, name, text, n, ret, err);
	if (errno != ENOENT && errno != EFBIG)
		return error_errno(err, "read %s/%s", s->path, path);
	if (errno == EFBIG)
		return decode(arena, s, path, name, "", 0, ret, err);
	if (strcmp(name, NETWORK_DEFAULT) != 0) {
		not_found(name, err);
		return near_hint(s, NEAR_NETWORK, name, err);
	}
	return network_decode(arena, default_record, sizeof(default_record) - 1, "default network", ret, err);
}

static int compare_networks(const void *a, const void *b)
{
	return strcmp(((const struct network *)a)->name, ((const struct network *)b)->name);
}

static void list_one(struct arena *arena, const struct store *s, const char *name, struct networks *ret)
{
	struct error why = { 0 };
	struct network n;

	if (network_read(arena, s, name, &n, &why) == 0)
		*ARRAY_ADD(arena, ret) = n;
	else if (!error_is(&why, ERROR_NOT_FOUND))
		strings_add(arena, &ret->broken, name);
}

int network_list(struct arena *arena, const struct store *s, struct networks *ret, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "networks");
	struct dirent *entry;

	*ret = (struct networks){ 0 };
	if (!dir && errno != ENOENT)
		return error_errno(err, "open %s/networks", s->path);
	list_one(arena, s, NETWORK_DEFAULT, ret);
	while (dir && (entry = fd_next_entry(dir))) {
		char *name = arena_strdup(arena, entry->d_name);

		if (!str_ends(name, ".json"))
			continue;
		name[strlen(name) - strlen(".json")] = '\0';
		if (strcmp(own_name(name), NETWORK_DEFAULT) != 0)
			list_one(arena, s, name, ret);
	}
	if (dir && errno)
		return error_errno(err, "list %s/networks", s->path);
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_networks);
	return 0;
}

/* --- find */

static int find_id(struct arena *arena, const struct store *s, const char *id, struct network *ret, struct error *err)
{
	const struct network *found = NULL;
	struct networks all;

	if (network_list(arena, s, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		if (!str_starts(all.v[i].id, id))
			continue;
		if (found)
			return error_set(err, ERROR_USAGE, "more than one result for network ID %s: network already exists", id);
		found = &all.v[i];
	}
	if (!found)
		return not_found(id, err);
	*ret = *found;
	return 0;
}

int network_find(struct arena *arena, const struct store *s, const char *name_or_id, struct network *ret, struct error *err)
{
	struct error why = { 0 };

	if (network_read(arena, s, name_or_id, ret, &why) == 0)
		return 0;
	if (error_is(&why, ERROR_NOT_FOUND) && *name_or_id && strspn(name_or_id, "0123456789abcdef") == strlen(name_or_id))
		return find_id(arena, s, name_or_id, ret, err);
	if (err)
		*err = why;
	return -1;
}

/* --- write */

int network_write(struct arena *arena, struct store *s, struct network *n, struct error *err)
{
	const char *text = network_print(arena, n);
	char path[PATH_SIZE];

	if (network_check(n, err) < 0)
		return -1;
	if (strlen(text) > NETWORK_RECORD_MAX)
		return error_set(err, ERROR_INVALID, "the record of network %s would have more than %zu bytes", n->name,
				 NETWORK_RECORD_MAX);
	if (fd_mkdirs(s->root_fd, "networks", 0700) < 0)	/* the first stores had none */
		return error_errno(err, "make %s/networks", s->path);
	record_path(n->name, path);
	return store_write(s, path, text, strlen(text), true, err);
}

int network_discard(struct store *s, const char *name, struct error *err)
{
	char path[PATH_SIZE];

	return record_path(name, path) ? store_discard(s, path, true, err) : not_found(name, err);
}
