/* engine/top_ps - the words that people type for ps(1), as descriptors of `top`
 *
 * Docker's `top` hands its operands to ps, so scripts say `top web -eo pid,comm` or `top web aux`. No program is run
 * here: the usual forms are translated, and an unknown one is refused by name. */
#ifndef BRYO_ENGINE_TOP_PS_H
#define BRYO_ENGINE_TOP_PS_H

#include "base/error.h"
#include "base/string.h"

/* Whether the first word is ps's and no descriptor: -o ..., aux, -ef. */
bool top_ps_is(const struct strings *words);
int top_ps_descriptors(struct arena *arena, const struct strings *words, struct strings *ret, struct error *err);

#endif
