#include "app/playbook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/effort.h"
#include "base/limits.h"
#include "llm/model_spec.h"

namespace app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const llm::Environment kNoEnvironment = [](std::string_view) { return std::optional<std::string>(); };

Playbook parse(const std::string& text) {
  Problems problems{"audit.playbook.yaml"};
  auto playbook = read_playbook(text, "dir/audit.playbook.yaml", problems);
  EXPECT_TRUE(playbook) << (playbook ? "" : problems.error().message);
  return playbook ? *playbook : Playbook();
}

std::string problem(const std::string& text) {
  Problems problems{"f"};
  const auto playbook = read_playbook(text, "f.playbook.yaml", problems);
  EXPECT_FALSE(playbook);
  return playbook ? "" : problems.error().message;
}

TEST(Playbook, AnEmptyMapHasDefaults) {
  const auto playbook = parse("{}");
  EXPECT_EQ(playbook.name, "audit");
  EXPECT_EQ(playbook.file, "dir/audit.playbook.yaml");
  EXPECT_EQ(playbook.kind, Playbook::Kind::flow);
  EXPECT_EQ(playbook.prompt, "{input}");
  EXPECT_EQ(playbook.workers, 0);
  EXPECT_EQ(playbook.max_ops, 0);
  EXPECT_FALSE(playbook.with_synthesis || playbook.bare || playbook.dry_run || playbook.show_graph || playbook.reactive);
  EXPECT_FALSE(playbook.background);
  EXPECT_EQ(playbook.model + playbook.agent + playbook.effort + playbook.save + playbook.team_mode + playbook.team_attach, "");
  EXPECT_THAT(playbook.warnings, IsEmpty());
}

TEST(Playbook, ReadsEveryKey) {
  const auto playbook = parse(R"(
name: audit
description: Audits a module
argument-hint: "[MODULE]"
kind: flow
model: openai/gpt-5.1-high
agent: orchestrator
effort: xhigh
prompt: |
  Audit {module} to depth {depth}. {input}
  As JSON: {{module}}, { "a": {} }
args:
  module: {type: string, required: true, help: What to look at}
  depth: {type: int, default: 3}
  ratio: {type: number, default: 0.5}
  deep: {type: bool, default: yes}
  style: {type: choice, choices: [short, long], default: short}
  plain:
workers: [openai/gpt-5.1, anthropic/claude-opus-4-7]
max_ops: 50
with_synthesis: openai/gpt-5.1
bare: true
dry_run: true
show_graph: true
save: ./out
team_mode: true
reactive: true
pack: core
background: true
artifacts:
  expected:
    - {id: report, path: a/report.md, description: The findings}
    - {id: log, path: ./log.txt, required: false}
)");
  EXPECT_EQ(playbook.description, "Audits a module");
  EXPECT_EQ(playbook.argument_hint, "[MODULE]");
  EXPECT_EQ(playbook.model, "openai/gpt-5.1-high");
  EXPECT_EQ(playbook.agent, "orchestrator");
  EXPECT_EQ(playbook.effort, "xhigh");
  ASSERT_EQ(playbook.args.size(), 6u);
  EXPECT_EQ(playbook.args[0].name, "module");
  EXPECT_TRUE(playbook.args[0].required);
  EXPECT_EQ(playbook.args[0].help, "What to look at");
  EXPECT_EQ(playbook.args[0].default_value, std::nullopt);
  EXPECT_EQ(playbook.args[1].type, PlaybookArg::Type::integer);
  EXPECT_EQ(playbook.args[1].default_value, "3");
  EXPECT_EQ(playbook.args[2].type, PlaybookArg::Type::number);
  EXPECT_EQ(playbook.args[3].default_value, "true");
  EXPECT_THAT(playbook.args[4].choices, ElementsAre("short", "long"));
  EXPECT_EQ(playbook.args[5].type, PlaybookArg::Type::string);
  EXPECT_EQ(playbook.workers, 2);
  EXPECT_THAT(playbook.worker_models, ElementsAre("openai/gpt-5.1", "anthropic/claude-opus-4-7"));
  EXPECT_EQ(playbook.max_ops, 50);
  EXPECT_TRUE(playbook.with_synthesis);
  EXPECT_EQ(playbook.synthesis_model, "openai/gpt-5.1");
  EXPECT_TRUE(playbook.bare && playbook.dry_run && playbook.show_graph && playbook.reactive && playbook.background);
  EXPECT_EQ(playbook.save, "./out");
  EXPECT_EQ(playbook.team_mode, "flow");
  EXPECT_EQ(playbook.pack, "core");
  ASSERT_EQ(playbook.artifacts_expected.size(), 2u);
  EXPECT_EQ(playbook.artifacts_expected[0].id, "report");
  EXPECT_EQ(playbook.artifacts_expected[0].path, "a/report.md");
  EXPECT_TRUE(playbook.artifacts_expected[0].required);
  EXPECT_EQ(playbook.artifacts_expected[0].description, "The findings");
  EXPECT_FALSE(playbook.artifacts_expected[1].required);
  EXPECT_THAT(playbook.warnings, ElementsAre(HasSubstr("reactive: has no effect yet"), HasSubstr("pack: has no effect yet")));
}

