/*
 * Ring: an AF_PACKET socket with a receive ring, its memory handed to JavaScript as one ArrayBuffer.
 *
 * With TPACKET_V3 the kernel fills fixed-size blocks with packed frames, with TPACKET_V2 slots of one frame each, and passes
 * each to user space by setting TP_STATUS_USER in its header; JavaScript walks it and gives it back by storing
 * TP_STATUS_KERNEL. No call into this file is made per packet, block or slot.
 * How the socket gets there is ring-socket.c's business.
 */
#include "addon.h"
#include "ring-socket.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct ring {
  int fd;
  /* Owned by the ArrayBuffer's finalizer, so it outlives the ring when JavaScript still holds the buffer. */
  struct ring_memory *memory;
  napi_ref buffer;
  struct poller poller;
  /* PACKET_STATISTICS counts since it was last read; these are the sums. */
  double packets, drops, freezes;
};

static const napi_type_tag RING_TAG = {0x7463706f72696e67ULL, 0x54504143563300a1ULL};

static void memory_release(napi_env env, void *data, void *hint) {
  struct ring_memory *m = hint;
  (void)env;
  (void)data;
  if (m->address != NULL) munmap(m->address, m->length);
  free(m);
}

/*
 * Frees the kernel's side at once. The mapping keeps the socket alive, so it must go, too: the ArrayBuffer is detached
 * (every view of it becomes empty) before the memory is unmapped.
 */
static void ring_release(napi_env env, struct ring *r) {
  poller_close(&r->poller);
  if (r->buffer != NULL) {
    napi_value buffer = NULL;
    napi_get_reference_value(env, r->buffer, &buffer);
    if (buffer != NULL && napi_detach_arraybuffer(env, buffer) == napi_ok) {
      munmap(r->memory->address, r->memory->length);
      r->memory->address = NULL;
    }
    napi_delete_reference(env, r->buffer);
    r->buffer = NULL;
  }
  if (r->fd >= 0) close(r->fd);
  r->fd = -1;
}

static void ring_finalize(napi_env env, void *data, void *hint) {
  struct ring *r = data;
  (void)hint;
  /* The buffer may be in use after the ring object is gone: its own finalizer unmaps it. */
  if (r->buffer != NULL) napi_delete_reference(env, r->buffer);
  r->buffer = NULL;
  ring_release(env, r);
  free(r);
}

static struct ring *ring_unwrap(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv) {
  napi_value self;
  struct ring *r = NULL;
  bool tagged = false;
  NAPI_TRY(env, napi_get_cb_info(env, info, argc, argv, &self, NULL), NULL);
  if (napi_check_object_type_tag(env, self, &RING_TAG, &tagged) != napi_ok || !tagged) {
    napi_throw_type_error(env, "ERR_INVALID_THIS", "not a Ring");
    return NULL;
  }
  NAPI_TRY(env, napi_unwrap(env, self, (void **)&r), NULL);
  if (r->fd < 0) {
    napi_throw_error(env, "EBADF", "the ring is closed");
    return NULL;
  }
  return r;
}

static bool read_options(napi_env env, napi_value object, struct ring_options *o) {
  napi_value filter;
  return addon_option_u32(env, object, "device", &o->device) &&
         addon_option_u32(env, object, "blockSize", &o->block_size) &&
         addon_option_u32(env, object, "blockCount", &o->block_count) &&
         addon_option_u32(env, object, "slotSize", &o->slot_size) &&
         addon_option_u32(env, object, "retireMs", &o->retire_ms) &&
         addon_option_u32(env, object, "fanoutGroup", &o->fanout_group) &&
         addon_option_bool(env, object, "cooked", &o->cooked) &&
         addon_option_bool(env, object, "promiscuous", &o->promiscuous) &&
         addon_option_bool(env, object, "ignoreOutgoing", &o->ignore_outgoing) &&
         napi_get_named_property(env, object, "filter", &filter) == napi_ok &&
         addon_bytes(env, filter, &o->filter, &o->filter_length);
}

