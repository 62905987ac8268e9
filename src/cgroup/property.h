/* cgroup/property - properties of systemd units: out of annotations and out of limits; pure
 *
 * An annotation "org.systemd.property.NAME" has a value in GVariant's text format (docs.gtk.org/glib/
 * gvariant-text-format.html): booleans, numbers with or without a type in front ("uint64 5"), 'strings', b'byte strings',
 * [arrays], (tuples), "@as []". A name that ends with "Sec" is a time in seconds and becomes the property "USec".
 * A value is kept as the D-Bus signature and the steps that build it, which cgroup/systemd replays. */
#ifndef BRYO_CGROUP_PROPERTY_H
#define BRYO_CGROUP_PROPERTY_H

#include "cgroup/setting.h"

struct property_step {
	char what;		/* a basic D-Bus type; 'a' or 'r' opens an array or structure of `contents`, ')' closes */
	char *contents;		/* signature inside the container */
	union {
		uint64_t number;	/* y b q u t, and n i x as their two's complement */
		double real;		/* d */
		char *text;		/* s o g */
	};
};

struct property {
	char *name, *signature;
	ARRAY(struct property_step) steps;
	bool demanded;		/* by an annotation: a systemd that does not know it is an error */
};
struct properties {
	struct property *v;
	size_t n;
};

/* Parses a value: at most 4096 bytes, 8 levels deep. */
int property_parse(struct arena *arena, const char *name, const char *text, struct property *ret, struct error *err);
int property_annotations(struct arena *arena, const struct string_map *annotations, struct properties *list,
			 struct error *err);
/* What systemd should know of limits, so that it does not take them back when it reloads. */
void property_limits(struct arena *arena, const struct settings *limits, struct properties *list);
struct property *property_add(struct arena *arena, struct properties *list, const char *name, char type, uint64_t number);
struct property *property_add_text(struct arena *arena, struct properties *list, const char *name, const char *text);
/* "NAME SIGNATURE value", for tests: the text form again. */
int property_print(const struct property *p, struct buffer *out);

#endif
