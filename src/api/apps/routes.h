#pragma once
// The routes of app sessions: /api/apps and what lies below. docs/api.md "App sessions".
#include <vector>

#include "api/router.h"

namespace api::apps {

void add_session_routes(std::vector<Route>& routes);   // apps, sessions, messages, abort
void add_event_routes(std::vector<Route>& routes);     // events, history
void add_task_routes(std::vector<Route>& routes);      // tasks
void add_approval_routes(std::vector<Route>& routes);  // state, approvals

inline void add_app_routes(std::vector<Route>& routes) {
  add_session_routes(routes);
  add_event_routes(routes);
  add_task_routes(routes);
  add_approval_routes(routes);
}

}  // namespace api::apps
