/* store/destroy - a whole store goes, and nothing that is not the store's
 *
 * What is removed is known by name; whatever else lies in the directory stays. A directory without a store's own
 * directories is no store, whatever it is called. */
#ifndef BRYO_STORE_DESTROY_H
#define BRYO_STORE_DESTROY_H

#include "store/store.h"

/* 1: a store; 0: nothing there; -1: something else. */
int destroy_look(const char *path, struct error *err);
/* The caller has removed the containers and holds the store's lock exclusively. Entries that are not the store's go to
 * *ret_left; without any the directory goes, too. The store is closed. */
int destroy_store(struct arena *arena, struct store *s, struct strings *ret_left, struct error *err);

#endif
