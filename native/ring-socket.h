/* Packet sockets with a receive ring, see ring-socket.c. */
#ifndef TCPCOPY_RING_SOCKET_H
#define TCPCOPY_RING_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values of `fanout_group` beside ids, which have 16 bits. */
#define FANOUT_NONE 0xffffffffu
#define FANOUT_NEW 0xfffffffeu

struct ring_options {
  uint32_t device, block_size, block_count;
  uint32_t slot_size; /* TPACKET_V2 with slots of so many bytes; 0: TPACKET_V3 */
  uint32_t retire_ms, fanout_group;
  bool cooked, promiscuous, ignore_outgoing;
  uint8_t *filter; /* struct sock_filter as bytes */
  size_t filter_length;
};

struct ring_memory {
  void *address; /* NULL: none */
  size_t length;
};

/*
 * Opens the socket, with filter and ring, and binds it. 0, or an errno value, with what was being done; what is open or mapped
 * then is the caller's to close and unmap, like all of it.
 */
int ring_socket_open(int *fd, struct ring_memory *memory, const struct ring_options *o, const char **doing);

/* Replaces a filter in place; the kernel swaps it atomically. 0 or an errno value. */
int ring_socket_filter(int fd, const uint8_t *program, size_t length);

#endif
