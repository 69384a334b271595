// The drivers and the stand-in of tests/harness talk to each other: whole conversations, over real pipes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "harness/harness_fixture.h"
#include "harness/harnesses.h"

namespace harness {
namespace {

constexpr std::string_view kSession = "5e550000-0000-4000-8000-000000000001";

class FakeAgent : public testing::Test {
 protected:
  void SetUp() override {
    alarm(120);  // nothing of this waits for anything: a conversation that hangs is a failure
    char name[] = "/tmp/harness-XXXXXX";
    root_ = mkdtemp(name);
    std::filesystem::create_directories(root_ + "/work");
    const auto install = "/usr/bin/python3 " OUTLAST_TEST_DATA "/../harness/fake_agent.py --install " + root_ + "/bin " + root_ + "/state";
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE=1"};
    ASSERT_EQ(wait_for(spawn({"/bin/sh", "-c", install}, environment, {})), 0);
  }
  void TearDown() override {
    alarm(0);
    std::filesystem::remove_all(root_);
  }

  struct Pipes {
    int input = -1, output = -1;
  };

  static pid_t spawn(std::vector<std::string> argv, std::vector<std::string> environment, Pipes pipes) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (pipes.input >= 0) posix_spawn_file_actions_adddup2(&actions, pipes.input, 0);
    else posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (pipes.output >= 0) posix_spawn_file_actions_adddup2(&actions, pipes.output, 1);
    const auto pointers = [](std::vector<std::string>& words) {
      std::vector<char*> out;
      for (auto& word : words) out.push_back(word.data());
      out.push_back(nullptr);
      return out;
    };
    pid_t pid = 0;
    EXPECT_EQ(posix_spawnp(&pid, argv[0].c_str(), &actions, nullptr, pointers(argv).data(), pointers(environment).data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  static int wait_for(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  // Starts it, answers what it asks, and reads until it is through; its input is closed at its turn's end.
  Lines converse(const Harness& harness, const Start& start, bool allows = true) {
    auto command = harness.command(start);
    command.argv[0] = root_ + "/bin/" + command.argv[0];
    int in[2], out[2];
    EXPECT_EQ(pipe2(in, O_CLOEXEC) + pipe2(out, O_CLOEXEC), 0);
    std::vector<std::string> environment = {"PATH=/usr/bin:/bin", "HOME=" + root_, "PYTHONDONTWRITEBYTECODE=1"};
    const auto pid = spawn(command.argv, environment, {command.takes_input ? in[0] : -1, out[1]});
    close(in[0]), close(out[1]);
    const auto send = [&](std::string line) { EXPECT_EQ(write(in[1], (line += '\n').data(), line.size()), static_cast<ssize_t>(line.size())); };
    for (const auto& reply : command.first) send(reply.line);
    const auto decoder = harness.decoder(start);
    std::vector<Told> told;
    bool is_open = true;
    std::string bytes;
    for (char buffer[4096]; const auto n = read(out[0], buffer, sizeof buffer);) {
      if (n < 0) break;
      bytes.append(buffer, static_cast<std::size_t>(n));
      for (auto end = bytes.find('\n'); end != bytes.npos; end = bytes.find('\n')) {
        const auto before = told.size();
        decoder->line(bytes.substr(0, end), told);
        bytes.erase(0, end + 1);
        for (auto i = before; i < told.size(); ++i) {
          if (const auto* reply = std::get_if<Reply>(&told[i])) send(reply->line);
          if (const auto* asks = std::get_if<Asks>(&told[i])) send(decoder->answer(asks->call.id, allows, "not now"));
          // A message that it knew before is handled without a turn.
          const bool is_through = std::holds_alternative<TurnEnded>(told[i]) || std::holds_alternative<HandledMessage>(told[i]);
          if (is_through && std::exchange(is_open, false)) close(in[1]);
        }
      }
    }
    if (is_open) close(in[1]);
    close(out[0]);
    decoder->end(wait_for(pid), "", told);
    return words(told);
  }

  Start start(std::string prompt) const {
    return {.prompt = std::move(prompt), .message_id = "11111111-1111-4111-8111-111111111111", .directory = root_ + "/work"};
  }

  static bool says(const Lines& told, std::string_view beginning) {
    return std::ranges::any_of(told, [beginning](const std::string& line) { return line.starts_with(beginning); });
  }

  std::string root_;
};

TEST_F(FakeAgent, ClaudeAsksAndIsResumed) {
  auto first = start("THINK hm\nASK[[echo hi]] SAY over");
  first.session_id = kSession;
  const auto told = converse(claude(), first);
  for (const auto* line : {"session 5e550000", "turn began", "thought hm", "call toolu_", "asks toolu_", "ended toolu_", "said over",
                           "turn done text=over usage=200/20/0/0/0 cost=1500", "heard 11111111", "handled 11111111"})
    EXPECT_TRUE(says(told, line)) << line << "\n" << testing::PrintToString(told);
  EXPECT_FALSE(says(told, "unknown"));
  auto again = start("SAY more");
  again.session_id = kSession;
  again.resumes = true;
  again.message_id = "22222222-2222-4222-8222-222222222222";
  EXPECT_TRUE(says(converse(claude(), again), "turn done text=more usage=100/10/0/0/0 cost=500"));
  EXPECT_TRUE(says(converse(claude(), again), "handled 22222222"));
}

TEST_F(FakeAgent, ClaudeIsRefusedAndFails) {
  EXPECT_TRUE(says(converse(claude(), start("ASK[[echo hi]] SAY over"), false), "failed toolu_"));
  const auto told = converse(claude(), start("ERR 429"));
  EXPECT_TRUE(says(told, "limited in 100"));
  EXPECT_TRUE(says(told, "turn limited error=API Error: 429"));
  EXPECT_TRUE(says(converse(claude(), start("ERR 401")), "turn denied"));
  auto unknown = start("SAY x");
  unknown.session_id = kSession;
  unknown.resumes = true;
  EXPECT_TRUE(says(converse(claude(), unknown), "turn failed error=No conversation found"));
  EXPECT_FALSE(says(converse(claude(), start("NO_RESULT")), "turn done"));
}

TEST_F(FakeAgent, ClaudeMakesNoise) {
  const auto told = converse(claude(), start("GARBAGE HUGE SPLIT SAY fine"));
  EXPECT_TRUE(says(told, "unknown"));
  EXPECT_TRUE(says(told, "said xxxxx"));
  EXPECT_TRUE(says(told, "turn done text=fine"));
}

TEST_F(FakeAgent, CodexServesAndIsResumed) {
  const auto told = converse(codex(), start("THINK hm\nASK[[echo hi]] SAY over"));
  for (const auto* line : {"session 0", "turn began", "heard 11111111", "thought hm", "call call_", "asks call_", "ended call_", "said over",
                           "turn done text=over usage=200/20/0/0/0", "handled 11111111"})
    EXPECT_TRUE(says(told, line)) << line << "\n" << testing::PrintToString(told);
  EXPECT_FALSE(says(told, "unknown"));
  const auto session = std::ranges::find_if(told, [](const std::string& line) { return line.starts_with("session "); });
  auto again = start("SAY more");
  again.resumes = true;
  again.session_id = session->substr(8, 36);
  // The same message again is there already, and no turn is made of it.
  const auto known = converse(codex(), again);
  EXPECT_TRUE(says(known, "heard 11111111") && says(known, "handled 11111111")) << testing::PrintToString(known);
  EXPECT_FALSE(says(known, "turn began"));
  again.message_id = "22222222-2222-4222-8222-222222222222";
  EXPECT_TRUE(says(converse(codex(), again), "turn done text=more usage=100/10/0/0/0"));
  again.attended = false;
  EXPECT_TRUE(says(converse(codex(), again), "turn done text=more"));
  again.session_id = "unknown";
  again.attended = true;
  EXPECT_TRUE(says(converse(codex(), again), "turn failed error=no rollout found"));
  EXPECT_TRUE(says(converse(codex(), start("ASK[[echo hi]] SAY x"), false), "failed call_"));
  EXPECT_TRUE(says(converse(codex(), start("ERR 429")), "turn limited"));
}

TEST_F(FakeAgent, CodexExecutes) {
  auto alone = start("RUN[[echo hi]] ASK[[echo no]] SAY over");
  alone.attended = false;
  const auto told = converse(codex(), alone);
  for (const auto* line : {"session 0", "turn began", "heard 1", "ended call_", "failed call_", "turn done text=over usage=300/30/0/0/0", "handled 1"})
    EXPECT_TRUE(says(told, line)) << line << "\n" << testing::PrintToString(told);
  alone.prompt = "ERR 503";
  EXPECT_TRUE(says(converse(codex(), alone), "turn again"));
}

TEST_F(FakeAgent, GeminiKeepsTheIdItIsGiven) {
  auto first = start("RUN[[echo hi]] SAY over");
  first.session_id = kSession;
  first.skip_permissions = true;
  const auto told = converse(gemini(), first);
  for (const auto* line : {"session 5e550000", "turn began", "heard 1", "ended call_", "said over", "turn done text=over", "handled 1"})
    EXPECT_TRUE(says(told, line)) << line << "\n" << testing::PrintToString(told);
  auto again = start("ERR 503");
  again.session_id = kSession;
  again.resumes = true;
  EXPECT_TRUE(says(converse(gemini(), again), "turn again"));
}

TEST_F(FakeAgent, OpencodeEndsWithoutAWord) {
  const auto told = converse(opencode(), start("RUN[[echo hi]] SAY over"));
  for (const auto* line : {"session ses_", "turn began", "heard 1", "ended call_", "said over", "turn done text=over usage=200/20/0/0/0 cost=2000", "handled 1"})
    EXPECT_TRUE(says(told, line)) << line << "\n" << testing::PrintToString(told);
  EXPECT_FALSE(says(converse(opencode(), start("EXIT 0")), "turn done"));
}

}  // namespace
}  // namespace harness
