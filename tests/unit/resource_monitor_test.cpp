#define CAF_SUITE resource_monitor

#include "actors/resource_monitor/resource_monitor.hpp"

#include <caf/all.hpp>

#include <caf/test/dsl.hpp>

#include "actors/resource_monitor/sampler.hpp"
#include "messages/error.hpp"

using namespace troupe;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view proc_stat = R"(cpu  100 10 50 800 40 0 0 0 30 0
cpu0 50 5 25 400 20 0 0 0 15 0
cpu1 50 5 25 400 20 0 0 0 15 0
intr 12345 0 0
ctxt 999
)";

constexpr std::string_view meminfo = R"(MemTotal:        2000000 kB
MemFree:          100000 kB
MemAvailable:     500000 kB
Buffers:           10000 kB
)";

constexpr std::string_view self_stat =
  "4242 (a ) (name) S 1 4242 4242 0 -1 4194560 100 0 0 0 70 30 0 0 20 0 9 0 "
  "12000 1000000 250 18446744073709551615 1 1 0 0 0\n";

/// A machine of files.
struct machine {
  std::map<std::string, std::string> files{
    {"/proc/stat", std::string{proc_stat}},
    {"/proc/meminfo", std::string{meminfo}},
    {"/proc/self/stat", std::string{self_stat}},
    {"/proc/uptime", "320.50 600.00\n"},
    {"/proc/self/cgroup", "0::/\n"},
  };
  std::optional<double> disk = 42;

  resource_source source() {
    auto read = [this](const std::string& path) {
      auto i = files.find(path);
      return i == files.end() ? std::string{} : i->second;
    };
    return {read, [this](const std::string&) { return disk; }, 100, 4096};
  }
};

struct config : caf::actor_system_config {
  config() { add_troupe_messages(*this); }
};

} // namespace

CAF_TEST(cpu times are summed without counting guests twice) {
  auto times = parse_cpu_times(proc_stat);
  CAF_REQUIRE(times);
  CAF_CHECK_EQUAL(times->busy, 160u);
  CAF_CHECK_EQUAL(times->total, 1000u);
  CAF_CHECK_EQUAL(times->cores, 2u);
}

