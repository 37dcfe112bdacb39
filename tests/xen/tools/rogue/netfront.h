/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a network frontend. */
#ifndef ROGUE_NETFRONT_H
#define ROGUE_NETFRONT_H

#include "net.h"

/* --- netfront.c -------------------------------------------------------------------------- */

struct queue;

extern unsigned int nr_queues;
extern struct frames buffers;		/* to receive into */

/* Good packets and buffers, as from an honest frontend. */
void act_good(void);
/* One packet of each of some frames, of which the answers are waited for later. */
struct queue *send_frames(const uint32_t *refs, unsigned int nr);
void send_end(struct queue *q);
/* Buffers beside those that are there anyway. */
void post_frames(const uint32_t *refs, unsigned int nr);

/* --- netctrl.c: the control ring --------------------------------------------------------- */

void ctrl_offer(void);
void ctrl_none(void);
bool ctrl_there(void);
uint32_t ctrl_put(uint32_t type, uint32_t a, uint32_t b, uint32_t c);	/* its id */
/* All answers; false if they do not come. */
bool ctrl_finish(void);
/* One request; false if its answer makes no sense. */
bool ctrl_ask(uint32_t type, uint32_t a, uint32_t b, uint32_t c, struct ctrl_rsp *rsp);
void act_ctrl(void);

/* --- netstatic.c: frames that the backend keeps mapped ----------------------------------- */

void static_offer(void);
void act_static(void);
void act_static_bad(void);
void act_static_busy(void);
void act_static_flood(void);
void act_static_shown(void);
void act_static_end(void);
void act_static_gone(void);

#endif
