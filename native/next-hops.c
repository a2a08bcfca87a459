/*
 * Next hops: to which Ethernet address on which device packets to a destination go, where that is known.
 *
 * After each change one packet still goes through the raw socket: a neighbour that the kernel does not see used is not
 * confirmed, and forgotten.
 */
#include "next-hops.h"

#include <netinet/in.h>
#include <string.h>

static struct next_hop *find(struct next_hops *all, const uint8_t *destination, size_t length) {
  struct next_hop *last = all->last;
  if (last != NULL && last->length == length && memcmp(last->destination, destination, length) == 0) return last;
  for (size_t i = 0; i < NEXT_HOPS; i++) {
    struct next_hop *hop = &all->hops[i];
    if (hop->length == length && memcmp(hop->destination, destination, length) == 0) return all->last = hop;
  }
  return NULL;
}

static struct next_hop *find_for(struct next_hops *all, const uint8_t *ip) {
  return ip[0] >> 4 == 4 ? find(all, ip + 16, 4) : find(all, ip + 24, 16);
}

struct next_hop *next_hops_of(struct next_hops *all, const uint8_t *ip, size_t length) {
  struct next_hop *hop = find_for(all, ip);
  return hop == NULL || hop->confirm || length > hop->mtu ? NULL : hop;
}

void next_hops_confirmed(struct next_hops *all, const uint8_t *ip) {
  struct next_hop *hop = find_for(all, ip);
  if (hop != NULL) hop->confirm = false;
}

void next_hops_refused(struct next_hops *all, const uint8_t *ip, bool whole) {
  struct next_hop *hop = next_hops_of(all, ip, 0);
  if (hop == NULL) return;
  if (whole && !hop->cut) hop->cut = true;
  else hop->length = 0;
}

void next_hops_forget(struct next_hops *all, const uint8_t *destination, size_t length) {
  struct next_hop *hop = find(all, destination, length);
  if (hop != NULL) hop->length = 0;
}

bool next_hops_set(struct next_hops *all, const uint8_t *destination, size_t length, uint32_t device, const uint8_t *to,
                   const uint8_t *from, uint32_t mtu) {
  struct next_hop *hop = find(all, destination, length);
  for (size_t i = 0; hop == NULL && i < NEXT_HOPS; i++) {
    if (all->hops[i].length == 0) hop = &all->hops[i];
  }
  if (hop == NULL) return false;
  hop->length = length;
  hop->mtu = mtu;
  hop->confirm = true;
  hop->cut = false;
  memcpy(hop->destination, destination, length);
  hop->address = (struct sockaddr_ll){
      .sll_family = AF_PACKET,
      .sll_protocol = htons(length == 4 ? ETH_P_IP : ETH_P_IPV6),
      .sll_ifindex = (int)device,
      .sll_halen = ETH_ALEN,
  };
  memcpy(hop->address.sll_addr, to, ETH_ALEN);
  hop->header = (struct ethhdr){.h_proto = hop->address.sll_protocol};
  memcpy(hop->header.h_dest, to, ETH_ALEN);
  memcpy(hop->header.h_source, from, ETH_ALEN);
  return true;
}
