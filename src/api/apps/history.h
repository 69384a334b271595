#pragma once
// The conversation of a session: the messages that its turns have brought, in order, each with the number of the event that
// completed it.
#include <boost/json/object.hpp>
#include <cstdint>

#include "api/context.h"

namespace api::apps {

// {session_id, messages, next?}: whole turns, from the one that holds number `from`, until there are `limit` messages or the page
// is full; `next` is where the following page begins. Messages that were purged before their turn began are no part of it.
aio::Task<boost::json::object> history(Context& context, store::Session session, std::uint64_t from, std::size_t limit);

}  // namespace api::apps
