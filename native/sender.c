/*
 * Sender: finished IP packets out of one arena, many per system call.
 *
 * Two raw sockets of protocol 255 (one per family) whose packets bring their own IP header. Packets of a batch leave in
 * order; consecutive ones of a family share a sendmmsg. One the kernel refuses is reported and skipped. When the socket
 * (or the device queue: ENOBUFS) is full, sending stops there and the caller keeps the rest.
 *
 * Packets to a destination whose next hop is known (`setNextHop`) go straight to its device instead, past the look-up of
 * route and neighbour and the hooks of a firewall: half the cost. Any error there, and that destination's packets go
 * through the raw socket again, which knows what is wrong. After each `setNextHop` some still go that way: a neighbour
 * that the kernel does not see used is not confirmed, and forgotten.
 *
 * Large packets (cutting.c) go to the device as they are; where that does not take them, and through the raw socket,
 * segment by segment.
 */
#include "addon.h"
#include "cutting.h"
#include "next-hops.h"
#include "ways.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PACKETS_PER_CALL 256

/* Layout of the Int32Array `result` of `send`. */
enum { RESULT_BLOCKED, RESULT_FAILURES, RESULT_FIRST_FAILURE };
enum { FAILURE_INDEX, FAILURE_ERRNO, FAILURE_MTU, FAILURE_WORDS };

struct sender {
  struct ways ways;
  struct poller poller[WAYS];
  int blocked; /* which socket was full last */
  bool closed;
  struct next_hops hops;
  size_t done; /* of the payload of the large packet that comes next */
  struct mmsghdr messages[PACKETS_PER_CALL];
  struct iovec vectors[PACKETS_PER_CALL][4];
  struct sockaddr_storage addresses[PACKETS_PER_CALL];
  struct virtio_net_hdr offloads[PACKETS_PER_CALL];
  uint8_t headers[PACKETS_PER_CALL][HEADERS_MAX];
  /* What comes after each message: that packet, and how much of it is done. */
  uint32_t next[PACKETS_PER_CALL];
  size_t next_done[PACKETS_PER_CALL];
};

struct batch {
  uint8_t *bytes;
  size_t size;
  const uint32_t *offset, *length;
  const uint16_t *segment; /* payload of each segment of a large packet; 0: it is none */
  int32_t *result;
  size_t result_words;
};

static const napi_type_tag SENDER_TAG = {0x7463706f73656e64ULL, 0x52415753454e44a1ULL};

