#include "spec/layer_merge.h"

#include <stdlib.h>

#include "base/string.h"

/* From a directory on, layers below `lowest` are not seen. */
struct floor { size_t length, lowest; };	/* length: of the directory's path, in the merge's `below` */

/* An entry with links that an upper layer hides. */
struct moved {
	char *path;
	struct layer_entry entry;
	char *home;			/* the link that became the file; NULL: none yet */
};

struct layer {
	struct layer_index *index;
	const struct layer_entry *now;	/* NULL at its end */
	ARRAY(struct moved) moved;	/* sorted by path, as they come */
};

struct layer_merge {
	struct arena *arena;
	struct layer *layers;
	size_t n;
	size_t *heap, heap_n;		/* layers that have an entry: the first path first, upper ones before lower */
	size_t *same, same_n;		/* layers whose entry was looked at last, upper ones first */
	struct floor *floors;		/* floors[0] is the root's; each path begins with that of the one before */
	size_t floors_n, floors_room;
	char *below;			/* the path of the last floor */
	size_t below_room;
	struct layer_entry out;
};

struct layer_merge *layer_merge_open(struct arena *arena, struct layer_index *const *layers, size_t n)
{
	struct layer_merge *m = arena_new_one(arena, struct layer_merge);

	m->arena = arena;
	m->n = n;
	m->layers = arena_new_array(arena, struct layer, n);
	m->heap = arena_new_array(arena, size_t, n);
	m->same = arena_new_array(arena, size_t, n);
	m->floors = arena_new_array(arena, struct floor, m->floors_room = 16);
	m->floors_n = 1;
	m->below = arena_alloc(arena, m->below_room = 256);
	/* Every layer waits to be read, as if its entry had just been used. */
	for (size_t i = 0; i < n; i++) {
		m->layers[i].index = layers[i];
		m->same[m->same_n++] = i;
	}
	return m;
}

/* --- which layers are next */

static bool comes_before(const struct layer_merge *m, size_t a, size_t b)
{
	int order = layer_index_compare(m->layers[a].now->path, m->layers[b].now->path);

	return order ? order < 0 : a > b;
}

