#include "explain/fix.h"

#include "explain/fix_trial.h"

#define TOGETHER_MAX 3
#define MOVES_MAX 32
#define FIXES_MAX 6

struct search {
	struct arena *arena;
	const struct access_facts *facts;
	const struct fix_source *source;
	struct verdict *v;
	bool admin;				/* his moves, too */
	uint32_t working[128];			/* sets of moves that work, as bits: none of them is joined with more */
	size_t working_n;
};

static bool opens(struct trial *t, struct verdict *ret)
{
	access_decide(t->arena, &t->facts, ret);
	return ret->kind == VERDICT_ALLOWED;
}

/* Applies the moves of a set in order. *ret_needed: each of them met something to do. */
static bool apply(struct search *s, uint32_t set, struct trial *t)
{
	struct verdict now;
	bool open = false;

	trial_begin(t, s->arena, s->facts, s->source);
	for (unsigned i = 0; fix_moves[i].id; i++) {
		if (!(set & 1u << i))
			continue;
		if (opens(t, &now) || !fix_moves[i].apply(t, &now))
			return false;
		strings_add(s->arena, &t->ids, fix_moves[i].id);
		open = opens(t, &now);
	}
	return open;
}

static void keep(struct search *s, struct trial *t)
{
	struct verdict_fix *f = ARRAY_ADD(s->arena, &s->v->fixes);

	*f = (struct verdict_fix){ .id = strings_join(s->arena, &t->ids, "+"), .run_add = t->add, .run_drop = t->drop };
	if (t->runs_otherwise)
		f->run = run_line_print(s->arena, &t->line);
	if (t->runs_otherwise && !f->run)
		f->run = arena_printf(s->arena, "bryo run %s ...", strings_join(s->arena, &t->add, " "));
	if (t->host.n)
		f->host = strings_join(s->arena, &t->host, " && ");
	if (t->admin.n)
		f->admin = strings_join(s->arena, &t->admin, " && ");
	f->effect = t->effects.n ? strings_join(s->arena, &t->effects, "; ") : NULL;
}

static bool contains_one_that_works(const struct search *s, uint32_t set)
{
	for (size_t i = 0; i < s->working_n; i++)
		if ((s->working[i] & set) == s->working[i])
			return true;
	return false;
}

static bool is_sensible(const struct search *s, uint32_t set)
{
	unsigned who = 0;

	for (unsigned i = 0; fix_moves[i].id; i++) {
		who += (set & 1u << i) && fix_moves[i].who;
		if ((set & 1u << i) && fix_moves[i].admin && !s->admin)
			return false;
	}
	return who <= 1 && !contains_one_that_works(s, set);
}

/* All sets with `n` further moves from `from` on. */
static void try_sets(struct search *s, uint32_t set, unsigned from, unsigned n)
{
	struct trial t;

	if (n == 0) {
		if (s->v->fixes.n >= FIXES_MAX || s->working_n == ELEMENTS(s->working) || !is_sensible(s, set) ||
		    !apply(s, set, &t))
			return;
		s->working[s->working_n++] = set;
		keep(s, &t);
		return;
	}
	for (unsigned i = from; fix_moves[i].id && i < MOVES_MAX; i++)
		try_sets(s, set | 1u << i, i + 1, n - 1);
}

/* The fewest that are enough: two are joined only where no single one helps. */
static void search(struct search *s)
{
	for (unsigned n = 1; n <= TOGETHER_MAX && !s->v->fixes.n; n++)
		try_sets(s, 0, 0, n);
}

void fix_propose(struct arena *arena, const struct access_facts *facts, const struct fix_source *source,
		 struct verdict *v)
{
	struct search s = { .arena = arena, .facts = facts, .source = source, .v = v };
	const char *no_cure = reason_text(v->reason)->no_cure;

	if (v->kind == VERDICT_ALLOWED)
		return;
	search(&s);
	s.admin = true;
	if (!v->fixes.n)
		search(&s);
	if (no_cure)
		strings_add(arena, &v->not_fixes, no_cure);
}
