/* A file descriptor in Node's event loop; see addon.h. */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The error the socket holds, which reading clears; 0 when it has none (or is no socket). */
static int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : 0;
}

static void on_event(uv_poll_t *handle, int status, int events) {
  struct poller *p = handle->data;
  (void)events;
  if (p == NULL) return;
  /*
   * One-shot: whoever wants the next wake-up arms again, so a reader that does not read costs nothing. But one that has
   * read all there is usually arms before anything else comes: taking the descriptor out of epoll's set and putting it
   * back would be two system calls each time, so it is taken out only when an event comes that nobody asked for.
   */
  if (!p->armed || status < 0) {
    uv_poll_stop(handle);
    p->watching = false;
  }
  if (!p->armed) return;
  p->armed = false;
  napi_env env = p->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;

  napi_value callback, receiver, argument;
  size_t argc = 0;
  /* libuv reports POLLERR as EBADF; the socket knows the reason. Without one it is as good as ready. */
  int error = status < 0 ? pending_error(p->fd) : 0;
  if (error != 0) {
    char name[32];
    uv_err_name_r(-error, name, sizeof(name));
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &argument);
    argc = 1;
  }
  napi_get_reference_value(env, p->callback, &callback);
  napi_get_global(env, &receiver);
  /* `p` may be closed by the callback: not touched afterwards. */
  if (napi_make_callback(env, NULL, receiver, callback, argc, &argument, NULL) == napi_pending_exception) {
    napi_value exception;
    if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

static void on_close(uv_handle_t *handle) { free(handle); }

int poller_open(struct poller *p, napi_env env, int fd, int events, napi_value callback) {
  uv_loop_t *loop;
  p->env = env;
  p->fd = fd;
  p->armed = false;
  p->watching = false;
  p->events = events;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return EINVAL;
  if (napi_create_reference(env, callback, 1, &p->callback) != napi_ok) return EINVAL;
  uv_poll_t *handle = malloc(sizeof(*handle));
  if (handle == NULL) return ENOMEM;
  int rc = uv_poll_init(loop, handle, fd);
  if (rc != 0) {
    free(handle);
    return -rc;
  }
  handle->data = p;
  p->handle = handle;
  return 0;
}

int poller_arm(struct poller *p) {
  if (p->handle == NULL) return EBADF;
  if (!p->watching) {
    int rc = uv_poll_start(p->handle, p->events, on_event);
    if (rc != 0) return -rc;
  }
  p->watching = true;
  p->armed = true;
  return 0;
}

void poller_close(struct poller *p) {
  if (p->handle != NULL) {
    p->handle->data = NULL;
    uv_poll_stop(p->handle);
    uv_close((uv_handle_t *)p->handle, on_close);
    p->handle = NULL;
  }
  if (p->callback != NULL) napi_delete_reference(p->env, p->callback);
  p->callback = NULL;
}
