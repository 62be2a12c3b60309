#pragma once

#include <memory>

namespace rocksdb {
class Logger;
} // namespace rocksdb

namespace troupe {

/// Takes RocksDB's own messages, warnings and worse, into the node's log. Its
/// default, a file LOG beside the data, needs room on the disk of which it may
/// have to tell that it is full; Debian's build ends the process there.
std::shared_ptr<rocksdb::Logger> take_rocksdb_messages();

} // namespace troupe
