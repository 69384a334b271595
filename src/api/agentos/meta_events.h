#pragma once
// The events of /resume that are about the stream, not of the run: no index, spaces after separators, ASCII escapes
// (both exactly as AgentOS writes them, docs/formats/agentos.md).
#include <cstdint>
#include <string>
#include <string_view>

namespace api::agentos {

std::string replay_event(std::string_view run_id, std::string_view status, std::uint64_t total_events, std::uint64_t total_buffered,
                         std::int64_t last_requested);
std::string catch_up_event(std::string_view run_id, std::uint64_t missed, std::uint64_t count);
std::string subscribed_event(std::string_view run_id, std::uint64_t count);
std::string unknown_run_event(std::string_view run_id);

enum class Gap { retention, index_ahead };
std::string gap_event(std::string_view run_id, std::uint64_t from, std::uint64_t to, Gap reason);

}  // namespace api::agentos