TEST(Playbook, KeysTakeTheirOtherForms) {
  auto playbook = parse("kind: fanout\nworkers: 32\nwith_synthesis: yes\nteam_mode: crew\n");
  EXPECT_EQ(playbook.kind, Playbook::Kind::fanout);
  EXPECT_EQ(playbook.workers, 32);
  EXPECT_THAT(playbook.worker_models, IsEmpty());
  EXPECT_TRUE(playbook.with_synthesis);
  EXPECT_EQ(playbook.synthesis_model, "");
  EXPECT_EQ(playbook.team_mode, "crew");
  playbook = parse("with_synthesis: false\nteam_mode: false\nteam_attach: crew\nmax_ops: 0\n");
  EXPECT_FALSE(playbook.with_synthesis);
  EXPECT_EQ(playbook.team_mode, "");
  EXPECT_EQ(playbook.team_attach, "crew");
  EXPECT_EQ(parse("kind: fanout\nteam_mode: true\n").team_mode, "fanout");
  EXPECT_EQ(parse("args: {a: {type: str}, b: {type: float}}\n").args[1].type, PlaybookArg::Type::number);
  EXPECT_THAT(parse("name: other\n").warnings,
              ElementsAre("name: the playbook is found by the name of its file, 'audit' (audit.playbook.yaml:1:7)"));
  // What says no fits every kind.
  EXPECT_EQ(parse("kind: agent\nbare: false\nmax_ops: 0\n").kind, Playbook::Kind::agent);
}

TEST(Playbook, TellsEveryProblemWithItsPlace) {
  EXPECT_EQ(problem("model: openai/gpt-5.1\npromt: x\nmax_ops: 51\nworkers: 0\nbare: maybe\n"),
            "promt: unknown key, did you mean 'prompt'? (f:2:1, DGT-E0101)\n"
            "max_ops: must be at most 50 (f:3:10, DGT-E0103)\n"
            "workers: must be at least 1 (f:4:10, DGT-E0103)\n"
            "bare: must be true or false (f:5:7, DGT-E0102)");
  EXPECT_EQ(problem("argument_hint: x\n"), "argument_hint: unknown key, did you mean 'argument-hint'? (f:1:1, DGT-E0101)");
  EXPECT_EQ(problem("workers: 33\n"), "workers: must be at most 32 (f:1:10, DGT-E0103)");
  EXPECT_EQ(problem("workers: []\n"), "workers: must list 1 to 32 models (f:1:10, DGT-E0103)");
  EXPECT_EQ(problem("max_ops: -1\n"), "max_ops: must be at least 0 (f:1:10, DGT-E0103)");
  EXPECT_THAT(problem("workers: [openai/a, gpt-5]\n"), HasSubstr("workers[1]: model 'gpt-5' names no provider"));
  EXPECT_THAT(problem("workers: [~]\n"), HasSubstr("workers[0]: must be a model (f:1:11, DGT-E0004)"));
  EXPECT_THAT(problem("model: gpt-5\n"), HasSubstr("(f:1:8, DGT-E0309)"));
  EXPECT_THAT(problem("with_synthesis: gpt-5\n"), HasSubstr("(f:1:17, DGT-E0309)"));
  EXPECT_EQ(problem("kind: flwo\n"), "kind: must be one of: flow, agent, fanout, did you mean 'flow'? (f:1:7, DGT-E0104)");
  EXPECT_THAT(problem("effort: hihg\n"), HasSubstr("did you mean 'high'? (f:1:9, DGT-E0104)"));
  EXPECT_THAT(problem("agent: ../x\n"), HasSubstr("agent: must be the name of a profile, not a path (f:1:8, DGT-E0105)"));
  EXPECT_THAT(problem("save: ''\n"), HasSubstr("save: must be a directory (f:1:7, DGT-E0105)"));
  EXPECT_THAT(problem("team_mode: ''\n"), HasSubstr("team_mode: must be true, false or the name of a team"));
  EXPECT_THAT(problem("team_attach: a/b\n"), HasSubstr("team_attach: must be the name of a team"));
  EXPECT_THAT(problem("team_mode: a\nteam_attach: b\n"), HasSubstr("team_attach: excludes team_mode"));
  EXPECT_THAT(problem("prompt: [a]\n"), HasSubstr("prompt: must be text, not a list"));
  EXPECT_EQ(problem(""), "the file is empty (f:1:1, DGT-E0004)");
  EXPECT_THAT(problem("- a\n"), HasSubstr("a playbook is a map: 'key: value' lines (f:1:1, DGT-E0003)"));
}

