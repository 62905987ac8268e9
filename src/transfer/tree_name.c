/* Names of archive entries: pure text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/tree.h"

#define NAME_LENGTH_MAX ((size_t)1 << 16)
#define DEPTH_MAX 1000			/* each entry below costs a walk */

static int make_room(struct tree_name *buf, size_t size)
{
	char *data;

	if (size <= buf->room)
		return 0;
	data = realloc(buf->data, size);
	if (!data)
		return -1;
	buf->data = data;
	buf->room = size;
	return 0;
}

const char *tree_clean(struct tree_name *buf, const char *name, struct error *err)
{
	size_t len = strlen(name);
	int depth = 0;
	char *out;

	if (len > NAME_LENGTH_MAX) {
		error_set(err, ERROR_INVALID, "a name of %zu bytes in the archive is too long", len);
		return NULL;
	}
	if (make_room(buf, len + 1) < 0) {
		error_errno(err, "allocate a name");
		return NULL;
	}
	out = buf->data;
	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && name[0] == '.' && name[1] == '.') {
			while (out > buf->data && *--out != '/')
				;
			depth -= depth > 0;
		} else if (n > 0 && !(n == 1 && name[0] == '.')) {
			if (out > buf->data)
				*out++ = '/';
			memcpy(out, name, n);
			out += n;
			depth++;
		}
		name += n;
		while (*name == '/')
			name++;
	}
	*out = '\0';
	if (depth > DEPTH_MAX) {
		error_set(err, ERROR_INVALID, "/%.80s... is more than %d directories deep", buf->data, DEPTH_MAX);
		return NULL;
	}
	return buf->data;
}

/* Of a directory above the last component. Older storage drivers kept their own files below marks of theirs; below a
 * whiteout nothing can be. */
static enum tree_mark mark_of_parents(const char *path)
{
	const char *slash;

	for (; (slash = strchr(path, '/')); path = slash + 1)
		if (str_starts(path, ".wh."))
			return str_starts(path, ".wh..wh.") ? MARK_IGNORED : MARK_INVALID;
	return MARK_NONE;
}

enum tree_mark tree_mark_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *hidden;
	enum tree_mark above = mark_of_parents(path);

	if (above != MARK_NONE)
		return above;
	hidden = str_after(name, ".wh.");
	if (!hidden)
		return MARK_NONE;
	if (strcmp(hidden, ".wh..opq") == 0)
		return MARK_OPAQUE;
	if (str_starts(hidden, ".wh."))
		return MARK_IGNORED;
	if (!*hidden || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
		return MARK_INVALID;
	return MARK_WHITEOUT;
}

bool tree_xattr_is_kept(const char *name)
{
	if (str_starts(name, "security."))
		return strcmp(name, "security.capability") == 0 || strcmp(name, "security.ima") == 0;
	if (str_starts(name, "system."))
		return str_starts(name, "system.posix_acl_");
	return str_starts(name, "user.") && !str_starts(name, "user.overlay.") &&
	       !str_starts(name, "user.fuseoverlayfs.") && !str_starts(name, "user.bryo.");
}

/* user.* of devices, links and file systems without xattrs cannot be kept; what the kernel refuses for other reasons
 * is an error of the image. Capabilities need the id map's root, which squashed trees lack at times. */
bool tree_xattr_may_fail(const char *name, int error_number)
{
	return error_number == EOPNOTSUPP || (error_number == EPERM && str_starts(name, "security."));
}

static bool is_mapped(const struct tree_ids *ids, int64_t id)
{
	if (ids->n < 2)
		return true;
	for (size_t i = 0; i + 1 < ids->n; i += 2)
		if (id >= ids->v[i] && id - ids->v[i] < ids->v[i + 1])
			return true;
	return false;
}

/* "0..65535, 100000..100999" */
static void print_ranges(const struct tree_ids *ids, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i + 1 < ids->n && used < size; i += 2)
		used += (size_t)snprintf(buf + used, size - used, "%s%lld..%lld", i ? ", " : "", (long long)ids->v[i],
					 (long long)(ids->v[i] + ids->v[i + 1] - 1));
}

#define GRANT_MIN 65536		/* what a user is usually given at once */

static int hint_grant(const struct tree_options *o, const struct tree_ids *ids, int64_t worst, struct error *err)
{
	int64_t have = 0, count, last;

	for (size_t i = 0; i + 1 < ids->n; i += 2)
		have = ids->v[i] + ids->v[i + 1] > have ? ids->v[i] + ids->v[i + 1] : have;
	count = worst + 1 - have > GRANT_MIN ? worst + 1 - have : GRANT_MIN;
	last = o->free_id + count - 1;
	if (!o->user || worst < have)
		return error_hint(err, "the image needs ids up to %lld", (long long)worst);
	error_hint(err, "the image needs ids up to %lld, %lld more than there are; when they are given: bryo system migrate",
		   (long long)worst, (long long)(worst + 1 - have));
	return error_fix_admin(err, "usermod --add-subuids %lld-%lld --add-subgids %lld-%lld %s", (long long)o->free_id, (long long)last,
			       (long long)o->free_id, (long long)last, o->user);
}

int tree_check_owner(const struct tree_options *o, const struct tree_entry *e, struct error *err)
{
	bool uid_bad, gid_bad;
	char ranges[256];
	int64_t worst;

	if (e->uid < 0 || e->gid < 0 || e->uid >= UINT32_MAX || e->gid >= UINT32_MAX)
		return error_set(err, ERROR_INVALID, "file /%s has an owner that is no id: %lld:%lld", e->path,
				 (long long)e->uid, (long long)e->gid);
	if (o->squash_owner)
		return 0;
	uid_bad = !is_mapped(&o->uids, e->uid);
	gid_bad = !is_mapped(&o->gids, e->gid);
	if (!uid_bad && !gid_bad)
		return 0;
	print_ranges(uid_bad ? &o->uids : &o->gids, ranges, sizeof(ranges));
	worst = uid_bad && e->uid > e->gid ? e->uid : gid_bad ? e->gid : e->uid;
	error_set(err, ERROR_DENIED, "file /%s belongs to %lld:%lld, but only %s ids %s are mapped", e->path,
		  (long long)e->uid, (long long)e->gid, uid_bad ? "user" : "group", ranges);
	error_code(err, "image-out-of-range");
	return hint_grant(o, uid_bad ? &o->uids : &o->gids, worst, err);
}
