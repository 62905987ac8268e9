/* engine/volume_archive - a volume's files as a tar archive, out and in */
#ifndef BRYO_ENGINE_VOLUME_ARCHIVE_H
#define BRYO_ENGINE_VOLUME_ARCHIVE_H

#include "engine/engine.h"

int volume_export(struct engine *e, const char *name, int output, struct error *err);
/* Compressed or not. What is in the volume stays where the archive does not replace it; nothing is written outside. */
int volume_import(struct engine *e, const char *name, int input, struct error *err);

#endif
