// Lines of a coding-agent program, any bytes: no decoder breaks, whatever it tells is text, and what it tells does not depend on
// when it is asked. The first byte chooses the program and how it was started.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "harness/harness.h"
#include "harness/json_line.h"

namespace {

using namespace harness;

void check(const std::string& text) { ASSERT(base::valid_utf8(text)); }
void check_line(const std::string& line) { ASSERT(line.find('\n') == line.npos && (line.empty() || base::parse_json(line).has_value())); }

void check_told(const Told& told, const Decoder& decoder) {
  if (const auto* named = std::get_if<SessionNamed>(&told)) {
    check(named->session_id + named->model + named->version);
    ASSERT(!named->session_id.empty() && named->session_id.front() != '-');
  } else if (const auto* began = std::get_if<CallBegan>(&told)) {
    check(began->call.id + began->call.name + began->call.arguments);
    ASSERT(base::parse_json(began->call.arguments).has_value());
  } else if (const auto* ended = std::get_if<CallEnded>(&told)) {
    check(ended->call.id + ended->result);
  } else if (const auto* asks = std::get_if<Asks>(&told)) {
    check_line(decoder.answer(asks->call.id, true, ""));
    check_line(decoder.answer(asks->call.id, false, "no"));
  } else if (const auto* reply = std::get_if<Reply>(&told)) {
    check_line(reply->line);
  } else if (const auto* turn = std::get_if<TurnEnded>(&told)) {
    check(turn->turn.text + turn->turn.error);
    ASSERT(turn->turn.error.size() <= kErrorBytesMax && turn->turn.cost_micros >= 0 && turn->limited_for_ms >= 0 && turn->turn.until_ms >= 0);
    ASSERT(turn->turn.usage.input_tokens >= 0 && turn->turn.usage.output_tokens >= 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& one = *all()[data[0] % all().size()];
  const Start start{.prompt = "p", .message_id = "m", .session_id = "s", .resumes = (data[0] & 0x10) != 0, .attended = (data[0] & 0x20) != 0};
  const auto decoder = one.decoder(start);
  std::vector<Told> told;
  for (const auto line : base::split({reinterpret_cast<const char*>(data) + 1, size - 1}, '\n')) {
    const auto before = told.size();
    decoder->line(line, told);
    for (auto i = before; i < told.size(); ++i) check_told(told[i], *decoder);
    check_line(decoder->message("m2", line));
    check_line(decoder->interrupt("i"));
  }
  decoder->end(data[0] & 0x40 ? std::optional<int>(0) : std::nullopt, "", told);
  for (const auto& last : told) check_told(last, *decoder);
  if (const auto* background = one.background()) {
    const std::string_view output(reinterpret_cast<const char*>(data), size);
    check(background->started_id(output));
    if (const auto listed = background->listed(output))
      for (const auto& agent : *listed) check(agent.id + agent.session_id + agent.name + agent.status + agent.state);
  }
  return 0;
}
