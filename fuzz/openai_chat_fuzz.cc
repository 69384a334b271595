// A provider may answer anything: the decoder neither crashes nor depends on how the bytes were cut.
#include "llm/openai_chat.h"

#include "decoder_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return check_format(llm::OpenAiChat("fuzzed"), data, size);
}
