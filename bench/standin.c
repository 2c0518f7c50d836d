/* A stand-in for the Defend API that costs next to nothing, for `make bench` alone: what is measured must not be
   the server. One thread, epoll, HTTP/1.1 with keep-alive. It answers a POST with an id, and a GET of that id with
   what was posted and its last events of 10 KB, ten or as `limit` says. After GET /latency/N each answer waits for N milliseconds.

     cc -O2 -o standin bench/standin.c && ./standin       prints its URL, and serves until it is killed */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST (64 * 1024)
typedef struct conn { int fd; size_t have; long long due; struct conn *next; char in[MOST + 1]; } conn;

static conn *first, *last; /* whose answers wait; all wait equally long, so they are due in this order */
static char **made, event[12000];
static size_t count, room;
static long long wait; /* microseconds */

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The length of the request at the beginning of what was received, or 0 while it is not whole. */
static size_t whole(conn *c) {
  c->in[c->have] = 0;
  char *end = strstr(c->in, "\r\n\r\n"), *length = strcasestr(c->in, "\r\ncontent-length:");
  if (!end) return 0;
  size_t size = end + 4 - c->in + (length && length < end ? strtoul(length + 17, 0, 10) : 0);
  return size <= c->have ? size : 0;
}

/* Two evaluations of two metrics with their reasons, in the shape of the newest generation: about 10 KB. */
static void build_event(void) {
  static char why[2101];
  int n = snprintf(event, sizeof event, "\"status\":\"completed\",\"improvement_tool_status\":\"improved\","
    "\"improved_model_output\":\"An answer that was mended.\",\"billing_request_id\":\"bill_1\",\"evaluations\":[");
  memset(why, 'x', sizeof why - 1);
  for (int i = 0; i < 2; i++)
    n += snprintf(event + n, sizeof event - n, "%s{\"attempt\":\"%s\",\"evaluation_status\":\"completed\",\"improvement_tool_status\":\"improved\","
      "\"analysis_of_failures\":\"Too short.\",\"key_improvements\":[\"Names its source.\",\"Longer.\"],"
      "\"guardrail_metrics\":[\"correctness\",\"completeness\"],\"run_mode\":\"precision\","
      "\"model_input\":{\"system_prompt\":\"You answer customers.\",\"user_prompt\":\"Where is my parcel?\","
      "\"context\":[{\"role\":\"user\",\"content\":\"It was sent on Monday.\"}]},\"model_output\":\"On its way.\","
      "\"nametag\":\"bench\",\"progress\":100,\"error_message\":null,\"evaluation_result\":{"
      "\"correctness\":{\"score\":0.6,\"rationale\":\"%s\",\"threshold\":0.8},"
      "\"completeness\":{\"score\":0.9,\"rationale\":\"%s\",\"threshold\":0.8}},\"evaluation_total_cost\":0.01,"
      "\"created_at\":\"2026-01-01T00:00:00.000Z\",\"modified_at\":\"2026-01-01T00:00:01.000Z\"}",
      i ? "," : "", i ? "Improvement Attempt 1" : "Initial Evaluation", why, why);
  snprintf(event + n, sizeof event - n, "]");
}

static void say(conn *c, int status, const char *id, const char *rest, int events) {
  static char body[2 * MOST], head[200];
  int n = id ? snprintf(body, sizeof body, "{\"workflow_id\":\"%s\",\"status\":\"active\",\"created_at\":\"2026-01-01T00:00:00Z\","
                        "\"events\":[", id)
             : snprintf(body, sizeof body, "{\"detail\":\"Not found\"}");
  for (int i = 0; i < events; i++)
    n += snprintf(body + n, sizeof body - n, "%s{\"event_id\":\"e%d\",%s}", i ? "," : "", i, event);
  if (id) n += snprintf(body + n, sizeof body - n, "],%s", rest);
  int h = snprintf(head, sizeof head, "HTTP/1.1 %d OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n", status, n);
  send(c->fd, head, h, MSG_NOSIGNAL | MSG_MORE);
  send(c->fd, body, n, MSG_NOSIGNAL);
}

static void answer(conn *c) {
  size_t size = whole(c), number;
  char *limit = strstr(c->in, "?limit=");
  char id[40], *body = strstr(c->in, "\r\n\r\n") + 4;
  if (!strncmp(c->in, "POST /defend ", 13)) {
    if (count == room) made = realloc(made, (room = room ? 2 * room : 1024) * sizeof *made);
    made[count] = strndup(body + 1, c->in + size - body - 1);
    snprintf(id, sizeof id, "defend_%012zu", count);
    say(c, 201, id, made[count++], 0);
  } else if (sscanf(c->in, "GET /defend/defend_%12zu", &number) == 1 && number < count) {
    snprintf(id, sizeof id, "defend_%012zu", number);
    say(c, 200, id, made[number], limit && limit[7] == '1' ? 1 : 10);
  } else {
    if (sscanf(c->in, "GET /latency/%lld ", &wait) == 1) wait *= 1000;
    say(c, 404, 0, 0, 0);
  }
  memmove(c->in, c->in + size, c->have -= size);
}

/* Whether the client is still there. */
static int receive(conn *c) {
  ssize_t got = recv(c->fd, c->in + c->have, MOST - c->have, MSG_DONTWAIT);
  if (got > 0) return c->have += got, 1;
  close(c->fd), c->fd = -1;
  if (!c->due) free(c); /* else when its answer is due */
  return 0;
}

static void queue(conn *c) {
  if (c->due || !whole(c)) return;
  c->due = now() + wait, c->next = 0;
  if (last) last->next = c; else first = c;
  last = c;
}

int main(void) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  int on = 1, ep = epoll_create1(0), door = socket(AF_INET, SOCK_STREAM, 0);
  struct epoll_event some[256], watch = {.events = EPOLLIN};
  build_event();
  if (bind(door, (void *)&at, size) || listen(door, 1024) || getsockname(door, (void *)&at, &size)) return 1;
  epoll_ctl(ep, EPOLL_CTL_ADD, door, &watch);
  printf("http://127.0.0.1:%d\n", ntohs(at.sin_port)), fflush(stdout);
  for (;;) {
    long long left = first ? (first->due - now() + 999) / 1000 : -1;
    int ready = epoll_wait(ep, some, 256, first && left < 0 ? 0 : left);
    for (int i = 0; i < ready; i++) {
      conn *c = some[i].data.ptr;
      if (!c) {
        c = calloc(1, sizeof *c), c->fd = accept(door, 0, 0);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
        continue;
      }
      if (receive(c)) queue(c);
    }
    while (first && first->due <= now()) {
      conn *c = first;
      first = c->next;
      if (!first) last = 0;
      c->due = 0;
      if (c->fd < 0) { free(c); continue; }
      answer(c), queue(c);
    }
  }
}
