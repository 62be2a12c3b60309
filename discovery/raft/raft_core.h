#ifndef TROUPE_RAFT_CORE_H
#define TROUPE_RAFT_CORE_H

/* libraft's pure core behind an opaque handle: `raft.h` does not compile as
 * C++. Only `raft_engine.cpp` includes this. Every function that steps the core
 * returns 0 or a libraft error code; what it asks for is read with the
 * accessors below until the next step. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct raft_core;

/* Values of libraft's enums, checked against them in raft_core.c. */
enum { RAFT_CORE_COMMAND = 1, RAFT_CORE_BARRIER = 2, RAFT_CORE_CHANGE = 3 };
enum { RAFT_CORE_STANDBY = 0, RAFT_CORE_VOTER = 1, RAFT_CORE_SPARE = 2 };
enum { RAFT_CORE_FOLLOWER = 1, RAFT_CORE_CANDIDATE = 2, RAFT_CORE_LEADER = 3 };
enum {
  RAFT_CORE_APPEND_ENTRIES = 1,
  RAFT_CORE_APPEND_ENTRIES_RESULT,
  RAFT_CORE_REQUEST_VOTE,
  RAFT_CORE_REQUEST_VOTE_RESULT,
  RAFT_CORE_INSTALL_SNAPSHOT,
  RAFT_CORE_TIMEOUT_NOW
};
enum {
  RAFT_CORE_CATCH_UP_NONE = 0,
  RAFT_CORE_CATCH_UP_RUNNING,
  RAFT_CORE_CATCH_UP_ABORTED,
  RAFT_CORE_CATCH_UP_FINISHED
};

struct raft_core_server {
  uint64_t id;
  int role;
};

/* The core reads the bytes of RAFT_CORE_CHANGE entries only; the others' stay
 * with the caller. */
struct raft_core_entry {
  uint64_t term;
  int kind;
  const void* bytes;
  size_t size;
};

struct raft_core_snapshot {
  uint64_t index;
  uint64_t term;
  uint64_t configuration_index;
  const struct raft_core_server* servers;
  size_t n_servers;
};

/* All RPCs in one shape; each kind uses the fields that its comment names. */
struct raft_core_message {
  int kind;
  uint64_t peer; /* sender or receiver */
  uint64_t term;
  /* Last log index (votes, results, timeout now), previous index (append), or
   * the snapshot's last index. */
  uint64_t index;
  uint64_t index_term;
  uint64_t commit;   /* append */
  uint64_t rejected; /* append result */
  bool disrupt_leader, pre_vote, vote_granted;
  uint16_t features, capacity;            /* results */
  const struct raft_core_entry* entries;  /* append, incoming only */
  size_t n_entries;                       /* append */
  const struct raft_core_server* servers; /* install, incoming only */
  size_t n_servers;                       /* install, incoming only */
  uint64_t configuration_index;           /* install */
};

struct raft_core_options {
  uint64_t id;
  const char* address;
  unsigned seed;
  unsigned heartbeat_ms;
  unsigned election_ms;
  unsigned install_snapshot_ms;
  unsigned max_inflight_entries;
};

/* NULL when memory is exhausted. */
struct raft_core* raft_core_create(const struct raft_core_options* options);
void raft_core_destroy(struct raft_core* core);

/* -- steps ---------------------------------------------------------------- */

/* After a failed start the core is good for raft_core_destroy only. */
int raft_core_start(struct raft_core* core, uint64_t now, uint64_t term,
                    uint64_t voted_for,
                    const struct raft_core_snapshot* snapshot,
                    uint64_t first_index, const struct raft_core_entry* entries,
                    size_t n);
int raft_core_receive(struct raft_core* core, uint64_t now,
                      const struct raft_core_message* message);
int raft_core_persisted_entries(struct raft_core* core, uint64_t now,
                                uint64_t index);
/* The snapshot is the one that the last update asked to persist. */
int raft_core_persisted_snapshot(struct raft_core* core, uint64_t now);
int raft_core_configuration(struct raft_core* core, uint64_t now,
                            uint64_t index,
                            const struct raft_core_server* servers, size_t n);
int raft_core_snapshot_taken(struct raft_core* core, uint64_t now,
                             const struct raft_core_snapshot* snapshot,
                             unsigned trailing);
int raft_core_timeout(struct raft_core* core, uint64_t now);
int raft_core_submit(struct raft_core* core, uint64_t now,
                     const struct raft_core_entry* entries, size_t n);
/* Leader only; `id` is in the configuration. */
int raft_core_catch_up(struct raft_core* core, uint64_t now, uint64_t id);
int raft_core_transfer(struct raft_core* core, uint64_t now, uint64_t id);

/* A follower has less than it acknowledged: the leader goes on from what it has.
 * False when that can't be done, and nothing was changed. */
bool raft_core_set_back(struct raft_core* core, uint64_t id,
                        uint64_t last_index);
/* A follower's timer begins anew, and it has no leader any more. */
void raft_core_stay_follower(struct raft_core* core, uint64_t now);

/* -- what the last step asks for ------------------------------------------ */

bool raft_core_hard_state_changed(const struct raft_core* core);
bool raft_core_commit_changed(const struct raft_core* core);
bool raft_core_state_changed(const struct raft_core* core);
/* A snapshot that was received is to be persisted. */
bool raft_core_snapshot_pending(const struct raft_core* core);

/* Entries to persist: how many, from which index on, and each one's head. */
size_t raft_core_entry_count(const struct raft_core* core);
uint64_t raft_core_entries_index(const struct raft_core* core);
void raft_core_entry_head(const struct raft_core* core, size_t i,
                          uint64_t* term, int* kind);

size_t raft_core_message_count(const struct raft_core* core);
void raft_core_message_at(const struct raft_core* core, size_t i,
                          struct raft_core_message* out);

/* -- state ---------------------------------------------------------------- */

uint64_t raft_core_term(const struct raft_core* core);
uint64_t raft_core_voted_for(const struct raft_core* core);
uint64_t raft_core_commit_index(const struct raft_core* core);
uint64_t raft_core_last_index(const struct raft_core* core);
uint64_t raft_core_next_timeout(const struct raft_core* core);
int raft_core_state(const struct raft_core* core);
/* 0 when unknown. */
uint64_t raft_core_leader(const struct raft_core* core);
uint64_t raft_core_transferee(const struct raft_core* core);
/* Between a snapshot's arrival and raft_core_persisted_snapshot. */
bool raft_core_installing(const struct raft_core* core);
/* A configuration change or a catch-up is under way. */
bool raft_core_changing(const struct raft_core* core);
/* Whether a leader knows that `id` has its whole log. */
bool raft_core_is_up_to_date(const struct raft_core* core, uint64_t id);
/* Up to where a leader knows that `id` has its log; 0 when it does not lead or
 * `id` takes no part. */
uint64_t raft_core_match_index(const struct raft_core* core, uint64_t id);
int raft_core_catch_up_status(const struct raft_core* core, uint64_t id);
size_t raft_core_server_count(const struct raft_core* core);
struct raft_core_server raft_core_server_at(const struct raft_core* core,
                                            size_t i);
const char* raft_core_strerror(int code);

#ifdef __cplusplus
}
#endif

#endif
