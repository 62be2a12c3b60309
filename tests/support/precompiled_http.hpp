#pragma once

// As precompiled.hpp, with what suites over HTTP include.
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <nlohmann/json.hpp>

#include "tests/support/precompiled.hpp"
