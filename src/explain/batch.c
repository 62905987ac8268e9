#include "explain/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "engine/userns_mode.h"
#include "run/mount_options.h"
#include "sys/caps.h"
#include "sys/fd.h"

struct situation {
	char *path, *access, *arg, *userns, *mount;
	int64_t uid, gid;
	ARRAY(int64_t) groups;
	struct strings caps, options;
	bool keep_groups;
};
JSON_SHAPE(situation,
	JSON_FIELD(situation, path, "path", T_STRING),
	JSON_FIELD(situation, access, "access", T_STRING),
	JSON_FIELD(situation, arg, "arg", T_STRING),
	JSON_FIELD(situation, userns, "userns", T_STRING),
	JSON_FIELD(situation, mount, "mount", T_STRING),
	JSON_FIELD(situation, uid, "uid", T_INT),
	JSON_FIELD(situation, gid, "gid", T_INT),
	JSON_FIELD(situation, groups, "groups", T_INTS),
	JSON_FIELD(situation, caps, "caps", T_STRINGS),
	JSON_FIELD(situation, options, "options", T_STRINGS),
	JSON_FIELD(situation, keep_groups, "keepGroups", T_BOOL));

/* One user namespace for each --userns. */
struct kept_maps { char *mode; struct id_maps own; int user_ns; };

struct batch {
	struct explain *x;
	struct batch_result *ret;
	ARRAY(struct kept_maps) maps;
};

/* --- who */
static const struct kept_maps *maps_of(struct batch *b, const char *mode, struct error *err)
{
	struct engine *e = b->x->e;
	struct container c = { .request = { .userns = (char *)mode } };
	struct kept_maps *k;

	for (size_t i = 0; i < b->maps.n; i++)
		if (str_eq(b->maps.v[i].mode, mode))
			return &b->maps.v[i];
	k = ARRAY_ADD(e->arena, &b->maps);
	*k = (struct kept_maps){ .mode = (char *)mode, .user_ns = -1 };
	if (userns_mode_maps(e, &c, &k->own, NULL, err) < 0)
		return NULL;
	if (!k->own.uid.n)
		return k;
	k->user_ns = idmap_namespace(&k->own);
	if (k->user_ns >= 0)
		return k;
	error_errno(err, "make a user namespace for --userns %s", mode);
	return NULL;
}

static int take_process(struct batch *b, const struct situation *s, const struct kept_maps *k, struct access_process *ret,
			struct error *err)
{
	struct engine *e = b->x->e;

	*ret = (struct access_process){ .uid = (uint32_t)s->uid, .gid = (uint32_t)s->gid,
					.maps = facts_host_maps(e->arena, &k->own, &e->identity.maps) };
	ret->host_uid = idmap_to_outside(&ret->maps.uid, ret->uid);
	ret->host_gid = idmap_to_outside(&ret->maps.gid, ret->gid);
	if (ret->host_uid == ID_NONE || ret->host_gid == ID_NONE)
		return error_set(err, ERROR_USAGE, "%u:%u is not mapped", ret->uid, ret->gid);
	for (size_t i = 0; i < s->caps.n; i++) {
		if (caps_number(s->caps.v[i]) < 0)
			return error_set(err, ERROR_USAGE, "unknown capability \"%s\"", s->caps.v[i]);
		ret->capabilities |= CAPS_BIT(caps_number(s->caps.v[i]));
	}
	for (size_t i = 0; s->keep_groups && i < e->identity.groups.n; i++)
		*ARRAY_ADD(e->arena, &ret->host_groups) = e->identity.groups.v[i];
	for (size_t i = 0; !s->keep_groups && i < s->groups.n; i++) {
		*ARRAY_ADD(e->arena, &ret->groups) = (uint32_t)s->groups.v[i];
		*ARRAY_ADD(e->arena, &ret->host_groups) = idmap_to_outside(&ret->maps.gid, (uint32_t)s->groups.v[i]);
	}
	return 0;
}

