/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The peer of the code under test: what it does comes from a fuzzer's input.
 *
 * Memory that is shared cannot be touched but through the accessors, as in
 * tests/host/memory.h. Here they also check what is wrong whatever was asked for:
 *
 *  - a byte of a slot that is read twice between two looks at an index of the
 *    other side (and what a second look would find is another value);
 *  - a byte that is written without having been initialised (with MSan);
 *  - an access beyond the end of what is shared.
 */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
# if __has_feature(memory_sanitizer)
#  include <sanitizer/msan_interface.h>
#  define FUZZ_MSAN	1
# endif
# if __has_feature(address_sanitizer)
#  include <sanitizer/asan_interface.h>
#  define FUZZ_ASAN	1
# endif
#endif

/* The code under test has done what it must never do. */
void peer_caught(const char *file, int line, const char *what, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

#define CAUGHT(...)	peer_caught(__FILE__, __LINE__, __VA_ARGS__)

#define MUST(cond) do {							\
	if (!(cond))							\
		CAUGHT("%s", #cond);					\
} while (0)

/* Bytes that leave the domain must have a value. */
static inline void peer_must_be_set(const void *bytes, size_t len)
{
#ifdef FUZZ_MSAN
	__msan_check_mem_is_initialized(bytes, len);
#else
	(void)bytes;
	(void)len;
#endif
}

/* Bytes that are there, but nobody has given them a value. */
static inline void peer_is_not_set(const void *bytes, size_t len)
{
#ifdef FUZZ_MSAN
	__msan_allocated_memory(bytes, len);
#else
	(void)bytes;
	(void)len;
#endif
}

/*
 * The input. When it is used up all of these are 0, and 0 always stands for what
 * an honest peer does: any prefix of an input is an input, and most are valid.
 */
void peer_input(const uint8_t *data, size_t len);
bool peer_input_left(void);
uint8_t peer_u8(void);
uint16_t peer_u16(void);
uint32_t peer_u32(void);
uint64_t peer_u64(void);
/* Something below @n. */
uint32_t peer_below(uint32_t n);
/* True for few values of a byte, so that mostly one thing at a time is wrong. */
bool peer_rarely(void);
/* @valid, or rarely any value of @bits bits: at a bound, far away, or near. */
uint64_t peer_mostly(uint64_t valid, unsigned int bits);

/* A shared page or more, called ring 0, 1 ... in the order of peer_share(). */
struct peer_ring {
	uint8_t *window;
	uint8_t *behind;
	size_t bytes;
	uint16_t *read_in;
	uint16_t look;
};

#define PEER_RINGS	4

/*
 * Zeroed shared memory number @n, which stays where it is for all inputs. The
 * window is for the code under test, @behind for the peer.
 */
struct peer_ring *peer_share(unsigned int n, size_t bytes);

/*
 * What the peer does while the code under test runs, set by a target: after an
 * index was read at @offset of a ring; before bytes of a slot are read, whose
 * values are still there; after bytes were written.
 */
struct peer_acts {
	void (*index_read)(struct peer_ring *ring, size_t offset);
	void (*slot_read)(struct peer_ring *ring, size_t offset, size_t len);
	void (*slot_written)(struct peer_ring *ring, size_t offset, size_t len);
};

extern struct peer_acts peer_acts;

/* Whether a slot reads as something else the second time; by the input. */
extern bool peer_flips;

/* READ_ONCE() of anything. */
void peer_read_once(void *dst, const volatile void *src, size_t len);
void peer_write_once(volatile void *dst, const void *src, size_t len);

/* From a page that the peer can write to; each byte at most once. */
void kernel_copy_granted(void *dst, const void *src, size_t len);
/* Whether that is what an address is in. */
bool kernel_is_granted(const void *addr);

#endif /* FUZZ_PEER_H */
