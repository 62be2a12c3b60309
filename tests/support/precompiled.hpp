#pragma once

// What nearly every suite includes.
#include "messages/precompiled.hpp"

#include <caf/test/dsl.hpp>

#include "messages/cluster.hpp"
#include "messages/directory.hpp"
#include "messages/error.hpp"
#include "messages/type_ids.hpp"

// Each suite names itself; what was included above names it "unnamed".
#undef CAF_SUITE