/* --- where */
static int mount_over_itself(struct batch *b, const struct situation *s, struct error *err)
{
	_cleanup_fd_ int target = open(s->mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int tree = mount_clone(AT_FDCWD, s->mount, true);
	struct mount_options o;

	mount_options_parse(b->x->e->arena, &s->options, &o);
	if (target < 0 || tree < 0 || mount_set_allowed(tree, o.set, o.clear, 0, false) < 0 || mount_attach(tree, target) < 0)
		return error_errno(err, "mount %s", s->mount);
	return 0;
}

/* The tree of the host, seen by a process of a container. */
static int take_scene(struct batch *b, const struct kept_maps *k, const struct access_process *p, struct scene *ret,
		      struct error *err)
{
	struct engine *e = b->x->e;
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct scene){ .arena = e->arena, .outside = &b->x->outside, .rootless = &e->identity.maps, .own = k->own,
			       .chown_uid = p->host_uid, .chown_gid = p->host_gid };
	if (root < 0)
		return error_errno(err, "open /");
	scene_add(ret, "/", root, "/", arena_new_one(e->arena, struct access_mount));
	return 0;
}

/* --- one */
static void count(struct batch *b, const struct verdict *v)
{
	struct batch_result *r = b->ret;

	r->situations++;
	r->allowed += v->kind == VERDICT_ALLOWED;
	r->denied += v->kind == VERDICT_DENIED;
	r->unknown += v->kind == VERDICT_UNKNOWN;
	r->blocked_twice += v->blocks.n > 1;
	r->reasons[v->reason].code = reason_code(v->reason);
	r->reasons[v->reason].n++;
}

static int decide_and_try(struct batch *b, const struct situation *s, const struct kept_maps *k, const char *line,
			  struct error *err)
{
	struct engine *e = b->x->e;
	struct try_place where = { k->user_ns, -1, s->keep_groups };
	struct access_process p;
	struct access_facts f;
	struct facts_question q;
	struct try_request r;
	struct scene scene;
	struct verdict v;
	int sys;

	if (facts_question_parse(e->arena, s->access ? s->access : "", s->path, s->arg, "", &q, err) < 0 ||
	    take_process(b, s, k, &p, err) < 0 || take_scene(b, k, &p, &scene, err) < 0)
		return -1;
	facts_gather(e, &scene, &p, &q, &f);
	scene_done(&scene);
	access_decide(e->arena, &f, &v);
	if (try_request_fill(&r, q.op, q.path, q.to, err) < 0)
		return -1;
	r.uid = q.new_uid;
	r.gid = q.new_gid;
	r.mode = q.new_mode;
	if (try_as(&p, &where, &r, &sys, err) < 0)
		return -1;
	count(b, &v);
	if (v.kind != VERDICT_UNKNOWN && sys != v.sys)
		strings_addf(e->arena, &b->ret->disagreements, "%s: the kernel says %s, the model %s (%s)", line,
			     sys ? strerrorname_np(sys) : "yes", v.sys ? strerrorname_np(v.sys) : "yes", reason_code(v.reason));
	return 0;
}

static int one(struct batch *b, const char *line, struct error *err)
{
	struct arena *arena = b->x->e->arena;
	const struct kept_maps *k;
	struct situation s;
	int r;

	if (json_decode(arena, &situation_shape, &s, line, strlen(line), "a situation", err) < 0)
		return -1;
	k = maps_of(b, s.userns ? s.userns : "host", err);
	if (!k || (s.mount && mount_over_itself(b, &s, err) < 0))
		return -1;
	r = decide_and_try(b, &s, k, line, err);
	if (s.mount)
		umount2(s.mount, MNT_DETACH);
	return r < 0 ? error_frame(err, "%s", line) : 0;
}

int explain_batch(struct explain *x, const char *text, struct batch_result *ret, struct error *err)
{
	struct batch b = { .x = x, .ret = ret };
	struct strings lines = strings_split(x->e->arena, text, "\n");
	int r = 0;

	*ret = (struct batch_result){ 0 };
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "make a private copy of the mounts");
	for (size_t i = 0; r == 0 && i < lines.n; i++)
		if (*lines.v[i])
			r = one(&b, lines.v[i], err);
	for (size_t i = 0; i < b.maps.n; i++)
		fd_close(&b.maps.v[i].user_ns);
	return r;
}
