// Calls that the server performs as tasks (2025-11-25): looked at until they have ended, then their result is fetched.
#include "mcp/client.h"

namespace mcp {

namespace limits = base::limits;
using Kind = RequestFailure::Kind;

namespace {

constexpr int kLooksInVain = 5;  // one after the other, until the task is taken for lost

std::string with_message(std::string text, const TaskState& task) {
  return task.message.empty() ? text : text + ": " + task.message;
}

}  // namespace

// Whoever stops waiting for a task cancels it.
class Client::TaskGuard {
 public:
  TaskGuard(Client& client, std::string task_id) : client_(client), task_id_(std::move(task_id)) {}
  ~TaskGuard() {
    if (!ended_) client_.tasks_.spawn("cancel", client_.cancel_task(task_id_));
  }
  TaskGuard(const TaskGuard&) = delete;
  TaskGuard& operator=(const TaskGuard&) = delete;
  void task_ended() { ended_ = true; }

 private:
  Client& client_;
  const std::string task_id_;
  bool ended_ = false;
};

aio::Task<> Client::cancel_task(std::string task_id) {
  co_await ask("tasks/cancel", {{"taskId", task_id}}, limits::kMcpFarewellMs);
}

aio::Task<UseOutcome> Client::follow(TaskState task) {
  TaskGuard guard(*this, task.task_id);
  const auto lost = [this](const std::string& why) {
    return said("its task was lost: " + why + ". The outcome is unknown; it may have had effects.");
  };
  const auto end = time_.steady_ms() + limits::kMcpTaskMsMax;
  for (int in_vain = 0; task.is_live();) {
    if (task.status == TaskStatus::input_required)
      co_return said("its task asks for input, which cannot be given here; it was cancelled");
    if (time_.steady_ms() >= end) co_return said("its task took too long and was cancelled");
    co_await time_.sleep(std::chrono::milliseconds(task.poll_ms));
    const auto reply = co_await ask("tasks/get", {{"taskId", task.task_id}}, options_.call_ms);
    if (!reply && reply.error().kind == Kind::refused) {
      guard.task_ended();
      co_return lost("the server does not know it any more (" + reply.error().message + ")");
    }
    if (!reply && ++in_vain >= kLooksInVain) co_return lost(reply.error().message);
    if (!reply) continue;
    in_vain = 0;
    const auto state = read_task(*reply);
    if (!state || state->task_id != task.task_id) co_return lost("the server's answer about it cannot be read");
    task = *state;
  }
  guard.task_ended();
  if (task.status == TaskStatus::cancelled) co_return said(with_message("the task was cancelled by the server", task));
  co_return co_await fetch(std::move(task));
}

aio::Task<UseOutcome> Client::fetch(TaskState task) {
  for (int in_vain = 0;;) {
    auto reply = co_await ask("tasks/result", {{"taskId", task.task_id}}, options_.call_ms);
    if (reply) co_return std::move(*reply);
    if (reply.error().kind == Kind::refused || ++in_vain >= kLooksInVain) co_return words(reply.error());
    co_await time_.sleep(std::chrono::milliseconds(task.poll_ms));
  }
}

}  // namespace mcp
