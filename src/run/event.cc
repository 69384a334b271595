#include "run/event.h"

#include <algorithm>
#include <utility>

#include "base/json.h"

namespace run {

namespace {

using base::append_json_string;
namespace json = boost::json;

// Writes one event's object, key by key, in the order of docs/formats/event-log.md.
class Writer {
 public:
  Writer(std::string& out, std::string_view type, std::int64_t at_ms) : out_(out) {
    out_ += R"({"type":")";
    out_ += type;
    out_ += R"(","at":)";
    out_ += std::to_string(at_ms);
  }
  Writer& text(std::string_view key, std::string_view value) {
    name(key);
    append_json_string(out_, value);
    return *this;
  }
  Writer& optional_text(std::string_view key, std::string_view value) { return value.empty() ? *this : text(key, value); }
  Writer& number(std::string_view key, std::int64_t value) {
    name(key);
    out_ += std::to_string(value);
    return *this;
  }
  Writer& optional_number(std::string_view key, std::optional<std::int64_t> value) { return value ? number(key, *value) : *this; }
  Writer& flag(std::string_view key, bool value) {
    if (!value) return *this;
    name(key);
    out_ += "true";
    return *this;
  }
  Writer& call(const ToolCall& call) {
    return text("call_id", call.id).text("name", call.name).text("arguments", call.arguments);
  }
  Writer& usage(const Usage& usage) {
    name("usage");
    out_ += R"({"input":)" + std::to_string(usage.input_tokens) + R"(,"output":)" + std::to_string(usage.output_tokens);
    const auto more = [this](std::string_view key, std::int64_t value) {
      if (value) name(key), out_ += std::to_string(value);
    };
    more("reasoning", usage.reasoning_tokens);
    more("cache_read", usage.cache_read_tokens);
    more("cache_write", usage.cache_write_tokens);
    more("cost_micros", usage.cost_micros);
    out_ += '}';
    return *this;
  }
  template <class Items, class WriteOne>
  Writer& list(std::string_view key, const Items& items, WriteOne write_one) {
    if (items.empty()) return *this;
    name(key);
    out_ += '[';
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) out_ += ',';
      out_ += '{';
      fresh_ = true;
      write_one(item);
      out_ += '}';
    }
    fresh_ = false;
    out_ += ']';
    return *this;
  }
  Writer& calls(std::string_view key, const std::vector<ToolCall>& calls) {
    return list(key, calls, [this](const ToolCall& one) { call(one); });
  }
  Writer& fields(const json::object& object) {
    for (const auto& [key, value] : object) name(key), out_ += base::to_text(value);
    return *this;
  }
  void end() { out_ += '}'; }

 private:
  void name(std::string_view key) {
    if (!std::exchange(fresh_, false)) out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  std::string& out_;
  bool fresh_ = false;  // nothing written yet in the present object
};

constexpr std::string_view kStops[] = {"end", "tool_calls", "length", "refused"};

std::string_view name(Stop stop) { return kStops[static_cast<std::size_t>(stop)]; }

struct Encode {
  std::string& out;
  std::int64_t at;
  Writer start(std::string_view type) const { return {out, type, at}; }

