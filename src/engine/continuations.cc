#include "engine/continuations.h"

namespace engine {

namespace {

constexpr std::string_view kHead = R"({"type":"run_continued")";

void look_through(const store::Slice& slice, std::vector<Continuation>& found) {
  std::string_view rest = *slice.lines;
  for (auto index = slice.first; !rest.empty(); ++index) {
    const auto end = rest.find('\n');
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (!line.starts_with(kHead)) continue;
    auto event = run::decode(line);
    if (auto* made = event ? std::get_if<run::RunContinued>(&event->payload) : nullptr)
      found.push_back({index, std::move(*made)});
  }
}

}  // namespace

aio::Task<std::vector<Continuation>> continuations(store::Store& store, store::Run run) {
  std::vector<Continuation> found;
  for (auto cursor = run.first_kept; cursor < run.event_count;) {
    const auto slice = co_await store.read(run.number, cursor);
    if (!slice.count) break;
    look_through(slice, found);
    cursor = slice.end();
  }
  co_return found;
}

}  // namespace engine
