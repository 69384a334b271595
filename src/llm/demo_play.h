#pragma once
// The pure half of the demo provider: where a conversation stands, what a turn says, which of its faults an attempt meets.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/demo_script.h"
#include "llm/provider.h"

namespace llm {

// Where the conversation stands. Stateless: another process that reads the same messages plays the same turn.
struct DemoPosition {
  std::string_view prompt;  // the last user message that a person wrote (a notice of a background task is none)
  std::int64_t prompt_at_ms = 0;
  std::size_t turn_index = 0;  // assistant messages since
};
DemoPosition demo_position(const std::vector<run::Message>& messages);

// The turn of that index; behind the script's end its last turn without calls.
DemoTurn demo_turn(const DemoScript& script, std::size_t turn_index);

// What goes wrong in the given attempt, counted from 0.
struct DemoFaults {
  std::optional<DemoError> error;
  std::optional<DemoStall> stall;
  std::optional<DemoCut> cut;
};
DemoFaults demo_faults(const DemoTurn& turn, std::int64_t attempt);

// The deltas of a turn's text: pieces of a given text, or made words.
class DemoText {
 public:
  explicit DemoText(const DemoTurn& turn);
  std::int64_t count() const { return count_; }
  // Valid until the next call. Deltas are asked for in order.
  std::string_view next();

 private:
  std::string text_;
  std::string_view rest_;
  std::vector<std::string_view> pieces_;
  std::int64_t count_ = 0;
  std::int64_t made_ = 0;
  std::int64_t size_ = 0;
  bool generated_ = false;
  std::string buffer_;
};

// "PREFIXn ", padded with spaces to at least `size` bytes.
void demo_word(std::string& out, char prefix, std::int64_t n, std::int64_t size);

// The calls of a turn as the model would make them in this conversation: names as the offered tools are called, $TASKn and
// $LINEn in the arguments replaced, ids that no other turn has.
std::vector<run::ToolCall> demo_calls(const DemoTurn& turn, const ModelRequest& request);

run::Usage demo_usage(const ModelRequest& request, std::int64_t thinking, std::int64_t text,
                      const std::vector<run::ToolCall>& calls);

}  // namespace llm
