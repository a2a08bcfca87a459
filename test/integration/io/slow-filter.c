/* To be preloaded: whoever gives a socket a filter is slow about it, so that frames come before, in between and after. */
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  int (*real)(int, int, int, const void *, socklen_t) =
      (int (*)(int, int, int, const void *, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
  int filters = level == SOL_SOCKET && name == SO_ATTACH_FILTER;
  if (filters) usleep(20000);
  int result = real(fd, level, name, value, length);
  if (filters) usleep(20000);
  return result;
}
