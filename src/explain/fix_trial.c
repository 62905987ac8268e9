#include "explain/fix_trial.h"

#include <linux/posix_acl.h>
#include <sys/stat.h>

#include "explain/permission.h"

/* --- copying */
static size_t nodes_of(struct access_path *path, struct access_node **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < path->searched.n; i++, n++)
		if (ret)
			ret[n] = &path->searched.v[i];
	if (ret)
		ret[n] = &path->target;
	return n + 1;
}

size_t trial_nodes(struct trial *t, struct access_node **ret)
{
	size_t n = nodes_of(&t->facts.path, ret);

	return n + nodes_of(&t->facts.to, ret ? ret + n : NULL);
}

/* Nodes of one mount stay nodes of one mount. */
static struct access_mount *own_mount(struct trial *t, const struct access_mount **seen, const struct access_mount *m)
{
	size_t i = 0;

	while (i < t->mounts_n && seen[i] != m)
		i++;
	if (i == t->mounts_n) {
		seen[i] = m;
		t->mounts[t->mounts_n++] = arena_memdup(t->arena, m, sizeof(*m));
	}
	return t->mounts[i];
}

static void own_path(struct trial *t, struct access_path *path)
{
	if (path->searched.n)
		path->searched.v = arena_memdup(t->arena, path->searched.v, path->searched.n * sizeof(*path->searched.v));
}

void trial_begin(struct trial *t, struct arena *arena, const struct access_facts *facts, const struct fix_source *source)
{
	const struct access_mount **seen;
	struct access_node **nodes;
	size_t n;

	*t = (struct trial){ .arena = arena, .source = source, .facts = *facts, .line = source->line };
	if (source->request)
		t->request = *source->request;
	own_path(t, &t->facts.path);
	own_path(t, &t->facts.to);
	n = trial_nodes(t, NULL);
	nodes = arena_new_array(arena, struct access_node *, n);
	seen = arena_new_array(arena, const struct access_mount *, n);
	t->mounts = arena_new_array(arena, struct access_mount *, n);
	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++) {
		if (nodes[i]->mount)
			nodes[i]->mount = own_mount(t, seen, nodes[i]->mount);
		if (nodes[i]->acl.n)
			nodes[i]->acl.v = arena_memdup(arena, nodes[i]->acl.v, nodes[i]->acl.n * sizeof(*nodes[i]->acl.v));
	}
}

struct access_node *trial_node_of(struct trial *t, const struct verdict_block *b, size_t nth)
{
	size_t n = trial_nodes(t, NULL);
	struct access_node **nodes = arena_new_array(t->arena, struct access_node *, n);

	trial_nodes(t, nodes);
	for (size_t i = 0; i < n; i++)
		if (nodes[i]->mode && str_eq(nodes[i]->container, b->container) && str_eq(nodes[i]->host, b->host) && nth-- == 0)
			return nodes[i];
	return NULL;
}

/* --- the run line */
bool trial_take_process(struct trial *t)
{
	const struct fix_source *s = t->source;

	t->runs_otherwise = true;
	return s->process && s->process(s->context, &t->request, &t->facts.process, NULL) == 0;
}

void trial_add_option(struct trial *t, const char *word)
{
	strings_add(t->arena, &t->add, word);
	t->line = run_line_with(t->arena, &t->line, &(struct strings){ (char *[]){ (char *)word }, 1 });
	t->runs_otherwise = true;
}

void trial_drop_option(struct trial *t, char short_name, const char *long_name)
{
	run_line_drop(t->arena, &t->line, short_name, long_name, NULL, &t->drop);
	t->runs_otherwise = true;
}

static struct run_line mounts_of(struct arena *arena, const struct create_request *r)
{
	struct run_line line = { 0 };

	for (size_t i = 0; i < r->volumes.n; i++)
		strings_addf(arena, &line.words, "--volume=%s", r->volumes.v[i]);
	for (size_t i = 0; i < r->mounts.n; i++)
		strings_addf(arena, &line.words, "--mount=%s", r->mounts.v[i]);
	line.image_at = line.words.n;
	return line;
}

bool trial_change_mount(struct trial *t, const char *destination, const char *drop, const char *add)
{
	struct run_line said = { 0 };

	t->runs_otherwise = true;
	if (!t->line.words.n && t->source->request) {	/* the words are not known, but what they asked for */
		said = mounts_of(t->arena, t->source->request);
		return run_line_change_mount(t->arena, &said, destination, drop, add, &t->drop, &t->add);
	}
	return run_line_change_mount(t->arena, &t->line, destination, drop, add, &t->drop, &t->add);
}

