#pragma once
// For the fuzzers of the providers' decoders: what holds for every answer, however broken.
#include <string>

#include "base/error.h"
#include "base/limits.h"
#include "base/text.h"
#include "chunks.h"
#include "llm/wire.h"

class CheckingSink final : public llm::DeltaSink {
 public:
  void text(std::string_view delta) override { said += checked(delta); }
  void thinking(std::string_view delta) override { thought += checked(delta); }
  aio::Task<> ready() override { co_return; }
  std::string said, thought;

 private:
  static std::string_view checked(std::string_view delta) {
    ASSERT(!delta.empty() && base::valid_utf8(delta));
    return delta;
  }
};

struct FuzzedAnswer {
  std::string said, thought;
  std::expected<llm::ModelResult, llm::ModelError> result;
};

inline void check_answer(const FuzzedAnswer& answer) {
  if (!answer.result) {
    const auto& error = answer.result.error();
    ASSERT(base::valid_utf8(error.message) && error.message.starts_with("fuzzed") && error.message.size() < 4'000);
    return;
  }
  ASSERT(answer.result->tool_calls.size() <= base::limits::kToolCallsPerTurnMax);
  ASSERT(answer.result->stop != llm::StopReason::tool_calls || !answer.result->tool_calls.empty());
  for (const auto& call : answer.result->tool_calls) {
    ASSERT(!call.id.empty() && !call.name.empty() && !call.arguments.empty());
    ASSERT(base::valid_utf8(call.id) && base::valid_utf8(call.name) && base::valid_utf8(call.arguments));
  }
  for (const auto& thinking : answer.result->thinking)
    ASSERT(base::valid_utf8(thinking.text) && base::valid_utf8(thinking.signature));
}

inline FuzzedAnswer decode_fuzzed(const llm::WireFormat& format, const std::vector<std::string_view>& chunks) {
  CheckingSink sink;
  const auto decoder = format.decoder({});
  for (const auto bytes : chunks) {
    const Chunk chunk(bytes);
    if (auto fed = decoder->feed(chunk.view(), sink); !fed)
      return {sink.said, sink.thought, std::unexpected(std::move(fed.error()))};
  }
  auto result = decoder->finish(sink);
  return {sink.said, sink.thought, std::move(result)};
}

inline int check_format(const llm::WireFormat& format, const std::uint8_t* data, std::size_t size) {
  const auto input = cut_input(data, size);
  const auto cut = decode_fuzzed(format, input.chunks);
  const auto whole = decode_fuzzed(format, {input.whole});
  check_answer(cut);
  ASSERT(cut.said == whole.said && cut.thought == whole.thought && cut.result.has_value() == whole.result.has_value());
  if (cut.result)
    ASSERT(cut.result->tool_calls == whole.result->tool_calls && cut.result->thinking == whole.result->thinking &&
           cut.result->usage == whole.result->usage && cut.result->stop == whole.result->stop);
  else
    ASSERT(cut.result.error().message == whole.result.error().message);
  return 0;
}
