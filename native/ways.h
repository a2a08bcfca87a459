/* The sockets that packets leave through, see ways.c. */
#ifndef TCPCOPY_WAYS_H
#define TCPCOPY_WAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Raw ones by family, and one for devices. */
enum { V4, V6, LINK, WAYS };

struct ways {
  int fd[WAYS]; /* -1: not open */
  uint32_t mark;
  uint32_t device; /* 0: as routed */
};

/* 0, or an errno value, with what was being done; what is open then is the caller's to close, like all of it. */
int ways_open(struct ways *w, uint32_t buffer_bytes, const char **doing);

/* The destination of the packet at `ip`, from its header: V4, V6, or -1 when it is neither or too short. */
int ways_destination(const struct ways *w, const uint8_t *ip, size_t length, struct sockaddr_storage *out);

/* The MTU of the route to `to`; 0 when unknown. */
int ways_mtu(const struct ways *w, int family, const struct sockaddr_storage *to);

/* The error queue repeats what sendmmsg has said; left full it would keep the socket in the error state. */
void ways_drain_errors(const struct ways *w, int family);

/* A device's own Ethernet address; false when it has none. */
bool ways_source(const struct ways *w, uint32_t device, uint8_t *mac);

#endif
