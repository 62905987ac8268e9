#include "run/seccomp_key.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buffer.h"

#define KEY_MAX (1u << 20)
#define KEY_USUAL 8192		/* a profile of 450 system calls, so that the buffer grows once */

/* Every string with its length, every list with its number: no two inputs look the same. */

static void add_number(struct buffer *b, uint64_t n)
{
	buffer_add(b, &n, sizeof(n));
}

static void add_text(struct buffer *b, const char *s)
{
	uint32_t n = s ? (uint32_t)strlen(s) : UINT32_MAX;

	buffer_add(b, &n, sizeof(n));
	if (s)
		buffer_add(b, s, n);
}

static void add_texts(struct buffer *b, const struct strings *list)
{
	add_number(b, list->n);
	for (size_t i = 0; i < list->n; i++)
		add_text(b, list->v[i]);
}

static void add_optional(struct buffer *b, const uint64_t *n)
{
	add_number(b, n != NULL);
	add_number(b, n ? *n : 0);
}

static void add_rule(struct buffer *b, const struct oci_syscall *call)
{
	add_text(b, call->action);
	add_optional(b, call->errno_ret);
	add_texts(b, &call->names);
	add_number(b, call->args.n);
	for (size_t i = 0; i < call->args.n; i++) {
		const struct oci_seccomp_arg *a = &call->args.v[i];

		add_number(b, a->index);
		add_number(b, a->value);
		add_number(b, a->value_two);
		add_text(b, a->op);
	}
}

/* A kernel may know other actions and flags, another machine's programs look different, another bryo makes them
 * differently. */
static void add_host(struct buffer *b, const char *kind)
{
	struct utsname u;

	memset(&u, 0, sizeof(u));
	uname(&u);
	add_text(b, kind);
	add_text(b, BRYO_VERSION);
	add_text(b, u.release);
	add_text(b, u.version);
	add_text(b, u.machine);
}

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t hash(const char *p, size_t n)
{
	uint64_t h = n, word;

	for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, p, n);
	return mix(mix(h, word), 0);
}

static bool finish(struct arena *arena, struct buffer *b, struct seccomp_key *ret)
{
	if (b->failed)
		return false;
	ret->data = arena_memdup(arena, b->data, b->size);
	ret->size = b->size;
	snprintf(ret->name, sizeof(ret->name), "%016llx.bpf", (unsigned long long)hash(b->data, b->size));
	return true;
}

bool seccomp_key_of_rules(struct arena *arena, const struct seccomp_source *source, struct seccomp_key *ret)
{
	const struct oci_seccomp *rules = source->rules;
	_cleanup_buffer_ struct buffer b = BUFFER(KEY_MAX);

	buffer_reserve(&b, KEY_USUAL);
	add_host(&b, "rules");
	add_number(&b, source->known_only);
	add_text(&b, rules->default_action);
	add_optional(&b, rules->default_errno_ret);
	add_texts(&b, &rules->architectures);
	add_texts(&b, &rules->flags);
	for (size_t i = 0; i < rules->syscalls.n && !b.failed; i++)
		add_rule(&b, &rules->syscalls.v[i]);
	return finish(arena, &b, ret);
}

bool seccomp_key_of_profile(struct arena *arena, const struct stat *st, uint64_t bounding, struct seccomp_key *ret)
{
	_cleanup_buffer_ struct buffer b = BUFFER(KEY_MAX);

	add_host(&b, st ? "file" : "builtin");
	add_number(&b, bounding);
	if (st) {
		add_number(&b, st->st_dev);
		add_number(&b, st->st_ino);
		add_number(&b, (uint64_t)st->st_size);
		add_number(&b, (uint64_t)st->st_ctim.tv_sec);	/* which nobody can set back */
		add_number(&b, (uint64_t)st->st_ctim.tv_nsec);
	}
	return finish(arena, &b, ret);
}
