#include "discovery/raft/raft_core.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <raft.h>

_Static_assert(RAFT_VERSION_NUMBER >= 2200,
               "raft_step() as used here came with libraft 0.22");
_Static_assert((int)RAFT_CORE_COMMAND == (int)RAFT_COMMAND
                 && (int)RAFT_CORE_BARRIER == (int)RAFT_BARRIER
                 && (int)RAFT_CORE_CHANGE == (int)RAFT_CHANGE
                 && (int)RAFT_CORE_STANDBY == (int)RAFT_STANDBY
                 && (int)RAFT_CORE_VOTER == (int)RAFT_VOTER
                 && (int)RAFT_CORE_SPARE == (int)RAFT_SPARE
                 && (int)RAFT_CORE_FOLLOWER == (int)RAFT_FOLLOWER
                 && (int)RAFT_CORE_LEADER == (int)RAFT_LEADER
                 && (int)RAFT_CORE_APPEND_ENTRIES == (int)RAFT_APPEND_ENTRIES
                 && (int)RAFT_CORE_TIMEOUT_NOW == (int)RAFT_TIMEOUT_NOW
                 && (int)RAFT_CORE_CATCH_UP_FINISHED
                      == (int)RAFT_CATCH_UP_FINISHED,
               "libraft's codes changed");

/* What RPCs carry as their version, as the engine itself fills it. */
enum { REQUEST_VOTE_VERSION = 2, RESULT_VERSION = 2 };

/* How much longer than the election timeout the first follower waits: the last
 * messages of a leader do not reach all followers at the same time, and one
 * that heard from it too recently votes for nobody. */
enum { SLACK_DIVISOR = 16 };

struct raft_core {
  struct raft raft;
  struct raft_update update;
  /* The array given to the last step; its update points into it. */
  struct raft_entry* input;
  /* A received snapshot's metadata, until it is persisted. */
  struct raft_snapshot_metadata installing;
  bool has_installing;
};

struct raft_core* raft_core_create(const struct raft_core_options* options) {
  struct raft_core* core = raft_calloc(1, sizeof *core);
  if (core == NULL)
    return NULL;
  if (raft_init(&core->raft, NULL, NULL, options->id, options->address) != 0) {
    raft_free(core);
    return NULL;
  }
  core->raft.tracer = NULL;
  raft_seed(&core->raft, options->seed);
  raft_set_heartbeat_timeout(&core->raft, options->heartbeat_ms);
  raft_set_election_timeout(&core->raft, options->election_ms);
  raft_set_install_snapshot_timeout(&core->raft, options->install_snapshot_ms);
  raft_set_max_inflight_entries(&core->raft, options->max_inflight_entries);
  raft_set_pre_vote(&core->raft, true);
  return core;
}

void raft_core_destroy(struct raft_core* core) {
  if (core == NULL)
    return;
  if (core->has_installing)
    raft_configuration_close(&core->installing.configuration);
  raft_free(core->input);
  raft_close(&core->raft, NULL);
  raft_free(core);
}

/* Copies `n` entries in the shape that the core wants: an array that we keep
 * until the next step, and one batch with the bytes of all changes. */
static int take_entries(struct raft_core* core,
                        const struct raft_core_entry* entries, size_t n) {
  size_t size = 1; /* never empty: the batch must exist */
  char* batch;
  size_t i;
  raft_free(core->input);
  core->input = NULL;
  if (n == 0)
    return 0;
  for (i = 0; i < n; i++)
    if (entries[i].kind == RAFT_CHANGE)
      size += entries[i].size;
  core->input = raft_calloc(n, sizeof *core->input);
  batch = raft_malloc(size);
  if (core->input == NULL || batch == NULL) {
    raft_free(batch);
    return RAFT_NOMEM;
  }
  size = 0;
  for (i = 0; i < n; i++) {
    struct raft_entry* entry = &core->input[i];
    entry->term = entries[i].term;
    entry->type = (enum raft_entry_type)entries[i].kind;
    entry->batch = batch;
    entry->buf.base = batch;
    if (entries[i].kind == RAFT_CHANGE) {
      entry->buf.base = batch + size;
      entry->buf.len = entries[i].size;
      memcpy(entry->buf.base, entries[i].bytes, entries[i].size);
      size += entries[i].size;
    }
  }
  return 0;
}

