/* spec/seccomp_words - the names in a seccomp section and what they stand for
 *
 * The names are libseccomp's. Each table ends with a NULL name and is in the order of the alphabet, as `features` shows
 * it. */
#ifndef BRYO_SPEC_SECCOMP_WORDS_H
#define BRYO_SPEC_SECCOMP_WORDS_H

#include <stdint.h>

struct seccomp_word {
	const char *name;
	uint32_t value;
	unsigned data_max;		/* of actions: the largest errnoRet; 0: it takes none */
};

/* SECCOMP_RET_*, enum scmp_compare, SECCOMP_FILTER_FLAG_*. The architectures have no values: libseccomp finds them. */
extern const struct seccomp_word seccomp_words_actions[], seccomp_words_operators[], seccomp_words_flags[],
	seccomp_words_architectures[];

/* NULL: unknown, or no name. */
const struct seccomp_word *seccomp_words_find(const struct seccomp_word *table, const char *name);

#endif
