#include "api/paging.h"

#include <algorithm>

#include "base/limits.h"

namespace api {

Paging read_paging(FieldReader& query, FieldErrors& errors) {
  static constexpr std::int64_t kPagesMax = 1'000'000'000;
  Paging paging;
  paging.limit = std::min(query.at_least("limit", 1, 20), base::limits::kPageLimitMax);
  paging.page = std::min(query.at_least("page", 1, 1), kPagesMax);
  paging.sort_by = query.text("sort_by");
  const auto order = query.text("sort_order");
  if (!order.empty() && order != "asc" && order != "desc") errors.bad_choice("query", "sort_order", order, {"asc", "desc"});
  paging.ascending = order == "asc";
  return paging;
}

boost::json::object page_meta(const Paging& paging, std::int64_t total) {
  return {{"page", paging.page},
          {"limit", paging.limit},
          {"total_pages", (total + paging.limit - 1) / paging.limit},
          {"total_count", total},
          {"search_time_ms", 0.0}};
}

}  // namespace api
