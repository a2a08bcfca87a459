/*
 * What the kernel knows of routes, neighbours and firewalls, and when that changes. Messages are bytes made and read by
 * JavaScript; here they are only carried.
 */
#include "addon.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The kernel answers within the call that asks; this is for one that never does. */
#define ANSWER_SECONDS 1

static int open_netlink(int protocol, uint32_t groups, int flags) {
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, protocol);
  if (fd < 0) return -1;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* Whether the answer in `bytes` is whole: a single message, or several of which the last is NLMSG_DONE. */
static bool is_whole(const uint8_t *bytes, size_t length) {
  struct nlmsghdr header;
  for (size_t at = 0; at + sizeof(header) <= length; at += NLMSG_ALIGN(header.nlmsg_len)) {
    memcpy(&header, bytes + at, sizeof(header));
    if (header.nlmsg_len < sizeof(header)) return true;
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) return true;
    if ((header.nlmsg_flags & NLM_F_MULTI) == 0) return true;
  }
  return false;
}

static ssize_t exchange(int fd, const uint8_t *request, size_t request_length, uint8_t *answer, size_t size) {
  size_t length = 0;
  if (send(fd, request, request_length, 0) < 0) return -1;
  do {
    if (length == size) {
      errno = EMSGSIZE;
      return -1;
    }
    ssize_t got = recv(fd, answer + length, size - length, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if ((size_t)got > size - length) {
      errno = EMSGSIZE;
      return -1;
    }
    length += (size_t)got;
  } while (!is_whole(answer, length));
  return (ssize_t)length;
}

/* askKernel(protocol, request, answer): bytes of the answer, which waits for the kernel alone. */
napi_value netlink_ask(napi_env env, napi_callback_info info) {
  size_t argc = 3, request_length, size;
  napi_value argv[3], out;
  int32_t protocol;
  uint8_t *request, *answer;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argv[0], &protocol), NULL);
  if (!addon_bytes(env, argv[1], &request, &request_length) || !addon_bytes(env, argv[2], &answer, &size)) return NULL;
  struct timeval patience = {.tv_sec = ANSWER_SECONDS};
  int fd = open_netlink(protocol, 0, 0);
  ssize_t length = -1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0) {
    length = exchange(fd, request, request_length, answer, size);
  }
  int error = errno;
  if (fd >= 0) close(fd);
  if (length < 0) {
    addon_throw_errno(env, error, "ask the kernel");
    return NULL;
  }
  NAPI_TRY(env, napi_create_uint32(env, (uint32_t)length, &out), NULL);
  return out;
}

struct watch {
  int fd;
  struct poller poller;
};

static const napi_type_tag WATCH_TAG = {0x7463706f7761746cULL, 0x4e45544c494e4ba1ULL};

static void watch_release(struct watch *w) {
  poller_close(&w->poller);
  if (w->fd >= 0) close(w->fd);
  w->fd = -1;
}

static void watch_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  watch_release(data);
  free(data);
}

static struct watch *watch_unwrap(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  napi_value self;
  struct watch *w = NULL;
  bool tagged = false;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, NULL, &self, NULL), NULL);
  if (napi_check_object_type_tag(env, self, &WATCH_TAG, &tagged) != napi_ok || !tagged) {
    napi_throw_type_error(env, "ERR_INVALID_THIS", "not a KernelWatch");
    return NULL;
  }
  NAPI_TRY(env, napi_unwrap(env, self, (void **)&w), NULL);
  return w;
}

/* new KernelWatch(groups, changed): NETLINK_ROUTE's multicast groups, as a mask. */
static napi_value watch_new(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], self;
  uint32_t groups;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, &self, NULL), NULL);
  NAPI_TRY(env, napi_get_value_uint32(env, argv[0], &groups), NULL);
  struct watch *w = calloc(1, sizeof(*w));
  int error = w == NULL ? ENOMEM : 0;
  if (error == 0) {
    w->fd = open_netlink(NETLINK_ROUTE, groups, SOCK_NONBLOCK);
    error = w->fd < 0 ? errno : poller_open(&w->poller, env, w->fd, UV_READABLE, argv[1]);
  }
  if (error != 0) {
    if (w != NULL) watch_release(w);
    free(w);
    addon_throw_errno(env, error, "watch routes and neighbours");
    return NULL;
  }
  if (napi_wrap(env, self, w, watch_finalize, NULL, NULL) != napi_ok) {
    watch_release(w);
    free(w);
    addon_throw_napi(env);
    return NULL;
  }
  NAPI_TRY(env, napi_type_tag_object(env, self, &WATCH_TAG), NULL);
  return self;
}

/* arm(): one call of `changed` when anything changes from now on; what has changed until now is forgotten. */
static napi_value watch_arm(napi_env env, napi_callback_info info) {
  uint8_t scratch[8192];
  struct watch *w = watch_unwrap(env, info);
  if (w == NULL) return NULL;
  /* ENOBUFS says that some were lost: they are as good as read. */
  while (recv(w->fd, scratch, sizeof(scratch), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR) continue;
  int error = poller_arm(&w->poller);
  if (error != 0) addon_throw_errno(env, error, "watch routes and neighbours");
  return NULL;
}

static napi_value watch_close(napi_env env, napi_callback_info info) {
  struct watch *w = watch_unwrap(env, info);
  if (w != NULL) watch_release(w);
  return NULL;
}

napi_value watch_define(napi_env env) {
  const napi_property_descriptor methods[] = {
      {"arm", NULL, watch_arm, NULL, NULL, NULL, napi_default, NULL},
      {"close", NULL, watch_close, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_value constructor = NULL;
  napi_define_class(env, "KernelWatch", NAPI_AUTO_LENGTH, watch_new, NULL, ARRAY_LENGTH(methods), methods, &constructor);
  return constructor;
}
