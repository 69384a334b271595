#pragma once
// The fields of one object of a plan. Models write them, so what can only mean one thing is taken (a number as an id, one text
// for a list of one); the first field that is wrong otherwise is kept as a sentence that names it.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "run/flow_plan.h"

namespace run {

// A word of a plan as it may stand in a message: 'o1', bounded, valid UTF-8, one line.
std::string quoted(std::string_view word);

std::string_view name(OnFailure policy);

// Reads one object, whose place in the plan is `where` ("op 'o1'"; "" for the plan itself). Borrows `object` and `problem`, which
// is shared by all objects of a plan: the first one told stays.
class PlanFields {
 public:
  PlanFields(const boost::json::object& object, std::string where, std::string& problem)
      : object_(object), where_(std::move(where)), problem_(problem) {}

  // The value, where it is there and not null.
  const boost::json::value* find(std::string_view key) const;
  // Of the first of these keys that is there; "" where none is.
  std::string text(std::initializer_list<std::string_view> keys);
  bool flag(std::string_view key);
  int count(std::string_view key, int max);
  std::int64_t milliseconds_of_seconds(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  // An item that is an object is taken by its `path`.
  std::vector<std::string> paths(std::string_view key);
  std::vector<FlowEdge> edges(std::string_view key);
  // Null where the key is not there, or holds no list (a problem).
  const boost::json::array* list(std::string_view key);

  void wrong(std::string_view key, std::string_view must);

 private:
  OnFailure policy(OnFailure otherwise);
  FlowEdge edge(const boost::json::value& item, std::string_view key, OnFailure otherwise);

  const boost::json::object& object_;
  std::string where_;
  std::string& problem_;
};

}  // namespace run