TEST(Playbook, WhatAKindDoesNotUseIsRefused) {
  EXPECT_EQ(problem("kind: agent\nworkers: 2\ndry_run: true\n"),
            "workers: has no effect in a playbook of kind agent (f:2:10, DGT-E0104)\n"
            "dry_run: has no effect in a playbook of kind agent (f:3:10, DGT-E0104)");
  for (const std::string key :
       {"max_ops: 3", "bare: true", "dry_run: true", "show_graph: true", "reactive: true", "pack: p", "team_attach: t"})
    EXPECT_THAT(problem("kind: fanout\n" + key + "\n"), HasSubstr("has no effect in a playbook of kind fanout")) << key;
}

TEST(Playbook, TellsWhatIsWrongWithArguments) {
  EXPECT_EQ(
      problem("args:\n  a: {type: itn}\n"),
      "args.a.type: must be one of: string, int, number, bool, choice, str, float, did you mean 'int'? (f:2:13, DGT-E0104)");
  EXPECT_EQ(problem("args:\n  a: {type: int, default: three}\n"),
            "args.a.default: must be an integer, not 'three' (f:2:27, DGT-E0102)");
  EXPECT_THAT(problem("args:\n  a: {type: choice}\n"),
              HasSubstr("args.a.choices: is required where type is choice (f:2:3, DGT-E0100)"));
  EXPECT_THAT(problem("args:\n  a: {choices: [x]}\n"), HasSubstr("args.a.choices: is only for the type choice"));
  EXPECT_THAT(problem("args:\n  a: {type: choice, choices: [short, long], default: shrot}\n"),
              HasSubstr("args.a.default: must be one of: short, long, did you mean 'short'?"));
  EXPECT_THAT(problem("args:\n  a: {required: true, default: x}\n"),
              HasSubstr("args.a.default: has no effect, as the argument is required"));
  EXPECT_THAT(problem("args:\n  a: {hlep: x}\n"), HasSubstr("args.a.hlep: unknown key, did you mean 'help'? (f:2:7, DGT-E0101)"));
  EXPECT_THAT(problem("args:\n  a: 3\n"), HasSubstr("args.a: must be a map"));
  EXPECT_THAT(problem("args:\n  'a b': {}\n"), HasSubstr("args.a b: an argument's name has 1 to 64 letters"));
  EXPECT_THAT(problem("args:\n  dry_run: {}\n"),
              HasSubstr("'dry-run' means something else to `outlast play`; choose another name (f:2:3, DGT-E0104)"));
  EXPECT_THAT(problem("args:\n  input: {}\n"), HasSubstr("'input' means something else"));
  EXPECT_THAT(problem("args:\n  a_b: {}\n  a-b: {}\n"),
              HasSubstr("args.a-b: another argument has the flag --a-b already (f:3:3, DGT-E0400)"));
  EXPECT_THAT(problem("args: {a: {}, a: {}}\n"), HasSubstr("this key stands here twice"));
  std::string many = "args:\n";
  for (std::size_t i = 0; i <= base::limits::kPlaybookArgsMax; ++i) many += "  a" + std::to_string(i) + ": {}\n";
  EXPECT_THAT(problem(many), HasSubstr("args: has more than 64 arguments"));
}

