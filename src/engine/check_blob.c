/* `system check`: blobs and objects by digest */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/check_part.h"
#include "spec/object_name.h"
#include "spec/oci_image.h"
#include "store/stage.h"
#include "sys/fd.h"

/* What could not be read may be read the next time, and may be all that there is: it counts as whole, and only --force
 * removes it. */
static bool stays(struct check *c, const struct transfer_damage *d, struct check_finding *f)
{
	if (!d->unread || (c->o->repair && c->o->force))
		return false;
	check_cure(c, f, "it stays: try again, and look at the disk; --repair --force removes it");
	return true;
}

/* --- blobs */

/* Whose it is, for a person: the images that name the blob. */
static char *users_of_blob(struct check *c, const char *digest)
{
	struct strings users = { 0 };

	for (size_t i = 0; i < c->images.n; i++) {
		struct strings blobs = { 0 };

		image_blobs(c->e->arena, &c->e->store, &c->images.v[i], &blobs, NULL);
		if (strings_has(&blobs, digest))
			strings_add(c->e->arena, &users, check_image_name(c, c->images.v[i].id));
	}
	return users.n ? strings_join(c->e->arena, &users, ", ") : NULL;
}

static int discard_blob(struct check *c, const char *digest, struct error *err)
{
	return store_discard(&c->e->store, arena_printf(c->e->arena, "blobs/sha256/%s", digest_hex(digest)), true, err);
}

static void blob_is_damaged(struct check *c, const struct transfer_damage *d)
{
	char *users = users_of_blob(c, d->name);
	struct check_finding *f = check_add(c, "blob", d->name, NULL, "%s", d->text);
	struct error why = { 0 };

	if (stays(c, d, f))
		return;
	if (c->o->repair)
		check_mended(c, f, discard_blob(c, d->name, &why), "removed", &why);
	else
		check_cure(c, f, "--repair removes it");
	if (users && (f->repaired || !c->o->repair))
		check_cure(c, f, "%s; pull again: %s", f->cure, users);
}

static void list_blobs(struct check *c, struct strings *ret)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->store.blobs_fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *digest = arena_printf(c->e->arena, "sha256:%s", entry->d_name);

		if (stage_is_dot(entry->d_name))
			continue;
		if (digest_is_valid(digest))
			strings_add(c->e->arena, ret, digest);
		else
			check_cure(c, check_add(c, "leftover", arena_printf(c->e->arena, "blobs/sha256/%s", entry->d_name), NULL,
						"it is no blob"), "remove it by hand");
	}
}

/* What the descriptors say of sizes costs nothing to compare. */
static void check_sizes(struct check *c, const struct strings *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct transfer_damage d = { .name = all->v[i] };
		struct stat st;

		if (fstatat(c->e->store.blobs_fd, digest_hex(d.name), &st, AT_SYMLINK_NOFOLLOW) < 0) {
			d.unread = error_is_unread(errno);
			d.text = arena_printf(c->e->arena, "it cannot be read: %s", strerror(errno));
		} else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
			d.text = "it is empty, or no file";
		}
		if (d.text)
			blob_is_damaged(c, &d);
		if (!d.text || d.unread)
			strings_add(c->e->arena, &c->blobs, d.name);
	}
}

static int check_contents(struct check *c, const struct strings *all, struct error *err)
{
	struct transfer_request request = { .op = "verify", .digests = *all };
	struct transfer_event result;
	struct strings bad = { 0 };

	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	for (size_t i = 0; i < result.damaged.n; i++) {
		if (!result.damaged.v[i].unread)
			strings_add(c->e->arena, &bad, result.damaged.v[i].name);
		blob_is_damaged(c, &result.damaged.v[i]);
	}
	for (size_t i = 0; i < all->n; i++)
		if (!strings_has(&bad, all->v[i]))
			strings_add(c->e->arena, &c->blobs, all->v[i]);
	return 0;
}

int check_blobs(struct check *c, struct error *err)
{
	struct strings all = { 0 };

	list_blobs(c, &all);
	c->report->blobs = all.n;
	if (!c->o->quick && all.n > 0)
		return check_contents(c, &all, err);
	check_sizes(c, &all);
	return 0;
}

/* --- objects */

/* Without it, unpacking a layer that has it makes it anew. */
static void object_is_damaged(struct check *c, const struct transfer_damage *d)
{
	struct check_finding *f = check_add(c, "object", d->name, NULL, "%s", d->text);
	struct error why = { 0 };

	if (stays(c, d, f))
		return;
	strings_add(c->e->arena, &c->bad_objects, d->name);
	if (!c->o->repair)
		check_cure(c, f, "--repair removes it and unpacks the layers again that have it");
	else
		check_mended(c, f, store_discard(&c->e->store, arena_printf(c->e->arena, "objects/%s", d->name), true, &why),
			     "removed; the layers that have it are unpacked again", &why);
}

/* Nothing of bryo's puts anything else there. directory: "", or "c/" */
static void check_names(struct check *c, const char *directory)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->store.objects_fd, *directory ? directory : ".");
	char path[2 * NAME_MAX + 2];
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s%s", directory, entry->d_name);
		if (stage_is_dot(entry->d_name) || object_name_is_valid(path))
			continue;
		if (!*directory && object_name_is_directory(path))
			check_names(c, arena_printf(c->e->arena, "%s/", path));
		else
			check_cure(c, check_add(c, "leftover", arena_printf(c->e->arena, "objects/%s", path), NULL, "it is no object"),
				   "remove it by hand");
	}
}

int check_objects(struct check *c, struct error *err)
{
	struct transfer_request request = { .op = "objects-check" };
	struct transfer_event result;

	if (c->o->quick)
		return 0;
	check_names(c, "");
	if (transfer_call(c->e, &c->transfer, &request, NULL, 0, &result, err) < 0)
		return -1;
	c->report->objects = (size_t)result.checked;
	for (size_t i = 0; i < result.damaged.n; i++)
		object_is_damaged(c, &result.damaged.v[i]);
	return 0;
}
