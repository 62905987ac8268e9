#include "transfer/remake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/recipe.h"
#include "sys/fd.h"
#include "transfer/codec.h"

struct remake {
	struct arena *arena;
	int objects, fd;		/* fd: the object at hand; -1 */
	void *mapping;
	size_t mapping_size;
	struct recipe *recipe;
	struct inflate *steps;
	struct recipe_step step;
	int64_t left;			/* of the step */
};

/* --- the recipe */

static int open_recipe(const struct places *places, const char *chain_id)
{
	char path[160];

	if (places->layers < 0 || places->objects < 0 || !chain_id || !digest_is_valid(chain_id)) {
		errno = ENOENT;
		return -1;
	}
	snprintf(path, sizeof(path), "%s/recipe", digest_hex(chain_id));
	return openat(places->layers, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

bool remake_can(const struct places *places, const char *chain_id)
{
	_cleanup_fd_ int fd = open_recipe(places, chain_id);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static int map_recipe(const struct places *places, const char *chain_id, struct remake *m, struct error *err)
{
	_cleanup_fd_ int fd = open_recipe(places, chain_id);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "the layer has no recipe");
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open the layer's recipe");
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return error_set(err, ERROR_INVALID, "the layer's recipe is empty, or no file");
	m->mapping_size = (size_t)st.st_size;
	m->mapping = mmap(NULL, m->mapping_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (m->mapping == MAP_FAILED) {
		m->mapping = NULL;
		return error_errno(err, "map the layer's recipe");
	}
	return 0;
}

static ssize_t give_steps(void *context, void *p, size_t n, struct error *err)
{
	return inflate_read(context, p, n, err);
}

static int start(const struct places *places, const char *chain_id, struct remake *m, struct error *err)
{
	const void *packed;
	size_t n;

	if (map_recipe(places, chain_id, m, err) < 0)
		return -1;
	m->recipe = recipe_open(m->arena, m->mapping, m->mapping_size, "the layer's recipe", err);
	if (!m->recipe)
		return -1;
	packed = recipe_packed(m->recipe, &n);
	m->steps = inflate_open_memory(packed, n, err);
	if (!m->steps)
		return -1;
	recipe_start(m->recipe, give_steps, m->steps);
	return 0;
}

/* --- the stream */

static int open_object(struct remake *m, struct error *err)
{
	char name[OBJECT_NAME_SIZE];
	struct stat st;

	object_name(m->step.digest, name);
	fd_close(&m->fd);
	m->fd = openat(m->objects, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (m->fd < 0 && errno != ENOENT)
		return error_errno(err, "open the object %s", name);
	if (m->fd >= 0 && fstat(m->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size - m->step.offset >= m->step.size)
		return 0;
	error_set(err, ERROR_INVALID, "the object %s is %s", name, m->fd < 0 ? "missing" : "damaged");
	return error_hint(err, "the store is damaged; bryo system check --repair brings such objects again");
}

/* 1: there are bytes left of a step; 0: the end. */
static int next_step(struct remake *m, struct error *err)
{
	int more = 1;

	while (more > 0 && m->left == 0) {
		more = recipe_next(m->recipe, &m->step, err);
		m->left = more > 0 ? m->step.size : 0;
		if (more > 0 && !m->step.bytes && open_object(m, err) < 0)
			return -1;
	}
	return more;
}

static ssize_t take(struct remake *m, void *p, size_t n, struct error *err)
{
	int64_t done = m->step.size - m->left;
	ssize_t got = (ssize_t)n;

	if (m->step.bytes) {
		memcpy(p, (const char *)m->step.bytes + done, n);
		return got;
	}
	do
		got = pread(m->fd, p, n, m->step.offset + done);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return error_errno(err, "read an object");
	return got ? got : error_set(err, ERROR_INVALID, "an object became shorter");
}

static ssize_t remake_read(struct inflate *in, void *state, void *p, size_t n, struct error *err)
{
	struct remake *m = state;
	int more = next_step(m, err);
	ssize_t got;

	if (more <= 0)
		return more;
	got = take(m, p, (int64_t)n < m->left ? n : (size_t)m->left, err);
	if (got < 0)
		return -1;
	m->left -= got;
	in->consumed += (uint64_t)got;
	return got;
}

static void remake_close(void *state)
{
	struct remake *m = state;

	inflate_close(m->steps);
	if (m->mapping)
		munmap(m->mapping, m->mapping_size);
	fd_close(&m->fd);
	arena_free(m->arena);
	free(m);
}

static const struct codec codec_recipe = { .name = "recipe", .read = remake_read, .close = remake_close };

struct inflate *remake_open(const struct places *places, const char *chain_id, int64_t *ret_size, struct error *err)
{
	struct inflate *in = calloc(1, sizeof(*in));
	struct remake *m = calloc(1, sizeof(*m));

	if (!in || !m) {
		error_errno(err, "read a recipe");
		free(in);
		free(m);
		return NULL;
	}
	m->arena = arena_new();
	m->objects = places->objects;
	m->fd = in->fd = -1;
	in->codec = &codec_recipe;
	in->state = m;
	in->kind = INFLATE_PLAIN;
	if (start(places, chain_id, m, err) < 0) {
		inflate_close(in);
		return NULL;
	}
	if (ret_size)
		*ret_size = recipe_tar_size(m->recipe);
	return in;
}
