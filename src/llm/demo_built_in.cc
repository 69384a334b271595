// The scripts that come with the program. Their text says that it is scripted: nobody must take it for a model's.
#include <algorithm>

#include "llm/demo_script.h"

namespace llm {

namespace {

struct BuiltIn {
  std::string_view name;
  std::string_view yaml;
};

constexpr BuiltIn kBuiltIn[] = {
    {"story", R"(description: A short story at the pace of a model.
turns:
  - rate: 40
    text: |
      This is a scripted story, told by Outlast's demo provider; no model was called.

      Once there was a run that had a long answer to give. It wrote its first words, and every word was on disk before
      anyone saw it. Halfway through a sentence somebody pulled the plug. The process was gone, the terminal was gone, and
      for a moment even the lights were gone.

      When the power came back, another process opened the log, read what had been said, and went on. It did not start
      again from nothing, and it did not pretend that nothing had happened: the log says plainly which words came before
      the crash and which came after. The reader who had been waiting asked for everything since the last event they had
      seen, and got exactly that, with none missing and none twice.

      So try it: start me again, end my process in the middle of a sentence, and watch the run outlast you.
)"},
    {"fast", R"(description: As many tokens as the first number in the prompt says (100 without one), as fast as they are taken.
turns:
  - tokens: prompt
)"},
    {"tools", R"(description: Two tool calls, then a summary.
turns:
  - text: "I will look at the files first. "
    calls:
      - name: Glob
        arguments: {pattern: "*"}
  - text: "Now I will read the first one. "
    calls:
      - name: Read
        arguments: {file_path: $LINE1}
  - rate: 40
    text: >-
      Done: I listed the files of the work directory with Glob and read the first of them with Read. This summary is
      scripted, no model was called; the tool calls and their results above are real.
)"},
    {"flaky", R"(description: A provider on a bad day - 429, then 500, then a cut answer, then success.
turns:
  - rate: 40
    text: >-
      This answer came at the fourth attempt: the scripted provider first limited the rate, then failed, then broke off in
      the middle of its answer. What had been streamed of that broken answer is marked as not counting.
    error:
      - {status: 429, times: 1, retry_after_ms: 200}
      - {status: 500, times: 1}
    cut: {after: 12, times: 1}
)"},
    {"plan", R"yaml(description: A plan of three agents, one after the other, as JSON; what they do is scripted too.
turns:
  - rate: 200
    json:
      agents:
        - {id: r1, role: researcher, guidance: "Scripted plan: keep it short."}
        - {id: i1, role: implementer}
        - {id: rv1, role: reviewer}
      operations:
        - id: o1
          agent_id: r1
          instruction: |
            Find the gaps and write them to findings.md.
            call Write {"file_path": "findings.md", "content": "1. sessions never expire\n2. no limit on failed logins\n"}
            say Two gaps, in findings.md: sessions never expire, and failed logins are not limited. (Scripted.)
            rate=10
        - id: o2
          agent_id: i1
          depends_on: [o1]
          instruction: |
            Draft a fix for each gap of ../r1/findings.md in fixes.md.
            call Read {"file_path": "../r1/findings.md"}
            call Write {"file_path": "fixes.md", "content": "1. expire sessions after 12 h\n2. lock an account for a minute after 5 failures\n"}
            say A fix for each of the two gaps, in fixes.md. (Scripted.)
            rate=10
        - id: o3
          agent_id: rv1
          depends_on: [o2]
          instruction: |
            Review ../i1/fixes.md against ../r1/findings.md.
            call Read {"file_path": "../i1/fixes.md"}
            say Both gaps have a fix that closes them. (Scripted.)
            rate=10
      synthesis: false
)yaml"},
};

}  // namespace

std::optional<std::string_view> built_in_demo_script(std::string_view name) {
  const auto at = std::ranges::find(kBuiltIn, name, &BuiltIn::name);
  if (at == std::end(kBuiltIn)) return std::nullopt;
  return at->yaml;
}

std::vector<std::string_view> built_in_demo_names() {
  std::vector<std::string_view> names;
  for (const auto& script : kBuiltIn) names.push_back(script.name);
  return names;
}

}  // namespace llm