static int make_configuration(const struct raft_core_server* servers, size_t n,
                              struct raft_configuration* out) {
  size_t i;
  raft_configuration_init(out);
  for (i = 0; i < n; i++) {
    char address[17]; /* only has to be unique */
    int rv;
    snprintf(address, sizeof address, "%016" PRIx64, servers[i].id);
    rv = raft_configuration_add(out, servers[i].id, address, servers[i].role);
    if (rv != 0) {
      raft_configuration_close(out);
      return rv;
    }
  }
  return 0;
}

static int make_metadata(const struct raft_core_snapshot* snapshot,
                         struct raft_snapshot_metadata* out) {
  out->index = snapshot->index;
  out->term = snapshot->term;
  out->configuration_index = snapshot->configuration_index;
  return make_configuration(snapshot->servers, snapshot->n_servers,
                            &out->configuration);
}

static struct raft_event make_event(uint64_t now, enum raft_event_type type) {
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.time = now;
  event.type = type;
  event.capacity = UINT16_MAX;
  return event;
}

/* Followers stand for election one after another, in the order of the
 * configuration, within half an election timeout. libraft draws lots between
 * one and two timeouts: the first drawn is later than need be, and two that are
 * close split the vote (Zhang and Jacobsen, "ESCAPE to Precaution against
 * Leader Failures", ICDCS 2022). A candidate that failed still draws lots. */
static void take_turn(struct raft* raft) {
  unsigned timeout = raft->election_timeout;
  unsigned others = 0;
  unsigned before = 0;
  unsigned i;
  if (raft->state != RAFT_FOLLOWER)
    return;
  for (i = 0; i < raft->configuration.n; i++) {
    const struct raft_server* server = &raft->configuration.servers[i];
    if (server->role != RAFT_VOTER
        || server->id == raft->follower_state.current_leader.id)
      continue;
    if (server->id == raft->id)
      before = others;
    others++;
  }
  raft->follower_state.randomized_election_timeout =
    timeout + timeout / SLACK_DIVISOR;
  if (others > 1)
    raft->follower_state.randomized_election_timeout +=
      before * (timeout / 2) / others;
}

/* A follower refuses votes while it has a leader, and has one until its own
 * timer runs out, so that the last of a quorum would decide. An election
 * timeout of silence is enough (Raft dissertation, 4.2.3). */
static void forget_silent_leader(struct raft* raft, uint64_t now) {
  if (raft->state != RAFT_FOLLOWER || raft->snapshot.installing
      || now < raft->election_timer_start + raft->election_timeout)
    return;
  raft_free(raft->follower_state.current_leader.address);
  raft->follower_state.current_leader.address = NULL;
  raft->follower_state.current_leader.id = 0;
}

static int step(struct raft_core* core, struct raft_event* event) {
  int rv;
  memset(&core->update, 0, sizeof core->update);
  rv = raft_step(&core->raft, event, &core->update);
  if (rv != 0) {
    memset(&core->update, 0, sizeof core->update);
    return rv;
  }
  /* A new leader's barrier: the batch is ours once the update names it. */
  if (core->update.flags & (RAFT_UPDATE_ENTRIES)
      && core->update.entries.batch == &core->raft.barrier) {
    raft_free(core->raft.barrier.batch);
    core->raft.barrier.batch = NULL;
  }
  take_turn(&core->raft);
  return 0;
}

int raft_core_start(struct raft_core* core, uint64_t now, uint64_t term,
                    uint64_t voted_for,
                    const struct raft_core_snapshot* snapshot,
                    uint64_t first_index, const struct raft_core_entry* entries,
                    size_t n) {
  struct raft_event event = make_event(now, RAFT_START);
  struct raft_snapshot_metadata metadata;
  int rv = take_entries(core, entries, n);
  if (rv != 0)
    return rv;
  if (snapshot != NULL) {
    rv = make_metadata(snapshot, &metadata);
    if (rv != 0) {
      if (n > 0)
        raft_free(core->input[0].batch);
      return rv;
    }
    event.start.metadata = &metadata;
  }
  event.start.term = term;
  event.start.voted_for = voted_for;
  event.start.start_index = first_index;
  event.start.entries = core->input;
  event.start.n_entries = (unsigned)n;
  rv = step(core, &event);
  if (rv != 0)
    core->input = NULL; /* the core released the array and its batch */
  else if (n > 0)
    raft_free(core->input[0].batch);
  return rv;
}