TEST(Playbook, UnknownPlaceholdersAreFoundWhereTheyStand) {
  EXPECT_EQ(problem("args: {module: {}}\nprompt: |\n  Audit {module} and\n    then {{modul}} {modul}.\n  {inptu}\n"),
            "prompt: there is no argument 'modul', did you mean 'module'? (braces that are meant are written {{modul}}) (f:4:20, "
            "DGT-E0209)\n"
            "prompt: there is no argument 'inptu', did you mean 'input'? (braces that are meant are written {{inptu}}) (f:5:3, "
            "DGT-E0209)");
  EXPECT_THAT(problem("# {x}\nprompt: \"a {x}\"\n"), HasSubstr("(f:2:12, DGT-E0209)"));
  // Written in a way that the file's text does not show: the prompt's own place.
  EXPECT_THAT(problem("prompt: \"a \\x7bx}\"\n"), HasSubstr("(f:1:9, DGT-E0209)"));
}

TEST(Playbook, ArtifactsStayBelowTheirDirectory) {
  const auto path = [](const std::string& text) {
    return problem("artifacts:\n  expected:\n    - id: a\n      path: " + text + "\n");
  };
  for (const std::string text : {"/etc/passwd", "../x", "a/../../x", "a/..", "..", "''", "a/", ".", "\"a\\nb\"", "\"a\\0b\""})
    EXPECT_THAT(path(text),
                HasSubstr("artifacts.expected[0].path: must be the relative path of a file, without '..' (f:4:13, DGT-E0105)"))
        << text;
  EXPECT_THAT(path(std::string(1025, 'x')), HasSubstr("(f:4:13, DGT-E0105)"));
  EXPECT_EQ(parse("artifacts: {expected: [{id: a, path: ..a/b..c}]}\n").artifacts_expected[0].path, "..a/b..c");
  EXPECT_THAT(problem("artifacts: {expected: [{id: a}]}\n"), HasSubstr("artifacts.expected[0].path: is required"));
  EXPECT_THAT(problem("artifacts: {expected: [{id: a, path: a}, {id: a, path: b}]}\n"),
              HasSubstr("artifacts.expected[1].id: this id stands here twice"));
  EXPECT_THAT(problem("artifacts: {expected: [~]}\n"), HasSubstr("artifacts.expected[0]: must be a map"));
  EXPECT_THAT(problem("artifacts: {expcted: []}\n"), HasSubstr("did you mean 'expected'?"));
  std::string many = "artifacts:\n  expected:\n";
  for (int i = 0; i <= 100; ++i) many += "    - {id: a" + std::to_string(i) + ", path: x}\n";
  EXPECT_THAT(problem(many), HasSubstr("lists more than 100 artifacts"));
}

