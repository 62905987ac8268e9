/* spec/network_option - what drivers of networks let the user choose: options and their values */
#ifndef BRYO_SPEC_NETWORK_OPTION_H
#define BRYO_SPEC_NETWORK_OPTION_H

#include "spec/network.h"

bool network_driver_is_known(const char *driver);
/* Refuses options that the driver does not have, and values that they cannot have. */
int network_check_options(const struct network *n, struct error *err);

#endif