static int receive_append_entries(struct raft_core* core,
                                  const struct raft_core_message* message,
                                  struct raft_event* event,
                                  struct raft_message* in) {
  int rv = take_entries(core, message->entries, message->n_entries);
  if (rv != 0)
    return rv;
  in->append_entries.term = message->term;
  in->append_entries.prev_log_index = message->index;
  in->append_entries.prev_log_term = message->index_term;
  in->append_entries.leader_commit = message->commit;
  in->append_entries.entries = core->input;
  in->append_entries.n_entries = (unsigned)message->n_entries;
  rv = step(core, event);
  /* The core released the batch unless it asks to persist entries of it. */
  if (rv == 0 && core->update.flags & (RAFT_UPDATE_ENTRIES))
    raft_free(core->input[0].batch);
  return rv;
}

static int receive_install_snapshot(struct raft_core* core,
                                    const struct raft_core_message* message,
                                    struct raft_event* event,
                                    struct raft_message* in) {
  struct raft_install_snapshot* install = &in->install_snapshot;
  int rv;
  /* The core would leak the configuration of a second one. */
  if (core->raft.snapshot.installing) {
    memset(&core->update, 0, sizeof core->update);
    return 0;
  }
  install->term = message->term;
  install->last_index = message->index;
  install->last_term = message->index_term;
  install->conf_index = message->configuration_index;
  rv = make_configuration(message->servers, message->n_servers, &install->conf);
  if (rv != 0)
    return rv;
  rv = step(core, event);
  if (rv == 0 && core->update.flags & (RAFT_UPDATE_SNAPSHOT)) {
    core->installing = core->update.snapshot.metadata;
    /* raft_step() leaves the term out. */
    core->installing.term = message->index_term;
    core->has_installing = true;
  }
  return rv;
}

int raft_core_receive(struct raft_core* core, uint64_t now,
                      const struct raft_core_message* message) {
  struct raft_event event = make_event(now, RAFT_RECEIVE);
  struct raft_message in;
  char address[17];
  memset(&in, 0, sizeof in);
  snprintf(address, sizeof address, "%016" PRIx64, message->peer);
  in.type = (enum raft_message_type)message->kind;
  in.server_id = message->peer;
  in.server_address = address;
  event.receive.message = &in;
  switch (message->kind) {
    case RAFT_APPEND_ENTRIES:
      return receive_append_entries(core, message, &event, &in);
    case RAFT_INSTALL_SNAPSHOT:
      return receive_install_snapshot(core, message, &event, &in);
    case RAFT_APPEND_ENTRIES_RESULT:
      in.append_entries_result.version = RESULT_VERSION;
      in.append_entries_result.term = message->term;
      in.append_entries_result.rejected = message->rejected;
      in.append_entries_result.last_log_index = message->index;
      in.append_entries_result.features = message->features;
      in.append_entries_result.capacity = message->capacity;
      break;
    case RAFT_REQUEST_VOTE:
      forget_silent_leader(&core->raft, now);
      in.request_vote.version = REQUEST_VOTE_VERSION;
      in.request_vote.term = message->term;
      in.request_vote.candidate_id = message->peer;
      in.request_vote.last_log_index = message->index;
      in.request_vote.last_log_term = message->index_term;
      in.request_vote.disrupt_leader = message->disrupt_leader;
      in.request_vote.pre_vote = message->pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      in.request_vote_result.version = RESULT_VERSION;
      in.request_vote_result.term = message->term;
      in.request_vote_result.vote_granted = message->vote_granted;
      in.request_vote_result.pre_vote = message->pre_vote;
      in.request_vote_result.features = message->features;
      in.request_vote_result.capacity = message->capacity;
      break;
    case RAFT_TIMEOUT_NOW:
      in.timeout_now.version = 0;
      in.timeout_now.term = message->term;
      in.timeout_now.last_log_index = message->index;
      in.timeout_now.last_log_term = message->index_term;
      break;
    default:
      return RAFT_MALFORMED;
  }
  return step(core, &event);
}

int raft_core_persisted_entries(struct raft_core* core, uint64_t now,
                                uint64_t index) {
  struct raft_event event = make_event(now, RAFT_PERSISTED_ENTRIES);
  event.persisted_entries.index = index;
  return step(core, &event);
}

