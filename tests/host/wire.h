/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a guest puts into a block ring, laid out by Xen's own public headers
 * rather than by ours. wire.c is built once for each layout.
 */
#ifndef HOST_WIRE_H
#define HOST_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_SEGS		11
#define WIRE_INDIRECT_FRAMES	8

struct wire_segment {
	uint32_t ref;
	uint8_t first;
	uint8_t last;
};

struct wire_request {
	uint8_t op;
	uint8_t indirect_op;
	uint8_t flag;
	uint16_t nr_segs;
	uint64_t id;
	uint64_t sector;
	uint64_t nr_sectors;
	struct wire_segment seg[WIRE_SEGS];
	uint32_t frame[WIRE_INDIRECT_FRAMES];
};

struct wire_response {
	uint64_t id;
	uint8_t op;
	int16_t status;
};

struct wire_layout {
	size_t slot_size;
	size_t response_size;
	size_t offset_req_prod, offset_req_event;
	size_t offset_rsp_prod, offset_rsp_event;
	size_t offset_slots;
	uint32_t (*entries)(size_t bytes);
	/* Bytes of @slot that mean nothing are left alone. */
	void (*put_request)(void *slot, const struct wire_request *req);
	struct wire_response (*get_response)(const void *slot);
};

extern const struct wire_layout wire_64, wire_32;

#endif /* HOST_WIRE_H */
