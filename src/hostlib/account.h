/* hostlib/account - accounts by the C library's name service, which loads what nsswitch.conf names */
#ifndef BRYO_HOSTLIB_ACCOUNT_H
#define BRYO_HOSTLIB_ACCOUNT_H

#include "hostlib/hostlib.h"

/* The call HOSTLIB_ACCOUNT. */
int account_find(struct arena *arena, const void *who, void *ret_account, struct error *err);

#endif