int raft_core_persisted_snapshot(struct raft_core* core, uint64_t now) {
  struct raft_event event = make_event(now, RAFT_PERSISTED_SNAPSHOT);
  if (!core->has_installing)
    return RAFT_INVALID;
  event.persisted_snapshot.metadata = core->installing;
  event.persisted_snapshot.last = true;
  core->has_installing = false;
  return step(core, &event);
}

int raft_core_configuration(struct raft_core* core, uint64_t now,
                            uint64_t index,
                            const struct raft_core_server* servers, size_t n) {
  struct raft_event event = make_event(now, RAFT_CONFIGURATION);
  struct raft* raft = &core->raft;
  struct raft_configuration committed;
  int rv = make_configuration(servers, n, &event.configuration.conf);
  if (rv != 0)
    return rv;
  event.configuration.index = index;
  rv = step(core, &event);
  if (rv != 0 || raft->configuration_committed_index >= index)
    return rv;
  /* The core passes over the commit of any configuration but its newest. Were
   * that one rolled back later, it would fall back to one that is too old. */
  rv = make_configuration(servers, n, &committed);
  if (rv != 0)
    return rv;
  raft_configuration_close(&raft->configuration_committed);
  raft->configuration_committed = committed;
  raft->configuration_committed_index = index;
  if (raft->configuration_uncommitted_index != 0)
    return 0;
  rv = make_configuration(servers, n, &committed);
  if (rv != 0)
    return rv;
  raft_configuration_close(&raft->configuration);
  raft->configuration = committed;
  return 0;
}

int raft_core_snapshot_taken(struct raft_core* core, uint64_t now,
                             const struct raft_core_snapshot* snapshot,
                             unsigned trailing) {
  struct raft_event event = make_event(now, RAFT_SNAPSHOT);
  int rv = make_metadata(snapshot, &event.snapshot.metadata);
  if (rv != 0)
    return rv;
  event.snapshot.trailing = trailing;
  return step(core, &event);
}

/* A leader's tick takes a follower for unreachable that was not heard from
 * since the tick before: its pipeline ends, so that entries reach it with
 * heartbeats only, until it has acknowledged a new one. But each follower's
 * heartbeats make ticks of their own; once they are out of step, after a
 * restart, every answer is older than the last tick. Two heartbeats ago is
 * still recent. */
static raft_time begin_of_contact(const struct raft* raft, uint64_t now) {
  raft_time recent = 2 * (raft_time)raft->heartbeat_timeout;
  if (recent >= raft->election_timeout)
    recent = raft->election_timeout - 1; /* or the leader would step down */
  if (now < raft->election_timer_start + recent)
    return now > recent ? now - recent : 0;
  return raft->election_timer_start;
}

/* libraft's candidate goes on as it began: one that a leader let disturb it
 * would disturb each later leader too, whose lease counts on being left alone,
 * and one that won its pre-vote but not its vote would raise the term of the
 * cluster with each try. A leader's permission counts for the one candidacy that
 * it asked for; each later one asks beforehand (Raft dissertation, 9.6). */
static void begin_candidacy_anew(struct raft* raft, uint64_t now) {
  if (raft->state != RAFT_CANDIDATE || now < raft_timeout(raft))
    return;
  raft->candidate_state.disrupt_leader = false;
  raft->candidate_state.in_pre_vote = raft->pre_vote;
}

int raft_core_timeout(struct raft_core* core, uint64_t now) {
  struct raft_event event = make_event(now, RAFT_TIMEOUT);
  struct raft* raft = &core->raft;
  raft_time last_tick = raft->election_timer_start;
  raft_time begin;
  int rv;
  begin_candidacy_anew(raft, now);
  if (raft->state != RAFT_LEADER)
    return step(core, &event);
  begin = begin_of_contact(raft, now);
  raft->election_timer_start = begin;
  rv = step(core, &event);
  /* No quorum was heard from: the time until it steps down goes on. */
  if (raft->state == RAFT_LEADER && raft->election_timer_start == begin)
    raft->election_timer_start = last_tick;
  return rv;
}

int raft_core_submit(struct raft_core* core, uint64_t now,
                     const struct raft_core_entry* entries, size_t n) {
  struct raft_event event = make_event(now, RAFT_SUBMIT);
  int rv;
  if (n == 0)
    return RAFT_INVALID;
  rv = take_entries(core, entries, n);
  if (rv != 0)
    return rv;
  event.submit.entries = core->input;
  event.submit.n = (unsigned)n;
  rv = step(core, &event);
  raft_free(core->input[0].batch);
  return rv;
}

