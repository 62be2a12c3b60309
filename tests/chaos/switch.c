/* An Ethernet switch in user space, whose links can be made bad.
 *
 *   switch NAMESPACE=ADDRESS_BYTE...
 *
 * Each argument names a network namespace (as `ip netns` knows it) in which a
 * TAP device `eth0` is made; frames to the MAC address 02:00:00:00:00:BYTE go
 * to it. Broadcasts go everywhere. Each line on standard input sets one
 * direction of one link and is answered with `ok`:
 *
 *   FROM_BYTE TO_BYTE CUT LOSS_PPM DELAYED_PPM DELAY_US JITTER_US IN_ORDER
 *
 * CUT drops everything, LOSS_PPM of a million frames are lost, DELAYED_PPM of a
 * million are held for DELAY_US plus or minus JITTER_US (drawn anew for each
 * frame, so they overtake each other, unless IN_ORDER: then those behind a held
 * frame wait, too, and TCP can't make up for it by sending again). The sender
 * never learns what happened to a frame, as with a real network and unlike
 * netem on the sending host. Ends when standard input does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { max_ports = 32, max_frame = 2048, max_held = 65536, burst = 64 };

struct link_state {
  int cut;
  uint32_t loss_ppm;
  uint32_t delayed_ppm;
  int64_t delay_us;
  int64_t jitter_us;
  int in_order;
  /* When the last held frame is due. */
  int64_t busy_until_us;
};

/* A frame that waits for its time. */
struct held_frame {
  int64_t due_us;
  /* Keeps the order of those that are due at the same time. */
  uint64_t number;
  int port;
  int size;
  unsigned char bytes[];
};

static int port_count;
static int devices[max_ports];
static int address_bytes[max_ports];
static struct link_state links[max_ports][max_ports];
/* A heap, the earliest first. */
static struct held_frame* held[max_held];
static int held_count;
static uint64_t random_state = 0x9E3779B97F4A7C15u;

static void fail(const char* what) {
  fprintf(stderr, "switch: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* xorshift64*, Vigna 2016. */
static uint32_t draw(uint32_t below) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 0x2545F4914F6CDD1Du) >> 32) % below;
}

static int open_device(const char* name_space) {
  char path[128];
  snprintf(path, sizeof path, "/run/netns/%s", name_space);
  int handle = open(path, O_RDONLY | O_CLOEXEC);
  if (handle < 0 || setns(handle, CLONE_NEWNET) != 0)
    fail(path);
  close(handle);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0)
    fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  strcpy(request.ifr_name, "eth0");
  if (ioctl(device, TUNSETIFF, &request) != 0)
    fail("TUNSETIFF");
  return device;
}

static int port_of(int address_byte) {
  for (int port = 0; port < port_count; ++port)
    if (address_bytes[port] == address_byte)
      return port;
  return -1;
}

static void swap_held(int a, int b) {
  struct held_frame* other = held[a];
  held[a] = held[b];
  held[b] = other;
}

static bool goes_before(const struct held_frame* a,
                        const struct held_frame* b) {
  return a->due_us < b->due_us
         || (a->due_us == b->due_us && a->number < b->number);
}

static void hold(int port, const unsigned char* bytes, int size, int64_t due) {
  static uint64_t last_number = 0;
  if (held_count == max_held)
    return;
  struct held_frame* frame = malloc(sizeof *frame + (size_t)size);
  if (frame == NULL)
    fail("malloc");
  frame->due_us = due;
  frame->number = ++last_number;
  frame->port = port;
  frame->size = size;
  memcpy(frame->bytes, bytes, (size_t)size);
  int at = held_count++;
  held[at] = frame;
  for (; at > 0 && goes_before(held[at], held[(at - 1) / 2]);
       at = (at - 1) / 2)
    swap_held(at, (at - 1) / 2);
}

static struct held_frame* take_earliest(void) {
  struct held_frame* result = held[0];
  held[0] = held[--held_count];
  for (int at = 0;;) {
    int least = at;
    for (int child = 2 * at + 1; child <= 2 * at + 2; ++child)
      if (child < held_count && goes_before(held[child], held[least]))
        least = child;
    if (least == at)
      return result;
    swap_held(at, least);
    at = least;
  }
}

