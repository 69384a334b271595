#include "run/flow_graph.h"

#include <array>
#include <cstdio>
#include <unordered_map>

#include "base/text.h"

namespace run {

namespace {

constexpr std::size_t kLabelBytesMax = 96;

struct Colors {
  std::string_view fill, line;
};

Colors colors_of(OpState state) {
  switch (state) {
    case OpState::waiting: return {"#f4f4f5", "#a1a1aa"};
    case OpState::running: return {"#dbeafe", "#2563eb"};
    case OpState::done: return {"#dcfce7", "#16a34a"};
    case OpState::failed: return {"#fee2e2", "#dc2626"};
    case OpState::skipped: return {"#fafafa", "#d4d4d8"};
  }
  return {"#f4f4f5", "#a1a1aa"};
}

constexpr std::array kStates = {OpState::waiting, OpState::running, OpState::done, OpState::failed, OpState::skipped};

// One line of valid UTF-8, of bounded length.
std::string plain(std::string_view text) {
  auto out = base::utf8_lossy(base::utf8_prefix(text, kLabelBytesMax));
  if (text.size() > kLabelBytesMax) out += "…";
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

std::string seconds_text(std::int64_t ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(ms) / 1000);
  return text;
}

// The lines of an operation's box, not yet quoted.
std::vector<std::string> label_of(const FlowOp& op, const std::unordered_map<std::string_view, const FlowAgent*>& agents,
                                  const OpView& view) {
  const auto agent = agents.find(op.agent_id);
  auto who = plain(op.agent_id);
  if (agent != agents.end() && agent->second->role != op.agent_id) who += " · " + plain(agent->second->role);
  std::vector<std::string> lines{plain(op.id), std::move(who)};
  if (view.state == OpState::waiting) return lines;
  auto state = std::string(name(view.state));
  if (view.duration_ms > 0 && view.state != OpState::skipped) state += " " + seconds_text(view.duration_ms);
  lines.push_back(std::move(state));
  return lines;
}

// Graphviz takes a backslash for the begin of an escape, and reads HTML entities in labels.
std::string dot_quoted(const std::vector<std::string>& lines) {
  std::string out = "\"";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\\n";
    for (const char c : lines[i]) {
      if (c == '&') {
        out += "&amp;";
        continue;
      }
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

// Mermaid labels are HTML and Markdown; its entities have no ampersand.
std::string mermaid_quoted(const std::vector<std::string>& lines) {
  std::string out = "\"";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "<br/>";
    for (const char c : lines[i]) {
      if (std::string_view("\"#&<>`*_\\;[](){}|%").find(c) != std::string_view::npos)
        out += "#" + std::to_string(static_cast<int>(c)) + ";";
      else
        out += c;
    }
  }
  return out + "\"";
}

// What both pictures need. Boxes are named by their place, because an id may be anything.
struct Picture {
  explicit Picture(const FlowPlan& flow, const std::map<std::string, OpView>& op_views) : plan(flow), views(op_views) {
    for (const auto& agent : plan.agents) agents.try_emplace(agent.id, &agent);
    for (std::size_t i = 0; i < plan.operations.size(); ++i) places.try_emplace(plan.operations[i].id, i);
  }

  OpView view(const FlowOp& op) const {
    const auto found = views.find(op.id);
    return found == views.end() ? OpView{} : found->second;
  }
  std::vector<std::string> label(const FlowOp& op) const { return label_of(op, agents, view(op)); }
  // Each dependency that is in the plan.
  template <class Take>
  void each_edge(Take take) const {
    for (std::size_t to = 0; to < plan.operations.size(); ++to)
      for (const auto& edge : plan.operations[to].depends_on)
        if (const auto from = places.find(edge.op); from != places.end())
          take("n" + std::to_string(from->second), "n" + std::to_string(to), edge.on_failure);
  }

  const FlowPlan& plan;
  const std::map<std::string, OpView>& views;
  std::unordered_map<std::string_view, const FlowAgent*> agents = {};
  std::unordered_map<std::string_view, std::size_t> places = {};
};

std::string_view dot_style(OnFailure policy) {
  switch (policy) {
    case OnFailure::stop: return "";
    case OnFailure::skip: return " [style=dashed, tooltip=\"goes on without it if it fails\"]";
    case OnFailure::run_with_error: return " [style=dotted, tooltip=\"is told of the error if it fails\"]";
  }
  return "";
}

}  // namespace

std::string_view name(OpState state) {
  switch (state) {
    case OpState::waiting: return "waiting";
    case OpState::running: return "running";
    case OpState::done: return "done";
    case OpState::failed: return "failed";
    case OpState::skipped: return "skipped";
  }
  return "waiting";
}

std::string dot_text(const FlowPlan& plan, const std::map<std::string, OpView>& views) {
  const Picture picture(plan, views);
  std::string text =
      "digraph flow {\n"
      "  rankdir=TB;\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11];\n"
      "  edge [color=\"#71717a\", arrowsize=0.7];\n";
  for (std::size_t i = 0; i < plan.operations.size(); ++i) {
    const auto& op = plan.operations[i];
    const auto colors = colors_of(picture.view(op).state);
    text += "  n" + std::to_string(i) + " [label=" + dot_quoted(picture.label(op)) + ", fillcolor=\"" + std::string(colors.fill) +
            "\", color=\"" + std::string(colors.line) + "\"" + (op.control ? ", shape=diamond, style=filled" : "") + "];\n";
  }
  picture.each_edge([&](const std::string& from, const std::string& to, OnFailure policy) {
    text += "  " + from + " -> " + to + std::string(dot_style(policy)) + ";\n";
  });
  return text + "}\n";
}

std::string mermaid_text(const FlowPlan& plan, const std::map<std::string, OpView>& views) {
  const Picture picture(plan, views);
  std::string text = "flowchart TD\n";
  for (std::size_t i = 0; i < plan.operations.size(); ++i) {
    const auto& op = plan.operations[i];
    text += "  n" + std::to_string(i) + (op.control ? "{" : "(") + mermaid_quoted(picture.label(op)) + (op.control ? "}" : ")") +
            ":::" + std::string(name(picture.view(op).state)) + "\n";
  }
  picture.each_edge([&](const std::string& from, const std::string& to, OnFailure policy) {
    text += "  " + from + (policy == OnFailure::stop ? " --> " : " -.-> ") + to + "\n";
  });
  for (const auto state : kStates)
    text += "  classDef " + std::string(name(state)) + " fill:" + std::string(colors_of(state).fill) +
            ",stroke:" + std::string(colors_of(state).line) + "\n";
  return text;
}

}  // namespace run
