/*
 * compileFilter: pcap-filter(7) text to a classic BPF program, by the libpcap of this machine, loaded when first needed:
 * whoever writes no filter expression needs no libpcap. The few declarations below are libpcap's stable ABI.
 */
#include "addon.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pcap;
struct bpf_instruction {
  uint16_t code;
  uint8_t jt, jf;
  uint32_t k;
};
struct bpf_program {
  unsigned int length;
  struct bpf_instruction *instructions;
};

#define NETMASK_UNKNOWN 0xffffffffu
#define FILTER_TEXT_MAX 65536

static struct {
  bool tried;
  bool loaded;
  struct pcap *(*open_dead)(int link_type, int snap_length);
  int (*compile)(struct pcap *, struct bpf_program *, const char *, int optimize, uint32_t netmask);
  char *(*geterr)(struct pcap *);
  void (*freecode)(struct bpf_program *);
  void (*close)(struct pcap *);
} libpcap;

static bool symbol(void *library, const char *name, void *out) {
  void *address = dlsym(library, name);
  memcpy(out, &address, sizeof(address)); /* ISO C has no cast from object to function pointer */
  return address != NULL;
}

static bool libpcap_load(void) {
  static const char *const names[] = {"libpcap.so.0.8", "libpcap.so.1", "libpcap.so"};
  if (libpcap.tried) return libpcap.loaded;
  libpcap.tried = true;
  for (size_t i = 0; i < ARRAY_LENGTH(names) && !libpcap.loaded; i++) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) continue;
    libpcap.loaded = symbol(library, "pcap_open_dead", &libpcap.open_dead) &&
                     symbol(library, "pcap_compile", &libpcap.compile) &&
                     symbol(library, "pcap_geterr", &libpcap.geterr) &&
                     symbol(library, "pcap_freecode", &libpcap.freecode) &&
                     symbol(library, "pcap_close", &libpcap.close);
    if (!libpcap.loaded) dlclose(library);
  }
  return libpcap.loaded;
}

/* compileFilter(dlt, snapLength, text): ArrayBuffer of struct sock_filter. Codes: LIBPCAP_MISSING, FILTER_SYNTAX. */
napi_value filter_compile(napi_env env, napi_callback_info info) {
  size_t argc = 3, length;
  napi_value argv[3], out = NULL;
  int32_t link_type, snap_length;
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argv[0], &link_type), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argv[1], &snap_length), NULL);
  NAPI_TRY(env, napi_get_value_string_utf8(env, argv[2], NULL, 0, &length), NULL);
  if (length >= FILTER_TEXT_MAX) {
    napi_throw_error(env, "FILTER_SYNTAX", "the filter is longer than 64 KiB");
    return NULL;
  }
  if (!libpcap_load()) {
    napi_throw_error(env, "LIBPCAP_MISSING", "libpcap is not installed");
    return NULL;
  }
  char *text = malloc(length + 1);
  struct pcap *pcap = libpcap.open_dead(link_type, snap_length);
  if (text == NULL || pcap == NULL) {
    free(text);
    if (pcap != NULL) libpcap.close(pcap);
    addon_throw_errno(env, ENOMEM, "compile the filter");
    return NULL;
  }
  napi_get_value_string_utf8(env, argv[2], text, length + 1, &length);
  struct bpf_program program = {0, NULL};
  if (libpcap.compile(pcap, &program, text, 1, NETMASK_UNKNOWN) != 0) {
    napi_throw_error(env, "FILTER_SYNTAX", libpcap.geterr(pcap));
  } else {
    void *data;
    size_t size = program.length * sizeof(struct bpf_instruction);
    if (napi_create_arraybuffer(env, size, &data, &out) == napi_ok) memcpy(data, program.instructions, size);
    libpcap.freecode(&program);
  }
  libpcap.close(pcap);
  free(text);
  return out;
}
