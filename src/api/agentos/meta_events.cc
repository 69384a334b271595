#include "api/agentos/meta_events.h"

#include "base/json.h"

namespace api::agentos {

namespace {

class Meta {
 public:
  explicit Meta(std::string_view name) {
    out_ = "event: " + std::string(name) + "\ndata: {\"event\": ";
    base::append_json_ascii(out_, name);
  }
  Meta& text(std::string_view key, std::string_view value) {
    name(key);
    base::append_json_ascii(out_, value);
    return *this;
  }
  template <class Number>
  Meta& number(std::string_view key, Number value) {
    name(key);
    out_ += std::to_string(value);
    return *this;
  }
  std::string end() { return std::move(out_) + "}\n\n"; }

 private:
  void name(std::string_view key) {
    out_ += ", \"";
    out_ += key;
    out_ += "\": ";
  }
  std::string out_;
};

}  // namespace

std::string replay_event(std::string_view run_id, std::string_view status, std::uint64_t total_events, std::uint64_t total_buffered,
                         std::int64_t last_requested) {
  const auto message = "Run " + std::string(status) + ". Replaying " + std::to_string(total_events) + " missed events (of " +
                       std::to_string(total_buffered) + " total).";
  return Meta("replay")
      .text("run_id", run_id)
      .text("status", status)
      .number("total_events", total_events)
      .number("total_buffered", total_buffered)
      .number("last_event_index_requested", last_requested)
      .text("message", message)
      .end();
}

std::string catch_up_event(std::string_view run_id, std::uint64_t missed, std::uint64_t count) {
  return Meta("catch_up")
      .text("run_id", run_id)
      .text("status", "running")
      .number("missed_events", missed)
      .number("current_event_count", count)
      .text("message", "Catching up on " + std::to_string(missed) + " missed events.")
      .end();
}

std::string subscribed_event(std::string_view run_id, std::uint64_t count) {
  return Meta("subscribed")
      .text("run_id", run_id)
      .text("status", "running")
      .number("current_event_count", count)
      .text("message", "Subscribed to agent run. Receiving live events.")
      .end();
}

std::string unknown_run_event(std::string_view run_id) {
  return Meta("error").text("error", "Run " + std::string(run_id) + " not found in buffer or database").end();
}

std::string gap_event(std::string_view run_id, std::uint64_t from, std::uint64_t to, Gap reason) {
  const bool retention = reason == Gap::retention;
  return Meta("gap")
      .text("run_id", run_id)
      .number("from_index", from)
      .number("to_index", to)
      .text("reason", retention ? "retention" : "index_ahead")
      .text("message", retention ? "These events were given up by declared retention." : "The run has not reached this index yet.")
      .end();
}

}  // namespace api::agentos
