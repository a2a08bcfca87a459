/*
 * Memory that a program needs to start, and not to go on.
 *
 * Of node's program file most is touched while it starts, and stays mapped. The pages are the file's, unchanged, so they
 * can be let go at no risk: one that is needed again comes back from the page cache.
 */
#include "addon.h"

#include <inttypes.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Whether [start, end) is part of one mapping of a file: not so where node was told to copy its code to large pages. */
static bool is_mapped_file(uintptr_t start, uintptr_t end) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return false;
  char line[512];
  bool found = false;
  while (!found && fgets(line, sizeof(line), maps) != NULL) {
    uintptr_t from, to;
    unsigned long inode;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %*s %*s %lu", &from, &to, &inode) != 3) continue;
    found = inode != 0 && from <= start && end <= to;
  }
  fclose(maps);
  return found;
}

/* The first object is the program itself. What nobody may write to nobody has changed. */
static int let_go(struct dl_phdr_info *info, size_t size, void *data) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  (void)size;
  (void)data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
    if (start < end && is_mapped_file(start, end)) madvise((void *)start, end - start, MADV_DONTNEED);
  }
  return 1;
}

#ifdef __GLIBC__
/*
 * The end of each thread's heap, which malloc_trim leaves alone but for the main thread's, goes back whenever so much of it
 * is free. Left alone the limit rises with what is allocated, and what V8's threads once took to compile stays theirs.
 */
#define FREE_END_MAX (128 * 1024)
#endif

/* trimMemory() */
napi_value memory_trim(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  dl_iterate_phdr(let_go, NULL);
#ifdef __GLIBC__
  mallopt(M_TRIM_THRESHOLD, FREE_END_MAX);
  malloc_trim(0);
#endif
  return NULL;
}
