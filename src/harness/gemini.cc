#include "harness/harnesses.h"
namespace harness {
namespace {
class GeminiDecoder final : public Decoder { public: void line(std::string_view, std::vector<Told>& out) override { out.push_back(Unknown()); } };
class Gemini final : public Harness {
 public:
  std::string_view name() const override { return "gemini"; }
  std::string_view program() const override { return "gemini"; }
  Capabilities capabilities() const override { return {}; }
  Command command(const Start&) const override { return {}; }
  std::unique_ptr<Decoder> decoder(const Start&) const override { return std::make_unique<GeminiDecoder>(); }
  std::string_view session_variable() const override { return ""; }
  std::vector<std::string_view> stripped() const override { return {}; }
};
}  // namespace
const Harness& gemini() {
  static const Gemini one;
  return one;
}
}  // namespace harness
