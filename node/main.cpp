#include <iostream>

#include <unistd.h>

#include "messages/error.hpp"
#include "node/command_line.hpp"
#include "node/demo_backend.hpp"
#include "node/serve.hpp"

namespace {

using namespace troupe;

int run(const serve_command& what) {
  for (auto& warning : what.config.warnings)
    std::cerr << "troupe: " << warning << '\n';
  return serve(what.config.values);
}

int run(const demo_backend_command& what) {
  auto problem = run_demo_backend({what.host, what.port}, what.name);
  if (!problem)
    return 0;
  std::cerr << "troupe: " << describe(problem).detail << '\n';
  return 1;
}

int print(const caf::expected<std::string>& result) {
  if (result) {
    std::cout << *result;
    return 0;
  }
  std::cerr << "troupe: " << describe(result.error()).detail << '\n';
  return 1;
}

int run(const certs_authority_command& what) {
  return print(run_certs(what, std::chrono::system_clock::now()));
}

int run(const certs_node_command& what) {
  return print(run_certs(what, std::chrono::system_clock::now()));
}

int run(const recover_command& what) {
  for (auto& warning : what.config.warnings)
    std::cerr << "troupe: " << warning << '\n';
  return print(run_recover(what));
}

int run(const print_command& what) {
  std::cout << what.standard_output;
  std::cerr << what.standard_error;
  return what.exit_code;
}

} // namespace

int main(int argc, char** argv) {
  auto parsed = parse_command_line(argc, argv, read_environment(environ));
  return std::visit([](auto& what) { return run(what); }, parsed);
}
