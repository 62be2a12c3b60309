#include "http/proxy/context.hpp"

#include <algorithm>
#include <random>

#include "actors/balancer/choose.hpp"
#include "http/proxy/session.hpp"

namespace troupe::proxying {

namespace {

std::uint64_t random_prefix() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

/// Of a detail that the balancer logs.
constexpr std::size_t max_detail = 300;

/// Whether that server may get traffic.
bool in_traffic(const routing_table& table, const std::string& id) {
  return std::any_of(table.pools.begin(), table.pools.end(), [&](auto& entry) {
    auto& servers = entry.second.servers;
    return std::any_of(servers.begin(), servers.end(),
                       [&](auto& server) { return server.id == id; });
  });
}

} // namespace

proxy_context::proxy_context(io_thread& io, proxy_config config,
                             routing_view routing)
  : io(io), config(std::move(config)), ids(random_prefix()),
    routing_(std::move(routing)) {
}

proxy_context::~proxy_context() = default;

const std::shared_ptr<backend>&
proxy_context::backend_of(const upstream& server) {
  auto& known = backends_[server.id];
  if (!known)
    known = std::make_shared<backend>(server, config.max_idle_per_server,
                                      config.answer_failures);
  return known;
}

const upstream* proxy_context::choose(const upstream_pool& pool,
                                      std::uint32_t turn,
                                      const std::vector<std::string>& tried,
                                      clock::time_point now) {
  return troupe::choose(pool, turn, [&](const upstream& server) {
    if (std::find(tried.begin(), tried.end(), server.id) != tried.end())
      return standing::excluded;
    return backend_of(server)->passive.ejected(now) ? standing::last_resort
                                                    : standing::usable;
  });
}

bool proxy_context::admit() {
  auto before =
    config.open_connections->fetch_add(1, std::memory_order_relaxed);
  unreported = true;
  if (before < config.max_connections)
    return true;
  dismiss();
  return false;
}

void proxy_context::dismiss() {
  config.open_connections->fetch_sub(1, std::memory_order_relaxed);
}

void proxy_context::forget(
  std::list<std::shared_ptr<session>>::iterator position) {
  if ((*position)->is_admitted())
    dismiss();
  else
    --refused_open;
  sessions.erase(position);
  unreported = true;
}

descriptor_share proxy_context::take_descriptor() {
  descriptor_share result{config.descriptors};
  if (result)
    return result;
  for (auto& [id, known] : backends_)
    if (known->idle.drop_oldest())
      return descriptor_share{config.descriptors};
  return result;
}

void proxy_context::count_own(const own_answer& what, std::string_view detail) {
  auto& counted = own_answers_[what];
  ++counted.count;
  counted.last_detail.assign(detail.substr(0, max_detail));
  unreported = true;
}

void proxy_context::drop_idle(clock::time_point before) {
  auto& table = *routing();
  for (auto& [id, known] : backends_)
    if (known->idle.size() > 0)
      known->idle.drop_idle(in_traffic(table, id) ? before
                                                  : clock::time_point::max());
}

void proxy_context::forget_gone() {
  auto& table = *routing();
  auto forgotten = std::erase_if(backends_, [&](auto& entry) {
    auto& known = *entry.second;
    if (known.idle.size() > 0 || known.counters.active > 0
        || table.knows(entry.first))
      return false;
    gone_ += known.counters;
    return true;
  });
  unreported |= forgotten > 0;
}

bool proxy_context::has_idle() const {
  return std::any_of(backends_.begin(), backends_.end(),
                     [](auto& entry) { return entry.second->idle.size() > 0; });
}

traffic_report proxy_context::report() const {
  traffic_report result{io.index(), {}};
  for (auto& [id, known] : backends_)
    result.by_server.emplace(id, known->counters);
  if (gone_.requests > 0)
    result.by_server.emplace(gone_servers, gone_);
  result.own = own_answers_;
  result.clients = static_cast<std::uint32_t>(sessions.size());
  return result;
}

} // namespace troupe::proxying
