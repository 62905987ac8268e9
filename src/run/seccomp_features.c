#include "run/seccomp_features.h"

#include "hostlib/hostlib.h"
#include "spec/seccomp_words.h"
#include "sys/seccomp.h"

static void add_names(struct arena *arena, const struct seccomp_word *table, struct strings *ret)
{
	for (; table->name; table++)
		strings_add(arena, ret, table->name);
}

static void add_library(struct arena *arena, struct seccomp_features *ret)
{
	struct hostlib_seccomp library;

	if (hostlib_ask(arena, HOSTLIB_DESCRIBE_SECCOMP, NULL, &library, NULL, NULL) < 0)
		return;
	ret->enabled = true;
	ret->libseccomp_version = library.version;
	ret->archs = library.architectures;
}

void seccomp_features(struct arena *arena, struct seccomp_features *ret)
{
	*ret = (struct seccomp_features){ 0 };
	add_names(arena, seccomp_words_actions, &ret->actions);
	add_names(arena, seccomp_words_operators, &ret->operators);
	add_names(arena, seccomp_words_flags, &ret->known_flags);
	for (const struct seccomp_word *word = seccomp_words_flags; word->name; word++)
		if (seccomp_has_flag(word->value))
			strings_add(arena, &ret->supported_flags, word->name);
	add_library(arena, ret);
}
