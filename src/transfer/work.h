/* transfer/work - what the operations of bryo-transfer share, and their entry points
 *
 * Each operation fills the result event or sets an error; main sends it. */
#ifndef BRYO_TRANSFER_WORK_H
#define BRYO_TRANSFER_WORK_H

#include "transfer/channel.h"
#include "transfer/sink.h"

struct registry;

struct work {
	struct arena *arena;		/* of this request */
	struct channel *channel;
	struct places places;
	size_t processors;		/* that this process may use; 0: unknown */
	struct registry *registry;	/* connection and tokens, kept between requests; NULL */
};

typedef int work_op(struct work *w, const struct transfer_request *r, struct transfer_event *ret, struct error *err);

work_op op_layers, op_blobs, op_keep, op_push, op_load, op_import, op_save, op_pack, op_unpack, op_verify, op_recall,
	op_index, op_objects_check, op_recipes_check, op_layer, op_compose;

#endif
