#include "api/agentos/course.h"

#include <algorithm>

#include "api/agentos/meta_events.h"

namespace api::agentos {

bool settled(const store::Run& run) { return run::is_terminal(run.status) || run.status == run::Status::paused; }

Course plan_course(const store::Run& run, Opening opening, std::optional<std::int64_t> last_event_index) {
  const auto count = run.event_count;
  const auto wanted = last_event_index && *last_event_index >= 0 ? static_cast<std::uint64_t>(*last_event_index) + 1 : 0;
  Course course;
  course.settled = settled(run);
  course.known = count;
  course.cursor = std::clamp(wanted, std::min(run.first_kept, count), count);
  if (opening == Opening::events_only) return course;
  const auto given_up = wanted < run.first_kept ? gap_event(run.run_id, wanted, run.first_kept - 1, Gap::retention) : "";
  if (course.settled) {
    course.head = replay_event(run.run_id, run::name(run.status), count - course.cursor, count, last_event_index.value_or(-1)) + given_up;
    return course;
  }
  course.join_at = count;
  if (const auto missed = count - course.cursor) course.head = catch_up_event(run.run_id, missed, count);
  course.head += given_up;
  if (wanted > count) course.head += gap_event(run.run_id, count, wanted - 1, Gap::index_ahead);
  return course;
}

}  // namespace api::agentos