  void operator()(const RunStarted& e) const { start("run_started").text("model", e.model).text("provider", e.provider).end(); }
  void operator()(const ModelStarted& e) const {
    start("model_started").text("model", e.model).text("provider", e.provider).end();
  }
  void operator()(const TextDelta& e) const { append_text_delta(out, at, e.text); }
  void operator()(const ThinkingDelta& e) const { start("thinking").text("text", e.text).end(); }
  void operator()(const Superseded& e) const {
    start("superseded")
        .number("from", static_cast<std::int64_t>(e.from))
        .number("to", static_cast<std::int64_t>(e.to))
        .text("reason", e.reason)
        .end();
  }
  void operator()(const ModelCompleted& e) const {
    auto w = start("model_completed");
    w.text("model", e.model).text("provider", e.provider).text("stop", name(e.stop)).calls("tool_calls", e.tool_calls);
    w.list("thinking", e.thinking, [&w](const Thinking& t) {
      w.text("text", t.text).optional_text("signature", t.signature).optional_text("redacted", t.redacted);
    });
    w.usage(e.usage).optional_text("response_id", e.response_id).optional_number("first_token_ms", e.first_token_ms).end();
  }
  void operator()(const ToolStarted& e) const {
    start("tool_started")
        .call(e.call)
        .flag("repeatable", e.recall == Recall::repeat)
        .flag("reattachable", e.recall == Recall::reattach)
        .end();
  }
  void operator()(const ToolCompleted& e) const {
    start("tool_completed")
        .call(e.call)
        .text("result", e.result)
        .flag("is_error", e.is_error)
        .number("started_ms", e.started_ms)
        .number("duration_ms", e.duration_ms)
        .end();
  }
  void operator()(const ToolError& e) const {
    auto w = start("tool_error");
    w.call(e.call).text("error", e.error);
    if (e.started_ms) w.number("started_ms", e.started_ms).number("duration_ms", e.duration_ms);
    w.end();
  }
  void operator()(const ContentCompleted&) const { start("content_completed").end(); }
  void operator()(const RunCompleted& e) const {
    start("run_completed")
        .text("content", e.content)
        .text("model", e.model)
        .text("provider", e.provider)
        .usage(e.metrics.usage)
        .number("duration_ms", e.metrics.duration_ms)
        .optional_number("first_token_ms", e.metrics.first_token_ms)
        .end();
  }
  void operator()(const RunError& e) const {
    start("run_error").text("code", run::name(e.cause)).text("message", e.message).end();
  }
  void operator()(const RunCancelled& e) const {
    start("run_cancelled").text("content", e.content).text("reason", e.reason).end();
  }
  void operator()(const RunPaused& e) const { start("run_paused").text("content", e.content).calls("calls", e.calls).end(); }
  void operator()(const RunContinued& e) const {
    auto w = start("run_continued");
    w.list("decisions", e.decisions,
           [&w](const Decision& d) { w.text("call_id", d.call_id).flag("approved", d.approved).optional_text("note", d.note); });
    w.end();
  }
  void operator()(const Notice& e) const {
    start("notice")
        .text("task_id", e.task_id)
        .text("text", e.text)
        .optional_text("hook", e.hook)
        .flag("as_user", e.as_user)
        .end();
  }
  void operator()(const ContextCompacted& e) const {
    start("context_compacted").number("kept", e.kept).number("dropped", e.dropped).end();
  }
  void operator()(const FlowPlanned& e) const { start("flow_planned").fields(fields_of(e)).end(); }
  void operator()(const OpStarted& e) const { start("op_started").fields(fields_of(e)).end(); }
  void operator()(const OpEnded& e) const { start("op_ended").fields(fields_of(e)).end(); }
  void operator()(const HarnessStarted& e) const { start("harness_started").fields(fields_of(e)).end(); }
  void operator()(const HarnessSession& e) const { start("harness_session").fields(fields_of(e)).end(); }
  void operator()(const HarnessHeard& e) const { start("harness_heard").fields(fields_of(e)).end(); }
  void operator()(const HarnessTurn& e) const { start("harness_turn").fields(fields_of(e)).end(); }
  void operator()(const HarnessEnded& e) const { start("harness_ended").fields(fields_of(e)).end(); }
  void operator()(const HarnessWaits& e) const { start("harness_waits").fields(fields_of(e)).end(); }
};

// Reads an event's object; the fields' absence means their defaults.
struct Reader {
  const json::object& o;

  std::string text(std::string_view key) const { return base::text_or_empty(o, key); }
  std::int64_t number(std::string_view key) const { return base::int_or_zero(o, key); }
  bool flag(std::string_view key) const { return base::bool_field(o, key).value_or(false); }
  ToolCall call() const { return {.id = text("call_id"), .name = text("name"), .arguments = text("arguments")}; }
  Usage usage() const {
    const auto* u = base::object_field(o, "usage");
    if (!u) return {};
    return {.input_tokens = base::int_or_zero(*u, "input"),
            .output_tokens = base::int_or_zero(*u, "output"),
            .reasoning_tokens = base::int_or_zero(*u, "reasoning"),
            .cache_read_tokens = base::int_or_zero(*u, "cache_read"),
            .cache_write_tokens = base::int_or_zero(*u, "cache_write"),
            .cost_micros = base::int_or_zero(*u, "cost_micros")};
  }
  template <class Item, class ReadOne>
  std::vector<Item> list(std::string_view key, ReadOne read_one) const {
    std::vector<Item> items;
    if (const auto* array = base::array_field(o, key))
      for (const auto& value : *array)
        if (const auto* object = value.if_object()) items.push_back(read_one(Reader{*object}));
    return items;
  }
  std::vector<ToolCall> calls(std::string_view key) const {
    return list<ToolCall>(key, [](const Reader& r) { return r.call(); });
  }
};

Stop parse_stop(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kStops); ++i)
    if (text == kStops[i]) return static_cast<Stop>(i);
  return Stop::end;
}

ModelCompleted read_model_completed(const Reader& r) {
  return {.model = r.text("model"),
          .provider = r.text("provider"),
          .stop = parse_stop(r.text("stop")),
          .tool_calls = r.calls("tool_calls"),
          .thinking = r.list<Thinking>(
              "thinking", [](const Reader& t) { return Thinking{t.text("text"), t.text("signature"), t.text("redacted")}; }),
          .usage = r.usage(),
          .response_id = r.text("response_id"),
          .first_token_ms = base::int_field(r.o, "first_token_ms")};
}

