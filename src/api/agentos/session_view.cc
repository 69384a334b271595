#include "api/agentos/session_view.h"

#include "base/json.h"
#include "base/limits.h"

namespace api::agentos {

namespace {

namespace limits = base::limits;

json::value stored_json(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = base::parse_json(text);
  return value ? std::move(*value) : json::value(nullptr);
}

// What the runs of a session say together.
struct Conversation {
  json::array chat;
  run::Usage usage;
  struct Share {
    std::string model, provider;
    run::Usage usage;
  };
  std::vector<Share> shares;  // by model

  void take(const RunView& view) {
    for (auto& m : chat_messages(view)) chat.push_back(std::move(m));
    usage += view.state.usage;
    if (!view.state.usage.total()) return;
    const auto same = [&view](const Share& s) { return s.model == view.spec.model && s.provider == view.spec.provider; };
    auto at = std::ranges::find_if(shares, same);
    if (at == shares.end()) at = shares.insert(at, {view.spec.model, view.spec.provider, {}});
    at->usage += view.state.usage;
  }
};

json::object tokens(const run::Usage& usage) {
  return {{"input_tokens", usage.input_tokens}, {"output_tokens", usage.output_tokens}, {"total_tokens", usage.total()}};
}

json::object metrics_of(const Conversation& conversation) {
  if (!conversation.usage.total()) return {};
  auto metrics = tokens(conversation.usage);
  json::array models;
  for (const auto& share : conversation.shares) {
    auto one = tokens(share.usage);
    one["id"] = share.model;
    one["provider"] = share.provider;
    models.push_back(std::move(one));
  }
  metrics["details"] = json::object{{"model", std::move(models)}};
  return metrics;
}

json::value total_tokens(const Conversation& conversation) {
  return conversation.usage.total() ? json::value(conversation.usage.total()) : json::value(nullptr);
}

void add_times(json::object& o, const store::Session& s) {
  o["created_at"] = base::iso_utc(s.created_ms);
  o["updated_at"] = base::iso_utc(s.updated_ms);
}

json::object agent_detail(const store::Session& s, Conversation conversation) {
  json::object o{{"user_id", text_or_null(s.user_id)},
                 {"agent_session_id", s.session_id},
                 {"session_id", s.session_id},
                 {"session_name", s.name},
                 {"session_summary", nullptr},
                 {"session_state", session_state(s)},
                 {"agent_id", text_or_null(s.component_id)},
                 {"total_tokens", total_tokens(conversation)},
                 {"agent_data", nullptr},
                 {"metrics", metrics_of(conversation)},
                 {"metadata", stored_json(s.metadata)},
                 {"chat_history", std::move(conversation.chat)}};
  add_times(o, s);
  return o;
}

json::object team_detail(const store::Session& s, Conversation conversation) {
  json::object o{{"session_id", s.session_id},
                 {"session_name", s.name},
                 {"user_id", text_or_null(s.user_id)},
                 {"team_id", text_or_null(s.component_id)},
                 {"session_summary", nullptr},
                 {"session_state", session_state(s)},
                 {"metrics", conversation.usage.total() ? json::value(metrics_of(conversation)) : json::value(nullptr)},
                 {"team_data", nullptr},
                 {"metadata", stored_json(s.metadata)},
                 {"chat_history", std::move(conversation.chat)}};
  add_times(o, s);
  o["total_tokens"] = total_tokens(conversation);
  return o;
}

json::object workflow_detail(const store::Session& s) {
  auto metadata = stored_json(s.metadata);
  json::object o{{"user_id", text_or_null(s.user_id)},
                 {"workflow_id", text_or_null(s.component_id)},
                 {"workflow_name", nullptr},
                 {"session_id", s.session_id},
                 {"session_name", s.name},
                 {"session_data", json::object()},
                 {"session_state", session_state(s)},
                 {"workflow_data", json::object()},
                 {"metadata", metadata.is_null() ? json::value(json::object()) : std::move(metadata)}};
  add_times(o, s);
  return o;
}

}  // namespace

json::value session_state(const store::Session& s) {
  auto state = stored_json(s.state);
  if (state.is_null() && s.run_count > 0) return json::object();
  return state;
}

json::object session_summary(const store::Session& s) {
  return {{"session_id", s.session_id},
          {"session_name", s.name},
          {"session_state", session_state(s)},
          {"created_at", base::iso_utc(s.created_ms)},
          {"updated_at", base::iso_utc(s.updated_ms)},
          {"session_type", s.component_type},
          {"user_id", text_or_null(s.user_id)},
          {s.component_type + "_id", text_or_null(s.component_id)},
          {"metadata", stored_json(s.metadata)}};
}

aio::Task<> each_run(Context& context, store::RunFilter filter, std::function<bool(const store::Run&)> wanted,
                     std::function<void(const RunView&)> take) {
  filter.limit = limits::kPageLimitMax;
  filter.ascending = true;
  filter.except_type = store::kKindTool;
  for (;;) {
    auto page = co_await context.deps.store.list_runs(filter);
    for (auto& run : page.items) {
      if (!wanted(run)) continue;
      const auto view = co_await load_view(context, std::move(run), Events::leave_out);
      take(view);
    }
    filter.offset += static_cast<std::int64_t>(page.items.size());
    if (page.items.empty() || filter.offset >= page.total) co_return;
  }
}

aio::Task<json::object> session_detail(Context& context, store::Session s) {
  Conversation conversation;
  store::RunFilter filter;
  filter.session_id = s.session_id;
  const auto all = [](const store::Run&) { return true; };
  const auto take = [&conversation](const RunView& view) { conversation.take(view); };
  co_await each_run(context, std::move(filter), all, take);
  if (s.component_type == "team") co_return team_detail(s, std::move(conversation));
  if (s.component_type == "workflow") co_return workflow_detail(s);
  co_return agent_detail(s, std::move(conversation));
}

}  // namespace api::agentos
