/* Preloaded into a node: each fsync and fdatasync takes longer by as many
 * milliseconds as the file $SLOW_FSYNC_FILE says (a 32-bit number in the
 * machine's byte order, mapped). A change holds at once, for those under way
 * too: a disk that hangs and comes back.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile uint32_t* delay_ms;

__attribute__((constructor)) static void map_delay(void) {
  const char* path = getenv("SLOW_FSYNC_FILE");
  int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return;
  void* mapped = mmap(NULL, sizeof *delay_ms, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (mapped != MAP_FAILED)
    delay_ms = mapped;
}

static uint32_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)now.tv_sec * 1000 + (uint32_t)(now.tv_nsec / 1000000);
}

static void wait_first(void) {
  const struct timespec step = {0, 1000000L};
  uint32_t since = now_ms();
  while (delay_ms != NULL && now_ms() - since < *delay_ms)
    nanosleep(&step, NULL);
}

int fsync(int file) {
  wait_first();
  int (*next)(int);
  *(void**)&next = dlsym(RTLD_NEXT, "fsync");
  return next(file);
}

int fdatasync(int file) {
  wait_first();
  int (*next)(int);
  *(void**)&next = dlsym(RTLD_NEXT, "fdatasync");
  return next(file);
}
