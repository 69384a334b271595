#pragma once
// Pages of a list: `limit`, `page`, `sort_by`, `sort_order`, and the `meta` of the answer.
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "api/fields.h"

namespace api {

struct Paging {
  std::int64_t limit = 20, page = 1;
  bool ascending = false;
  std::string sort_by;
  std::int64_t offset() const { return (page - 1) * limit; }
};

Paging read_paging(FieldReader& query, FieldErrors& errors);
boost::json::object page_meta(const Paging& paging, std::int64_t total);

}  // namespace api
