/* spec/passwd - /etc/passwd and /etc/group of an image: hostile text, parsed with limits */
#ifndef BRYO_SPEC_PASSWD_H
#define BRYO_SPEC_PASSWD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct passwd_user {
	uint32_t uid, gid;
	char *name;		/* NULL when there is no entry */
	char *home;		/* "/" when there is no entry */
	struct { uint32_t *v; size_t n; } groups;	/* supplementary ones from the group file, gid itself left out */
};

#define PASSWD_FILE_MAX ((size_t)16 << 20)

/* Resolves "name", "uid", "name:group", "uid:gid" against the texts (NULL: no such file). Numbers are strict decimals
 * below 2^32-1; anything else is a name that must exist. "" is 0:0. */
int passwd_resolve(struct arena *arena, const char *spec, const char *passwd, const char *group,
		   struct passwd_user *ret, struct error *err);
/* A group by name or number, for --group-add. */
int passwd_group(const char *spec, const char *group, uint32_t *ret, struct error *err);
/* The line of a uid or gid, or NULL: does an entry exist? */
const char *passwd_line_of(const char *text, uint32_t id);

/* The largest user or group that the texts (NULL: no such file) know. Nobody, 65534, does not count: who is not mapped is
 * that in any case. */
uint32_t passwd_largest_id(const char *passwd, const char *group);

#endif
