#include "api/agentos/run_tools.h"

#include <algorithm>

#include "api/agentos/own_json.h"

namespace api::agentos {

namespace json = boost::json;

// A provider may use an id again in a later turn: the latest call that has not ended is meant.
RunTools::Entry* RunTools::find_open(const std::string& call_id) {
  const auto at = std::ranges::find_if(entries_.rbegin(), entries_.rend(),
                                       [&call_id](const Entry& e) { return e.call.id == call_id && !e.finished; });
  return at == entries_.rend() ? nullptr : &*at;
}

void RunTools::take(const run::Event& event) {
  if (const auto* paused = std::get_if<run::RunPaused>(&event.payload)) {
    for (const auto& call : paused->calls)
      if (!find_open(call.id)) entries_.push_back({.call = call, .at_ms = event.at_ms, .confirmation = Confirmation::waiting});
  }
  if (const auto* continued = std::get_if<run::RunContinued>(&event.payload)) {
    for (const auto& decision : continued->decisions) {
      auto* entry = find_open(decision.call_id);
      if (!entry) continue;
      entry->confirmation = decision.approved ? Confirmation::approved : Confirmation::rejected;
      entry->note = decision.note;
      entry->finished = entry->is_error = !decision.approved;  // a rejected call is over: the model is given the note
    }
  }
  if (const auto* completed = std::get_if<run::ToolCompleted>(&event.payload)) {
    auto* entry = find_open(completed->call.id);
    if (!entry) entry = &entries_.emplace_back(Entry{.call = completed->call, .at_ms = event.at_ms});
    entry->finished = true;
    entry->is_error = completed->is_error;
    entry->result = completed->result;
    entry->started_ms = completed->started_ms;
    entry->duration_ms = completed->duration_ms;
  }
}

ToolView RunTools::view_of(const Entry& entry) {
  const bool rejected = entry.confirmation == Confirmation::rejected;
  return {.call = entry.call,
          .at_ms = entry.at_ms,
          .result = entry.finished && !rejected ? &entry.result : nullptr,
          .is_error = entry.is_error,
          .finished = entry.finished,
          .confirmation = entry.confirmation,
          .note = entry.note.empty() ? nullptr : &entry.note,
          .started_ms = entry.started_ms,
          .duration_ms = entry.duration_ms};
}

json::array RunTools::tools() const {
  json::array all;
  for (const auto& entry : entries_) {
    std::string text;
    append_tool(text, view_of(entry));
    all.push_back(parse_own_json(text));
  }
  return all;
}

json::array RunTools::requirements() const {
  json::array all;
  for (const auto& entry : entries_) {
    if (entry.confirmation == Confirmation::none) continue;
    std::string text;
    append_requirement(text, view_of(entry), entry.at_ms);
    all.push_back(parse_own_json(text));
  }
  return all;
}

}  // namespace api::agentos
