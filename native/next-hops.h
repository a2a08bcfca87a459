/* Where packets go past the kernel's routing, see next-hops.c. */
#ifndef TCPCOPY_NEXT_HOPS_H
#define TCPCOPY_NEXT_HOPS_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEXT_HOPS 64

struct next_hop {
  uint8_t destination[16];
  size_t length; /* of the destination: 4, 16; 0: unused */
  uint32_t mtu;
  bool confirm; /* the next packet goes through the raw socket */
  bool cut;     /* large packets are refused */
  struct sockaddr_ll address;
  struct ethhdr header;
};

/* All zero: none. */
struct next_hops {
  struct next_hop hops[NEXT_HOPS];
  struct next_hop *last; /* the one found last */
};

/*
 * The next hop that packets of `length` bytes like that at `ip` can be sent to directly, or NULL. Of an IP packet the header
 * must be readable.
 */
struct next_hop *next_hops_of(struct next_hops *all, const uint8_t *ip, size_t length);

/* The packet at `ip` has gone through the raw socket. */
void next_hops_confirmed(struct next_hops *all, const uint8_t *ip);

/* The device refused the packet at `ip`; one that was `whole` and large it may take in segments. */
void next_hops_refused(struct next_hops *all, const uint8_t *ip, bool whole);

/* False when there is no room for one more. `destination`: 4 or 16 bytes; `to`, `from`: Ethernet addresses. */
bool next_hops_set(struct next_hops *all, const uint8_t *destination, size_t length, uint32_t device, const uint8_t *to,
                   const uint8_t *from, uint32_t mtu);

void next_hops_forget(struct next_hops *all, const uint8_t *destination, size_t length);

#endif
