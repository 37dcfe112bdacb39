// SPDX-License-Identifier: GPL-2.0
/* What a frontend accepts as a response, and what a backend sends as one. */
#include "blkfront/response.h"

#include "case.h"
#include "ring/blk_wire.h"
#include "ring/ring.h"
#include "wire.h"

#define ENTRIES		32
#define INFLIGHT	5

/* A request that nothing may look into. */
#define RQ		((struct request *)16)

static struct blkfront_slot slots[ENTRIES];

static enum blkfront_offence check(u64 id, u8 op)
{
	return blkfront_check_response(slots, ENTRIES, id, op);
}

static void start(u16 id, u8 op)
{
	slots[id].rq = RQ;
	slots[id].op = op;
}

/*
 * XSA-376: frontends used the id of a response to find the request, whoever had
 * written it. Rule: in range, in flight, not twice, for the operation that was
 * asked for. Failure: any other response passes.
 */
static void id_inflight(const void *arg)
{
	u64 id;

	(void)arg;
	for (id = 0; id < ENTRIES; id++) {
		CHECK_EQ(check(id, BLKIF_OP_READ), BLKFRONT_BAD_SLOT);
		start(id, BLKIF_OP_READ);
		CHECK_EQ(check(id, BLKIF_OP_READ), BLKFRONT_OK);
	}
}

static void id_out_of_range(const void *arg)
{
	static const u64 ids[] = {
		ENTRIES, ENTRIES + 1, 0xffff, 0x10000 + INFLIGHT, 0xffffffff,
		0x100000000 + INFLIGHT, 0x8000000000000000 + INFLIGHT, -1ULL,
		-(u64)ENTRIES + INFLIGHT,
	};
	unsigned int i;

	(void)arg;
	for (i = 0; i < ENTRIES; i++)
		start(i, BLKIF_OP_READ);
	for (i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		CHECK_EQ(check(ids[i], BLKIF_OP_READ), BLKFRONT_BAD_ID);
	CHECK_EQ(blkfront_check_response(slots, 0, 0, BLKIF_OP_READ),
		 BLKFRONT_BAD_ID);
	CHECK_EQ(blkfront_check_response(slots, 1, 1, BLKIF_OP_READ),
		 BLKFRONT_BAD_ID);
}

static void id_not_inflight(const void *arg)
{
	(void)arg;
	start(INFLIGHT, BLKIF_OP_WRITE);
	slots[INFLIGHT + 1].op = BLKIF_OP_WRITE;
	CHECK_EQ(check(INFLIGHT + 1, BLKIF_OP_WRITE), BLKFRONT_BAD_SLOT);
	CHECK_EQ(check(0, BLKIF_OP_READ), BLKFRONT_BAD_SLOT);
}

static void id_twice(const void *arg)
{
	(void)arg;
	start(INFLIGHT, BLKIF_OP_WRITE);
	CHECK_EQ(check(INFLIGHT, BLKIF_OP_WRITE), BLKFRONT_OK);
	slots[INFLIGHT].rq = NULL;
	CHECK_EQ(check(INFLIGHT, BLKIF_OP_WRITE), BLKFRONT_BAD_SLOT);
}

static void every_op(const void *arg)
{
	static const u8 sent[] = {
		BLKIF_OP_READ, BLKIF_OP_WRITE, BLKIF_OP_WRITE_BARRIER,
		BLKIF_OP_FLUSH_DISKCACHE, BLKIF_OP_DISCARD,
	};
	unsigned int i, op;
	bool indirect;

	(void)arg;
	for (i = 0; i < sizeof(sent); i++) {
		start(INFLIGHT, sent[i]);
		for (op = 0; op < 256; op++) {
			/* Some backends echo the outer operation. */
			indirect = op == BLKIF_OP_INDIRECT &&
				   sent[i] <= BLKIF_OP_WRITE;
			CHECK_EQ(check(INFLIGHT, op),
				 op == sent[i] || indirect ?
				 BLKFRONT_OK : BLKFRONT_BAD_OP);
		}
	}
}

/* All that is wrong is found before what depends on it is looked at. */
static void worst_first(const void *arg)
{
	(void)arg;
	start(INFLIGHT, BLKIF_OP_READ);
	CHECK_EQ(check(ENTRIES, 99), BLKFRONT_BAD_ID);
	CHECK_EQ(check(0, 99), BLKFRONT_BAD_SLOT);
	CHECK_EQ(check(INFLIGHT, 99), BLKFRONT_BAD_OP);
}

/*
 * A backend's response in a slot full of other things, as the guest sees it.
 * XSA-216: padding of a response was what had been on the backend's stack. Rule: it
 * has members for all of its bytes. Failure: a byte that nobody has written.
 */
static const u8 *respond(const struct wire_layout *layout, const void *rsp,
			 size_t len)
{
	struct ring_shared *shared;
	struct ring_back back;
	u8 *slot;

	CHECK_EQ(len, layout->response_size);
	shared = memory_share(sizeof(*shared) + layout->slot_size);
	slot = memory_behind(shared->slots);
	CHECK_EQ(ring_back_attach(&back, shared,
				  sizeof(*shared) + layout->slot_size,
				  layout->slot_size), 0);
	memset(slot, 0xff, layout->slot_size);
	ring_back_put(&back, rsp, len);
	return slot;
}

static void check_response(const struct wire_layout *layout, const u8 *slot)
{
	struct wire_response rsp = layout->get_response(slot);
	size_t i;

	CHECK(rsp.id == 0x1122334455667788);
	CHECK_EQ(rsp.op, BLKIF_OP_DISCARD);
	CHECK_EQ(rsp.status, BLKIF_RSP_EOPNOTSUPP);
	/* id, operation, a byte of nothing, status, and nothing. */
	CHECK_EQ(slot[9], 0);
	for (i = 12; i < layout->response_size; i++)
		CHECK_EQ(slot[i], 0);
	for (i = layout->response_size; i < layout->slot_size; i++)
		CHECK_EQ(slot[i], 0xff);
}

static void padding_zeroed_64(const void *arg)
{
	struct blk_64_response rsp = {
		.id = 0x1122334455667788,
		.operation = BLKIF_OP_DISCARD,
		.status = BLKIF_RSP_EOPNOTSUPP,
	};

	(void)arg;
	/* Without holes a compiler cannot leave anything in them. */
	CHECK_EQ(sizeof(rsp), sizeof(rsp.id) + sizeof(rsp.operation) +
		 sizeof(rsp.pad) + sizeof(rsp.status) + sizeof(rsp.pad2));
	check_response(&wire_64, respond(&wire_64, &rsp, sizeof(rsp)));
}

static void padding_zeroed_x86_32(const void *arg)
{
	struct blk_x86_32_response rsp = {
		.id = 0x1122334455667788,
		.operation = BLKIF_OP_DISCARD,
		.status = BLKIF_RSP_EOPNOTSUPP,
	};

	(void)arg;
	CHECK_EQ(sizeof(rsp), sizeof(rsp.id) + sizeof(rsp.operation) +
		 sizeof(rsp.pad) + sizeof(rsp.status));
	check_response(&wire_32, respond(&wire_32, &rsp, sizeof(rsp)));
}

#define RUN(name)	case_run("response", #name, name, NULL)

void response_tests(void)
{
	RUN(id_inflight);
	RUN(id_out_of_range);
	RUN(id_not_inflight);
	RUN(id_twice);
	RUN(every_op);
	RUN(worst_first);
	RUN(padding_zeroed_64);
	RUN(padding_zeroed_x86_32);
}