int raft_core_catch_up(struct raft_core* core, uint64_t now, uint64_t id) {
  struct raft_event event = make_event(now, RAFT_CATCH_UP);
  event.catch_up.server_id = id;
  return step(core, &event);
}

int raft_core_transfer(struct raft_core* core, uint64_t now, uint64_t id) {
  struct raft_event event = make_event(now, RAFT_TRANSFER);
  event.transfer.server_id = id;
  return step(core, &event);
}

/* libraft's own view of a follower's progress (0.22, src/progress.h). */
struct progress {
  unsigned short state;
  unsigned short catch_up;
  unsigned short features;
  unsigned short capacity;
  raft_index next_index;
  raft_index match_index;
  raft_time last_send;
  raft_time last_recv;
  raft_index snapshot_index;
  raft_time snapshot_last_send;
};
enum { PROGRESS_PROBE = 0 };
_Static_assert(RAFT_VERSION_NUMBER < 2300,
               "look whether libraft's progress still has this shape");

/* Whether it has that shape, as far as libraft tells what is in it. */
static bool knows_progress(const struct raft* raft) {
  const struct progress* all =
    (const struct progress*)raft->leader_state.progress;
  unsigned i;
  for (i = 0; i < raft->configuration.n; i++) {
    raft_id id = raft->configuration.servers[i].id;
    raft_index match = 0;
    if (raft_match_index(raft, id, &match) != 0 || all[i].match_index != match)
      return false;
    if (id != raft->id && all[i].next_index <= match)
      return false;
  }
  return true;
}

/* libraft takes each answer with less than the follower had acknowledged for a
 * late one, so a follower whose disk lost its end would get nothing for as long
 * as this leader leads. */
bool raft_core_set_back(struct raft_core* core, uint64_t id,
                        uint64_t last_index) {
  struct raft* raft = &core->raft;
  struct progress* all;
  unsigned i;
  if (raft->state != RAFT_LEADER || !knows_progress(raft))
    return false;
  all = (struct progress*)raft->leader_state.progress;
  for (i = 0; i < raft->configuration.n; i++) {
    struct progress* its = &all[i];
    if (raft->configuration.servers[i].id != id || id == raft->id
        || last_index >= its->match_index)
      continue;
    its->state = PROGRESS_PROBE;
    its->match_index = last_index;
    its->next_index = last_index + 1;
    its->snapshot_index = 0;
    return true;
  }
  return false;
}

void raft_core_stay_follower(struct raft_core* core, uint64_t now) {
  struct raft* raft = &core->raft;
  memset(&core->update, 0, sizeof core->update);
  if (raft->state != RAFT_FOLLOWER)
    return;
  forget_silent_leader(raft, now);
  raft->election_timer_start = now;
}

bool raft_core_hard_state_changed(const struct raft_core* core) {
  return core->update.flags
         & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR));
}

bool raft_core_commit_changed(const struct raft_core* core) {
  return core->update.flags & (RAFT_UPDATE_COMMIT_INDEX);
}

bool raft_core_state_changed(const struct raft_core* core) {
  return core->update.flags & (RAFT_UPDATE_STATE);
}

bool raft_core_snapshot_pending(const struct raft_core* core) {
  return core->update.flags & (RAFT_UPDATE_SNAPSHOT);
}

size_t raft_core_entry_count(const struct raft_core* core) {
  return core->update.flags & (RAFT_UPDATE_ENTRIES) ? core->update.entries.n
                                                    : 0;
}

uint64_t raft_core_entries_index(const struct raft_core* core) {
  return core->update.entries.index;
}

void raft_core_entry_head(const struct raft_core* core, size_t i,
                          uint64_t* term, int* kind) {
  *term = core->update.entries.batch[i].term;
  *kind = (int)core->update.entries.batch[i].type;
}

size_t raft_core_message_count(const struct raft_core* core) {
  return core->update.flags & (RAFT_UPDATE_MESSAGES) ? core->update.messages.n
                                                     : 0;
}

