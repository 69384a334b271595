#pragma once
// For tests of drivers: what a decoder tells, as one readable line for each thing, and the lines of a file under tests/data/harness.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "harness/harness.h"

namespace harness {

using Lines = std::vector<std::string>;

inline std::string words(const SessionNamed& told) { return "session " + told.session_id + " model=" + told.model + " version=" + told.version; }
inline std::string words(const TurnBegan&) { return "turn began"; }
inline std::string words(const Said& told) { return "said " + told.text; }
inline std::string words(const Thought& told) { return "thought " + told.text; }
inline std::string words(const run::ToolCall& call) { return call.id + " " + call.name + " " + call.arguments; }
inline std::string words(const CallBegan& told) { return "call " + words(told.call); }
inline std::string words(const CallEnded& told) { return (told.is_error ? "failed " : "ended ") + words(told.call) + " => " + told.result; }
inline std::string words(const Asks& told) { return "asks " + words(told.call) + " (" + told.reason + ")"; }
inline std::string words(const Heard& told) { return "heard " + told.message_id; }
inline std::string words(const Refused& told) { return "refused " + told.message_id; }
inline std::string words(const HandledMessage& told) { return "handled " + told.message_id; }
inline std::string words(const Retries& told) {
  return std::string(told.limited ? "limited" : "retries") + " in " + std::to_string(told.in_ms) + " (" + told.reason + ")";
}
inline std::string words(const Reply& told) { return "reply " + told.key + " " + told.line; }
inline std::string words(const Unknown&) { return "unknown"; }
inline std::string words(const TurnEnded& told) {
  std::ostringstream out;
  out << "turn " << run::name(told.turn.outcome);
  if (!told.turn.text.empty()) out << " text=" << told.turn.text;
  if (!told.turn.error.empty()) out << " error=" << told.turn.error;
  const auto& usage = told.turn.usage;
  if (usage != run::Usage())
    out << " usage=" << usage.input_tokens << "/" << usage.output_tokens << "/" << usage.reasoning_tokens << "/" << usage.cache_read_tokens << "/"
        << usage.cache_write_tokens;
  if (told.turn.cost_micros) out << " cost=" << told.turn.cost_micros;
  if (told.turn.until_ms) out << " until=" << told.turn.until_ms;
  if (told.limited_for_ms) out << " for=" << told.limited_for_ms;
  return out.str();
}

inline Lines words(const std::vector<Told>& told) {
  Lines out;
  for (const auto& one : told) out.push_back(std::visit([](const auto& what) { return words(what); }, one));
  return out;
}

inline Lines file_lines(const std::string& name) {
  std::ifstream file(OUTLAST_TEST_DATA "/harness/" + name, std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

inline Lines feed(Decoder& decoder, const Lines& lines) {
  std::vector<Told> out;
  for (const auto& line : lines) decoder.line(line, out);
  return words(out);
}
inline Lines feed(Decoder& decoder, std::string_view line) { return feed(decoder, Lines{std::string(line)}); }

inline bool has(const std::vector<std::string>& argv, std::string_view word) {
  return std::ranges::find(argv, word) != argv.end();
}
// The word after `option`; "" where it is missing.
inline std::string value_of(const std::vector<std::string>& argv, std::string_view option) {
  const auto found = std::ranges::find(argv, option);
  return found == argv.end() || found + 1 == argv.end() ? std::string() : *(found + 1);
}

}  // namespace harness
