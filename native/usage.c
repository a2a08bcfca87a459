/* What the process spends, for whoever asks several times a second. */
#include "addon.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { USAGE_CPU, USAGE_MEMORY, USAGE_VALUES };

/*
 * Resident memory, bytes, from /proc/self/statm, which is an eighth of the work that the whole of `stat` is; 0 when it
 * cannot be told. The file stays open: a process that has given up root may no longer open it.
 */
static double resident(void) {
  static int statm = -1;
  char text[64];
  unsigned long long size, pages;
  if (statm < 0) statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t length = statm < 0 ? -1 : pread(statm, text, sizeof(text) - 1, 0);
  if (length <= 0) return 0;
  text[length] = '\0';
  return sscanf(text, "%llu %llu", &size, &pages) == 2 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double microseconds(struct timeval time) { return (double)time.tv_sec * 1e6 + (double)time.tv_usec; }

/* usage(out: Float64Array): CPU time of all threads, user and system, in microseconds; resident memory in bytes. */
napi_value usage_read(napi_env env, napi_callback_info info) {
  size_t argc = 1, count;
  napi_value argv[1];
  napi_typedarray_type type;
  double *out;
  struct rusage used = {0};
  NAPI_TRY(env, napi_get_cb_info(env, info, &argc, argv, NULL, NULL), NULL);
  NAPI_TRY(env, napi_get_typedarray_info(env, argv[0], &type, &count, (void **)&out, NULL, NULL), NULL);
  if (type != napi_float64_array || count < USAGE_VALUES) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "expected a Float64Array of 2");
    return NULL;
  }
  getrusage(RUSAGE_SELF, &used);
  out[USAGE_CPU] = microseconds(used.ru_utime) + microseconds(used.ru_stime);
  out[USAGE_MEMORY] = resident();
  return NULL;
}
