/*
 * Ways: two raw sockets of protocol 255, one per family, whose packets bring their own IP header, and a packet socket for
 * those that go to a device itself.
 */
#include "ways.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36 /* linux/in6.h, which cannot be included beside netinet/in.h */
#endif

/* What a packet socket's own buffer takes: some large packets. */
#define LINK_BUFFER (4 << 20)

static int set_int(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : errno;
}

/* What both the raw sockets and the MTU probe need to be routed alike. */
static int set_routing(const struct ways *w, int fd) {
  int error = 0;
  if (w->mark != 0) error = set_int(fd, SOL_SOCKET, SO_MARK, (int)w->mark);
  if (error == 0 && w->device != 0) error = set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)w->device);
  return error;
}

static int set_buffer(int fd, uint32_t bytes) {
  if (bytes == 0 || set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, (int)bytes) == 0) return 0;
  return set_int(fd, SOL_SOCKET, SO_SNDBUF, (int)bytes);
}

static int open_family(struct ways *w, int family, uint32_t buffer_bytes, const char **doing) {
  *doing = family == V4 ? "open a raw IPv4 socket" : "open a raw IPv6 socket";
  int fd = socket(family == V4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
  if (fd < 0) return errno;
  w->fd[family] = fd;

  *doing = "ask for packets with their own IP header";
  int error = family == V4 ? set_int(fd, IPPROTO_IP, IP_HDRINCL, 1) : set_int(fd, IPPROTO_IPV6, IPV6_HDRINCL, 1);
  if (error != 0) return error;
  /* Without it a packet that the device queue drops counts as sent. */
  *doing = "ask for send errors";
  error = family == V4 ? set_int(fd, IPPROTO_IP, IP_RECVERR, 1) : set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  if (error != 0) return error;
  *doing = "set the send buffer";
  error = set_buffer(fd, buffer_bytes);
  if (error != 0) return error;
  *doing = "set mark and device";
  return set_routing(w, fd);
}

/* Protocol 0: it receives nothing. Before each packet come what the kernel is to do for it, and the link header. */
static int open_link(struct ways *w, uint32_t buffer_bytes, const char **doing) {
  *doing = "open a packet socket";
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  w->fd[LINK] = fd;
  *doing = "ask for offloads";
  int error = set_int(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
  if (error == 0) error = set_buffer(fd, buffer_bytes != 0 ? buffer_bytes : LINK_BUFFER);
  return error == 0 && w->mark != 0 ? set_int(fd, SOL_SOCKET, SO_MARK, (int)w->mark) : error;
}

int ways_open(struct ways *w, uint32_t buffer_bytes, const char **doing) {
  int error = open_family(w, V4, buffer_bytes, doing);
  if (error != 0) return error;
  error = open_family(w, V6, buffer_bytes, doing);
  /* A kernel without IPv6: such packets then fail one by one with EAFNOSUPPORT. */
  if (error != 0 && error != EAFNOSUPPORT) return error;
  return open_link(w, buffer_bytes, doing);
}

int ways_destination(const struct ways *w, const uint8_t *ip, size_t length, struct sockaddr_storage *out) {
  int version = length == 0 ? 0 : ip[0] >> 4;
  if (version == 4 && length >= 20) {
    struct sockaddr_in *address = (struct sockaddr_in *)out;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    memcpy(&address->sin_addr, ip + 16, 4);
    return V4;
  }
  if (version == 6 && length >= 40) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)out;
    *address = (struct sockaddr_in6){.sin6_family = AF_INET6};
    memcpy(&address->sin6_addr, ip + 24, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr)) address->sin6_scope_id = w->device;
    return V6;
  }
  return -1;
}

/* Learnt from a datagram socket connected there: nothing is sent. */
int ways_mtu(const struct ways *w, int family, const struct sockaddr_storage *to) {
  int mtu = 0;
  socklen_t size = sizeof(mtu);
  struct sockaddr_storage probe = *to;
  /* Port 9, discard: a port is needed to connect, none is ever sent to. */
  if (family == V4) ((struct sockaddr_in *)&probe)->sin_port = htons(9);
  if (family == V6) ((struct sockaddr_in6 *)&probe)->sin6_port = htons(9);
  int fd = socket(family == V4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  bool known = set_routing(w, fd) == 0 && connect(fd, (struct sockaddr *)&probe, sizeof(probe)) == 0 &&
               (family == V4 ? getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size)
                             : getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size)) == 0;
  close(fd);
  return known ? mtu : 0;
}

void ways_drain_errors(const struct ways *w, int family) {
  uint8_t scratch[64];
  while (recv(w->fd[family], scratch, sizeof(scratch), MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) continue;
}

bool ways_source(const struct ways *w, uint32_t device, uint8_t *mac) {
  struct ifreq request = {.ifr_ifindex = (int)device};
  if (ioctl(w->fd[LINK], SIOCGIFNAME, &request) != 0 || ioctl(w->fd[LINK], SIOCGIFHWADDR, &request) != 0) return false;
  memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
  return request.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}
