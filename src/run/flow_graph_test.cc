#include "run/flow_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace run {
namespace {

using testing::HasSubstr;
using testing::Not;

FlowPlan audit() {
  return {.agents = {{.id = "r1", .role = "analyst"}, {.id = "c1", .role = "c1"}},
          .operations = {{.id = "o2", .agent_id = "r1", .instruction = "x", .depends_on = {{"o1", OnFailure::skip}, {"earlier"}}},
                         {.id = "o1", .agent_id = "r1", .instruction = "x"},
                         {.id = "o3", .agent_id = "c1", .instruction = "x", .depends_on = {{"o2"}}, .control = true}}};
}

TEST(FlowGraph, DotIsFrozen) {
  EXPECT_EQ(dot_text(audit(), {{"o1", {OpState::done, 9400}}, {"o2", {OpState::running, 0}}}),
            "digraph flow {\n"
            "  rankdir=TB;\n"
            "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n"
            "  edge [color=\"#71717a\", arrowsize=0.7];\n"
            "  n0 [label=\"o2\\nr1 · analyst\\nrunning\", fillcolor=\"#dbeafe\", color=\"#2563eb\"];\n"
            "  n1 [label=\"o1\\nr1 · analyst\\ndone 9.4s\", fillcolor=\"#dcfce7\", color=\"#16a34a\"];\n"
            "  n2 [label=\"o3\\nc1\", fillcolor=\"#f4f4f5\", color=\"#a1a1aa\", shape=diamond, style=filled];\n"
            "  n1 -> n0 [style=dashed, tooltip=\"goes on without it if it fails\"];\n"
            "  n0 -> n2;\n"
            "}\n");
}

TEST(FlowGraph, MermaidIsFrozen) {
  EXPECT_THAT(mermaid_text(audit(), {{"o1", {OpState::failed, 100}}}),
              HasSubstr("flowchart TD\n"
                        "  n0(\"o2<br/>r1 · analyst\"):::waiting\n"
                        "  n1(\"o1<br/>r1 · analyst<br/>failed 0.1s\"):::failed\n"
                        "  n2{\"o3<br/>c1\"}:::waiting\n"
                        "  n1 -.-> n0\n"
                        "  n0 --> n2\n"
                        "  classDef waiting fill:#f4f4f5,stroke:#a1a1aa\n"));
}

TEST(FlowGraph, EverythingOfAPlanIsQuoted) {
  const std::string hostile = "x\"];\nevil [label=<b>&lt;\\";
  const FlowPlan plan{.agents = {{.id = hostile, .role = "\xff```" + std::string(500, 'y')}},
                      .operations = {{.id = hostile, .agent_id = hostile, .instruction = "x", .depends_on = {{hostile}}}}};
  const auto dot = dot_text(plan);
  EXPECT_TRUE(base::valid_utf8(dot));
  EXPECT_THAT(dot, HasSubstr("label=\"x\\\"]; evil [label=<b>&amp;lt;\\\\\\nx\\\"]; evil"));
  EXPECT_THAT(dot, Not(HasSubstr("\nevil")));
  EXPECT_LT(dot.size(), 1000u);
  const auto mermaid = mermaid_text(plan);
  EXPECT_TRUE(base::valid_utf8(mermaid));
  EXPECT_THAT(mermaid, HasSubstr("n0(\"x#34;#93;#59; evil #91;label=#60;b#62;#38;lt#59;#92;<br/>"));
  EXPECT_THAT(mermaid, Not(HasSubstr("```")));
}

TEST(FlowGraph, NothingIsAPictureToo) {
  EXPECT_THAT(dot_text({}), HasSubstr("digraph flow {"));
  EXPECT_THAT(mermaid_text({}), HasSubstr("flowchart TD\n"));
}

}  // namespace
}  // namespace run
