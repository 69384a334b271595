#include "llm/demo.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "base/text.h"
#include "llm/demo_play.h"
#include "llm/wire_error.h"

namespace llm {

namespace {

constexpr std::string_view kName = "demo";
constexpr std::int64_t kDeltasPerBreath = 256;  // unpaced deltas between two waits for the sink
constexpr std::size_t kAttemptsKept = 10'000;
constexpr std::size_t kScriptNameBytesMax = 128;

bool file_name_ok(std::string_view name) {
  return !name.empty() && name.size() <= kScriptNameBytesMax && name.front() != '.' &&
         name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == name.npos;
}

// A small local file, read on the io thread: only the demo provider does so, and only for a configured directory.
std::optional<std::string> read_script_file(const std::string& path) {
  std::error_code ec;
  if (!std::filesystem::is_regular_file(path, ec)) return std::nullopt;
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return std::nullopt;
  std::string text(std::min<std::size_t>(static_cast<std::size_t>(file.tellg()), kDemoScriptBytesMax + 1), '\0');
  file.seekg(0);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

ModelError scripted_error(const DemoError& error, std::int64_t now_wall_ms) {
  std::string body = R"({"error":{"message":)";
  base::append_json_string(body, error.message.empty() ? "scripted error " + std::to_string(error.status) : error.message);
  body += "}}";
  RefusedAnswer answer{.status = static_cast<int>(error.status),
                       .body = body,
                       .retry_after = {},
                       .retry_after_ms = {},
                       .should_retry = {},
                       .location = {}};
  const auto delay = std::to_string(error.retry_after_ms.value_or(0));
  if (error.retry_after_ms) answer.retry_after_ms = delay;
  return http_error(kName, answer, now_wall_ms);
}

std::unexpected<ModelError> refuse(std::string message) {
  return std::unexpected(
      ModelError{.code = base::Errc::invalid_argument, .message = std::move(message), .retryable = false, .retry_after_ms = {}});
}

std::string attempt_key(const ModelRequest& request, const DemoPosition& position) {
  std::string key = request.model + '\n' + request.system + '\n';
  key += std::to_string(position.prompt_at_ms) + ' ' + std::to_string(request.messages.size()) + ' ' +
         std::to_string(position.turn_index) + '\n';
  key += position.prompt;
  return base::sha256_hex(key);
}

}  // namespace

// One call under way; lives in the frame of call().
struct DemoProvider::Play {
  const DemoTurn& turn;
  const DemoFaults& faults;
  DeltaSink& sink;
  std::int64_t started_ms;  // deltas are due against this, so that the rate is kept whatever a single wait takes
  std::optional<std::int64_t> deadline_ms;
  std::int64_t emitted = 0;  // deltas of any kind
  std::int64_t text_count = 0;
};

aio::Task<std::expected<ModelResult, ModelError>> DemoProvider::call(const ModelRequest& request, DeltaSink& sink) {
  const auto position = demo_position(request.messages);
  const auto turn = turn_for(request, position.turn_index);
  if (!turn) co_return std::unexpected(turn.error());
  const auto key = attempt_key(request, position);
  const auto faults = demo_faults(*turn, memory_.next_attempt(key));
  if (faults.error) co_return std::unexpected(scripted_error(*faults.error, time_.wall_ms()));

  const auto now_ms = time_.steady_ms();
  Play play{.turn = *turn, .faults = faults, .sink = sink, .started_ms = now_ms, .deadline_ms = {}};
  if (options_.timeout_ms) play.deadline_ms = now_ms + *options_.timeout_ms;
  auto thought = co_await thoughts(play);
  if (!thought) co_return std::unexpected(std::move(thought.error()));
  auto said = co_await text(play);
  if (!said) co_return std::unexpected(std::move(said.error()));
  auto done = co_await breathe(play);
  if (!done) co_return std::unexpected(std::move(done.error()));

  ModelResult result;
  result.tool_calls = demo_calls(*turn, request);
  result.stop = result.tool_calls.empty() ? StopReason::end : StopReason::tool_calls;
  if (turn->thinking > 0) {
    run::Thinking whole;
    std::string word;
    for (std::int64_t i = 0; i < turn->thinking; ++i) {
      demo_word(word, 't', i, 0);
      whole.text += word;
    }
    result.thinking.push_back(std::move(whole));
  }
  result.usage = demo_usage(request, turn->thinking, play.text_count, result.tool_calls);
  result.response_id = "demo-" + key.substr(0, 16);
  co_return result;
}

aio::Task<DemoProvider::Step> DemoProvider::thoughts(Play& play) {
  std::string word;
  for (std::int64_t i = 0; i < play.turn.thinking; ++i) {
    if (must_wait(play)) {
      auto due = co_await pace(play);
      if (!due) co_return due;
    }
    demo_word(word, 't', i, 0);
    play.sink.thinking(word);
    ++play.emitted;
  }
  co_return Step();
}

aio::Task<DemoProvider::Step> DemoProvider::text(Play& play) {
  DemoText text(play.turn);
  const auto count = text.count();
  // A fault that lies behind the end of a short text strikes at its end.
  const auto stall_at = play.faults.stall ? std::min(play.faults.stall->after, count) : -1;
  const auto cut_at = play.faults.cut ? std::min(play.faults.cut->after, count) : -1;
  for (std::int64_t i = 0; i <= count; ++i) {
    if (i == stall_at) {
      auto waited = co_await stall(play);
      if (!waited) co_return waited;
    }
    if (i == cut_at) co_return std::unexpected(cut_error(kName, "was cut off after " + std::to_string(play.emitted) + " deltas"));
    if (i == count) break;
    if (must_wait(play)) {
      auto due = co_await pace(play);
      if (!due) co_return due;
    }
    play.sink.text(text.next());
    ++play.emitted;
    ++play.text_count;
  }
  co_return Step();
}

std::int64_t DemoProvider::due_ms(const Play& play) const {
  return play.turn.rate == 0 ? play.started_ms : play.started_ms + play.emitted * 1000 / play.turn.rate;
}

// An ordinary function, so that an unpaced delta costs no coroutine.
bool DemoProvider::must_wait(const Play& play) const {
  if (play.emitted % kDeltasPerBreath == kDeltasPerBreath - 1) return true;
  return play.turn.rate > 0 && due_ms(play) > time_.steady_ms();
}

aio::Task<DemoProvider::Step> DemoProvider::pace(Play& play) {
  if (play.emitted % kDeltasPerBreath == kDeltasPerBreath - 1) {
    auto breath = co_await breathe(play);
    if (!breath) co_return breath;
  }
  const auto until_ms = due_ms(play);
  if (until_ms <= time_.steady_ms()) co_return Step();
  co_await play.sink.ready();
  co_return co_await sleep_until(play, until_ms);
}

aio::Task<DemoProvider::Step> DemoProvider::stall(Play& play) {
  const auto ms = std::min(play.faults.stall->ms, options_.idle_ms);
  co_await play.sink.ready();
  auto slept = co_await sleep_until(play, time_.steady_ms() + ms);
  if (!slept) co_return slept;
  if (play.faults.stall->ms >= options_.idle_ms)
    co_return std::unexpected(deadline_error(kName, Deadline::idle, options_.idle_ms));
  play.started_ms += ms;
  co_return Step();
}

aio::Task<DemoProvider::Step> DemoProvider::breathe(Play& play) {
  co_await play.sink.ready();
  const auto executor = co_await aio::asio::this_coro::executor;
  co_await aio::asio::post(executor, aio::asio::use_awaitable);
  if (play.deadline_ms && time_.steady_ms() >= *play.deadline_ms)
    co_return std::unexpected(deadline_error(kName, Deadline::whole, *options_.timeout_ms));
  co_return Step();
}

aio::Task<DemoProvider::Step> DemoProvider::sleep_until(Play& play, std::int64_t due_ms) {
  const bool too_late = play.deadline_ms && *play.deadline_ms <= due_ms;
  const auto until_ms = too_late ? *play.deadline_ms : due_ms;
  const auto wait_ms = until_ms - time_.steady_ms();
  if (wait_ms > 0) co_await time_.sleep(std::chrono::milliseconds(wait_ms));
  if (too_late) co_return std::unexpected(deadline_error(kName, Deadline::whole, *options_.timeout_ms));
  co_return Step();
}

std::expected<DemoTurn, ModelError> DemoProvider::turn_for(const ModelRequest& request, std::size_t turn_index) const {
  auto found = script(request.model);
  if (!found) return std::unexpected(std::move(found.error()));
  const auto played = with_directives(std::move(*found), demo_position(request.messages).prompt);
  return demo_turn(played, turn_index);
}

std::expected<DemoScript, ModelError> DemoProvider::script(const std::string& name) const {
  if (!options_.script_directory.empty() && file_name_ok(name))
    if (const auto yaml = read_script_file(options_.script_directory + "/" + name + ".yaml")) {
      auto parsed = parse_demo_script(*yaml, name + ".yaml");
      if (!parsed) return refuse(std::move(parsed.error().message));
      return std::move(*parsed);
    }
  if (const auto* known = memory_.built_in(name)) return *known;
  return refuse(unknown_script(name));
}

std::string DemoProvider::unknown_script(const std::string& name) const {
  const auto names = built_in_demo_names();
  const auto meant = base::nearest(name, names);
  auto message =
      "demo has no script '" + base::utf8_lossy(name) + "'" + (meant ? ", did you mean '" + std::string(*meant) + "'?" : "");
  message += " Built-in scripts:";
  for (const auto known : names) message += " " + std::string(known);
  if (!options_.script_directory.empty()) message += "; others are files NAME.yaml in " + options_.script_directory;
  return message;
}

const DemoScript* DemoMemory::built_in(const std::string& name) {
  if (const auto at = built_in_.find(name); at != built_in_.end()) return &at->second;
  const auto yaml = built_in_demo_script(name);
  if (!yaml) return nullptr;
  auto parsed = parse_demo_script(*yaml, name);
  ASSERT(parsed);
  return &built_in_.emplace(name, std::move(*parsed)).first->second;
}

std::int64_t DemoMemory::next_attempt(const std::string& key) {
  const auto [at, added] = attempts_.try_emplace(key, 0);
  const auto attempt = at->second++;
  if (added) attempt_order_.push_back(key);
  if (attempt_order_.size() > kAttemptsKept) {
    attempts_.erase(attempt_order_.front());
    attempt_order_.pop_front();
  }
  return attempt;
}

}  // namespace llm
