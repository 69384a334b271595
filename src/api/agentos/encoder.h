#pragma once
// Events of the log as AgentOS' server-sent events: pure functions of the run and the line, the same bytes in every process
// and at every time. Formats: docs/formats/agentos.md.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/live_logs.h"
#include "store/types.h"

namespace api::agentos {

// What stream_events=false leaves of a stream: content and the terminal group.
enum class Detail { all, content_only };

// A block's frames: frame i of `bytes` is event first + i; empty where `Detail` leaves it out.
struct Frames {
  std::string bytes;
  std::vector<std::uint32_t> starts;  // count + 1 offsets into bytes
};

class FrameWriter;

class Encoder {
 public:
  explicit Encoder(const store::Run& run);

  // The JSON object of one event (the data of its frame).
  void append_json(std::string& out, std::uint64_t index, std::string_view line) const;

  // The frames of a whole block, made once and shared by all readers of the run.
  std::shared_ptr<const Frames> frames(const engine::Block& block, Detail detail) const;

 private:
  friend FrameWriter;
  std::string identity_;  // "agent_id":...,"nested_depth":0
};

// Writes the frames of consecutive lines. Most lines are text deltas: what is the same in all of them is put together once.
// The encoder outlives the writer.
class FrameWriter {
 public:
  FrameWriter(const Encoder& encoder, Detail detail, std::uint64_t first_index);
  // The frame of the next line, appended to `out`; nothing where the detail leaves it out.
  void write(std::string& out, std::string_view line);

 private:
  void write_text(std::string& out, std::uint64_t index, std::string_view seconds, std::string_view json_text);

  const Encoder& encoder_;
  Detail detail_;
  std::uint64_t index_;
  std::string seconds_;    // the time that text_head_ holds
  std::string text_head_;  // of a text delta's frame, from behind its id to before its content
};

// Whether nothing follows this event in a stream unless the run is continued: the last of a terminal group, or a pause.
bool ends_stream(std::string_view line);
// Whether stream_events=false keeps it.
bool is_content(std::string_view line);

// The name of the AgentOS event that a line encodes to, "RunContent" ...; a line of an unknown type is a "CustomEvent".
std::string_view event_name(std::string_view line);

}  // namespace api::agentos
