#include "transfer/registry.h"
int op_manifest(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err){ return error_set(err, ERROR_UNSUPPORTED, "registries are not reached yet"); }
int op_login(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err){ return error_set(err, ERROR_UNSUPPORTED, "registries are not reached yet"); }
void registry_free(struct registry *r){}