std::optional<Payload> read_payload(std::string_view type, const Reader& r) {
  if (type == "text") return TextDelta{r.text("text")};
  if (type == "thinking") return ThinkingDelta{r.text("text")};
  if (type == "run_started") return RunStarted{r.text("model"), r.text("provider")};
  if (type == "model_started") return ModelStarted{r.text("model"), r.text("provider")};
  if (type == "superseded")
    return Superseded{static_cast<std::uint64_t>(r.number("from")), static_cast<std::uint64_t>(r.number("to")), r.text("reason")};
  if (type == "model_completed") return read_model_completed(r);
  if (type == "tool_started")
    return ToolStarted{r.call(), r.flag("repeatable")     ? Recall::repeat
                                 : r.flag("reattachable") ? Recall::reattach
                                                          : Recall::never};
  if (type == "tool_completed")
    return ToolCompleted{r.call(), r.text("result"), r.flag("is_error"), r.number("started_ms"), r.number("duration_ms")};
  if (type == "tool_error") return ToolError{r.call(), r.text("error"), r.number("started_ms"), r.number("duration_ms")};
  if (type == "content_completed") return ContentCompleted{};
  if (type == "run_completed")
    return RunCompleted{r.text("content"), r.text("model"), r.text("provider"),
                        Metrics{r.usage(), r.number("duration_ms"), base::int_field(r.o, "first_token_ms")}};
  if (type == "run_error") return RunError{parse_cause(r.text("code")).value_or(Cause::internal), r.text("message")};
  if (type == "run_cancelled") return RunCancelled{r.text("content"), r.text("reason")};
  if (type == "run_paused") return RunPaused{r.text("content"), r.calls("calls")};
  if (type == "run_continued")
    return RunContinued{r.list<Decision>(
        "decisions", [](const Reader& d) { return Decision{d.text("call_id"), d.flag("approved"), d.text("note")}; })};
  if (type == "notice") return Notice{r.text("task_id"), r.text("text"), r.text("hook"), r.flag("as_user")};
  if (type == "context_compacted") return ContextCompacted{r.number("kept"), r.number("dropped")};
  if (type == "flow_planned") return read_flow_planned(r.o);
  if (type == "op_started") return read_op_started(r.o);
  if (type == "op_ended") return read_op_ended(r.o);
  if (type == "harness_started") return read_harness_started(r.o);
  if (type == "harness_session") return read_harness_session(r.o);
  if (type == "harness_heard") return read_harness_heard(r.o);
  if (type == "harness_turn") return read_harness_turn(r.o);
  if (type == "harness_ended") return read_harness_ended(r.o);
  if (type == "harness_waits") return read_harness_waits(r.o);
  return std::nullopt;
}

constexpr std::string_view kTypes[] = {"run_started",     "model_started",    "text",           "thinking",   "superseded",
                                       "model_completed", "tool_started",     "tool_completed", "tool_error", "content_completed",
                                       "run_completed",   "run_error",        "run_cancelled",  "run_paused", "run_continued",
                                       "notice",          "context_compacted", "flow_planned",  "op_started",     "op_ended",
                                       "harness_started", "harness_session", "harness_heard", "harness_turn",  "harness_ended",  "harness_waits"};
static_assert(std::size(kTypes) == std::variant_size_v<Payload>);

}  // namespace

std::string_view type_name(const Payload& payload) { return kTypes[payload.index()]; }

std::string encode(const Event& event) {
  std::string out;
  std::visit(Encode{out, event.at_ms}, event.payload);
  if (event.output) {
    out.back() = ',';
    out += R"("output":)" + std::to_string(event.output) + "}";
  }
  return out;
}

void append_text_delta(std::string& out, std::int64_t at_ms, std::string_view text) {
  Writer(out, "text", at_ms).text("text", text).end();
}

base::Result<Event> decode(std::string_view line) {
  const auto value = base::parse_json(line);
  if (!value) return std::unexpected(value.error());
  const auto* object = value->if_object();
  if (!object) return base::fail(base::Errc::invalid_argument, "an event is a JSON object");
  const Reader reader{*object};
  const auto type = reader.text("type");
  auto payload = read_payload(type, reader);
  if (!payload) return base::fail(base::Errc::invalid_argument, "unknown event type '" + type + "'");
  return Event{reader.number("at"), std::move(*payload), static_cast<std::uint64_t>(reader.number("output"))};
}

std::optional<RawTextDelta> raw_text_delta(std::string_view line) {
  static constexpr std::string_view kHead = R"({"type":"text","at":)", kText = R"(,"text":)";
  if (!line.starts_with(kHead) || !line.ends_with("\"}")) return std::nullopt;
  line.remove_prefix(kHead.size());
  const auto digits =
      static_cast<std::size_t>(std::ranges::find_if_not(line, [](char c) { return c >= '0' && c <= '9'; }) - line.begin());
  const auto rest = line.substr(digits);
  if (digits < 4 || !rest.starts_with(kText)) return std::nullopt;
  return RawTextDelta{line.substr(0, digits - 3), rest.substr(kText.size(), rest.size() - kText.size() - 1)};
}

}  // namespace run
