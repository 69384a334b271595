#include "api/agentos/encoder.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <functional>

#include "api/agentos/meta_events.h"
#include "api/agentos/recorded_event_fixture.h"

namespace api::agentos {

namespace {

std::vector<std::string> keys_of(const json::object& object) {
  std::vector<std::string> keys;
  for (const auto& member : object)
    if (member.key() != "event_index") keys.emplace_back(member.key());  // ours is last, AgentOS' before the objects
  return keys;
}

// Outlast keeps times in milliseconds, so what AgentOS measured in microseconds is compared to a millisecond.
constexpr double kTolerance = 0.0011;

void compare(const json::value& ours, const json::value& theirs, const std::string& at);

void compare_objects(const json::object& ours, const json::object& theirs, const std::string& at) {
  EXPECT_EQ(keys_of(ours), keys_of(theirs)) << at;
  for (const auto& member : theirs) {
    ASSERT_TRUE(ours.contains(member.key())) << at << "." << member.key();
    compare(ours.at(member.key()), member.value(), at + "." + std::string(member.key()));
  }
}

void compare(const json::value& ours, const json::value& theirs, const std::string& at) {
  if (theirs.is_object() && ours.is_object()) return compare_objects(ours.get_object(), theirs.get_object(), at);
  if (theirs.is_array() && ours.is_array()) {
    ASSERT_EQ(ours.get_array().size(), theirs.get_array().size()) << at;
    for (std::size_t i = 0; i < theirs.get_array().size(); ++i) compare(ours.get_array()[i], theirs.get_array()[i], at + "[]");
    return;
  }
  ASSERT_EQ(ours.is_number(), theirs.is_number()) << at;
  if (theirs.is_number()) {
    EXPECT_NEAR(ours.to_number<double>(), theirs.to_number<double>(), kTolerance) << at;
  } else {
    EXPECT_EQ(ours, theirs) << at;
  }
}

// What differs in value on purpose (docs/formats/agentos.md), made equal before the comparison.
void settle_differences(json::object& ours, json::object& theirs) {
  const auto name = base::text_or_empty(theirs, "event");
  const auto duration_at = [](const json::object& o) {
    return std::string_view(o.at("content").as_string()).find(" completed in ");
  };
  if (name == "ToolCallCompleted")
    for (auto* o : {&ours, &theirs}) (*o)["content"] = std::string_view(o->at("content").as_string()).substr(0, duration_at(*o));
  if (name == "RunError") theirs["error_type"] = "InternalError";
  if (name == "RunPaused") {
    auto& requirement = theirs["requirements"].as_array().at(0).as_object();
    requirement["id"] = "call_1";
    requirement["created_at"] = "2026-11-21T03:21:40+00:00";
  }
  // AgentOS leaves figures that are zero out of a run's metrics.
  if (name != "RunCompleted" || !base::text_or_empty(theirs, "reason").empty()) return;
  auto& metrics = theirs["metrics"].as_object();
  if (metrics.contains("input_tokens")) return;
  json::object whole{{"input_tokens", 0}, {"output_tokens", 0}, {"total_tokens", 0}};
  for (const auto& member : metrics) whole[member.key()] = member.value();
  whole["details"] = json::object{
      {"model",
       json::array{{{"input_tokens", 0}, {"output_tokens", 0}, {"total_tokens", 0}, {"id", "mock-1"}, {"provider", "MockAI"}}}}};
  metrics = std::move(whole);
}

// A decision is no part of the later events of its call: they say nothing about it (docs/formats/agentos.md).
void drop_decision(json::object& theirs) {
  auto* tool = theirs.if_contains("tool") ? theirs.at("tool").if_object() : nullptr;
  if (!tool || tool->at("confirmed").is_null()) return;
  (*tool)["confirmed"] = nullptr;
  (*tool)["requires_confirmation"] = nullptr;
}

// The events of the recording's first stream (or of the stream `which`), each encoded from its neutral event.
void expect_golden(const std::string& name, std::size_t which = 0) {
  const auto exchanges = recording(name);
  ASSERT_LT(which, exchanges.size());
  const auto frames = frames_of(exchanges[which].body);
  ASSERT_GT(frames.size(), 1u) << name;
  for (const auto& frame : frames) {
    auto theirs = frame.json();
    const auto& index = theirs.at("event_index");
    const run::Event event{base::int_or_zero(theirs, "created_at") * 1000, payload_of(theirs)};
    const Encoder encoder(run_of(theirs));
    std::string ours;
    const auto line = run::encode(event);
    encoder.append_json(ours, static_cast<std::uint64_t>(index.as_int64()), line);
    EXPECT_EQ(event_name(line), frame.event);
    auto parsed = json::parse(ours).as_object();
    EXPECT_EQ(parsed.at("event_index"), index);
    EXPECT_EQ(std::prev(parsed.end())->key(), "event_index") << "ours is last";
    settle_differences(parsed, theirs);
    drop_decision(theirs);
    compare(parsed, theirs, name + "/" + frame.event);
  }
}

TEST(EncoderGolden, TextRun) { expect_golden("agent-background-stream"); }
TEST(EncoderGolden, ToolCall) { expect_golden("agent-tool-call"); }
TEST(EncoderGolden, ToolErrorKeepsItsTimes) { expect_golden("agent-tool-error"); }
TEST(EncoderGolden, CancelledGroup) { expect_golden("agent-cancel-while-streaming"); }
TEST(EncoderGolden, Error) { expect_golden("agent-run-error"); }
TEST(EncoderGolden, UnicodeIsRaw) { expect_golden("agent-background-stream-unicode"); }
TEST(EncoderGolden, Pause) { expect_golden("agent-pause-and-continue"); }

TEST(EncoderGolden, ContinuedLeg) {
  // AgentOS loses the tool's times there; ours are those of the call, so only the keys before them are compared.
  auto exchanges = recording("agent-pause-and-continue");
  ASSERT_GT(exchanges.size(), 3u);
  const auto frames = frames_of(exchanges[3].body);
  ASSERT_EQ(frames.front().event, "RunContinued");
  expect_golden("agent-pause-and-continue", 3);
}

// The frame by its definition, without the short cuts of the writer.
std::string frame_of(const Encoder& encoder, std::uint64_t index, std::string_view line) {
  auto frame = "id: " + std::to_string(index) + "\nevent: " + std::string(event_name(line)) + "\ndata: ";
  encoder.append_json(frame, index, line);
  return frame + "\n\n";
}

TEST(Encoder, FrameIsIdEventDataAndAnEmptyLine) {
  store::Run run;
  run.run_id = "r1";
  run.component_id = "a1";
  run.component_name = "A \"1\"";
  run.session_id = "Sü €";
  const Encoder encoder(run);
  std::string frame;
  FrameWriter(encoder, Detail::all, 7).write(frame, run::encode({1795231286999, run::TextDelta{"x\n\"ü\""}}));
  EXPECT_EQ(frame,
            "id: 7\nevent: RunContent\ndata: "
            "{\"created_at\":1795231286,\"event\":\"RunContent\",\"agent_id\":\"a1\",\"agent_name\":\"A \\\"1\\\"\","
            "\"run_id\":\"r1\",\"session_id\":\"Sü €\",\"nested_depth\":0,\"content\":\"x\\n\\\"ü\\\"\",\"workflow_agent\":false,"
            "\"content_type\":\"str\",\"reasoning_content\":\"\",\"event_index\":7}\n\n");
}

// libstdc++ 12's resize_and_overwrite names the grown capacity, not the size that was asked for.
TEST(Encoder, AFrameThatMakesItsBufferGrowIsThatFrameAndNothingMore) {
  const Encoder encoder(store::Run{});
  const auto line = run::encode({1795231286999, run::TextDelta{"x"}});
  FrameWriter writer(encoder, Detail::all, 100);
  std::string expected, written;
  for (std::uint64_t i = 100; i < 200; ++i) {
    expected += frame_of(encoder, i, line);
    writer.write(written, line);
    ASSERT_EQ(written, expected);
  }
}

TEST(Encoder, EveryFrameHasItsOwnTime) {
  const Encoder encoder(store::Run{});
  FrameWriter writer(encoder, Detail::all, 0);
  std::string expected, written;
  std::uint64_t index = 0;
  for (const std::int64_t at : {1795231286999, 1795231287000, 1795231287001, 999L, 1795231286999}) {
    const auto line = run::encode({at, run::TextDelta{"x"}});
    expected += frame_of(encoder, index++, line);
    writer.write(written, line);
  }
  EXPECT_EQ(written, expected);
}

TEST(Encoder, EventsWithoutAgentOsCounterpart) {
  store::Run run;
  run.run_id = "r1";
  run.parent_run_id = "p1";
  const Encoder encoder(run);
  std::string ours;
  encoder.append_json(ours, 5, run::encode({1000, run::Superseded{2, 4, "cut"}}));
  EXPECT_EQ(ours,
            R"({"created_at":1,"event":"RunContentSuperseded","agent_id":"","agent_name":"","run_id":"r1","parent_run_id":"p1",)"
            R"("session_id":"","nested_depth":0,"from_index":2,"to_index":4,"reason":"cut","event_index":5})");
  ours.clear();
  encoder.append_json(ours, 6, run::encode({1000, run::ThinkingDelta{"hm"}}));
  EXPECT_NE(ours.find(R"("event":"ReasoningContentDelta")"), std::string::npos);
  EXPECT_NE(ours.find(R"("reasoning_content":"hm","event_index":6})"), std::string::npos);
}

TEST(Encoder, AnEventOfANewerProgramKeepsItsIndex) {
  std::string ours;
  Encoder(store::Run{}).append_json(ours, 3, R"({"type":"from_the_future","at":5000,"x":1})");
  const auto event = json::parse(ours).as_object();
  EXPECT_EQ(event.at("event"), "CustomEvent");
  EXPECT_EQ(event.at("event_index"), 3);
}

TEST(Encoder, ArgumentsThatAreNoObjectAreKeptAsText) {
  for (const auto* arguments : {"", "{}", R"({"a":1})", "[1]", "nonsense", "{\"a\":"}) {
    std::string ours;
    Encoder(store::Run{}).append_json(ours, 0, run::encode({1000, run::ToolStarted{{"c", "t", arguments}}}));
    const auto tool = json::parse(ours).at("tool").as_object();
    const std::string text = arguments;
    if (text.empty() || text.ends_with('}'))
      EXPECT_TRUE(tool.at("tool_args").is_object()) << text;
    else
      EXPECT_EQ(tool.at("tool_args"), arguments);
  }
}

TEST(Encoder, OldToolErrorsHaveNoTimes) {
  std::string ours;
  Encoder(store::Run{})
      .append_json(ours, 0, R"({"type":"tool_error","at":1000,"call_id":"c","name":"t","arguments":"{}","error":"no"})");
  EXPECT_TRUE(json::parse(ours).at("tool").at("metrics").is_null());
}

TEST(MetaEvents, ByteForByte) {
  const auto meta_of = [](const std::string& name, std::size_t exchange, const std::string& event) {
    for (const auto& frame : frames_of(recording(name).at(exchange).body))
      if (frame.event == event) return frame;
    ADD_FAILURE() << name << " has no " << event;
    return SseFrame{};
  };
  const auto id_of = [](const SseFrame& frame) { return base::text_or_empty(frame.json(), "run_id"); };
  const auto replay = meta_of("agent-resume-finished", 1, "replay");
  EXPECT_EQ(replay_event(id_of(replay), "COMPLETED", 3, 7, 3), replay.text);
  const auto failed = meta_of("agent-run-error", 2, "replay");
  EXPECT_EQ(replay_event(id_of(failed), "ERROR", 3, 3, -1), failed.text);
  const auto paused = meta_of("agent-pause-and-continue", 2, "replay");
  EXPECT_EQ(replay_event(id_of(paused), "PAUSED", 2, 5, 2), paused.text);
  const auto catch_up = meta_of("agent-resume-running", 1, "catch_up");
  EXPECT_EQ(catch_up_event(id_of(catch_up), 1, 3), catch_up.text);
  const auto subscribed = meta_of("agent-resume-running", 1, "subscribed");
  EXPECT_EQ(subscribed_event(id_of(subscribed), 3), subscribed.text);
  const auto unknown = meta_of("agent-resume-errors", 0, "error");
  EXPECT_EQ(unknown_run_event("nope"), unknown.text);
}

TEST(MetaEvents, AsciiEscapes) {
  EXPECT_EQ(unknown_run_event("ü\"€😀"),
            "event: error\ndata: {\"event\": \"error\", \"error\": \"Run \\u00fc\\\"\\u20ac\\ud83d\\ude00 not found in buffer or "
            "database\"}\n\n");
}

TEST(MetaEvents, Gap) {
  EXPECT_EQ(gap_event("r", 3, 9, Gap::index_ahead),
            "event: gap\ndata: {\"event\": \"gap\", \"run_id\": \"r\", \"from_index\": 3, \"to_index\": 9, \"reason\": "
            "\"index_ahead\", "
            "\"message\": \"The run has not reached this index yet.\"}\n\n");
  EXPECT_NE(gap_event("r", 0, 9, Gap::retention).find("\"reason\": \"retention\""), std::string::npos);
}

TEST(EndsAndContent, AreWhatTheTerminalGroupsSay) {
  const auto line = [](run::Payload payload) { return run::encode({1, std::move(payload)}); };
  EXPECT_TRUE(ends_stream(line(run::RunCompleted{})));
  EXPECT_TRUE(ends_stream(line(run::RunError{})));
  EXPECT_TRUE(ends_stream(line(run::RunPaused{})));
  EXPECT_FALSE(ends_stream(line(run::RunCancelled{}))) << "RunCompleted follows";
  EXPECT_FALSE(ends_stream(line(run::TextDelta{"run_completed"})));
  EXPECT_TRUE(is_content(line(run::TextDelta{"x"})));
  EXPECT_TRUE(is_content(line(run::Superseded{})));
  EXPECT_TRUE(is_content(line(run::RunCancelled{})));
  EXPECT_TRUE(is_content(line(run::RunError{})));
  EXPECT_FALSE(is_content(line(run::RunStarted{})));
  EXPECT_FALSE(is_content(line(run::ToolStarted{})));
  EXPECT_FALSE(is_content(line(run::ContentCompleted{})));
}

rc::Gen<std::string> text_gen() {
  return rc::gen::container<std::string>(rc::gen::element('a', 'Z', ' ', '\n', '"', '\\', '\t', '\x01', '{', '}', '0', '\x7f'));
}

rc::Gen<run::Payload> payload_gen() {
  const auto call =
      rc::gen::construct<run::ToolCall>(text_gen(), text_gen(), rc::gen::element<std::string>("{}", "{\"a\":1}", "no"));
  return rc::gen::oneOf(
      rc::gen::map(text_gen(), [](std::string s) { return run::Payload(run::TextDelta{std::move(s)}); }),
      rc::gen::map(text_gen(), [](std::string s) { return run::Payload(run::ThinkingDelta{std::move(s)}); }),
      rc::gen::map(call, [](run::ToolCall c) { return run::Payload(run::ToolStarted{std::move(c)}); }),
      rc::gen::map(call, [](run::ToolCall c) { return run::Payload(run::RunPaused{"", {std::move(c)}}); }),
      rc::gen::map(text_gen(), [](std::string s) { return run::Payload(run::RunError{run::Cause::network, std::move(s)}); }),
      rc::gen::just(run::Payload(run::RunContinued{})));
}

engine::Block block_of(const std::vector<std::string>& lines, std::uint64_t first, std::size_t from, std::size_t to) {
  auto text = std::make_shared<std::string>();
  for (auto i = from; i < to; ++i) *text += lines[i] + "\n";
  return {.slice = {.first = first + from, .count = static_cast<std::uint32_t>(to - from), .lines = text}, .encoded = {}};
}

// However a log is cut into blocks, frame i of a block is the frame of event first + i, whole.
TEST(Frames, AnyCutGivesWholeFrames) {
  rc::check([] {
    const auto payloads = *rc::gen::nonEmpty(rc::gen::container<std::vector<run::Payload>>(payload_gen()));
    const auto first = *rc::gen::inRange<std::uint64_t>(0, 100'000);
    const auto cut = *rc::gen::inRange<std::size_t>(0, payloads.size());
    std::vector<std::string> lines;
    for (const auto& payload : payloads) lines.push_back(run::encode({1795231286123, payload}));
    store::Run run;
    run.run_id = "r";
    const Encoder encoder(run);
    for (const auto detail : {Detail::all, Detail::content_only}) {
      std::string expected, joined;
      for (std::size_t i = 0; i < lines.size(); ++i)
        if (detail == Detail::all || is_content(lines[i])) expected += frame_of(encoder, first + i, lines[i]);
      for (const auto [from, to] : {std::pair{std::size_t{0}, cut}, std::pair{cut, lines.size()}}) {
        if (from == to) continue;
        const auto block = block_of(lines, first, from, to);
        const auto frames = encoder.frames(block, detail);
        RC_ASSERT(frames->starts.size() == to - from + 1);
        for (std::size_t i = from; i < to; ++i) {
          std::string whole;
          if (detail == Detail::all || is_content(lines[i])) whole = frame_of(encoder, first + i, lines[i]);
          const auto start = frames->starts[i - from], end = frames->starts[i - from + 1];
          RC_ASSERT(frames->bytes.substr(start, end - start) == whole);
        }
        RC_ASSERT(encoder.frames(block, detail) == frames);  // made once
        joined += frames->bytes;
      }
      RC_ASSERT(joined == expected);
    }
  });
}

}  // namespace

}  // namespace api::agentos
