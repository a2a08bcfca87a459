/* Network devices as the kernel of this network namespace knows them, with or without addresses. */
#include "addon.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool set_number(napi_env env, napi_value object, const char *name, uint32_t number) {
  napi_value value;
  return napi_create_uint32(env, number, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

static bool set_bool(napi_env env, napi_value object, const char *name, bool truth) {
  napi_value value;
  return napi_get_boolean(env, truth, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

static bool describe(napi_env env, int fd, const struct if_nameindex *entry, napi_value *out) {
  struct ifreq request = {0};
  napi_value name;
  strncpy(request.ifr_name, entry->if_name, IFNAMSIZ - 1);
  /* A device that vanishes meanwhile is listed as down. */
  short flags = ioctl(fd, SIOCGIFFLAGS, &request) == 0 ? request.ifr_flags : 0;
  uint32_t type = ioctl(fd, SIOCGIFHWADDR, &request) == 0 ? request.ifr_hwaddr.sa_family : 0xffff;
  return napi_create_object(env, out) == napi_ok &&
         napi_create_string_utf8(env, entry->if_name, NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_set_named_property(env, *out, "name", name) == napi_ok &&
         set_number(env, *out, "index", entry->if_index) && set_number(env, *out, "type", type) &&
         set_bool(env, *out, "up", (flags & IFF_UP) != 0) &&
         set_bool(env, *out, "loopback", (flags & IFF_LOOPBACK) != 0);
}

/* devices(): { name, index, type (ARPHRD_), up, loopback }[] */
napi_value devices_list(napi_env env, napi_callback_info info) {
  napi_value list, device;
  (void)info;
  NAPI_TRY(env, napi_create_array(env, &list), NULL);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct if_nameindex *all = fd < 0 ? NULL : if_nameindex();
  if (all == NULL) {
    int error = errno;
    if (fd >= 0) close(fd);
    addon_throw_errno(env, error, "list the network devices");
    return NULL;
  }
  bool ok = true;
  for (uint32_t i = 0; ok && all[i].if_index != 0; i++) {
    ok = describe(env, fd, &all[i], &device) && napi_set_element(env, list, i, device) == napi_ok;
  }
  if_freenameindex(all);
  close(fd);
  if (!ok) addon_throw_napi(env);
  return ok ? list : NULL;
}
