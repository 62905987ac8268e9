/* cli/explain_text - a verdict in words, with the picture of the id map where ids are what it is about
 *
 * Lines are drawn only where the locale has UTF-8; each has a twin in ASCII. Colours never carry the meaning alone. Names from
 * outside lose their control characters. */
#ifndef BRYO_CLI_EXPLAIN_TEXT_H
#define BRYO_CLI_EXPLAIN_TEXT_H

#include "base/buffer.h"
#include "explain/verdict.h"

struct explain_style {
	bool utf8, colored;
	const char *user;		/* the invoking user's name */
};

/* Of the environment: LC_ALL, LC_CTYPE, LANG. */
bool explain_has_utf8(void);
char *explain_text(struct arena *arena, const struct verdict *v, const struct explain_style *style);
/* "ana", "root of the host", "one of your subordinate ids": who an id of the host is to the user. */
const char *explain_who(const struct verdict_subject *s, uint32_t host_id, const char *user);
/* Container ids above the host ids they are; it points at the process, or on the host at the owner. */
void explain_map(struct arena *arena, const struct verdict *v, const struct explain_style *style, struct buffer *out);

#endif