void trial_say(struct trial *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strings_add(t->arena, &t->effects, arena_vprintf(t->arena, fmt, ap));
	va_end(ap);
}

/* --- what moves ask */
size_t trial_change_blocked(struct trial *t, const struct verdict *v, block_change change)
{
	size_t done = 0;

	for (size_t i = 0; i < v->blocks.n; i++) {
		struct access_node *n = trial_node_of(t, &v->blocks.v[i], 0);

		if (!n || !change(t, &v->blocks.v[i], n))
			continue;
		done++;
		for (size_t k = 1; (n = trial_node_of(t, &v->blocks.v[i], k)); k++) {
			size_t host = t->host.n, admin = t->admin.n;

			change(t, &v->blocks.v[i], n);
			t->host.n = host;	/* said once */
			t->admin.n = admin;
		}
	}
	return done;
}

bool trial_has_reason(const struct verdict *v, enum reason reason)
{
	for (size_t i = 0; i < v->blocks.n; i++)
		if (v->blocks.v[i].reason == reason)
			return true;
	return false;
}

char *trial_quote(struct trial *t, const char *path)
{
	return str_quote(t->arena, path);
}

char *trial_letters(struct trial *t, unsigned perm)
{
	return arena_printf(t->arena, "%s%s%s", perm & MAY_R ? "r" : "", perm & MAY_W ? "w" : "", perm & MAY_X ? "x" : "");
}

uint32_t trial_owner_of(const struct trial *t, const struct access_node *n)
{
	return permission_uid(&t->facts.process, n);
}

bool trial_is_users(const struct trial *t, const struct access_node *n)
{
	return n->host && trial_owner_of(t, n) == t->facts.user_uid;
}

bool trial_is_ours(const struct trial *t, const struct access_node *n)
{
	return n->host && idmap_to_inside(&t->facts.rootless.uid, trial_owner_of(t, n)) != ID_NONE &&
	       idmap_to_inside(&t->facts.rootless.gid, permission_gid(&t->facts.process, n)) != ID_NONE;
}

bool trial_is_in_container(const struct trial *t)
{
	return !t->facts.on_host && t->source->request;
}

bool trial_is_home_or_above(const struct trial *t, const char *host)
{
	const char *rest = t->source->home ? str_after(t->source->home, host) : NULL;

	return strcmp(host, "/") == 0 || (rest && (!*rest || *rest == '/'));
}

const struct access_mount *trial_mount_of_block(struct trial *t, const struct verdict *v)
{
	for (size_t i = 0; i < v->blocks.n; i++) {
		struct access_node *n = trial_node_of(t, &v->blocks.v[i], 0);

		if (n && n->host && n->mount && n->mount->host && n->mount->container && !n->mount->own_ids)
			return n->mount;
	}
	return NULL;
}

bool trial_is_covered(struct trial *t, const char *host, bool tree)
{
	for (size_t i = 0; i < t->trees.n; i++) {
		const char *rest = str_after(host, t->trees.v[i]);

		if (rest && (!*rest || *rest == '/'))
			return true;
	}
	if (tree)
		strings_add(t->arena, &t->trees, host);
	return false;
}

/* --- ACLs */
static struct access_acl_entry *entry_of(struct trial *t, struct access_node *n, uint16_t tag, uint32_t id, uint8_t perm)
{
	for (size_t i = 0; i < n->acl.n; i++)
		if (n->acl.v[i].tag == tag && (tag != ACL_USER || n->acl.v[i].id == id))
			return &n->acl.v[i];
	struct access_acl_entry *a = ARRAY_ADD(t->arena, &n->acl);

	*a = (struct access_acl_entry){ tag, perm, id };
	return a;
}

/* As setfacl does: the mask becomes the union of all that it limits. */
void trial_grant(struct trial *t, struct access_node *n, uint32_t uid, unsigned perm)
{
	struct access_acl copy = { 0 };
	uint8_t mask = 0;

	for (size_t i = 0; i < n->acl.n; i++)
		*ARRAY_ADD(t->arena, &copy) = n->acl.v[i];
	n->acl = copy;
	entry_of(t, n, ACL_GROUP_OBJ, ID_NONE, n->mode >> 3 & 7);
	entry_of(t, n, ACL_USER, uid, 0)->perm |= perm;
	for (size_t i = 0; i < n->acl.n; i++)
		if (n->acl.v[i].tag & (ACL_USER | ACL_GROUP | ACL_GROUP_OBJ))
			mask |= n->acl.v[i].perm;
	entry_of(t, n, ACL_MASK, ID_NONE, mask)->perm = mask;
	n->mode = (n->mode & ~(mode_t)S_IRWXG) | (mode_t)mask << 3;
}