void raft_core_message_at(const struct raft_core* core, size_t i,
                          struct raft_core_message* out) {
  const struct raft_message* message = &core->update.messages.batch[i];
  memset(out, 0, sizeof *out);
  out->kind = (int)message->type;
  out->peer = message->server_id;
  switch (message->type) {
    case RAFT_APPEND_ENTRIES:
      out->term = message->append_entries.term;
      out->index = message->append_entries.prev_log_index;
      out->index_term = message->append_entries.prev_log_term;
      out->commit = message->append_entries.leader_commit;
      out->n_entries = message->append_entries.n_entries;
      break;
    case RAFT_APPEND_ENTRIES_RESULT:
      out->term = message->append_entries_result.term;
      out->rejected = message->append_entries_result.rejected;
      /* Left unset where the request's term is an old one. */
      out->index = message->append_entries_result.last_log_index;
      if (out->rejected > 0 && out->index >= out->rejected)
        out->index = out->rejected - 1;
      out->features = message->append_entries_result.features;
      out->capacity = message->append_entries_result.capacity;
      break;
    case RAFT_REQUEST_VOTE:
      out->term = message->request_vote.term;
      out->index = message->request_vote.last_log_index;
      out->index_term = message->request_vote.last_log_term;
      out->disrupt_leader = message->request_vote.disrupt_leader;
      out->pre_vote = message->request_vote.pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      out->term = message->request_vote_result.term;
      out->vote_granted = message->request_vote_result.vote_granted;
      out->pre_vote = message->request_vote_result.pre_vote;
      out->features = message->request_vote_result.features;
      out->capacity = message->request_vote_result.capacity;
      break;
    case RAFT_INSTALL_SNAPSHOT:
      out->term = message->install_snapshot.term;
      out->index = message->install_snapshot.last_index;
      out->index_term = message->install_snapshot.last_term;
      out->configuration_index = message->install_snapshot.conf_index;
      break;
    case RAFT_TIMEOUT_NOW:
      out->term = message->timeout_now.term;
      out->index = message->timeout_now.last_log_index;
      out->index_term = message->timeout_now.last_log_term;
      break;
  }
}

uint64_t raft_core_term(const struct raft_core* core) {
  return raft_current_term(&core->raft);
}

uint64_t raft_core_voted_for(const struct raft_core* core) {
  return raft_voted_for(&core->raft);
}

uint64_t raft_core_commit_index(const struct raft_core* core) {
  return raft_commit_index(&core->raft);
}

uint64_t raft_core_last_index(const struct raft_core* core) {
  return raft_last_index((struct raft*)&core->raft);
}

uint64_t raft_core_next_timeout(const struct raft_core* core) {
  return raft_timeout(&core->raft);
}

int raft_core_state(const struct raft_core* core) {
  return core->raft.state;
}

uint64_t raft_core_leader(const struct raft_core* core) {
  raft_id id = 0;
  const char* address = NULL;
  raft_leader((struct raft*)&core->raft, &id, &address);
  return id;
}

uint64_t raft_core_transferee(const struct raft_core* core) {
  return raft_transferee(&core->raft);
}

bool raft_core_installing(const struct raft_core* core) {
  return core->raft.snapshot.installing;
}

bool raft_core_changing(const struct raft_core* core) {
  return core->raft.configuration_uncommitted_index != 0
         || (core->raft.state == RAFT_LEADER
             && core->raft.leader_state.promotee_id != 0);
}

bool raft_core_is_up_to_date(const struct raft_core* core, uint64_t id) {
  raft_index match = 0;
  return raft_match_index(&core->raft, id, &match) == 0
         && match == raft_core_last_index(core);
}

uint64_t raft_core_match_index(const struct raft_core* core, uint64_t id) {
  raft_index match = 0;
  return raft_match_index(&core->raft, id, &match) == 0 ? match : 0;
}

int raft_core_catch_up_status(const struct raft_core* core, uint64_t id) {
  int status = RAFT_CATCH_UP_NONE;
  if (raft_catch_up(&core->raft, id, &status) != 0)
    return RAFT_CORE_CATCH_UP_ABORTED;
  return status;
}

size_t raft_core_server_count(const struct raft_core* core) {
  return core->raft.configuration.n;
}

struct raft_core_server raft_core_server_at(const struct raft_core* core,
                                            size_t i) {
  const struct raft_server* server = &core->raft.configuration.servers[i];
  struct raft_core_server result = {server->id, server->role};
  return result;
}

const char* raft_core_strerror(int code) {
  return raft_strerror(code);
}
