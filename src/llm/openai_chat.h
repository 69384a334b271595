#pragma once
// OpenAI's Chat Completions, streamed, as OpenAI and the many servers that imitate it speak it. Pure.
#include <memory>
#include <string>

#include "llm/wire.h"

namespace llm {

class OpenAiChat final : public WireFormat {
 public:
  // The provider's name is used in errors and decides which optional fields are sent: imitators refuse some of OpenAI's.
  explicit OpenAiChat(std::string provider) : provider_(std::move(provider)) {}
  WireRequest write(const ModelRequest& request, const std::string& api_key) const override;
  std::unique_ptr<StreamDecoder> decoder(const ModelRequest& request) const override;

 private:
  std::string provider_;
};

}  // namespace llm
