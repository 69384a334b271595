// Plans from models and from files: no crash, no hang, every refusal says why, and what passes the check can be drawn, cut,
// printed and recorded.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "app/plan_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "run/flow_graph.h"
#include "run/flow_plan.h"

namespace {

template <class T>
void check_refusal(const base::Result<T>& result) {
  ASSERT(result || (!result.error().message.empty() && base::valid_utf8(result.error().message)));
}

void check_whole(run::FlowPlan plan) {
  const auto written = base::to_text(run::to_json(plan));
  const auto again = run::plan_of(base::parse_json(written)->get_object());
  ASSERT(again && base::to_text(run::to_json(*again)) == written);
  run::name_agents(plan);
  ASSERT(base::valid_utf8(run::plan_line(plan)) && base::valid_utf8(run::dry_run_text(plan, {})));
  ASSERT(base::valid_utf8(run::dot_text(plan)) && base::valid_utf8(run::mermaid_text(plan)));
  const auto known = plan;
  ASSERT(run::added_plan(plan, known).plan.operations.empty());
  run::truncate_plan(plan, plan.operations.size() / 2);
  ASSERT(plan.operations.empty() || run::check_plan(plan));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& plan : {run::parse_plan(text), run::parse_requests(text), app::parse_plan_file(text, "plan.yaml")}) {
    check_refusal(plan);
    if (!plan) continue;
    const auto checked = run::check_plan(*plan);
    check_refusal(checked);
    if (checked) check_whole(*plan);
    // What is not valid must do no harm either.
    const auto added = run::added_plan(*plan, {});
    for (const auto& line : added.left_out) ASSERT(base::valid_utf8(line));
    ASSERT(base::valid_utf8(run::dot_text(*plan)) && base::valid_utf8(run::mermaid_text(*plan)));
  }
  check_refusal(run::parse_verdict(text));
  return 0;
}
