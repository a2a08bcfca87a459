/*
 * The native addon of tcpcopy for Linux: a TPACKET_V3 ring in, batches of raw IP packets out, libpcap's filter
 * compiler, and the process's capabilities. It moves bytes and reports errors; what is in a packet is JavaScript's business.
 *
 * Conventions: every function that can fail throws a JavaScript error with `code` (an errno name such as "EPERM") and a
 * message that says what was being done. Nothing here aborts or prints.
 */
#ifndef TCPCOPY_ADDON_H
#define TCPCOPY_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Leaves the calling function with `result` when an N-API call fails; the failure is pending as an exception. */
#define NAPI_TRY(env, call, result)  \
  do {                               \
    if ((call) != napi_ok) {         \
      addon_throw_napi(env);         \
      return result;                 \
    }                                \
  } while (0)

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

void addon_throw_errno(napi_env env, int error, const char *doing);
void addon_throw_napi(napi_env env);

/* Named numbers of an options object; false with an exception pending when one is missing or no number. */
bool addon_option_u32(napi_env env, napi_value options, const char *name, uint32_t *out);
bool addon_option_bool(napi_env env, napi_value options, const char *name, bool *out);
/* A Uint8Array's memory, valid until the next JavaScript runs. */
bool addon_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length);

/*
 * One file descriptor watched by the event loop, one-shot: `poller_arm` asks for one wake-up, which calls the
 * JavaScript function with nothing, or with an errno name when the descriptor reports an error.
 */
struct poller {
  napi_env env;
  napi_ref callback;
  uv_poll_t *handle;
  int fd;
  int events;
  /* A wake-up is wanted; the descriptor is in the event loop's set. */
  bool armed;
  bool watching;
};

/* 0 or an errno value. The descriptor stays the caller's, who closes it after `poller_close`. */
int poller_open(struct poller *p, napi_env env, int fd, int events, napi_value callback);
int poller_arm(struct poller *p);
void poller_close(struct poller *p);

napi_value ring_define(napi_env env);
napi_value sender_define(napi_env env);
napi_value watch_define(napi_env env);
napi_value netlink_ask(napi_env env, napi_callback_info info);
napi_value filter_compile(napi_env env, napi_callback_info info);
napi_value devices_list(napi_env env, napi_callback_info info);
napi_value privileges_keep(napi_env env, napi_callback_info info);
napi_value privileges_limit(napi_env env, napi_callback_info info);
napi_value privileges_pass(napi_env env, napi_callback_info info);
napi_value losses_dropped(napi_env env, napi_callback_info info);
napi_value memory_trim(napi_env env, napi_callback_info info);
napi_value scheduling_idle(napi_env env, napi_callback_info info);
napi_value scheduling_let_others_first(napi_env env, napi_callback_info info);
napi_value usage_read(napi_env env, napi_callback_info info);
napi_value waiting_pause(napi_env env, napi_callback_info info);
napi_value waiting_receive(napi_env env, napi_callback_info info);

#endif
