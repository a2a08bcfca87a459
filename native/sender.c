/* Sender: finished IP packets out of one arena, many per system call. How they leave is outbox.c's business. */
#include "addon.h"
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct sender {
  struct outbox out;
  struct poller poller[WAYS];
  bool closed;
};

static const napi_type_tag SENDER_TAG = {0x7463706f73656e64ULL, 0x52415753454e44a1ULL};

static void sender_release(struct sender *s) {
  for (int way = 0; way < WAYS; way++) {
    poller_close(&s->poller[way]);
    if (s->out.ways.fd[way] >= 0) close(s->out.ways.fd[way]);
    s->out.ways.fd[way] = -1;
  }
  s->closed = true;
}

static void sender_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  sender_release(data);
  free(data);
}

static bool sender_is_open(napi_env env, const struct sender *s) {
  if (s->closed) napi_throw_error(env, "EBADF", "the sender is closed");
  return !s->closed;
}

static struct sender *sender_unwrap(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv) {
  napi_value self;
  struct sender *s = NULL;
  bool tagged = false;
  NAPI_TRY(env, napi_get_cb_info(env, info, argc, argv, &self, NULL), NULL);
  if (napi_check_object_type_tag(env, self, &SENDER_TAG, &tagged) != napi_ok || !tagged) {
    napi_throw_type_error(env, "ERR_INVALID_THIS", "not a Sender");
    return NULL;
  }
  NAPI_TRY(env, napi_unwrap(env, self, (void **)&s), NULL);
  return sender_is_open(env, s) ? s : NULL;
}

/* new Sender({ mark, device, bufferBytes }, writable) */
static napi_value sender_new(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], self;
  uint32_t buffer_bytes;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, &self, NULL), NULL);
  struct sender *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    addon_throw_errno(env, ENOMEM, "open a raw socket");
    return NULL;
  }
  s->out.ways.fd[V4] = s->out.ways.fd[V6] = s->out.ways.fd[LINK] = -1;
  if (!addon_option_u32(env, argv[0], "mark", &s->out.ways.mark) ||
      !addon_option_u32(env, argv[0], "device", &s->out.ways.device) ||
      !addon_option_u32(env, argv[0], "bufferBytes", &buffer_bytes)) {
    free(s);
    return NULL;
  }
  const char *doing = NULL;
  int error = ways_open(&s->out.ways, buffer_bytes, &doing);
  for (int way = 0; error == 0 && way < WAYS; way++) {
    doing = "watch the raw socket";
    if (s->out.ways.fd[way] >= 0) error = poller_open(&s->poller[way], env, s->out.ways.fd[way], UV_WRITABLE, argv[1]);
  }
  if (error != 0) {
    sender_release(s);
    free(s);
    addon_throw_errno(env, error, doing);
    return NULL;
  }
  if (napi_wrap(env, self, s, sender_finalize, NULL, NULL) != napi_ok) {
    sender_release(s);
    free(s);
    addon_throw_napi(env);
    return NULL;
  }
  NAPI_TRY(env, napi_type_tag_object(env, self, &SENDER_TAG), NULL);
  return self;
}

static bool words(napi_env env, napi_value value, napi_typedarray_type wanted, void **data, size_t *count) {
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, count, data, NULL, NULL) == napi_ok && type == wanted) return true;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a Uint32Array, Uint16Array or Int32Array");
  return false;
}

/* What the function that `sending` makes works on. It is freed with that function, which keeps the sender. */
struct sending {
  struct sender *sender;
  struct batch batch;
  size_t packets;
};

static void sending_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/*
 * send(first, end): number
 * Returns the index of the first packet not dealt with: `end`, or where it had to stop because the socket is full
 * (result[0]: errno) or `result` is.
 */
static napi_value sending_send(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], out;
  uint32_t first, end;
  void *data;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, &data), NULL);
  struct sending *it = data;
  if (!sender_is_open(env, it->sender)) return NULL;
  NAPI_TRY(env, napi_get_value_uint32(env, argv[0], &first), NULL);
  NAPI_TRY(env, napi_get_value_uint32(env, argv[1], &end), NULL);
  if (first > end || end > it->packets) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "packets outside the batch");
    return NULL;
  }
  it->batch.result[RESULT_BLOCKED] = 0;
  it->batch.result[RESULT_FAILURES] = 0;
  NAPI_TRY(env, napi_create_uint32(env, outbox_send(&it->sender->out, &it->batch, first, end), &out), NULL);
  return out;
}

/*
 * sending(bytes, offset: Uint32Array, length: Uint32Array, segment: Uint16Array, result: Int32Array): send
 * A function of its own, so that a call need neither look at the arrays nor find the sender: that is most of what it costs. It
 * keeps all of them alive; the arrays' memory must stay theirs.
 */
