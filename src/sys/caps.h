/* sys/caps - capabilities: names, sets as 64-bit masks, and the calls that change a process's own sets
 *
 * Bit n of a mask is capability n of <linux/capability.h>. The calls allocate nothing: they are legal between clone
 * and exec. */
#ifndef BRYO_SYS_CAPS_H
#define BRYO_SYS_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#define CAPS_ALL ((UINT64_C(1) << 41) - 1)	/* CAP_CHOWN ... CAP_CHECKPOINT_RESTORE */
#define CAPS_BIT(n) (UINT64_C(1) << (n))

struct cap_sets {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* The number of "CAP_NET_ADMIN", "net_admin", "NET_ADMIN"; -1 for an unknown name. */
int caps_number(const char *name);
/* "CAP_NET_ADMIN", or NULL above the last known one. */
const char *caps_name(int number);

/* The highest capability that the running kernel knows (prctl, no /proc). */
int caps_last(void);
/* Takes everything that is not in `keep` out of the bounding set. -1 with errno. */
int caps_limit_bounding(uint64_t keep);
int caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int caps_get(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable);
/* Empties the ambient set and raises these; they must be permitted and inheritable already. */
int caps_set_ambient(uint64_t ambient);

#endif
