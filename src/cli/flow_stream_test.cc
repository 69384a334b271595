// What `flow --verbose` shows.
#include "cli/flow_stream.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(LabelledLines, OnlyWholeLinesAreShownEachWithWhoseItIs) {
  LabelledLines lines("[o1 a] ");
  lines.add({0, run::TextDelta{"one\ntw"}});
  EXPECT_EQ(lines.take_text(), "[o1 a] one\n");
  lines.add({0, run::TextDelta{"o\n\nthr"}});
  EXPECT_EQ(lines.take_text(), "[o1 a] two\n[o1 a] \n");
  lines.add({0, run::TextDelta{"ee"}});
  EXPECT_EQ(lines.take_text(), "");
  lines.add({0, run::ToolStarted{.call = {"id", "Bash", R"({"command":"ls"})"}}});
  EXPECT_EQ(lines.take_text(), "[o1 a] three\n") << "before what it does next";
  EXPECT_EQ(lines.take_asides(), "[o1 a] · Bash {\"command\":\"ls\"}\n");
  EXPECT_FALSE(lines.ended());
  lines.add({0, run::TextDelta{"end"}});
  lines.add({0, run::RunCompleted{}});
  EXPECT_EQ(lines.take_text(), "[o1 a] end\n");
  EXPECT_TRUE(lines.ended());
}

TEST(LabelledLines, AnEndlessLineIsShownInPieces) {
  LabelledLines lines("");
  lines.add({0, run::TextDelta{std::string(20'000, 'x')}});
  EXPECT_EQ(lines.take_text().size(), 20'001u);
}

TEST(LabelledLines, AFailureIsSaid) {
  LabelledLines lines("[o1 a] ");
  lines.add({0, run::RunError{.cause = run::Cause::tool_failed, .message = "it\nbroke"}});
  EXPECT_EQ(lines.take_asides(), "[o1 a] ✗ it broke\n");
  EXPECT_TRUE(lines.ended());
}

}  // namespace
}  // namespace cli