/* A full queue or a device that is down loses the frame, as a switch would. */
static void deliver(int port, const unsigned char* bytes, int size) {
  ssize_t written = write(devices[port], bytes, (size_t)size);
  (void)written;
}

static void release_due(void) {
  int64_t now = now_us();
  while (held_count > 0 && held[0]->due_us <= now) {
    struct held_frame* frame = take_earliest();
    deliver(frame->port, frame->bytes, frame->size);
    free(frame);
  }
}

static void pass(int from, int to, const unsigned char* bytes, int size) {
  struct link_state* l = &links[from][to];
  if (l->cut || (l->loss_ppm > 0 && draw(1000000) < l->loss_ppm))
    return;
  int64_t now = now_us();
  int64_t due = now;
  if (l->delayed_ppm > 0 && draw(1000000) < l->delayed_ppm) {
    due += l->delay_us;
    if (l->jitter_us > 0)
      due += (int64_t)draw((uint32_t)(2 * l->jitter_us + 1)) - l->jitter_us;
  }
  if (l->in_order && due <= l->busy_until_us)
    due = l->busy_until_us;
  if (due <= now)
    return deliver(to, bytes, size);
  l->busy_until_us = due;
  hold(to, bytes, size, due);
}

static void receive(int from) {
  unsigned char bytes[max_frame];
  /* What is due goes first, or it would be overtaken. */
  release_due();
  for (int i = 0; i < burst; ++i) {
    ssize_t size = read(devices[from], bytes, sizeof bytes);
    if (size < 14)
      return;
    int to = (bytes[0] & 1) != 0 ? -1 : port_of(bytes[5]);
    if (to >= 0)
      pass(from, to, bytes, (int)size);
    else if ((bytes[0] & 1) != 0)
      for (to = 0; to < port_count; ++to)
        if (to != from)
          pass(from, to, bytes, (int)size);
  }
}

static void obey(const char* line) {
  int from_byte, to_byte;
  struct link_state wanted = {0};
  if (sscanf(line, "%d %d %d %u %u %ld %ld %d", &from_byte, &to_byte,
             &wanted.cut, &wanted.loss_ppm, &wanted.delayed_ppm,
             &wanted.delay_us, &wanted.jitter_us, &wanted.in_order)
        == 8
      && port_of(from_byte) >= 0 && port_of(to_byte) >= 0) {
    links[port_of(from_byte)][port_of(to_byte)] = wanted;
    puts("ok");
  } else {
    puts("bad line");
  }
  fflush(stdout);
}

static void read_commands(void) {
  static char buffer[65536];
  static size_t used;
  ssize_t size = read(STDIN_FILENO, buffer + used, sizeof buffer - used - 1);
  if (size <= 0)
    exit(0);
  used += (size_t)size;
  buffer[used] = '\0';
  char* line = buffer;
  for (char* end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    obey(line);
  }
  used = (size_t)(buffer + used - line);
  memmove(buffer, line, used);
}

/* The kernel's own bridge would not wait for a core either. */
static void take_precedence(void) {
  struct sched_param first = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
    setpriority(PRIO_PROCESS, 0, -20);
}

int main(int argument_count, char** arguments) {
  for (int i = 1; i < argument_count && port_count < max_ports; ++i) {
    char* separator = strchr(arguments[i], '=');
    if (separator == NULL)
      return 2;
    *separator = '\0';
    address_bytes[port_count] = atoi(separator + 1);
    devices[port_count++] = open_device(arguments[i]);
  }
  take_precedence();
  struct pollfd watched[max_ports + 1];
  for (int port = 0; port < port_count; ++port)
    watched[port] = (struct pollfd){.fd = devices[port], .events = POLLIN};
  watched[port_count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
  puts("ok");
  fflush(stdout);
  for (;;) {
    struct timespec pause = {.tv_sec = 3600};
    if (held_count > 0) {
      int64_t wait = held[0]->due_us - now_us();
      wait = wait > 0 ? wait : 0;
      pause = (struct timespec){wait / 1000000, wait % 1000000 * 1000};
    }
    if (ppoll(watched, (nfds_t)port_count + 1, &pause, NULL) < 0
        && errno != EINTR)
      fail("ppoll");
    release_due();
    for (int port = 0; port < port_count; ++port)
      if ((watched[port].revents & POLLIN) != 0)
        receive(port);
    if (watched[port_count].revents != 0)
      read_commands();
  }
}