static napi_value sender_sending(napi_env env, napi_callback_info info) {
  size_t argc = 5, lengths, segments;
  napi_value argv[5], self, kept, function;
  struct sending it;
  it.sender = sender_unwrap(env, info, &argc, argv);
  if (it.sender == NULL || !addon_bytes(env, argv[0], &it.batch.bytes, &it.batch.size) ||
      !words(env, argv[1], napi_uint32_array, (void **)&it.batch.offset, &it.packets) ||
      !words(env, argv[2], napi_uint32_array, (void **)&it.batch.length, &lengths) ||
      !words(env, argv[3], napi_uint16_array, (void **)&it.batch.segment, &segments) ||
      !words(env, argv[4], napi_int32_array, (void **)&it.batch.result, &it.batch.result_words)) {
    return NULL;
  }
  if (lengths != it.packets || segments != it.packets ||
      it.batch.result_words < RESULT_FIRST_FAILURE + FAILURE_WORDS) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "arrays of different lengths");
    return NULL;
  }
  NAPI_TRY(env, napi_get_cb_info(env, info, NULL, NULL, &self, NULL), NULL);
  NAPI_TRY(env, napi_create_array_with_length(env, argc + 1, &kept), NULL);
  NAPI_TRY(env, napi_set_element(env, kept, 0, self), NULL);
  for (size_t i = 0; i < argc; i++) NAPI_TRY(env, napi_set_element(env, kept, (uint32_t)i + 1, argv[i]), NULL);
  struct sending *data = malloc(sizeof(*data));
  if (data == NULL) {
    addon_throw_errno(env, ENOMEM, "prepare to send");
    return NULL;
  }
  *data = it;
  const napi_property_descriptor keeps = {"kept", NULL, NULL, NULL, NULL, kept, napi_default, NULL};
  if (napi_create_function(env, "send", NAPI_AUTO_LENGTH, sending_send, data, &function) != napi_ok ||
      napi_add_finalizer(env, function, data, sending_finalize, NULL, NULL) != napi_ok) {
    free(data);
    addon_throw_napi(env);
    return NULL;
  }
  NAPI_TRY(env, napi_define_properties(env, function, 1, &keeps), NULL);
  return function;
}

/* awaitWritable(): one call of `writable` when the socket that was full has room. */
static napi_value sender_await_writable(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  struct sender *s = sender_unwrap(env, info, &argc, NULL);
  if (s == NULL) return NULL;
  int error = poller_arm(&s->poller[s->out.blocked]);
  if (error != 0) addon_throw_errno(env, error, "watch the raw socket");
  return NULL;
}

/*
 * setNextHop(destination: 4 or 16 bytes, device, mac, mtu): packets of at most `mtu` bytes to it go straight to `mac` on that
 * device. Device 0: through the raw socket again. Returns whether there was room for one more.
 */
static napi_value sender_set_next_hop(napi_env env, napi_callback_info info) {
  size_t argc = 4, length, mac_length;
  napi_value argv[4], out;
  uint8_t *destination, *mac;
  uint32_t device, mtu;
  struct sender *s = sender_unwrap(env, info, &argc, argv);
  if (s == NULL || !addon_bytes(env, argv[0], &destination, &length) || !addon_bytes(env, argv[2], &mac, &mac_length)) {
    return NULL;
  }
  NAPI_TRY(env, napi_get_value_uint32(env, argv[1], &device), NULL);
  NAPI_TRY(env, napi_get_value_uint32(env, argv[3], &mtu), NULL);
  if ((length != 4 && length != 16) || mac_length != ETH_ALEN) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "not an address");
    return NULL;
  }
  uint8_t source[ETH_ALEN];
  bool room = true;
  if (device == 0 || !ways_source(&s->out.ways, device, source)) next_hops_forget(&s->out.hops, destination, length);
  else room = next_hops_set(&s->out.hops, destination, length, device, mac, source, mtu);
  NAPI_TRY(env, napi_get_boolean(env, room, &out), NULL);
  return out;
}

static napi_value sender_close(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  struct sender *s = sender_unwrap(env, info, &argc, NULL);
  if (s != NULL) sender_release(s);
  return NULL;
}

napi_value sender_define(napi_env env) {
  const napi_property_descriptor methods[] = {
      {"sending", NULL, sender_sending, NULL, NULL, NULL, napi_default, NULL},
      {"setNextHop", NULL, sender_set_next_hop, NULL, NULL, NULL, napi_default, NULL},
      {"awaitWritable", NULL, sender_await_writable, NULL, NULL, NULL, napi_default, NULL},
      {"close", NULL, sender_close, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_value constructor = NULL;
  napi_define_class(env, "Sender", NAPI_AUTO_LENGTH, sender_new, NULL, ARRAY_LENGTH(methods), methods, &constructor);
  return constructor;
}
