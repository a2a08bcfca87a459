/* The addon's exports, and what its parts share. */
#include "addon.h"

#include <stdio.h>
#include <string.h>

void addon_throw_errno(napi_env env, int error, const char *doing) {
  char code[32], reason[128], message[256];
  uv_err_name_r(-error, code, sizeof(code));
  uv_strerror_r(-error, reason, sizeof(reason));
  snprintf(message, sizeof(message), "%s: %s", doing, reason);
  napi_throw_error(env, code, message);
}

void addon_throw_napi(napi_env env) {
  const napi_extended_error_info *info = NULL;
  bool pending = false;
  napi_get_last_error_info(env, &info);
  const char *message = info != NULL && info->error_message != NULL ? info->error_message : "bad argument";
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
}

bool addon_option_u32(napi_env env, napi_value options, const char *name, uint32_t *out) {
  napi_value value;
  if (napi_get_named_property(env, options, name, &value) == napi_ok &&
      napi_get_value_uint32(env, value, out) == napi_ok) {
    return true;
  }
  char message[96];
  snprintf(message, sizeof(message), "option %s must be a number", name);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return false;
}

bool addon_option_bool(napi_env env, napi_value options, const char *name, bool *out) {
  napi_value value;
  if (napi_get_named_property(env, options, name, &value) == napi_ok &&
      napi_get_value_bool(env, value, out) == napi_ok) {
    return true;
  }
  char message[96];
  snprintf(message, sizeof(message), "option %s must be a boolean", name);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return false;
}

bool addon_bytes(napi_env env, napi_value value, uint8_t **data, size_t *length) {
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, value, &type, length, (void **)data, NULL, NULL) == napi_ok &&
      type == napi_uint8_array) {
    return true;
  }
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a Uint8Array");
  return false;
}

static const struct {
  const char *name;
  napi_callback call;
} FUNCTIONS[] = {
    {"compileFilter", filter_compile},      {"devices", devices_list},   {"keepCapabilities", privileges_keep},
    {"limitCapabilities", privileges_limit}, {"passNetRaw", privileges_pass}, {"askKernel", netlink_ask},
    {"pause", waiting_pause},                {"receive", waiting_receive}, {"trimMemory", memory_trim},
    {"runWhenIdle", scheduling_idle},        {"letOthersFirst", scheduling_let_others_first},
    {"usage", usage_read},                   {"droppedFrames", losses_dropped},
};

static napi_value module_init(napi_env env, napi_value exports) {
  napi_value function;
  NAPI_TRY(env, napi_set_named_property(env, exports, "Ring", ring_define(env)), NULL);
  NAPI_TRY(env, napi_set_named_property(env, exports, "Sender", sender_define(env)), NULL);
  NAPI_TRY(env, napi_set_named_property(env, exports, "KernelWatch", watch_define(env)), NULL);
  for (size_t i = 0; i < ARRAY_LENGTH(FUNCTIONS); i++) {
    NAPI_TRY(env, napi_create_function(env, FUNCTIONS[i].name, NAPI_AUTO_LENGTH, FUNCTIONS[i].call, NULL, &function),
             NULL);
    NAPI_TRY(env, napi_set_named_property(env, exports, FUNCTIONS[i].name, function), NULL);
  }
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, module_init)
