/*
 * Ring socket: an AF_PACKET socket whose frames the kernel writes into memory that is shared with it.
 *
 * The socket is made with protocol 0, so nothing reaches it before `bind`, when filter and ring are in place: the first
 * frame it ever sees has passed the filter.
 *
 * Several rings can share a device's frames (PACKET_FANOUT): the kernel deals them out by a hash that both directions of
 * a flow have in common. A ring that begins a group is given an id that nobody uses, so that it never joins a stranger's.
 */
#include "ring-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
#ifndef PACKET_FANOUT_FLAG_UNIQUEID
#define PACKET_FANOUT_FLAG_UNIQUEID 0x2000 /* Linux 4.12 */
#endif
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000 /* Linux 5.9 */
#endif

int ring_socket_filter(int fd, const uint8_t *program, size_t length) {
  if (length % sizeof(struct sock_filter) != 0) return EINVAL;
  struct sock_filter *copy = malloc(length); /* aligned, whatever view it came from */
  if (copy == NULL) return ENOMEM;
  memcpy(copy, program, length);
  struct sock_fprog fprog = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = copy};
  int error = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) == 0 ? 0 : errno;
  free(copy);
  return error;
}

/* Joins `group`, or begins one; returns an errno value. */
static int join_fanout(int fd, uint32_t group, bool ignore_outgoing) {
  bool begins = group == FANOUT_NEW;
  uint32_t flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG | (begins ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
  uint32_t quiet = ignore_outgoing ? PACKET_FANOUT_FLAG_IGNORE_OUTGOING : 0;
  for (;;) {
    uint32_t value = (begins ? 0 : group) | (flags | quiet) << 16;
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)) == 0) return 0;
    /* Older kernels do not know that flag; all members of a group then do without it. */
    if (errno != EINVAL || quiet == 0) return errno;
    quiet = 0;
  }
}

int ring_socket_open(int *fd, struct ring_memory *memory, const struct ring_options *o, const char **doing) {
  *doing = "open a packet socket";
  *fd = socket(AF_PACKET, (o->cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (*fd < 0) return errno;

  *doing = "attach the capture filter";
  bool shared = o->fanout_group != FANOUT_NONE;
  /* Between binding and joining a group the socket sees what others are dealt: nothing passes until it has joined. */
  struct sock_filter reject = BPF_STMT(BPF_RET | BPF_K, 0);
  int error = shared ? ring_socket_filter(*fd, (const uint8_t *)&reject, sizeof(reject))
                     : ring_socket_filter(*fd, o->filter, o->filter_length);
  if (error != 0) return error;

  bool slots = o->slot_size != 0;
  *doing = slots ? "set up TPACKET_V2" : "set up TPACKET_V3";
  int version = slots ? TPACKET_V2 : TPACKET_V3;
  if (setsockopt(*fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0) return errno;
  int one = 1;
  /* Older kernels do not know it; JavaScript drops outgoing frames by their packet type anyway. */
  if (o->ignore_outgoing) setsockopt(*fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));

  *doing = "allocate the capture ring";
  uint32_t frame_size = slots ? o->slot_size : TPACKET_ALIGNMENT << 7; /* only a divisor for V3: frames are packed */
  struct tpacket_req3 request = {
      .tp_block_size = o->block_size,
      .tp_block_nr = o->block_count,
      .tp_frame_size = frame_size,
      .tp_frame_nr = o->block_size / frame_size * o->block_count,
      .tp_retire_blk_tov = o->retire_ms,
  };
  /* struct tpacket_req is how tpacket_req3 begins. */
  socklen_t request_size = slots ? sizeof(struct tpacket_req) : sizeof(request);
  if (setsockopt(*fd, SOL_PACKET, PACKET_RX_RING, &request, request_size) != 0) return errno;
  size_t size = (size_t)o->block_size * o->block_count;
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
  if (address == MAP_FAILED) return errno;
  memory->address = address;
  memory->length = size;

  *doing = "bind to the device";
  struct sockaddr_ll bound = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)o->device};
  if (bind(*fd, (struct sockaddr *)&bound, sizeof(bound)) != 0) return errno;
  /* A device that is down binds, and says so here. */
  socklen_t length = sizeof(error);
  if (getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0) return error;

  if (shared) {
    *doing = "share the capture between processes (PACKET_FANOUT)";
    error = join_fanout(*fd, o->fanout_group, o->ignore_outgoing);
    if (error == 0) error = ring_socket_filter(*fd, o->filter, o->filter_length);
    if (error != 0) return error;
  }

  if (o->promiscuous && o->device != 0) {
    *doing = "make the device promiscuous";
    struct packet_mreq membership = {.mr_ifindex = (int)o->device, .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(*fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership)) != 0) return errno;
  }
  return 0;
}