CAF_TEST(memory is in bytes) {
  auto memory = parse_meminfo(meminfo);
  CAF_REQUIRE(memory);
  CAF_CHECK_EQUAL(memory->total_bytes, 2'048'000'000u);
  CAF_CHECK_EQUAL(memory->available_bytes, 512'000'000u);
}

CAF_TEST(a process may have any name) {
  auto process = parse_process(self_stat);
  CAF_REQUIRE(process);
  CAF_CHECK_EQUAL(process->cpu_ticks, 100u);
  CAF_CHECK_EQUAL(process->started_ticks, 12000u);
  CAF_CHECK_EQUAL(process->resident_pages, 250u);
}

CAF_TEST(the unified cgroup is found among others) {
  CAF_CHECK_EQUAL(parse_cgroup("1:name=systemd:/x\n0::/a/b\n"), "/a/b");
  CAF_CHECK_EQUAL(parse_cgroup("0::/\n"), "/");
  CAF_CHECK(!parse_cgroup("4:memory:/docker/1\n"));
}

CAF_TEST(numbers and keys are found) {
  CAF_CHECK_EQUAL(parse_number("1048576\n"), 1048576u);
  CAF_CHECK(!parse_number("max\n"));
  CAF_CHECK_EQUAL(parse_keyed("anon 1\ninactive_file 22\n", "inactive_file"),
                  22u);
  CAF_CHECK(!parse_keyed("inactive_file_x 22\n", "inactive_file"));
  CAF_CHECK_EQUAL(parse_uptime("12.5 3.0\n"), 12.5);
}

CAF_TEST(texts of another form give nothing) {
  for (std::string text : {"", "\n", "cpu", "cpu  1 2 3\n", "cpu a b c d\n",
                           "cpu  1 2 3 4\n", "MemTotal: x kB\n", "1 (x) S 1",
                           "no parenthesis", "99999999999999999999"}) {
    CAF_CHECK(!parse_cpu_times(text));
    CAF_CHECK(!parse_meminfo(text));
    CAF_CHECK(!parse_process(text));
    CAF_CHECK(!parse_cgroup(text));
    CAF_CHECK(!parse_number(text));
  }
  CAF_CHECK(!parse_uptime(""));
  CAF_CHECK(!parse_uptime("-1 2"));
}

CAF_TEST(a cut text gives nothing or a figure and never more) {
  for (std::size_t n = 0; n < self_stat.size(); ++n)
    if (auto cut = parse_process(self_stat.substr(0, n)))
      CAF_CHECK_LESS_OR_EQUAL(cut->resident_pages, 250u);
  for (std::size_t n = 0; n < proc_stat.size(); ++n)
    if (auto cut = parse_cpu_times(proc_stat.substr(0, n)))
      CAF_CHECK_LESS_OR_EQUAL(cut->busy, cut->total);
}

CAF_TEST(use is that since the sample before) {
  machine m;
  sampler aut{m.source(), "/data"};
  sampler::time_point now{1h};
  auto first = aut.sample(now);
  CAF_CHECK_EQUAL(first.cpu_percent, 0.0);
  CAF_CHECK_EQUAL(first.process_cpu_percent, 0.0);
  CAF_CHECK_EQUAL(first.cores, 2u);
  CAF_CHECK_EQUAL(first.memory_total_bytes, 2'048'000'000u);
  CAF_CHECK_EQUAL(first.memory_used_bytes, 1'536'000'000u);
  CAF_CHECK_EQUAL(first.process_memory_bytes, 250u * 4096);
  CAF_CHECK_EQUAL(first.disk_percent, 42.0);
  CAF_CHECK_EQUAL(first.uptime_s, 200u);
  // 100 ticks later: 25 of them busy; the process had 150 in 2 s.
  m.files["/proc/stat"] = "cpu  125 10 50 875 40 0 0 0 30 0\ncpu0 1\ncpu1 1\n";
  auto& stat = m.files["/proc/self/stat"];
  stat.replace(stat.find(" 70 30 "), 7, " 200 50 ");
  auto second = aut.sample(now + 2s);
  CAF_CHECK_EQUAL(second.cpu_percent, 25.0);
  CAF_CHECK_EQUAL(second.process_cpu_percent, 75.0);
}

CAF_TEST(the limit of a cgroup takes the place of the memory of the machine) {
  machine m;
  m.files["/proc/self/cgroup"] = "0::/box\n";
  m.files["/sys/fs/cgroup/box/memory.max"] = "1000000\n";
  m.files["/sys/fs/cgroup/box/memory.current"] = "700000\n";
  m.files["/sys/fs/cgroup/box/memory.stat"] = "anon 1\ninactive_file 200000\n";
  sampler aut{m.source(), "/data"};
  auto usage = aut.sample({});
  CAF_CHECK_EQUAL(usage.memory_total_bytes, 1'000'000u);
  CAF_CHECK_EQUAL(usage.memory_used_bytes, 500'000u);
  m.files["/sys/fs/cgroup/box/memory.max"] = "max\n";
  CAF_CHECK_EQUAL(aut.sample({}).memory_total_bytes, 2'048'000'000u);
}

CAF_TEST(what can not be read stays as it was) {
  machine m;
  sampler aut{m.source(), "/data"};
  auto before = aut.sample({});
  m.files.clear();
  m.disk.reset();
  auto after = aut.sample(sampler::time_point{1s});
  CAF_CHECK_EQUAL(after.memory_total_bytes, before.memory_total_bytes);
  CAF_CHECK_EQUAL(after.cores, before.cores);
  CAF_CHECK_EQUAL(after.disk_percent, before.disk_percent);
}

CAF_TEST(this machine can be read) {
  sampler aut{resource_source::system(), "."};
  auto usage = aut.sample({});
  CAF_CHECK_GREATER(usage.cores, 0u);
  CAF_CHECK_GREATER(usage.memory_total_bytes, 0u);
  CAF_CHECK_GREATER(usage.process_memory_bytes, 0u);
}

CAF_TEST_FIXTURE_SCOPE(resource_monitor_tests, test_coordinator_fixture<config>)

CAF_TEST(the actor answers with a sample that is at most a second old) {
  machine m;
  resource_monitor_config settings;
  settings.interval = 30s;
  settings.source = m.source();
  CAF_CHECK(!settings.validate());
  auto aut = spawn_resource_monitor(sys, settings);
  consume_messages();
  auto cores = [&] {
    self->send(aut, get_resources{});
    consume_messages();
    std::uint32_t result = 0;
    self->receive([&](const resource_usage& x) { result = x.cores; });
    return result;
  };
  advance_time(5s);
  consume_messages();
  CAF_CHECK_EQUAL(cores(), 2u);
  m.files["/proc/stat"] = "cpu  1 1 1 1\ncpu0 1\n";
  CAF_CHECK_EQUAL(cores(), 2u);
  advance_time(999ms);
  CAF_CHECK_EQUAL(cores(), 2u);
  advance_time(1ms);
  CAF_CHECK_EQUAL(cores(), 1u);
  m.files["/proc/stat"] = std::string{proc_stat};
  advance_time(10s);
  CAF_CHECK_EQUAL(cores(), 2u);
  caf::anon_send_exit(aut, caf::exit_reason::kill);
  consume_messages();
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a config with impossible values is refused) {
  resource_monitor_config wrong;
  wrong.interval = 0ms;
  CAF_CHECK_EQUAL(describe(wrong.validate()).field, "interval");
  wrong = {};
  wrong.data_directory.clear();
  CAF_CHECK_EQUAL(describe(wrong.validate()).field, "data_directory");
  wrong = {};
  wrong.source.read = nullptr;
  CAF_CHECK_EQUAL(describe(wrong.validate()).field, "source");
}
