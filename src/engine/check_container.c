/* `system check`: containers and their names, volumes, SELinux labels, and what was left behind */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "engine/check_part.h"
#include "engine/events.h"
#include "engine/life.h"
#include "engine/state.h"
#include "engine/userns_mode.h"
#include "store/container.h"
#include "store/container_name.h"
#include "store/container_rootfs.h"
#include "store/stage.h"
#include "store/volume.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define NS_PER_S 1000000000
#define TRASH_AGE_NS ((int64_t)60 * NS_PER_S)

/* --- records of containers */

/* There, or being made. */
static bool has_container(struct check *c, const char *id)
{
	return faccessat(c->e->store.root_fd, arena_printf(c->e->arena, "containers/%s", id), F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       errno != ENOENT ||
	       lock_is_held(c->e->store.tmp_fd, arena_printf(c->e->arena, "%s.lock", id));
}

static int remove_container(struct check *c, const char *id, struct error *err)
{
	const struct rm_options force = { .force = true, .timeout_s = -1 };
	struct container one;

	if (container_load(c->e, id, &one, NULL) < 0 && container_load_damaged(c->e, id, &one, err) < 0)
		return -1;
	return container_rm(c->e, &one, &force, err);
}

static void by_force(struct check *c, struct check_finding *f, const char *id)
{
	struct error why = { 0 };

	if (c->o->force)
		check_mended(c, f, remove_container(c, id, &why), "removed", &why);
	else
		check_cure(c, f, "--repair --force removes it with its writable layer, as `bryo rm --force %.12s` does", id);
}

/* With --rm nobody counts on it after the machine went down. */
static void judge_damaged(struct check *c, struct check_finding *f, const char *id)
{
	struct error why = { 0 };

	if (!container_store_is_volatile(&c->e->store, id))
		by_force(c, f, id);
	else if (c->o->repair)
		check_mended(c, f, remove_container(c, id, &why), "removed, as it was to be at its end (--rm)", &why);
	else
		check_cure(c, f, "it was to be removed at its end (--rm): --repair does so");
}

static void check_damaged(struct check *c)
{
	struct strings ids = { 0 };

	container_list_damaged(c->e, &ids, NULL);
	for (size_t i = 0; i < ids.n; i++) {
		struct container one;
		struct error why = { 0 };

		container_load(c->e, ids.v[i], &one, &why);
		judge_damaged(c, check_add(c, "container", ids.v[i], NULL, "%s", why.text), ids.v[i]);
	}
	c->report->containers = c->containers.n + ids.n;
}

static void check_layers_of(struct check *c, const struct container *one)
{
	for (size_t i = 0; i < one->layers.n; i++) {
		if (!strings_has(&c->bad_layers, one->layers.v[i]))
			continue;
		by_force(c, check_add(c, "container", one->id, one->name, "its layer %.19s is missing or damaged", one->layers.v[i]),
			 one->id);
		return;
	}
}

static void check_rootfs(struct check *c, const struct container *one)
{
	char *problem = one->rootfs ? NULL : container_rootfs_problem(c->e->arena, &c->e->store, one->id, &one->layers);
	struct check_finding *f = problem ? check_add(c, "container", one->id, one->name, "%s", problem) : NULL;
	struct id_maps maps = { 0 };
	struct error why = { 0 };
	int r;

	if (!f)
		return;
	if (!c->o->repair) {
		check_cure(c, f, "--repair makes it anew from config.json; what was written to a missing layer is lost");
		return;
	}
	r = userns_mode_maps(c->e, one, &maps, NULL, &why);
	if (r == 0)
		r = container_rootfs_mend(c->e->arena, &c->e->store, one->id, &one->layers, &maps, &why);
	check_mended(c, f, r, "made anew from config.json", &why);
}

static void check_name(struct check *c, const struct container *one)
{
	char owner[65] = "";
	struct check_finding *f;
	struct error why = { 0 };

	if (container_name_lookup(&c->e->store, one->name, owner) && strcmp(owner, one->id) == 0)
		return;
	f = check_add(c, "name", one->name, NULL, "it should point to container %.12s and does not", one->id);
	if (c->o->repair)
		check_mended(c, f, container_name_claim(&c->e->store, one->name, one->id, &why), "points there again", &why);
	else
		check_cure(c, f, "--repair points it there again");
}

static void check_volumes_of(struct check *c, const struct container *one)
{
	for (size_t i = 0; i < one->mounts.n; i++) {
		struct volume v;
		struct error why = { 0 };

		if (strcmp(one->mounts.v[i].type, "volume") != 0 || !one->mounts.v[i].name ||
		    volume_read(c->e->arena, &c->e->store, one->mounts.v[i].name, &v, &why) == 0 || !error_is(&why, ERROR_NOT_FOUND))
			continue;
		check_cure(c, check_add(c, "container", one->id, one->name, "its volume %s is missing", one->mounts.v[i].name),
			   "make it again, empty: bryo volume create %s", one->mounts.v[i].name);
	}
}

/* With --rm the writable layer was never flushed, and a machine that went down left it as it was then. Neither it nor
 * anything else of the container is taken away without being told to. */
static void check_abandoned(struct check *c, const struct container *one)
{
	struct container_state s;
	struct check_finding *f;

	if (!one->request.rm || !container_rootfs_is_unsynced(&c->e->store, one->id) ||
	    container_load_state(c->e, one, &s, NULL) < 0 || (s.status != CONTAINER_CREATED && s.status != CONTAINER_EXITED))
		return;
	f = check_add(c, "container", one->id, one->name, "it was to be removed at its end and was not, because bryo or the machine "
		      "went down; its last writes may be missing");
	if (c->o->force)
		by_force(c, f, one->id);
	else
		check_cure(c, f, "keep it: `bryo start %s`; otherwise `bryo rm %s`, or --repair --force", one->name, one->name);
}

static void check_dangling_names(struct check *c)
{
	struct strings names;

	container_names_dangling(c->e->arena, &c->e->store, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct check_finding *f = check_add(c, "name", names.v[i], NULL, "it points to a container that is not there");
		struct error why = { 0 };

		if (c->o->repair)
			check_mended(c, f, container_name_discard(&c->e->store, names.v[i], &why), "removed", &why);
		else
			check_cure(c, f, "--repair removes it");
	}
}

void check_containers(struct check *c)
{
	check_damaged(c);
	for (size_t i = 0; i < c->containers.n; i++) {
		const struct container *one = &c->containers.v[i];

		if (!has_container(c, one->id))		/* it went with its image */
			continue;
		check_layers_of(c, one);
		if (!has_container(c, one->id))
			continue;
		check_rootfs(c, one);
		check_name(c, one);
		check_volumes_of(c, one);
		check_abandoned(c, one);
	}
	check_dangling_names(c);
}

/* --- volumes */

static int mend_volume(struct check *c, const char *name, struct error *err)
{
	struct volume v = { .name = arena_strdup(c->e->arena, name), .driver = "local" };
	struct stat st;

	if (fstatat(c->e->store.root_fd, arena_printf(c->e->arena, "volumes/%s", name), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "look at volume %s", name);
	v.created = units_format_time(c->e->arena, (int64_t)st.st_ctim.tv_sec * NS_PER_S);
	return volume_write(c->e->arena, &c->e->store, &v, err);
}

static void check_records_of_volumes(struct check *c, const struct strings *broken)
{
	for (size_t i = 0; i < broken->n; i++) {
		struct check_finding *f = check_add(c, "volume", broken->v[i], NULL, "its record volume.json is missing or damaged");
		struct error why = { 0 };
		struct volume v;

		if (volume_read(c->e->arena, &c->e->store, broken->v[i], &v, &why) < 0 && error_is_unread(why.sys))
			check_cure(c, f, "it stays: %s; try again, and look at the disk", why.text);
		else if (c->o->repair)
			check_mended(c, f, mend_volume(c, broken->v[i], &why), "written anew; its labels and options are lost", &why);
		else
			check_cure(c, f, "--repair writes it anew; its labels and options are lost, its data is kept");
	}
}

static void check_data(struct check *c, const struct volume *v)
{
	char *path = arena_printf(c->e->arena, "volumes/%s/_data", v->name);
	struct check_finding *f;
	struct stat st;
	struct error why = { 0 };

	if (fstatat(c->e->store.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return;
	f = check_add(c, "volume", v->name, NULL, "its directory _data is missing");
	if (!c->o->repair)
		check_cure(c, f, "--repair makes it, empty");
	else if (mkdirat(c->e->store.root_fd, path, 0755) < 0)
		check_mended(c, f, error_errno(&why, "make %s", path), NULL, &why);
	else
		check_mended(c, f, 0, "made, empty", NULL);
}

void check_volumes(struct check *c)
{
	struct volumes volumes;

	if (volume_list(c->e->arena, &c->e->store, &volumes, NULL) < 0)
		return;
	c->report->volumes = volumes.n + volumes.broken.n;
	check_records_of_volumes(c, &volumes.broken);
	for (size_t i = 0; i < volumes.n; i++)
		check_data(c, &volumes.v[i]);
}

/* --- leftovers */

static void leftover(struct check *c, const char *path, const char *problem, bool gone)
{
	struct check_finding *f = check_add(c, "leftover", path, NULL, "%s", problem);

	f->repaired = gone;
	check_cure(c, f, gone ? "removed" : c->o->repair ? "it cannot be removed" : "--repair removes it");
}

static bool is_younger(struct check *c, const char *path, int64_t ns)
{
	struct stat st;

	return fstatat(c->e->store.root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (int64_t)st.st_ctim.tv_sec * NS_PER_S + ns > units_now();
}

/* Nobody locks what he is about to delete: in trash/ time tells. */
static void check_directory(struct check *c, const char *name)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->store.root_fd, name);
	bool trash = strcmp(name, "trash") == 0;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = arena_printf(c->e->arena, "%s/%s", name, entry->d_name);

		if (stage_is_dot(entry->d_name) ||
		    (trash ? is_younger(c, path, TRASH_AGE_NS) : stage_is_live(&c->e->store, entry->d_name)))
			continue;
		leftover(c, path, "a command that was killed left it", false);
	}
}

/* Every command collects them in the background; here they are waited for. What is left resists. */
static void check_staging(struct check *c)
{
	int lock = lock_open(c->e->store.root_fd, "collect.lock", LOCK_EXCLUSIVE, true);

	fd_close(&lock);
	store_collect(&c->e->store);
	check_directory(c, "tmp");
	check_directory(c, "trash");
}

static void check_unneeded_in(struct check *c, const char *directory, const struct strings *list, const char *what)
{
	for (size_t i = 0; i < list->n; i++) {
		char *path = arena_printf(c->e->arena, "%s/%s", directory, list->v[i]);

		if (is_younger(c, path, c->o->max_age_ns))
			continue;
		leftover(c, path, what, c->o->repair && faccessat(c->e->store.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0);
	}
}

static void check_unneeded(struct check *c)
{
	struct strings layers, blobs;
	struct error why = { 0 };
	int r = store_unneeded(c->e->arena, &c->e->store, &layers, &blobs, &why);

	if (r < 0)
		check_cure(c, check_add(c, "leftover", "layers", NULL, "unneeded layers and blobs cannot be told: %s", why.text),
			   "mend or remove what is damaged first");
	if (r)
		return;
	if (c->o->repair && layers.n + blobs.n > 0) {
		store_sweep(c->e->arena, &c->e->store, NULL, NULL);
		store_collect(&c->e->store);
	}
	check_unneeded_in(c, "layers", &layers, "no image and no container needs this layer");
	check_unneeded_in(c, "blobs/sha256", &blobs, "no image and no container needs this blob");
}

/* Layers that go leave their objects to the next collection: this comes after them. */
static void check_unneeded_objects(struct check *c)
{
	struct store_waste waste;
	struct error why = { 0 };
	int r = c->o->quick ? 1 : store_unneeded_objects(c->e->arena, &c->e->store, c->o->max_age_ns, &waste, &why);

	if (r < 0)
		check_cure(c, check_add(c, "leftover", "objects", NULL, "unneeded objects cannot be told: %s", why.text),
			   "mend or remove what is damaged first");
	if (r || !waste.n)
		return;
	leftover(c, "objects", arena_printf(c->e->arena, "no layer needs %zu of them (%s)", waste.n,
					    units_format_size(c->e->arena, waste.bytes)),
		 c->o->repair && store_sweep_objects(c->e->arena, &c->e->store, &why) == 0);
}

static void check_runtime(struct check *c)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->run_fd, "containers");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = arena_printf(c->e->arena, "containers/%s", entry->d_name);

		if (stage_is_dot(entry->d_name) || has_container(c, entry->d_name) ||
		    lock_is_held(c->e->run_fd, arena_printf(c->e->arena, "%s/monitor.lock", path)))
			continue;
		leftover(c, arena_printf(c->e->arena, "%s/%s", c->e->run_path, path), "runtime directory of a container that is not there",
			 c->o->repair && fd_remove_tree(c->e->run_fd, path) == 0);
	}
}

static void check_labels(struct check *c)
{
	_cleanup_dir_ DIR *dir = fd_opendir(c->e->store.root_fd, "labels");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char id[65] = "";
		ssize_t n = stage_is_dot(entry->d_name) ? 0 : readlinkat(dirfd(dir), entry->d_name, id, sizeof(id) - 1);
		struct check_finding *f;
		struct error why = { 0 };

		if (n == 0 || (n < 0 && error_is_unread(errno)) || (n == 64 && has_container(c, id)))
			continue;
		f = check_add(c, "label", entry->d_name, NULL, "these categories belong to a container that is not there");
		if (!c->o->repair)
			check_cure(c, f, "--repair gives them back");
		else if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			check_mended(c, f, error_errno(&why, "remove labels/%s", entry->d_name), NULL, &why);
		else
			check_mended(c, f, 0, "given back", NULL);
	}
}

void check_leftovers(struct check *c)
{
	check_staging(c);
	check_unneeded(c);
	check_unneeded_objects(c);
	check_runtime(c);
	check_labels(c);
}
