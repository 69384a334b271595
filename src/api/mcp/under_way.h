#pragma once
// The requests of one process' MCP clients that are under way, so that a later message can give one up. Io thread.
#include <boost/json/serialize.hpp>
#include <map>
#include <string>

#include "api/mcp/call.h"

namespace api::mcp {

class UnderWay {
 public:
  // One request while it lives; a client that uses an id twice at the same time gives up the later one only.
  class Entry {
   public:
    Entry(UnderWay& all, const std::string& session_id, const json::value& id, Call& call) : all_(all), key_(key(session_id, id)) {
      all_.calls_[key_] = &call;
      call_ = &call;
    }
    ~Entry() {
      if (const auto at = all_.calls_.find(key_); at != all_.calls_.end() && at->second == call_) all_.calls_.erase(at);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    UnderWay& all_;
    std::string key_;
    Call* call_;
  };

  // notifications/cancelled. False: there is no such request (any more).
  bool give_up(const std::string& session_id, const json::value& id) {
    const auto at = calls_.find(key(session_id, id));
    if (at == calls_.end()) return false;
    at->second->waits.cancel();
    return true;
  }
  // The same for all.
  void give_up_all() {
    for (const auto& [key, call] : calls_) call->waits.cancel();
  }
  bool knows(const std::string& session_id, const json::value& id) const { return calls_.contains(key(session_id, id)); }

 private:
  static std::string key(const std::string& session_id, const json::value& id) { return session_id + '\n' + json::serialize(id); }
  std::map<std::string, Call*> calls_;
};

}  // namespace api::mcp