TEST(Playbook, SurvivesHostileFiles) {
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    const std::string name(1, c), before(1, static_cast<char>(c - 1));
    bomb += name + ": &" + name + " [";
    for (int i = 0; i < 10; ++i) bomb += (i ? ", *" : "*") + before;
    bomb += "]\n";
  }
  EXPECT_LT(problem(bomb).size(), 10'000u);
  EXPECT_LT(problem("args: " + std::string(100'000, '[')).size(), 10'000u);
  EXPECT_THAT(problem("prompt: \xff"), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(problem(std::string("prompt: a\0b", 11)), HasSubstr("NUL"));
  EXPECT_THAT(problem(std::string(base::limits::kConfigBytesMax + 1, '#')), HasSubstr("too big"));
  // A hundred problems are told, the rest counted.
  std::string places;
  for (int i = 0; i < 100'000; ++i) places += "{x} ";
  EXPECT_LT(problem("prompt: " + places + "\n").size(), 100'000u);
}

TEST(Playbook, EffortsAreTheModelsOwn) {
  for (const auto effort : kEfforts) EXPECT_TRUE(llm::valid_effort(effort)) << effort;
}

class FilledPrompt : public testing::Test {
 protected:
  std::string fill(const std::map<std::string, std::string>& args, const std::string& input = "") const {
    const auto text = filled_prompt(playbook, args, input);
    return text ? *text : "! " + text.error().message;
  }
  Playbook playbook = parse(
      "prompt: '{module} {depth} {ratio} {deep} {style} {plain}|{input}'\nargs:\n  module: {required: true}\n  depth: {type: "
      "int, default: 3}\n"
      "  ratio: {type: number}\n  deep: {type: bool}\n  style: {type: choice, choices: [short, long], default: long}\n  "
      "plain:\n");
};

TEST_F(FilledPrompt, ReplacesArgumentsAndInput) {
  EXPECT_EQ(fill({{"module", "auth"}}), "auth 3  false long |");
  EXPECT_EQ(
      fill({{"module", "auth"}, {"depth", " 7 "}, {"ratio", "1e-3"}, {"deep", "YES"}, {"style", "short"}, {"plain", "p"}}, "go"),
      "auth 7 1e-3 true short p|go");
  // Values are text, whatever is in them.
  EXPECT_EQ(fill({{"module", "{depth}{{input}}"}}, "{module}"), "{depth}{{input}} 3  false long |{module}");
}

TEST_F(FilledPrompt, RefusesWhatDoesNotFit) {
  EXPECT_EQ(fill({}), "! argument 'module' of playbook 'audit' is required");
  EXPECT_EQ(fill({{"module", "m"}, {"depth", "x"}, {"deep", "perhaps"}, {"ratio", "nan"}, {"style", "shrot"}, {"modul", ""}}),
            "! argument 'depth' of playbook 'audit' must be an integer, not 'x'\n"
            "argument 'ratio' of playbook 'audit' must be a number, not 'nan'\n"
            "argument 'deep' of playbook 'audit' must be true or false, not 'perhaps'\n"
            "argument 'style' of playbook 'audit' must be one of: short, long, did you mean 'short'?\n"
            "playbook 'audit' has no argument 'modul', did you mean 'module'?");
  EXPECT_THAT(fill({{"module", "\xff"}}), HasSubstr("must be valid UTF-8"));
  EXPECT_THAT(fill({{"module", "m"}}, "\xff"), HasSubstr("the input is not valid UTF-8"));
  EXPECT_THAT(fill({{"module", std::string(3 << 20, 'x')}}, std::string(3 << 20, 'y')),
              HasSubstr("becomes longer than 4194304 bytes"));
  EXPECT_THAT(fill({{"module", "m"}, {"depth", "99999999999999999999"}}), HasSubstr("must be an integer"));
}

TEST_F(FilledPrompt, BracesThatEncloseNoNameStay) {
  playbook.prompt = "{ x } {} {1} {\"a\": {\"b\": 1}} {{module}} {{ {{{module}}} {{{module} {module";
  EXPECT_EQ(fill({{"module", "m"}}), "{ x } {} {1} {\"a\": {\"b\": 1}} {module} {{ {m} {{m {module");
  playbook.prompt = "{" + std::string(65, 'a') + "} {module}{module}}";
  EXPECT_EQ(fill({{"module", "m"}}), "{" + std::string(65, 'a') + "} mm}");
}

TEST_F(FilledPrompt, InputWithoutAPlaceFollows) {
  playbook.prompt = "Do it.\n";
  EXPECT_EQ(fill({{"module", "m"}}, "Here."), "Do it.\n\nHere.");
  playbook.prompt = "Do it.";
  EXPECT_EQ(fill({{"module", "m"}}, "Here."), "Do it.\n\nHere.");
  EXPECT_EQ(fill({{"module", "m"}}, " \n"), "Do it.");
  playbook.prompt = "{input}";
  EXPECT_EQ(fill({{"module", "m"}}), "! the prompt of playbook 'audit' is empty: give it an input");
}

class FindPlaybook : public testing::Test {
 protected:
  FindPlaybook() {
    std::string name = (std::filesystem::temp_directory_path() / "outlast-playbook-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    root = name;
    std::filesystem::create_directories(root / "w");
  }
  ~FindPlaybook() override { std::filesystem::remove_all(root); }
  std::string put(const std::string& path, const std::string& text = "{}") {
    std::filesystem::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
    return (root / path).string();
  }
  std::string find(const std::string& name) {
    const auto found = find_playbook(name, (root / "w").string(), home);
    return found ? std::filesystem::relative(*found, root).string() : found.error().message;
  }
  CheckedPlaybook check(const std::string& path) {
    auto checked = check_playbook(path, kNoEnvironment, (root / "w").string(), home);
    EXPECT_TRUE(checked);
    return std::move(*checked);
  }

  std::filesystem::path root;
  std::string home = (std::filesystem::path("/nowhere") / ".outlast").string();
};

TEST_F(FindPlaybook, AsksTheProjectThenTheHome) {
  home = (root / "home/.outlast").string();
  EXPECT_EQ(find("a"), "Playbook 'a' not found\nAvailable: (none)");
  put("home/.lionagi/playbooks/a.playbook.yaml");
  EXPECT_EQ(find("a"), "home/.lionagi/playbooks/a.playbook.yaml");
  put("home/.outlast/playbooks/a.playbook.yaml");
  EXPECT_EQ(find("a"), "home/.outlast/playbooks/a.playbook.yaml");
  put("w/.lionagi/playbooks/a.playbook.yaml");
  put(".outlast/playbooks/a.playbook.yaml");
  EXPECT_EQ(find("a"), "w/.lionagi/playbooks/a.playbook.yaml");
  put(".git/HEAD");
  EXPECT_EQ(find("a"), ".outlast/playbooks/a.playbook.yaml");
  put("w/.outlast/playbooks/b.playbook.yaml");
  put("w/.outlast/playbooks/notes.yaml");
  put("w/.outlast/playbooks/.playbook.yaml");
  std::filesystem::create_directories(root / "w/.outlast/playbooks/d.playbook.yaml");
  EXPECT_EQ(find("c"), "Playbook 'c' not found\nAvailable: a, b");
  for (const std::string name : {"../playbooks/a", "/etc/passwd", "", "."})
    EXPECT_THAT(find(name), HasSubstr("' not found\nAvailable: a, b"));
  const auto list = list_playbooks((root / "w").string(), home);
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].name, "a");
  EXPECT_EQ(list[0].file, (root / ".outlast/playbooks/a.playbook.yaml").string());
}

TEST_F(FindPlaybook, LoadsAndChecksFiles) {
  const auto path = put("w/x.playbook.yaml", "agent: critic\nprompt: Hi\nname: y\n");
  EXPECT_EQ(load_playbook(path, kNoEnvironment)->name, "x");
  EXPECT_EQ(load_playbook(path + "x", kNoEnvironment).error().code, base::Errc::not_found);
  EXPECT_EQ(load_playbook(put("w/bad.yaml", "x: 1\n"), kNoEnvironment).error().code, base::Errc::invalid_argument);
  auto checked = check(path);
  ASSERT_EQ(checked.errors.size(), 1u);
  EXPECT_FALSE(checked.playbook);
  EXPECT_EQ(to_text(checked.errors[0], "f"), "agent: Agent profile 'critic' not found; Available: (none) (f:1:8, DGT-E0300)");
  put("w/.outlast/agents/critic.md", "---\nmodle: x\n---\n");
  EXPECT_THAT(to_text(check(path).errors.at(0), "f"), HasSubstr("agent: its profile is wrong: outlast check "));
  put("w/.outlast/agents/critic.md", "---\nmodel: openai/gpt\n---\n");
  checked = check(path);
  EXPECT_THAT(checked.errors, IsEmpty());
  EXPECT_TRUE(checked.playbook);
  EXPECT_EQ(checked.warnings.size(), 1u);
}

}  // namespace
}  // namespace app
