/* What a loop does that rests between turns without going back to the event loop: sleep, and read a socket itself. */
#include "addon.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

#define LONGEST_US 1000000

/* pause(microseconds): blocks the thread for so long, a second at most; a signal ends it early. */
napi_value waiting_pause(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value argv[1];
  uint32_t microseconds;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_uint32(env, argv[0], &microseconds), NULL);
  if (microseconds > LONGEST_US) microseconds = LONGEST_US;
  struct timespec left = {.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000};
  nanosleep(&left, NULL);
  return NULL;
}

/*
 * receive(fd, bytes, at): how many bytes of a socket are in `bytes` from `at` on now; 0 when there are none, the other side has
 * ended, or reading failed: whoever watches the socket will be told of both.
 */
napi_value waiting_receive(napi_env env, napi_callback_info info) {
  size_t argc = 3, size;
  napi_value argv[3], out;
  int32_t fd;
  uint32_t at;
  uint8_t *bytes;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argv[0], &fd), NULL);
  if (!addon_bytes(env, argv[1], &bytes, &size)) return NULL;
  NAPI_TRY(env, napi_get_value_uint32(env, argv[2], &at), NULL);
  if (at > size) at = size;
  ssize_t got;
  do got = recv(fd, bytes + at, size - at, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  NAPI_TRY(env, napi_create_uint32(env, got < 0 ? 0 : (uint32_t)got, &out), NULL);
  return out;
}
