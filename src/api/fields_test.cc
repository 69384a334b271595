#include "api/fields.h"

#include <gtest/gtest.h>

namespace api {

namespace {

TEST(ParseBool, AcceptsWhatAgentOsAccepts) {
  for (const auto* text : {"1", "yes", "on", "t", "y", "true", "True", "TRUE", "ON", "Y", "Yes"})
    EXPECT_EQ(parse_bool(text), true) << text;
  for (const auto* text : {"0", "no", "off", "f", "n", "false", "FALSE", "N", "Off"}) EXPECT_EQ(parse_bool(text), false) << text;
  for (const auto* text : {"", " true", "true ", "maybe", "2", "tru", "null", "none", "ja", "01"})
    EXPECT_FALSE(parse_bool(text)) << text;
}

TEST(ParseLenientInt, AcceptsWhatAgentOsAccepts) {
  const struct {
    const char* text;
    std::int64_t value;
  } cases[] = {{"7", 7},
               {"-7", -7},
               {"+1", 1},
               {"01", 1},
               {"1_0", 10},
               {"1.0", 1},
               {"-1.000", -1},
               {" 1 ", 1},
               {"\t5", 5},
               {"0", 0},
               {"-0", 0},
               {"1_000_000", 1'000'000},
               {"+0", 0},
               {"10.00", 10},
               {"007", 7},
               {" -3 ", -3},
               {"9223372036854775807", INT64_MAX}};
  for (const auto& c : cases) EXPECT_EQ(parse_lenient_int(c.text), c.value) << c.text;
}

TEST(ParseLenientInt, RefusesTheRest) {
  for (const auto* text : {"",   " ",    "abc", "1.5", "1e0", "0x1",   "--1", "+-1", "1 0", "_1",
                           "1_", "1__0", ".0",  "1.",  "- 1", "1.0.0", "٣",   "1,0", "+",   "-"})
    EXPECT_FALSE(parse_lenient_int(text)) << text;
}

TEST(ParseLenientInt, ClampsWhatIsBeyond64Bits) {
  EXPECT_EQ(parse_lenient_int("99999999999999999999"), INT64_MAX);
  EXPECT_EQ(parse_lenient_int("-99999999999999999999"), -INT64_MAX);
  EXPECT_EQ(parse_lenient_int("9223372036854775808"), INT64_MAX);
  EXPECT_EQ(parse_lenient_int(std::string(4000, '9')), INT64_MAX);
  EXPECT_EQ(parse_lenient_int(std::string(4000, '0') + "5"), 5);
}

net::Form form_of(std::initializer_list<std::pair<std::string, std::string>> pairs) {
  net::Form form;
  for (const auto& [name, value] : pairs) form.push_back({name, value, "", ""});
  return form;
}

TEST(FieldReader, AnEmptyValueIsAnAbsentOne) {
  const auto form = form_of({{"stream", ""}, {"n", ""}, {"message", ""}});
  FieldErrors errors;
  FieldReader reader(form, "body", errors);
  EXPECT_TRUE(reader.boolean("stream", true));
  EXPECT_FALSE(reader.integer("n"));
  EXPECT_EQ(reader.text("message"), "");
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(reader.required("message"), "");
  EXPECT_EQ(errors.response().body,
            R"({"detail":[{"type":"missing","loc":["body","message"],"msg":"Field required","input":null}]})");
}

TEST(FieldReader, EveryBadFieldIsToldInTheOrderOfTheLooks) {
  const auto form = form_of({{"b", "maybe"}, {"i", "1.5"}, {"limit", "0"}, {"page", "-3"}, {"ok", "2"}});
  FieldErrors errors;
  FieldReader reader(form, "query", errors);
  EXPECT_TRUE(reader.boolean("b", true));
  EXPECT_FALSE(reader.integer("i"));
  reader.at_least("limit", 1, 20);
  reader.at_least("page", 1, 1);
  EXPECT_EQ(reader.at_least("ok", 1, 20), 2);
  EXPECT_EQ(reader.at_least("absent", 1, 20), 20);
  const auto response = errors.response();
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(
      response.body,
      R"({"detail":[{"type":"bool_parsing","loc":["query","b"],"msg":"Input should be a valid boolean, unable to interpret input","input":"maybe"},)"
      R"({"type":"int_parsing","loc":["query","i"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"1.5"},)"
      R"({"type":"greater_than_equal","loc":["query","limit"],"msg":"Input should be greater than or equal to 1","input":"0","ctx":{"ge":1}},)"
      R"({"type":"greater_than_equal","loc":["query","page"],"msg":"Input should be greater than or equal to 1","input":"-3","ctx":{"ge":1}}]})");
}

TEST(FieldErrors, ChoicesAndForeignBytes) {
  FieldErrors errors;
  errors.bad_choice("query", "type", "zzz", {"agent", "team", "workflow"});
  errors.other("body", "x", "\xff\"", "odd", "no");
  EXPECT_EQ(
      errors.response().body,
      R"({"detail":[{"type":"enum","loc":["query","type"],"msg":"Input should be 'agent', 'team' or 'workflow'","input":"zzz",)"
      R"("ctx":{"expected":"'agent', 'team' or 'workflow'"}},{"type":"odd","loc":["body","x"],"msg":"no","input":")"
      "\xEF\xBF\xBD\\\"\"}]}");
}

TEST(Problem, DetailIsOneText) {
  const auto response = problem(404, "Run \"x\" not found");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"detail":"Run \"x\" not found"})");
}

}  // namespace

}  // namespace api
