/* cli/codes - the codes of errors in words, for `bryo help CODE`
 *
 * Every code that an error may carry is here: those of the kinds (base/error) and those that who knows better sets. Codes of
 * what `bryo explain` finds are explain/'s own. */
#ifndef BRYO_CLI_CODES_H
#define BRYO_CLI_CODES_H

struct code {
	const char *name;	/* "port-taken" */
	const char *summary;	/* one line */
	const char *text;	/* what it means and what can be done, paragraphs divided by an empty line */
};

extern const struct code codes[];	/* sorted by name, ends with a NULL name */
const struct code *code_find(const char *name);	/* NULL when there is none */

#endif
