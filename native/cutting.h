/* Large TCP packets, see cutting.c. */
#ifndef TCPCOPY_CUTTING_H
#define TCPCOPY_CUTTING_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest IP and TCP headers. */
#define HEADERS_MAX 120

struct large {
  const uint8_t *ip;
  size_t length;  /* of all */
  size_t tcp;     /* where its header begins */
  size_t payload; /* where that begins */
  size_t segment; /* payload of each segment but the last, not 0 */
};

/* False where `ip` is no TCP packet with payload behind plain headers. At least 20 bytes are readable. */
bool large_read(struct large *l, const uint8_t *ip, size_t length, size_t segment);

/* What the kernel has to know to cut it, where a link header of so many bytes goes before it. */
void large_describe(const struct large *l, size_t link_header, struct virtio_net_hdr *out);

/* Writes the headers of the segment that begins `done` bytes into the payload; returns how much payload it has. */
size_t large_cut(const struct large *l, size_t done, uint8_t *headers);

#endif
