/* store/volume - named and anonymous volumes: volumes/<name>/{volume.json,_data/} */
#ifndef BRYO_STORE_VOLUME_H
#define BRYO_STORE_VOLUME_H

#include "base/json.h"
#include "store/store.h"

struct volume {
	char *name, *driver, *created;		/* driver "local"; created RFC 3339 */
	struct string_map labels, options;
	bool anonymous;
	bool needs_copy_up, needs_chown;	/* until the first use */
	char *mountpoint;			/* absolute: _data, or the directory that options name as `device`; filled on reading */
};
extern const struct json_shape volume_shape;
struct volumes { struct volume *v; size_t n; struct strings broken; };	/* names of damaged ones */

int volume_create(struct arena *arena, struct store *s, const struct volume *v, struct error *err);	/* ERROR_EXISTS */
int volume_read(struct arena *arena, const struct store *s, const char *name, struct volume *ret, struct error *err);
int volume_write(struct arena *arena, struct store *s, const struct volume *v, struct error *err);
int volume_list(struct arena *arena, const struct store *s, struct volumes *ret, struct error *err);
/* A descriptor of volumes/<name>, locked exclusively while it is open: first use, removal. */
int volume_lock(const struct store *s, const char *name, struct error *err);
int volume_remove(struct store *s, const char *name, struct error *err);

#endif
