/*
 * Outbox: a batch of packets into as few system calls as there can be.
 *
 * Two raw sockets of protocol 255 (one per family) whose packets bring their own IP header. Packets of a batch leave in
 * order; consecutive ones of a family share a sendmmsg. One the kernel refuses is reported and skipped. When the socket
 * (or the device queue: ENOBUFS) is full, sending stops there and the caller keeps the rest.
 *
 * Packets to a destination whose next hop is known (next-hops.c) go straight to its device instead, past the look-up of
 * route and neighbour and the hooks of a firewall: half the cost. Any error there, and that destination's packets go
 * through the raw socket again, which knows what is wrong. Each time a next hop is set some still go that way: a neighbour
 * that the kernel does not see used is not confirmed, and forgotten.
 *
 * Large packets (cutting.c) go to the device as they are; where that does not take them, and through the raw socket,
 * segment by segment.
 */
#include "outbox.h"

#include <errno.h>

/* False when `result` has no room for one more. */
static bool report_failure(struct batch *b, uint32_t index, int error, int mtu) {
  int32_t *failure = b->result + RESULT_FIRST_FAILURE + FAILURE_WORDS * b->result[RESULT_FAILURES];
  failure[FAILURE_INDEX] = (int32_t)index;
  failure[FAILURE_ERRNO] = error;
  failure[FAILURE_MTU] = mtu;
  size_t used = RESULT_FIRST_FAILURE + FAILURE_WORDS * (size_t)++b->result[RESULT_FAILURES];
  return used + FAILURE_WORDS <= b->result_words;
}

/* Describes message `n`: a packet, or the segment of a large one whose headers are in `headers[n]`. */
static void describe(struct outbox *o, unsigned n, int family, struct next_hop *hop, const struct iovec *parts, size_t count) {
  struct iovec *vectors = o->vectors[n];
  size_t used = 0;
  if (hop != NULL) {
    vectors[used++] = (struct iovec){&o->offloads[n], sizeof(o->offloads[n])};
    vectors[used++] = (struct iovec){&hop->header, sizeof(hop->header)};
  }
  for (size_t i = 0; i < count; i++) vectors[used++] = parts[i];
  o->messages[n].msg_hdr = (struct msghdr){
      .msg_name = hop == NULL ? (void *)&o->addresses[n] : (void *)&hop->address,
      .msg_namelen = hop != NULL    ? sizeof(struct sockaddr_ll)
                     : family == V4 ? sizeof(struct sockaddr_in)
                                    : sizeof(struct sockaddr_in6),
      .msg_iov = vectors,
      .msg_iovlen = used,
  };
}

/*
 * Describes messages from packet `first` on for one sendmmsg: those that go the same way, which may be -1. Returns how
 * many.
 */
static unsigned gather(struct outbox *o, const struct batch *b, uint32_t first, uint32_t end, int *way) {
  unsigned n = 0;
  uint32_t i = first;
  size_t done = o->done;
  while (i < end && n < PACKETS_PER_CALL) {
    size_t offset = b->offset[i], length = b->length[i], segment = b->segment[i];
    uint8_t *ip = b->bytes + offset;
    bool inside = offset <= b->size && length <= b->size - offset;
    int family = inside ? ways_destination(&o->ways, ip, length, &o->addresses[n]) : -1;
    struct large large;
    if (family >= 0 && segment != 0 && !large_read(&large, ip, length, segment)) family = -1;
    /* What is done was of this packet, unless another batch came meanwhile. */
    if (segment == 0 || family < 0 || done >= length - large.payload) done = 0;
    size_t longest = family < 0 || segment == 0 ? length : large.payload + segment;
    struct next_hop *hop = family < 0 ? NULL : next_hops_of(&o->hops, ip, longest);
    int found = hop == NULL ? family : LINK;
    if (n == 0) *way = found;
    if (found != *way || (n > 0 && found == -1)) break;
    o->offloads[n] = (struct virtio_net_hdr){.flags = 0};
    o->next[n] = i + 1;
    o->next_done[n] = 0;
    if (segment == 0 || found == -1 || (hop != NULL && !hop->cut && done == 0)) {
      if (segment != 0 && found != -1) large_describe(&large, ETH_HLEN, &o->offloads[n]);
      describe(o, n++, found, hop, &(struct iovec){ip, length}, 1);
      i++;
      continue;
    }
    size_t size = large_cut(&large, done, o->headers[n]);
    const struct iovec parts[] = {{o->headers[n], large.payload}, {ip + large.payload + done, size}};
    describe(o, n, found, hop, parts, 2);
    done += size;
    if (large.payload + done < length) {
      o->next[n] = i;
      o->next_done[n] = done;
    } else {
      i++;
      done = 0;
    }
    n++;
  }
  return n;
}

uint32_t outbox_send(struct outbox *o, struct batch *b, uint32_t first, uint32_t end) {
  uint32_t i = first;
  while (i < end) {
    int way = -1;
    unsigned n = gather(o, b, i, end, &way);
    int error = way < 0 ? EINVAL : o->ways.fd[way] < 0 ? EAFNOSUPPORT : 0;
    if (error == 0) {
      int sent = sendmmsg(o->ways.fd[way], o->messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0 && way != LINK) next_hops_confirmed(&o->hops, b->bytes + b->offset[i]);
      if (sent > 0) {
        i = o->next[sent - 1];
        o->done = o->next_done[sent - 1];
      }
      if (sent >= 0) continue;
      error = errno;
    }
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM) {
      o->blocked = way;
      b->result[RESULT_BLOCKED] = error;
      return i;
    }
    if (way == LINK) {
      next_hops_refused(&o->hops, b->bytes + b->offset[i], b->segment[i] != 0 && o->done == 0);
      continue;
    }
    int mtu = 0;
    if (way >= 0) {
      if (error == EMSGSIZE) mtu = ways_mtu(&o->ways, way, &o->addresses[0]);
      ways_drain_errors(&o->ways, way);
    }
    o->done = 0;
    if (!report_failure(b, i++, error, mtu)) return i;
  }
  return i;
}
