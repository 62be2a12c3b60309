#pragma once

// As messages/precompiled.hpp, with what connections and bodies need.
#include "messages/precompiled.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http.hpp>
