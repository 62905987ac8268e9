/* engine/relabel - gives files the SELinux label of a container: volume options z and Z, files that bryo makes for it
 *
 * A tree is walked by descriptors; links are labelled themselves and never followed. What has the label already is left
 * alone. A file system without labels of its own is worth a warning, no more: its mount decides. */
#ifndef BRYO_ENGINE_RELABEL_H
#define BRYO_ENGINE_RELABEL_H

#include "engine/engine.h"

/* Before the first label is set: refuses directories that belong to the host as a whole ("/usr", a home and what is above
 * it), and trees in which not all can be labelled. */
int relabel_check(struct engine *e, const char *path, struct error *err);
/* The volume's tree or file, for z and Z, once it is checked. */
int relabel_volume(struct engine *e, const char *path, const char *label, struct error *err);
/* Any tree or file. */
int relabel_tree(struct engine *e, const char *path, const char *label, struct error *err);
/* One entry of a directory; 0 when it is not there. */
int relabel_entry(int dirfd, const char *name, const char *label, struct error *err);
/* The file, which is no link, has this very label: with relabel_tree's, so has all that is below. */
bool relabel_has_label(const char *path, const char *label);
/* The type of the file's label is this one's. */
bool relabel_has_type(struct engine *e, const char *path, const char *label);

#endif
