/*
 * Ring: an AF_PACKET socket with a receive ring, its memory handed to JavaScript as one ArrayBuffer.
 *
 * With TPACKET_V3 the kernel fills fixed-size blocks with packed frames, with TPACKET_V2 slots of one frame each, and passes
 * each to user space by setting TP_STATUS_USER in its header; JavaScript walks it and gives it back by storing
 * TP_STATUS_KERNEL. No call into this file is made per packet, block or slot.
 *
 * The socket is made with protocol 0, so nothing reaches it before `bind`, when filter and ring are in place: the first
 * frame it ever sees has passed the filter.
 *
 * Several rings can share a device's frames (PACKET_FANOUT): the kernel deals them out by a hash that both directions of
 * a flow have in common. A ring that begins a group is given an id that nobody uses, so that it never joins a stranger's.
 */
#include "addon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23 /* Linux 4.20 */
#endif
#ifndef PACKET_FANOUT_FLAG_UNIQUEID
#define PACKET_FANOUT_FLAG_UNIQUEID 0x2000 /* Linux 4.12 */
#endif
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000 /* Linux 5.9 */
#endif

/* Values of the option `fanoutGroup` beside ids, which have 16 bits. */
#define FANOUT_NONE 0xffffffffu
#define FANOUT_NEW 0xfffffffeu

/* Owned by the ArrayBuffer's finalizer, so it outlives the ring when JavaScript still holds the buffer. */
struct mapping {
  void *address;
  size_t length;
};

struct ring {
  int fd;
  struct mapping *mapping;
  napi_ref buffer;
  struct poller poller;
  /* PACKET_STATISTICS counts since it was last read; these are the sums. */
  double packets, drops, freezes;
};

static const napi_type_tag RING_TAG = {0x7463706f72696e67ULL, 0x54504143563300a1ULL};

static void mapping_release(napi_env env, void *data, void *hint) {
  struct mapping *m = hint;
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
      munmap(r->mapping->address, r->mapping->length);
      r->mapping->address = NULL;
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

/* `program`: struct sock_filter as bytes. Replaces a filter in place; the kernel swaps it atomically. */
static int attach_filter(int fd, const uint8_t *program, size_t length) {
  if (length % sizeof(struct sock_filter) != 0) return EINVAL;
  struct sock_filter *copy = malloc(length); /* aligned, whatever view it came from */
  if (copy == NULL) return ENOMEM;
  memcpy(copy, program, length);
  struct sock_fprog fprog = {.len = (unsigned short)(length / sizeof(struct sock_filter)), .filter = copy};
  int error = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog)) == 0 ? 0 : errno;
  free(copy);
  return error;
}

struct ring_options {
  uint32_t device, block_size, block_count, slot_size, retire_ms, fanout_group;
  bool cooked, promiscuous, ignore_outgoing;
  uint8_t *filter;
  size_t filter_length;
};

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

/* Joins `group`, or begins one; returns an errno value. */
static int join_fanout(int fd, uint32_t group, bool ignore_outgoing) {
  bool begins = group == FANOUT_NEW;
  uint32_t flags = PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG | (begins ? PACKET_FANOUT_FLAG_UNIQUEID : 0);
  uint32_t quiet = ignore_outgoing ? PACKET_FANOUT_FLAG_IGNORE_OUTGOING : 0;
  for (;;) {
    uint32_t value = (begins ? 0 : group) | (flags | quiet) << 16;
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof(value)) == 0) return 0;
    /* Older kernels do not know that flag; all members of a group then do without it. */
    if (errno != EINVAL || quiet == 0) return errno;
    quiet = 0;
  }
}

/* Sets `*doing` to the step under way, for the error message. */
static int ring_setup(struct ring *r, const struct ring_options *o, const char **doing) {
  *doing = "open a packet socket";
  r->fd = socket(AF_PACKET, (o->cooked ? SOCK_DGRAM : SOCK_RAW) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (r->fd < 0) return errno;

  *doing = "attach the capture filter";
  bool shared = o->fanout_group != FANOUT_NONE;
  /* Between binding and joining a group the socket sees what others are dealt: nothing passes until it has joined. */
  struct sock_filter reject = BPF_STMT(BPF_RET | BPF_K, 0);
  int error = shared ? attach_filter(r->fd, (const uint8_t *)&reject, sizeof(reject))
                     : attach_filter(r->fd, o->filter, o->filter_length);
  if (error != 0) return error;

  bool slots = o->slot_size != 0;
  *doing = slots ? "set up TPACKET_V2" : "set up TPACKET_V3";
  int version = slots ? TPACKET_V2 : TPACKET_V3;
  if (setsockopt(r->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0) return errno;
  int one = 1;
  /* Older kernels do not know it; JavaScript drops outgoing frames by their packet type anyway. */
  if (o->ignore_outgoing) setsockopt(r->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));

  *doing = "allocate the capture ring";
  uint32_t frame_size = slots ? o->slot_size : TPACKET_ALIGNMENT << 7; /* only a divisor for V3: frames are packed */
  struct tpacket_req3 request = {
      .tp_block_size = o->block_size,
      .tp_block_nr = o->block_count,
      .tp_frame_size = frame_size,
      .tp_frame_nr = o->block_size / frame_size * o->block_count,
      .tp_retire_blk_tov = o->retire_ms,
  };
  /* struct tpacket_req is how tpacket_req3 begins. */
  socklen_t request_size = slots ? sizeof(struct tpacket_req) : sizeof(request);
  if (setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, request_size) != 0) return errno;
  size_t size = (size_t)o->block_size * o->block_count;
  r->mapping = calloc(1, sizeof(*r->mapping));
  if (r->mapping == NULL) return ENOMEM;
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
  if (address == MAP_FAILED) return errno;
  r->mapping->address = address;
  r->mapping->length = size;

  *doing = "bind to the device";
  struct sockaddr_ll bound = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)o->device};
  if (bind(r->fd, (struct sockaddr *)&bound, sizeof(bound)) != 0) return errno;
  /* A device that is down binds, and says so here. */
  socklen_t length = sizeof(error);
  if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error != 0) return error;

  if (shared) {
    *doing = "share the capture between processes (PACKET_FANOUT)";
    error = join_fanout(r->fd, o->fanout_group, o->ignore_outgoing);
    if (error == 0) error = attach_filter(r->fd, o->filter, o->filter_length);
    if (error != 0) return error;
  }

  if (o->promiscuous && o->device != 0) {
    *doing = "make the device promiscuous";
    struct packet_mreq membership = {.mr_ifindex = (int)o->device, .mr_type = PACKET_MR_PROMISC};
    if (setsockopt(r->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership)) != 0) return errno;
  }
  return 0;
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
  const char *doing = NULL;
  int error = ring_setup(r, &options, &doing);
  if (error == 0) {
    doing = "watch the packet socket";
    error = poller_open(&r->poller, env, r->fd, UV_READABLE, argv[1]);
  }
  if (error != 0) {
    ring_release(env, r);
    if (r->mapping != NULL) mapping_release(env, NULL, r->mapping);
    free(r);
    addon_throw_errno(env, error, doing);
    return NULL;
  }
  /* From here on the buffer's finalizer owns the mapping, and the object's finalizer owns the ring. */
  struct mapping *m = r->mapping;
  if (napi_create_external_arraybuffer(env, m->address, m->length, mapping_release, m, &buffer) != napi_ok) {
    ring_release(env, r);
    mapping_release(env, NULL, m);
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
  int error = attach_filter(r->fd, program, length);
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
