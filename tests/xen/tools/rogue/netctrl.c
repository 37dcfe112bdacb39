// SPDX-License-Identifier: GPL-2.0
/* The control ring of a network frontend. */
#include "netfront.h"

static volatile struct shared *ctrl;
static unsigned int ctrl_port;
static struct frames ring;

static union { struct ctrl_req req; struct ctrl_rsp rsp; } *slot(uint32_t i)
{
	return (void *)(ctrl->slots + i % CTRL_SLOTS * sizeof(struct ctrl_req));
}

void ctrl_offer(void)
{
	grant(&ring, 1, peer_id, true);
	ctrl = (void *)ring.at;
	ctrl->req_event = ctrl->rsp_event = 1;
	ctrl_port = channel_alloc();
	store_write("ctrl-ring-ref", "%u", ring.refs[0]);
	store_write("event-channel-ctrl", "%u", ctrl_port);
}

void ctrl_none(void)
{
	ctrl = NULL;
}

bool ctrl_there(void)
{
	return ctrl;
}

uint32_t ctrl_put(uint32_t type, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t i = ctrl->req_prod;

	slot(i)->req = (struct ctrl_req) { .id = any(), .type = type, .data = { a, b, c } };
	__sync_synchronize();
	ctrl->req_prod = i + 1;
	return slot(i)->req.id;
}

bool ctrl_finish(void)
{
	notify(ctrl_port);
	if (wait_equal(&ctrl->rsp_prod, &ctrl->req_prod, 10000))
		return true;
	spoiled = true;
	complain(" no answer to control");
	return false;
}

bool ctrl_ask(uint32_t type, uint32_t a, uint32_t b, uint32_t c, struct ctrl_rsp *rsp)
{
	uint16_t id = ctrl_put(type, a, b, c);

	if (!ctrl_finish())
		return false;
	*rsp = slot(ctrl->req_prod - 1)->rsp;
	if (rsp->id == id && rsp->type == type && rsp->status <= CTRL_OVERFLOW)
		return true;
	complain(" control %u: answer to %u of type %u, status %u", type, rsp->id, rsp->type, rsp->status);
	return false;
}

/* Anything that looks like a request. */
static void put_any(void)
{
	uint32_t type = one_in(8) ? odd_number() : 1 + below(10);
	uint32_t ref = one_in(3) ? bad_ref(ring.refs[0]) : pages.refs[below(pages.nr)];
	uint32_t data[] = {
		odd_number(),
		one_in(2) ? below(64) : odd_number(),
		one_in(2) ? below(8) : odd_number(),
	};

	if (type == CTRL_SET_KEY || type == CTRL_SET_MAPPING) {
		data[0] = ref;
	} else if (type == CTRL_ADD_GREFS || type == CTRL_DEL_GREFS) {
		if (one_in(2))
			data[0] = below(nr_queues);
		data[2] = data[1];
		data[1] = ref;
	}
	tell(" %u(%u,%u,%u)", type, data[0], data[1], data[2]);
	ctrl_put(type, data[0], data[1], data[2]);
}

void act_ctrl(void)
{
	unsigned int n = 1 + below(6);

	if (!ctrl)
		return;
	while (n--)
		put_any();
	if (ctrl_finish() && one_in(10)) {
		spoil_index(&ctrl->req_prod, CTRL_SLOTS);
		notify(ctrl_port);
	}
}
