#pragma once
// Refusals as AgentOS words them: {"detail":"text"}, or 422 with one entry per bad field.
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"

namespace api {

net::HttpResponse json_response(int status, std::string body);
net::HttpResponse problem(int status, std::string_view detail);

// The bad fields of one request, in the order in which they were looked at.
class FieldErrors {
 public:
  void missing(std::string_view where, std::string_view field);
  void bad_bool(std::string_view where, std::string_view field, std::string_view input);
  void bad_int(std::string_view where, std::string_view field, std::string_view input);
  void too_small(std::string_view where, std::string_view field, std::string_view input, std::int64_t minimum);
  void bad_choice(std::string_view where, std::string_view field, std::string_view input,
                  const std::vector<std::string_view>& choices);
  void other(std::string_view where, std::string_view field, std::string_view input, std::string_view type,
             std::string_view message);
  // Of a JSON body: the value is shown as the JSON that it is.
  void bad_type(std::string_view field, const boost::json::value& input, std::string_view type, std::string_view message);
  bool empty() const { return entries_.empty(); }
  net::HttpResponse response() const;

 private:
  void add(std::string_view where, std::string_view field, std::string_view input_json, std::string_view type,
           std::string_view message, std::string_view context);
  std::string entries_;
};

}  // namespace api