static void sender_release(struct sender *s) {
  for (int way = 0; way < WAYS; way++) {
    poller_close(&s->poller[way]);
    if (s->ways.fd[way] >= 0) close(s->ways.fd[way]);
    s->ways.fd[way] = -1;
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
  s->ways.fd[V4] = s->ways.fd[V6] = s->ways.fd[LINK] = -1;
  if (!addon_option_u32(env, argv[0], "mark", &s->ways.mark) ||
      !addon_option_u32(env, argv[0], "device", &s->ways.device) ||
      !addon_option_u32(env, argv[0], "bufferBytes", &buffer_bytes)) {
    free(s);
    return NULL;
  }
  const char *doing = NULL;
  int error = ways_open(&s->ways, buffer_bytes, &doing);
  for (int way = 0; error == 0 && way < WAYS; way++) {
    doing = "watch the raw socket";
    if (s->ways.fd[way] >= 0) error = poller_open(&s->poller[way], env, s->ways.fd[way], UV_WRITABLE, argv[1]);
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

/* False when `result` has no room for one more. */
static bool report_failure(struct batch *b, uint32_t index, int error, int mtu) {
  int32_t *failure = b->result + RESULT_FIRST_FAILURE + FAILURE_WORDS * b->result[RESULT_FAILURES];
  failure[FAILURE_INDEX] = (int32_t)index;
  failure[FAILURE_ERRNO] = error;
  failure[FAILURE_MTU] = mtu;
  size_t used = RESULT_FIRST_FAILURE + FAILURE_WORDS * (size_t)++b->result[RESULT_FAILURES];
  return used + FAILURE_WORDS <= b->result_words;
}

/* Describes message `n`: a packet, or the segment of a large one whose headers are in `headers[n]`. */
static void describe(struct sender *s, unsigned n, int family, struct next_hop *hop, const struct iovec *parts, size_t count) {
  struct iovec *vectors = s->vectors[n];
  size_t used = 0;
  if (hop != NULL) {
    vectors[used++] = (struct iovec){&s->offloads[n], sizeof(s->offloads[n])};
    vectors[used++] = (struct iovec){&hop->header, sizeof(hop->header)};
  }
  for (size_t i = 0; i < count; i++) vectors[used++] = parts[i];
  s->messages[n].msg_hdr = (struct msghdr){
      .msg_name = hop == NULL ? (void *)&s->addresses[n] : (void *)&hop->address,
      .msg_namelen = hop != NULL    ? sizeof(struct sockaddr_ll)
                     : family == V4 ? sizeof(struct sockaddr_in)
                                    : sizeof(struct sockaddr_in6),
      .msg_iov = vectors,
      .msg_iovlen = used,
  };
}

/*
 * Describes messages from packet `first` on for one sendmmsg: those that go the same way, which may be -1. Returns how
 * many.
 */
static unsigned gather(struct sender *s, const struct batch *b, uint32_t first, uint32_t end, int *way) {
  unsigned n = 0;
  uint32_t i = first;
  size_t done = s->done;
  while (i < end && n < PACKETS_PER_CALL) {
    size_t offset = b->offset[i], length = b->length[i], segment = b->segment[i];
    uint8_t *ip = b->bytes + offset;
    bool inside = offset <= b->size && length <= b->size - offset;
    int family = inside ? ways_destination(&s->ways, ip, length, &s->addresses[n]) : -1;
    struct large large;
    if (family >= 0 && segment != 0 && !large_read(&large, ip, length, segment)) family = -1;
    /* What is done was of this packet, unless another batch came meanwhile. */
    if (segment == 0 || family < 0 || done >= length - large.payload) done = 0;
    size_t longest = family < 0 || segment == 0 ? length : large.payload + segment;
    struct next_hop *hop = family < 0 ? NULL : next_hops_of(&s->hops, ip, longest);
    int found = hop == NULL ? family : LINK;
    if (n == 0) *way = found;
    if (found != *way || (n > 0 && found == -1)) break;
    s->offloads[n] = (struct virtio_net_hdr){.flags = 0};
    s->next[n] = i + 1;
    s->next_done[n] = 0;
    if (segment == 0 || found == -1 || (hop != NULL && !hop->cut && done == 0)) {
      if (segment != 0 && found != -1) large_describe(&large, ETH_HLEN, &s->offloads[n]);
      describe(s, n++, found, hop, &(struct iovec){ip, length}, 1);
      i++;
      continue;
    }
    size_t size = large_cut(&large, done, s->headers[n]);
    const struct iovec parts[] = {{s->headers[n], large.payload}, {ip + large.payload + done, size}};
    describe(s, n, found, hop, parts, 2);
    done += size;
    if (large.payload + done < length) {
      s->next[n] = i;
      s->next_done[n] = done;
    } else {
      i++;
      done = 0;
    }
    n++;
  }
  return n;
}

/* Sends packets first..end-1 of `b`; returns the index it came to. */
static uint32_t send_batch(struct sender *s, struct batch *b, uint32_t first, uint32_t end) {
  uint32_t i = first;
  while (i < end) {
    int way = -1;
    unsigned n = gather(s, b, i, end, &way);
    int error = way < 0 ? EINVAL : s->ways.fd[way] < 0 ? EAFNOSUPPORT : 0;
    if (error == 0) {
      int sent = sendmmsg(s->ways.fd[way], s->messages, n, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0 && way != LINK) next_hops_confirmed(&s->hops, b->bytes + b->offset[i]);
      if (sent > 0) {
        i = s->next[sent - 1];
        s->done = s->next_done[sent - 1];
      }
      if (sent >= 0) continue;
      error = errno;
    }
    if (error == EINTR) continue;
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM) {
      s->blocked = way;
      b->result[RESULT_BLOCKED] = error;
      return i;
    }
    if (way == LINK) {
      next_hops_refused(&s->hops, b->bytes + b->offset[i], b->segment[i] != 0 && s->done == 0);
      continue;
    }
    int mtu = 0;
    if (way >= 0) {
      if (error == EMSGSIZE) mtu = ways_mtu(&s->ways, way, &s->addresses[0]);
      ways_drain_errors(&s->ways, way);
    }
    s->done = 0;
    if (!report_failure(b, i++, error, mtu)) return i;
  }
  return i;
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
  NAPI_TRY(env, napi_create_uint32(env, send_batch(it->sender, &it->batch, first, end), &out), NULL);
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
  int error = poller_arm(&s->poller[s->blocked]);
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
  if (device == 0 || !ways_source(&s->ways, device, source)) next_hops_forget(&s->hops, destination, length);
  else room = next_hops_set(&s->hops, destination, length, device, mac, source, mtu);
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
