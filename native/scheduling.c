/* How much processor time this process asks for beside others. */
#include "addon.h"

#include <errno.h>
#include <sched.h>

/*
 * runWhenIdle(thread): from here on this thread of the process runs only while nothing else wants its processor (SCHED_IDLE,
 * sched(7)); threads that it starts, too.
 */
napi_value scheduling_idle(napi_env env, napi_callback_info info) {
  const struct sched_param parameter = {0};
  size_t count = 1;
  napi_value argument;
  int32_t thread = 0;
  NAPI_TRY(env, napi_get_cb_info(env, info, &count, &argument, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_value_int32(env, argument, &thread), NULL);
  if (sched_setscheduler(thread, SCHED_IDLE, &parameter) != 0) addon_throw_errno(env, errno, "run when idle");
  return NULL;
}
