/* transfer/signatures - the operations about signatures: attachments.c, lookaside.c, sign.c */
#ifndef BRYO_TRANSFER_SIGNATURES_H
#define BRYO_TRANSFER_SIGNATURES_H

#include "transfer/work.h"

work_op op_attachments, op_lookaside, op_sign;

#endif
