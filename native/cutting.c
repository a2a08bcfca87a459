/*
 * Large TCP packets: one IP packet that stands for many segments, as a kernel's own TCP hands them to a device that can cut
 * them (TSO). Here they are described to the kernel (virtio_net_hdr), or cut where it cannot take them.
 *
 * A large packet has final headers for the first of its segments, but for the lengths, which are its own, and for TCP's
 * checksum, in whose place is the folded sum of the pseudo-header.
 */
#include "cutting.h"

#include <arpa/inet.h>
#include <string.h>

#define PROTOCOL_TCP 6
#define TCP_MIN 20
#define FIN_PSH 0x09

/* Offsets. */
enum { V4_LENGTH = 2, V4_ID = 4, V4_PROTOCOL = 9, V4_SUM = 10, V4_ADDRESSES = 12 };
enum { V6_LENGTH = 4, V6_NEXT = 6, V6_ADDRESSES = 8, V6_HEADER = 40 };
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_SUM = 16 };

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static void put16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

/* Adds `length` bytes, in this machine's byte order (RFC 1071 §2(B)); an odd last byte counts as followed by 0. */
static uint64_t add_up(const uint8_t *at, size_t length, uint64_t sum) {
  for (; length >= 4; at += 4, length -= 4) {
    uint32_t word;
    memcpy(&word, at, 4);
    sum += word;
  }
  if (length >= 2) {
    uint16_t half;
    memcpy(&half, at, 2);
    sum += half;
    at += 2;
    length -= 2;
  }
  if (length > 0) {
    uint16_t last = 0;
    memcpy(&last, at, 1);
    sum += last;
  }
  return sum;
}

/* The checksum that makes the sum right, as it is stored. */
static uint16_t checksum(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

bool large_read(struct large *l, const uint8_t *ip, size_t length, size_t segment) {
  int version = ip[0] >> 4;
  size_t header = version == 4 ? (size_t)(ip[0] & 15) * 4 : V6_HEADER;
  if (header < 20 || header + TCP_MIN > length) return false;
  if (ip[version == 4 ? V4_PROTOCOL : V6_NEXT] != PROTOCOL_TCP) return false;
  size_t tcp = (size_t)(ip[header + TCP_OFFSET] >> 4) * 4;
  if (tcp < TCP_MIN || header + tcp >= length) return false;
  *l = (struct large){.ip = ip, .length = length, .tcp = header, .payload = header + tcp, .segment = segment};
  return true;
}

void large_describe(const struct large *l, size_t link_header, struct virtio_net_hdr *out) {
  *out = (struct virtio_net_hdr){
      .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
      .gso_type = l->ip[0] >> 4 == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
      .hdr_len = (uint16_t)(link_header + l->payload),
      .gso_size = (uint16_t)l->segment,
      .csum_start = (uint16_t)(link_header + l->tcp),
      .csum_offset = TCP_SUM,
  };
}

size_t large_cut(const struct large *l, size_t done, uint8_t *headers) {
  size_t left = l->length - l->payload - done;
  size_t size = left < l->segment ? left : l->segment;
  const uint8_t *payload = l->ip + l->payload + done;
  memcpy(headers, l->ip, l->payload);
  uint8_t *tcp = headers + l->tcp;
  size_t tcp_length = l->payload - l->tcp + size;
  uint64_t sum;
  if (headers[0] >> 4 == 4) {
    put16(headers + V4_LENGTH, l->payload + size);
    put16(headers + V4_ID, (get16(headers + V4_ID) + done / l->segment) & 0xffff);
    put16(headers + V4_SUM, 0);
    uint16_t own = checksum(add_up(headers, l->tcp, 0));
    memcpy(headers + V4_SUM, &own, 2);
    sum = add_up(headers + V4_ADDRESSES, 8, 0);
  } else {
    put16(headers + V6_LENGTH, tcp_length);
    sum = add_up(headers + V6_ADDRESSES, 32, 0);
  }
  put32(tcp + TCP_SEQ, get32(tcp + TCP_SEQ) + (uint32_t)done);
  if (size < left) tcp[TCP_FLAGS] &= (uint8_t)~FIN_PSH;
  put16(tcp + TCP_SUM, 0);
  sum += htons(PROTOCOL_TCP);
  sum += htons((uint16_t)tcp_length);
  sum = add_up(tcp, l->payload - l->tcp, sum);
  uint16_t own = checksum(add_up(payload, size, sum));
  memcpy(tcp + TCP_SUM, &own, 2);
  return size;
}
