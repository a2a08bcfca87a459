/* Batches of packets into the sockets they leave through, see outbox.c. */
#ifndef TCPCOPY_OUTBOX_H
#define TCPCOPY_OUTBOX_H

#include "cutting.h"
#include "next-hops.h"
#include "ways.h"

#include <netinet/in.h>

#define PACKETS_PER_CALL 256

/* Layout of a batch's `result`: which errno stopped it, 0 for none, and the packets that were refused. */
enum { RESULT_BLOCKED, RESULT_FAILURES, RESULT_FIRST_FAILURE };
enum { FAILURE_INDEX, FAILURE_ERRNO, FAILURE_MTU, FAILURE_WORDS };

/* In a new one all is zero, but for the sockets. */
struct outbox {
  struct ways ways;
  int blocked; /* which socket was full last */
  struct next_hops hops;
  size_t done; /* of the payload of the large packet that comes next */
  struct mmsghdr messages[PACKETS_PER_CALL];
  struct iovec vectors[PACKETS_PER_CALL][4];
  struct sockaddr_storage addresses[PACKETS_PER_CALL];
  struct virtio_net_hdr offloads[PACKETS_PER_CALL];
  uint8_t headers[PACKETS_PER_CALL][HEADERS_MAX];
  /* What comes after each message: that packet, and how much of it is done. */
  uint32_t next[PACKETS_PER_CALL];
  size_t next_done[PACKETS_PER_CALL];
};

struct batch {
  uint8_t *bytes;
  size_t size;
  const uint32_t *offset, *length;
  const uint16_t *segment; /* payload of each segment of a large packet; 0: it is none */
  int32_t *result;
  size_t result_words;
};

/*
 * Sends packets first..end-1 of `b`; returns the index it came to: `end`, or where it had to stop because the socket
 * (`blocked`) or `result` is full. What it says in `result` is added to what is there.
 */
uint32_t outbox_send(struct outbox *o, struct batch *b, uint32_t first, uint32_t end);

#endif
