/*
 * What the memory checks must find: an addon whose functions misuse memory, each in one way. It shows that the tools look
 * at an addon's code at all, and that a report of theirs fails the run.
 */
#define NAPI_VERSION 8
#include <limits.h>
#include <node_api.h>
#include <stdlib.h>

static volatile int sink;

static napi_value overflow(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  char *volatile block = malloc(16);
  sink = block[16];
  free(block);
  return NULL;
}

static napi_value use_after_free(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  char *volatile block = malloc(16);
  free(block);
  sink = block[1];
  return NULL;
}

static napi_value leak(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  void *volatile block = malloc(1234);
  block = NULL;
  return NULL;
}

static napi_value undefined(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  volatile int most = INT_MAX;
  sink = most + 1;
  return NULL;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"overflow", NULL, overflow, NULL, NULL, NULL, napi_default, NULL},
      {"useAfterFree", NULL, use_after_free, NULL, NULL, NULL, napi_default, NULL},
      {"leak", NULL, leak, NULL, NULL, NULL, napi_default, NULL},
      {"undefined", NULL, undefined, NULL, NULL, NULL, napi_default, NULL},
  };
  napi_define_properties(env, exports, sizeof(functions) / sizeof(functions[0]), functions);
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