/* new Ring({ device, cooked, blockSize, blockCount, slotSize, retireMs, fanoutGroup, promiscuous, ignoreOutgoing, filter }, wake) */
static napi_value ring_new(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], self, buffer;
  struct ring_options options;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, &self, NULL), NULL);
  if (!read_options(env, argv[0], &options)) return NULL;

  struct ring *r = calloc(1, sizeof(*r));
  if (r == NULL) {
    addon_throw_errno(env, ENOMEM, "open a packet socket");
    return NULL;
  }
  r->fd = -1;
  r->memory = calloc(1, sizeof(*r->memory));
  const char *doing = "allocate the capture ring";
  int error = r->memory == NULL ? ENOMEM : ring_socket_open(&r->fd, r->memory, &options, &doing);
  if (error == 0) {
    doing = "watch the packet socket";
    error = poller_open(&r->poller, env, r->fd, UV_READABLE, argv[1]);
  }
  if (error != 0) {
    ring_release(env, r);
    if (r->memory != NULL) memory_release(env, NULL, r->memory);
    free(r);
    addon_throw_errno(env, error, doing);
    return NULL;
  }
  /* From here on the buffer's finalizer owns the mapping, and the object's finalizer owns the ring. */
  struct ring_memory *m = r->memory;
  if (napi_create_external_arraybuffer(env, m->address, m->length, memory_release, m, &buffer) != napi_ok) {
    ring_release(env, r);
    memory_release(env, NULL, m);
    free(r);
    addon_throw_napi(env);
    return NULL;
  }
  if (napi_create_reference(env, buffer, 1, &r->buffer) != napi_ok ||
      napi_wrap(env, self, r, ring_finalize, NULL, NULL) != napi_ok) {
    ring_release(env, r);
    free(r);
    addon_throw_napi(env);
    return NULL;
  }
  NAPI_TRY(env, napi_type_tag_object(env, self, &RING_TAG), NULL);
  NAPI_TRY(env, napi_set_named_property(env, self, "buffer", buffer), NULL);
  return self;
}

/* arm(): asks for one call of `wake` when a block is ready, or already is. */
static napi_value ring_arm(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  struct ring *r = ring_unwrap(env, info, &argc, NULL);
  if (r == NULL) return NULL;
  int error = poller_arm(&r->poller);
  if (error != 0) addon_throw_errno(env, error, "watch the packet socket");
  return NULL;
}

/* fanoutGroup(): the id of the group that it has joined. */
static napi_value ring_fanout_group(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  napi_value result;
  struct ring *r = ring_unwrap(env, info, &argc, NULL);
  if (r == NULL) return NULL;
  uint32_t value = 0;
  socklen_t size = sizeof(value);
  if (getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &value, &size) != 0) {
    addon_throw_errno(env, errno, "read the fanout group");
    return NULL;
  }
  NAPI_TRY(env, napi_create_uint32(env, value & 0xffff, &result), NULL);
  return result;
}

/* setFilter(program) */
static napi_value ring_set_filter(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value argv[1];
  uint8_t *program;
  struct ring *r = ring_unwrap(env, info, &argc, argv);
  if (r == NULL || !addon_bytes(env, argv[0], &program, &length)) return NULL;
  int error = ring_socket_filter(r->fd, program, length);
  if (error != 0) addon_throw_errno(env, error, "attach the capture filter");
  return NULL;
}

/* statistics(out: Float64Array(3)): packets that passed the filter, of them dropped, times the ring was full. */
static napi_value ring_statistics(napi_env env, napi_callback_info info) {
  size_t argc = 1, count;
  napi_value argv[1];
  napi_typedarray_type type;
  double *out;
  struct ring *r = ring_unwrap(env, info, &argc, argv);
  if (r == NULL) return NULL;
  NAPI_TRY(env, napi_get_typedarray_info(env, argv[0], &type, &count, (void **)&out, NULL, NULL), NULL);
  if (type != napi_float64_array || count < 3) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a Float64Array of 3");
    return NULL;
  }
  struct tpacket_stats_v3 stats = {0}; /* V2 fills in but the first two */
  socklen_t size = sizeof(stats);
  if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) != 0) {
    addon_throw_errno(env, errno, "read the capture statistics");
    return NULL;
  }
  out[0] = r->packets += stats.tp_packets;
  out[1] = r->drops += stats.tp_drops;
  out[2] = r->freezes += stats.tp_freeze_q_cnt;
  return NULL;
}

/* close(): afterwards `buffer` and every view of it are empty. */
static napi_value ring_close(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  struct ring *r = ring_unwrap(env, info, &argc, NULL);
  if (r != NULL) ring_release(env, r);
  return NULL;
}

napi_value ring_define(napi_env env) {
  const napi_property_descriptor methods[] = {
      {"arm", NULL, ring_arm, NULL, NULL, NULL, napi_default, NULL},
      {"fanoutGroup", NULL, ring_fanout_group, NULL, NULL, NULL, napi_default, NULL},
      {"setFilter", NULL, ring_set_filter, NULL, NULL, NULL, napi_default, NULL},
      {"statistics", NULL, ring_statistics, NULL, NULL, NULL, napi_default, NULL},
      {"close", NULL, ring_close, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_value constructor = NULL;
  napi_define_class(env, "Ring", NAPI_AUTO_LENGTH, ring_new, NULL, ARRAY_LENGTH(methods), methods, &constructor);
  return constructor;
}
