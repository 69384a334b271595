#include "api/json_body.h"

#include <gtest/gtest.h>

#include "api/paging.h"
#include "base/json.h"

namespace api {

namespace {

namespace json = boost::json;

TEST(ParseBody, IsAnObjectOrARefusal) {
  EXPECT_TRUE(parse_body(""));
  EXPECT_TRUE(parse_body("{\"a\":1}"));
  for (const auto* text : {"[]", "5", "null", "{", "{\"a\":}", "\"\xff\""}) {
    const auto body = parse_body(text);
    ASSERT_FALSE(body) << text;
    EXPECT_EQ(body.error().status, 422) << text;
    EXPECT_TRUE(body.error().body.starts_with(R"({"detail":[{"type":)")) << text;
  }
}

TEST(BodyReader, ChecksTypesAndIgnoresTheRest) {
  const auto body = parse_body(R"({"name":"n","state":{"k":[1]},"none":null,"ids":["x"],"extra":1})");
  FieldErrors errors;
  BodyReader fields(*body, errors);
  EXPECT_EQ(fields.text("name"), "n");
  EXPECT_EQ(fields.object("state"), R"({"k":[1]})");
  EXPECT_FALSE(fields.text("none"));
  EXPECT_FALSE(fields.object("absent"));
  ASSERT_TRUE(fields.array("ids"));
  EXPECT_TRUE(errors.empty());
}

TEST(BodyReader, TellsWhatIsWrong) {
  const auto body = parse_body(R"({"name":5,"state":"x","ids":{},"long":")" + std::string(1025, 'x') + "\"}");
  FieldErrors errors;
  BodyReader fields(*body, errors);
  fields.require("absent");
  fields.text("name");
  fields.object("state");
  fields.array("ids");
  fields.text("long");
  EXPECT_EQ(errors.response().body,
            R"({"detail":[{"type":"missing","loc":["body","absent"],"msg":"Field required","input":null},)"
            R"({"type":"string_type","loc":["body","name"],"msg":"Input should be a valid string","input":5},)"
            R"({"type":"dict_type","loc":["body","state"],"msg":"Input should be a valid dictionary","input":"x"},)"
            R"({"type":"list_type","loc":["body","ids"],"msg":"Input should be a valid list","input":{}},)"
            R"({"type":"string_too_long","loc":["body","long"],"msg":"String should have at most 1024 bytes","input":""}]})");
}

Paging paging_of(const std::string& query, FieldErrors& errors) {
  const auto form = net::parse_query(query);
  FieldReader reader(form, "query", errors);
  return read_paging(reader, errors);
}

TEST(Paging, DefaultsBoundsAndMeta) {
  FieldErrors errors;
  const auto plain = paging_of("", errors);
  EXPECT_EQ(plain.limit, 20);
  EXPECT_EQ(plain.page, 1);
  EXPECT_FALSE(plain.ascending);
  EXPECT_EQ(base::to_text(page_meta(plain, 0)), R"({"page":1,"limit":20,"total_pages":0,"total_count":0,"search_time_ms":0.0})");
  const auto third = paging_of("limit=7&page=3&sort_order=asc&sort_by=updated_at", errors);
  EXPECT_EQ(third.offset(), 14);
  EXPECT_TRUE(third.ascending);
  EXPECT_EQ(page_meta(third, 15).at("total_pages"), 3);
  const auto huge = paging_of("limit=99999999999999999999&page=99999999999999999999", errors);
  EXPECT_EQ(huge.limit, 1000) << "clamped";
  EXPECT_GT(huge.offset(), 0) << "no overflow";
  EXPECT_TRUE(errors.empty());
  paging_of("limit=0&page=x&sort_order=up", errors);
  EXPECT_TRUE(errors.response().body.contains("greater_than_equal"));
  EXPECT_TRUE(errors.response().body.contains("int_parsing"));
  EXPECT_TRUE(errors.response().body.contains("'asc' or 'desc'"));
}

}  // namespace

}  // namespace api
