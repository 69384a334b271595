// The command of --notify.
#include "run/flow_notify.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>

namespace run {
namespace {

// What a real shell makes of it.
std::string run_by_shell(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string out;
  std::array<char, 4096> piece{};
  while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe)) out.append(piece.data(), n);
  pclose(pipe);
  return out;
}

TEST(FlowNotify, AValueArrivesAsItIsHoweverItIsQuoted) {
  for (const std::string value : {"plain", "it's", R"({"a": "b $HOME `id` \n 'c'"})", "$(touch /tmp/x)", "a;b|c&d>e", "\\", "ä 漢", "{status}", "-n"})
    for (const auto* command : {"printf %s {payload}", "printf %s '{payload}'", "printf %s \"{payload}\"", R"(printf %s "a\"{payload}")", R"(printf %s a\'{payload})"}) {
      const std::string before = std::string_view(command).contains('a') ? (std::string_view(command).contains("\\'") ? "a'" : std::string_view(command).contains("\\\"") ? "a\"" : "") : "";
      EXPECT_EQ(run_by_shell(filled_command(command, {{"payload", value}})), before + value) << command;
    }
}

TEST(FlowNotify, WhatIsNotNamedStays) {
  EXPECT_EQ(filled_command("echo ${HOME} {} {other} {status", {{"status", "x"}}), "echo ${HOME} {} {other} {status");
  EXPECT_EQ(filled_command("say {status}{status}", {{"status", "failed"}}), "say 'failed''failed'");
  EXPECT_EQ(filled_command("", {{"status", "x"}}), "");
}

TEST(FlowNotify, WhatMayBeGiven) {
  EXPECT_TRUE(check_notify("curl -d {payload} http://x"));
  for (const auto& wrong : {std::string(), std::string(" "), std::string(kNotifyBytesMax + 1, 'x'), std::string("a\0b", 3), std::string("\xFF")}) EXPECT_FALSE(check_notify(wrong));
  EXPECT_TRUE(check_label("ticket 4711, ü"));
  for (const auto& wrong : {std::string(), std::string(" "), std::string(kLabelBytesMax + 1, 'x'), std::string("a\nb"), std::string("\xFF")}) EXPECT_FALSE(check_label(wrong));
}

}  // namespace
}  // namespace run
