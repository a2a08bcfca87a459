/* How much processor time this process asks for beside others. */
#include "addon.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* sched_setattr(2), as of its first version; glibc has had it since 2.41 only. */
struct scheduling {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

/* Longer than the ordinary one, which is 3 ms at most; but twice this is what a thread may be owed on a busy processor, ns. */
#define LONG_SLICE 5000000u

static int32_t thread_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t thread = 0;
  NAPI_TRY(env, napi_get_cb_info(env, info, &count, &argument, NULL, NULL), -1);
  NAPI_TRY(env, napi_get_value_int32(env, argument, &thread), -1);
  return thread;
}

/*
 * runWhenIdle(thread): from here on this thread of the process runs only while nothing else wants its processor (SCHED_IDLE,
 * sched(7)); threads that it starts, too.
 */
napi_value scheduling_idle(napi_env env, napi_callback_info info) {
  const struct sched_param parameter = {0};
  const int32_t thread = thread_of(env, info);
  if (thread >= 0 && sched_setscheduler(thread, SCHED_IDLE, &parameter) != 0) addon_throw_errno(env, errno, "run when idle");
  return NULL;
}

/*
 * letOthersFirst(thread): from here on whatever wakes up on the processor of this thread runs at once, where it has a share left,
 * and this thread goes on later; its own share stays what it was, and so do those of threads that it starts. Since Linux 6.12 a
 * slice can be asked for (sched_runtime of an ordinary thread), and who asked for a shorter one need not wait for a longer one
 * to end (PREEMPT_SHORT). Before that nothing changes.
 */
napi_value scheduling_let_others_first(napi_env env, napi_callback_info info) {
  struct scheduling now = {0};
  const int32_t thread = thread_of(env, info);
  if (thread < 0) return NULL;
  if (syscall(SYS_sched_getattr, thread, &now, sizeof now, 0) != 0) {
    addon_throw_errno(env, errno, "let others first");
    return NULL;
  }
  /* Who started it so had reasons. */
  if (now.policy != SCHED_OTHER) return NULL;
  now.size = sizeof now;
  now.runtime = LONG_SLICE;
  if (syscall(SYS_sched_setattr, thread, &now, 0) != 0) addon_throw_errno(env, errno, "let others first");
  return NULL;
}
