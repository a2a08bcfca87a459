/* What packet sockets lost that this addon did not open: those of libpcap, whose own counts npm's `cap` does not pass on. */
#include "addon.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

/*
 * droppedFrames(fd): frames that passed the filter of a packet socket and found no room, since last asked; undefined when the
 * descriptor is none.
 */
napi_value losses_dropped(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1], out = NULL;
  int32_t fd;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argv[0], &fd), NULL);
  struct tpacket_stats_v3 stats = {0}; /* a socket of an older version fills in how it begins */
  int family = 0;
  socklen_t size = sizeof(family);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_PACKET) return NULL;
  size = sizeof(stats);
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) return NULL;
  NAPI_TRY(env, napi_create_uint32(env, stats.tp_drops, &out), NULL);
  return out;
}