static void heap_add(struct layer_merge *m, size_t layer)
{
	size_t at = m->heap_n++;

	while (at > 0 && comes_before(m, layer, m->heap[(at - 1) / 2])) {
		m->heap[at] = m->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	m->heap[at] = layer;
}

static size_t heap_take(struct layer_merge *m)
{
	size_t first = m->heap[0], last = m->heap[--m->heap_n], at = 0, child;

	while ((child = 2 * at + 1) < m->heap_n) {
		if (child + 1 < m->heap_n && comes_before(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!comes_before(m, m->heap[child], last))
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = last;
	return first;
}

/* Reads on where entries were used and gathers the layers that have the next path. */
static int gather(struct layer_merge *m, struct error *err)
{
	for (size_t i = 0; i < m->same_n; i++) {
		struct layer *layer = &m->layers[m->same[i]];
		int more = layer_index_next(layer->index, &layer->now, err);

		if (more < 0)
			return -1;
		if (more)
			heap_add(m, m->same[i]);
	}
	m->same_n = 0;
	while (m->heap_n && (!m->same_n || str_eq(m->layers[m->heap[0]].now->path, m->layers[m->same[0]].now->path)))
		m->same[m->same_n++] = heap_take(m);
	return m->same_n > 0;
}

/* --- what is hidden */

/* The lowest layer that is seen at the path: forgets the floors that it is not below. */
static size_t floor_at(struct layer_merge *m, const char *path)
{
	size_t common = 0;

	if (m->floors_n == 1)
		return m->floors[0].lowest;
	while (path[common] && path[common] == m->below[common])
		common++;
	while (m->floors_n > 1) {
		size_t length = m->floors[m->floors_n - 1].length;

		if (length <= common && path[length] == '/')
			break;
		m->floors_n--;
	}
	return m->floors[m->floors_n - 1].lowest;
}

static void add_floor(struct layer_merge *m, const char *path, size_t lowest)
{
	size_t length = strlen(path);

	if (!length) {
		m->floors[0].lowest = lowest;
		return;
	}
	if (m->floors_n == m->floors_room) {
		struct floor *more = arena_new_array(m->arena, struct floor, m->floors_room *= 2);

		memcpy(more, m->floors, m->floors_n * sizeof(*more));
		m->floors = more;
	}
	if (length >= m->below_room)
		m->below = arena_alloc(m->arena, m->below_room = 2 * (length + 1));
	memcpy(m->below, path, length + 1);
	m->floors[m->floors_n++] = (struct floor){ length, lowest };
}

static int compare_moved(const void *path, const void *moved)
{
	return layer_index_compare(path, ((const struct moved *)moved)->path);
}

static struct moved *find_moved(const struct layer *layer, const char *path)
{
	if (!layer->moved.n)
		return NULL;
	return bsearch(path, layer->moved.v, layer->moved.n, sizeof(*layer->moved.v), compare_moved);
}

/* Texts and values lie in the layer's file: only what the reader uses again is copied. */
static void remember(struct layer_merge *m, struct layer *layer)
{
	struct moved *moved = ARRAY_ADD(m->arena, &layer->moved);

	moved->path = arena_strdup(m->arena, layer->now->path);
	moved->entry = *layer->now;
	if (layer->now->xattrs_n)
		moved->entry.xattrs = arena_memdup(m->arena, layer->now->xattrs,
						   layer->now->xattrs_n * sizeof(struct layer_xattr));
}

/* Where below a directory the layers begin that are seen; *ret: whose attributes it has. An opaque mark hides what is in
 * the lower directory: one that the layer does not name is still that one. */
static size_t join_directories(const struct layer_merge *m, size_t lowest, size_t *ret)
{
	size_t below = lowest;
	bool implied = true;

	*ret = m->same[0];
	for (size_t i = 0; i < m->same_n && m->same[i] >= lowest; i++) {
		const struct layer_entry *e = m->layers[m->same[i]].now;

		if (e->type != LAYER_DIRECTORY)
			return below > m->same[i] ? below : m->same[i] + 1;
		if (implied && !e->implied) {
			*ret = m->same[i];
			implied = false;
		}
		if (e->opaque && below < m->same[i])
			below = m->same[i];
	}
	return below;
}

/* --- what is answered */

static void answer_link(struct layer_merge *m, struct layer *layer)
{
	struct moved *moved = find_moved(layer, layer->now->target);

	m->out = *layer->now;
	if (!moved)
		return;
	if (moved->home) {
		m->out.target = moved->home;
		return;
	}
	moved->home = arena_strdup(m->arena, layer->now->path);
	m->out = moved->entry;
	m->out.path = layer->now->path;
}

static void answer(struct layer_merge *m, size_t from)
{
	struct layer *layer = &m->layers[from];

	if (layer->now->type == LAYER_HARDLINK)
		answer_link(m, layer);
	else
		m->out = *layer->now;
	m->out.opaque = m->out.implied = false;
}

/* Decides about the path that `same` shares: is anything seen, and of which layer? */
static bool decide(struct layer_merge *m, size_t *ret)
{
	const struct layer_entry *top = m->layers[m->same[0]].now;
	size_t lowest = floor_at(m, top->path), below;
	bool seen = m->same[0] >= lowest && top->type != LAYER_WHITEOUT;

	*ret = m->same[0];
	if (m->same[0] < lowest)
		below = lowest;
	else if (top->type == LAYER_DIRECTORY)
		below = join_directories(m, lowest, ret);
	else
		below = m->same[0] + 1;
	if (below != lowest)
		add_floor(m, top->path, below);
	for (size_t i = 0; i < m->same_n; i++)
		if (m->layers[m->same[i]].now->linked && (!seen || m->same[i] != *ret))
			remember(m, &m->layers[m->same[i]]);
	return seen;
}

int layer_merge_next(struct layer_merge *m, const struct layer_entry **ret, size_t *ret_layer, struct error *err)
{
	size_t from = 0;
	int more;

	do
		more = gather(m, err);
	while (more > 0 && !decide(m, &from));
	if (more <= 0)
		return more;
	answer(m, from);
	if (ret_layer)
		*ret_layer = from;
	*ret = &m->out;
	return 1;
}
