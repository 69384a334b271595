#pragma once
// A line of a Claude Code transcript, as what it says, and as text for people. Pure.
#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

struct TranscriptPart {
  enum class Kind { user, assistant, thinking, call, result };
  Kind kind = Kind::user;
  std::string text;
  std::string name = {};  // of a call's tool
  std::string at = {};    // as the line says it
  bool is_error = false;  // of a result
};

inline constexpr std::size_t kTranscriptLineBytesMax = 10 << 20;  // longer ones are left out
inline constexpr std::size_t kResultCharactersMax = 500;

// What a line says, in its order. Nothing of one that is malformed, or of a type that is no message.
std::vector<TranscriptPart> read_transcript_line(std::string_view line);

// A call's arguments, a line each: what is a text stands as it is. Of no JSON object: the text itself.
std::string arguments_text(std::string_view json_text);

enum class Compact { no, yes };
// Whether it is shown: --compact leaves results and thinking out.
bool is_shown(const TranscriptPart& part, Compact compact);

// A heading and the text, a blank line after it. Results are cut after kResultCharactersMax.
std::string part_text(const TranscriptPart& part);
boost::json::object part_json(const TranscriptPart& part);

}  // namespace cli
