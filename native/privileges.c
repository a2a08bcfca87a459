/*
 * The capabilities of this process, for `--user` and for the processes it starts. They belong to a thread: all is about
 * the one that runs JavaScript, which opens the sockets and starts the processes. CAP_NET_RAW is what packet sockets and
 * raw sockets need.
 */
#include "addon.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NET_RAW (1u << CAP_NET_RAW)

static int get_capabilities(struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capget, &header, data) == 0 ? 0 : errno;
}

static int set_capabilities(const struct __user_cap_data_struct data[2]) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
}

/* keepCapabilities(): the next change of user leaves them permitted. */
napi_value privileges_keep(napi_env env, napi_callback_info info) {
  (void)info;
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) addon_throw_errno(env, errno, "keep capabilities");
  return NULL;
}

/* limitCapabilities(): none but CAP_NET_RAW, as far as it was there, and no way to get others. */
napi_value privileges_limit(napi_env env, napi_callback_info info) {
  struct __user_cap_data_struct data[2] = {{0}};
  (void)info;
  int error = get_capabilities(data);
  if (error == 0) {
    struct __user_cap_data_struct limited[2] = {{0}};
    limited[0].permitted = limited[0].effective = data[0].permitted & NET_RAW;
    error = set_capabilities(limited);
  }
  if (error == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) error = errno;
  if (error != 0) addon_throw_errno(env, error, "limit capabilities");
  return NULL;
}

/*
 * passNetRaw(pass): whether processes started from here on inherit CAP_NET_RAW, which they else do as root's only.
 * Without the capability itself there is nothing to pass.
 */
napi_value privileges_pass(napi_env env, napi_callback_info info) {
  struct __user_cap_data_struct data[2] = {{0}};
  size_t count = 1;
  napi_value argument;
  bool pass = false;
  NAPI_TRY(env, napi_get_cb_info(env, info, &count, &argument, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_bool(env, argument, &pass), NULL);
  int error = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 ? get_capabilities(data) : errno;
  if (error == 0) {
    data[0].inheritable = pass ? data[0].permitted & NET_RAW : 0;
    data[1].inheritable = 0;
    error = set_capabilities(data);
  }
  if (error == 0 && data[0].inheritable != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) != 0) {
    error = errno;
  }
  if (error != 0) addon_throw_errno(env, error, "pass capabilities on");
  return NULL;
}
