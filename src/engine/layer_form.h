/* engine/layer_form - layers in the form that the present storage driver needs
 *
 * A store that another driver filled, an earlier version's or an older kernel's, has its layers in another form. What a
 * new container lacks is made once, from what there is: the contents of a tree become objects and its names an index
 * (by bryo-transfer), or an index becomes a tree. */
#ifndef BRYO_ENGINE_LAYER_FORM_H
#define BRYO_ENGINE_LAYER_FORM_H

#include "engine/engine.h"

/* The caller holds the store's lock shared. */
int layer_form_need(struct engine *e, const struct strings *layers, struct error *err);

#endif
