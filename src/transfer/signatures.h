/* transfer/signatures - the operations that bring signatures: attachments.c, lookaside.c */
#ifndef BRYO_TRANSFER_SIGNATURES_H
#define BRYO_TRANSFER_SIGNATURES_H

#include "transfer/work.h"

work_op op_attachments, op_lookaside;

#endif
