/* The picture of an id map: pieces side by side, cut where the process stands */
#include <stdio.h>
#include <string.h>

#include "cli/explain_text.h"

#define PIECES_MAX 7

struct piece {
	uint32_t inside, outside, count;
	char *top, *bottom;
	int width;
	bool pointed, own, subordinate;
};

struct picture {
	struct arena *arena;
	const struct explain_style *style;
	const struct verdict_subject *subject;
	uint32_t point;			/* the id of containers that is pointed at */
	struct piece v[PIECES_MAX];
	size_t n;
	bool cut;			/* more pieces than there is room for */
};

static char *range(struct picture *p, uint32_t first, uint32_t count)
{
	if (count == 1)
		return arena_printf(p->arena, "%u", first);
	return arena_printf(p->arena, "%u %s %u", first, p->style->utf8 ? "…" : "..", (uint32_t)(first + count - 1));
}

static int columns(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void add_piece(struct picture *p, uint32_t inside, uint32_t outside, uint32_t count)
{
	const struct verdict_subject *s = p->subject;
	struct piece *x = &p->v[p->n];
	int top, bottom;

	if (count == 0)
		return;
	if (p->n == PIECES_MAX) {
		p->cut = true;
		return;
	}
	p->n++;
	*x = (struct piece){ inside, outside, count, range(p, inside, count), range(p, outside, count) };
	x->pointed = p->point >= inside && p->point - inside < count;
	x->own = count == 1 && outside == s->user_uid;
	x->subordinate = !x->own && idmap_to_inside(&s->rootless.uid, outside) != ID_NONE;
	top = columns(x->top);
	bottom = columns(x->bottom);
	x->width = top > bottom ? top : bottom;
}

static void cut_extent(struct picture *p, const struct id_extent *x)
{
	bool here = p->point >= x->inside && p->point - x->inside < x->count;
	uint32_t before = here ? p->point - x->inside : 0;

	if (!here) {
		add_piece(p, x->inside, x->outside, x->count);
		return;
	}
	add_piece(p, x->inside, x->outside, before);
	add_piece(p, p->point, x->outside + before, 1);
	add_piece(p, p->point + 1, x->outside + before + 1, x->count - before - 1);
}

static void pad(struct picture *p, struct buffer *out, const char *text, int width)
{
	buffer_printf(out, "%s%*s", text, width - columns(text), "");
}

static void put_row(struct picture *p, struct buffer *out, const char *label, bool top)
{
	buffer_printf(out, "  %-11s", label);
	for (size_t i = 0; i < p->n; i++) {
		if (i)
			buffer_adds(out, "   ");
		if (i + 1 < p->n)
			pad(p, out, top ? p->v[i].top : p->v[i].bottom, p->v[i].width);
		else
			buffer_adds(out, top ? p->v[i].top : p->v[i].bottom);
	}
	buffer_adds(out, p->cut ? p->style->utf8 ? "   …\n" : "   ...\n" : "\n");
}

/* "└─── your subordinate ids ───┘", or as much of it as there is room for. */
static char *bracket(struct picture *p, int width)
{
	static const char *const words[] = { " your subordinate ids (/etc/subuid) ", " your subordinate ids ", " yours ", "" };
	const char *line = p->style->utf8 ? "─" : "-", *word = "";
	struct buffer out = BUFFER(4096);
	char *text;
	int left;

	for (size_t i = 0; i < 4 && !*word; i++)
		if (columns(words[i]) + 4 <= width)
			word = words[i];
	left = width - 2 - columns(word);
	buffer_adds(&out, p->style->utf8 ? "└" : "\\");
	for (int i = 0; i < left / 2; i++)
		buffer_adds(&out, line);
	buffer_adds(&out, word);
	for (int i = left / 2; i < left; i++)
		buffer_adds(&out, line);
	buffer_adds(&out, p->style->utf8 ? "┘" : "/");
	text = arena_strndup(p->arena, out.data, out.size);
	buffer_done(&out);
	return text;
}

/* Below neighbours that are all subordinate ids, or all not, stands one word. */
static void put_owners(struct picture *p, struct buffer *out)
{
	struct buffer row = BUFFER(4096);

	for (size_t i = 0, next; i < p->n; i = next) {
		int width = p->v[i].width;

		for (next = i + 1; next < p->n && p->v[i].subordinate && p->v[next].subordinate; next++)
			width += 3 + p->v[next].width;
		if (i)
			buffer_adds(&row, "   ");
		pad(p, &row, p->v[i].own ? p->style->user : p->v[i].subordinate && width > 1 ? bracket(p, width) : "", width);
	}
	while (row.size && row.data[row.size - 1] == ' ')
		row.data[--row.size] = '\0';
	if (row.size)
		buffer_printf(out, "  %-11s%s\n", "", row.data);
	buffer_done(&row);
}

static void put_pointer(struct picture *p, struct buffer *out)
{
	int column = 0;

	for (size_t i = 0; i < p->n; column += p->v[i++].width + 3)
		if (p->v[i].pointed) {
			buffer_printf(out, "  %-11s%*s%s %s\n", "", column, "", p->style->utf8 ? "▲" : "^",
				      p->subject->on_host ? "the owner" : "the process");
			return;
		}
}

void explain_map(struct arena *arena, const struct verdict *v, const struct explain_style *style, struct buffer *out)
{
	const struct verdict_subject *s = &v->subject;
	const struct id_map *map = s->on_host ? &s->rootless.uid : &s->maps.uid;
	uint32_t point = !s->on_host ? s->uid : v->blocks.n ? idmap_to_inside(map, v->blocks.v[0].host_uid) : ID_NONE;
	struct picture p = { .arena = arena, .style = style, .subject = s, .point = point };

	for (size_t i = 0; i < map->n; i++)
		cut_extent(&p, &map->v[i]);
	if (!p.n)
		return;
	/* A name that is longer than its number. */
	for (size_t i = 0; i < p.n; i++)
		if (p.v[i].own && p.v[i].width < columns(style->user))
			p.v[i].width = columns(style->user);
	buffer_adds(out, "\n");
	put_row(&p, out, "container", true);
	put_row(&p, out, "host", false);
	put_owners(&p, out);
	put_pointer(&p, out);
}
