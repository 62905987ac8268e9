/* userns/subid - /etc/subuid and /etc/subgid: which ids an administrator gave to whom */
#ifndef BRYO_USERNS_SUBID_H
#define BRYO_USERNS_SUBID_H

#include "userns/userns.h"

#define SUBUID_FILE "/etc/subuid"
#define SUBGID_FILE "/etc/subgid"

struct subid_entry {
	char *owner;			/* login name or number, as written */
	uint32_t first, count;
};
struct subid_file {
	struct subid_entry *v;
	size_t n;
};

/* Lines of "owner:first:count". Comments, empty lines and lines that are not so are passed over, as the helper programs
 * do; *ret_bad counts the latter when not NULL. */
struct subid_file subid_parse(struct arena *arena, const char *text, size_t *ret_bad);
bool subid_is_owner(const struct subid_entry *entry, const char *user, uid_t uid);
/* An absent file is an empty one. */
int subid_read(struct arena *arena, const char *path, struct subid_file *ret, struct error *err);

/* The first of `count` ids, from 100000 on, that are behind every range of both files; 100000 when there is no room. */
uint32_t subid_free_range(const struct subid_file *uids, const struct subid_file *gids, uint32_t count);

/* The map of a rootless namespace: 0 is `own`, 1.. are the ranges in order, without `own` and without what came twice,
 * at most as many extents as a kernel takes. */
struct id_map subid_to_map(struct arena *arena, uint32_t own, const struct id_map *ranges);

#endif
