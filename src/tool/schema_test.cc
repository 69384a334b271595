#include "tool/schema.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/limits.h"
#include "tool/arguments.h"

namespace tool {
namespace {

constexpr std::string_view kText = R"({
  "type": "object",
  "properties": {
    "file_path": {"type": "string", "minLength": 1},
    "offset": {"type": "integer", "minimum": 0},
    "ratio": {"type": "number", "maximum": 1},
    "all": {"type": "boolean"},
    "mode": {"type": "string", "enum": ["content", "count"]},
    "items": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}},
    "options": {"type": "object"},
    "pattern": {"type": "string", "pattern": "^(a|a)*$", "format": "date"},
    "either": {"type": ["string", "null"]}
  },
  "required": ["file_path"],
  "additionalProperties": false
})";

class SchemaTest : public testing::Test {
 protected:
  Schema schema = Schema::compile(kText).value();

  std::string problem(std::string_view arguments) {
    const auto accepted = accept_arguments(arguments, schema);
    return accepted ? "" : accepted.error().message;
  }
  std::string accepted(std::string_view arguments) {
    const auto result = accept_arguments(arguments, schema);
    return result ? base::to_text(*result) : "refused: " + result.error().message;
  }
};

TEST_F(SchemaTest, NamesTheMissingProperty) {
  EXPECT_EQ(problem("{}"), "'file_path' is required");
  EXPECT_EQ(problem(""), "'file_path' is required");
  EXPECT_EQ(problem("  \n"), "'file_path' is required");
  EXPECT_EQ(problem("null"), "'file_path' is required");
}

TEST_F(SchemaTest, NamesTheUnknownPropertyAndTheFix) {
  EXPECT_EQ(problem(R"({"file_path":"a","ofset":1})"), "unknown argument 'ofset', did you mean 'offset'?");
  EXPECT_EQ(problem(R"({"file_path":"a","pth":1})"), "unknown argument 'pth', did you mean 'path'?");
  EXPECT_EQ(problem(R"({"file_path":"a","something_else":1})"), "unknown argument 'something_else'");
}

TEST_F(SchemaTest, NamesTheWrongType) {
  EXPECT_EQ(problem(R"({"file_path":7})"), "'file_path' must be a string, not an integer");
  EXPECT_EQ(problem(R"({"file_path":"a","offset":"many"})"), "'offset' must be an integer, not a string");
  EXPECT_EQ(problem(R"({"file_path":"a","offset":1.5})"), "'offset' must be an integer, not a number");
  EXPECT_EQ(problem(R"({"file_path":"a","all":"maybe"})"), "'all' must be true or false, not a string");
  EXPECT_EQ(problem(R"({"file_path":"a","either":1})"), "'either' must be a string or null, not an integer");
}

TEST_F(SchemaTest, NamesTheBound) {
  EXPECT_EQ(problem(R"({"file_path":""})"), "'file_path' must not be empty");
  EXPECT_EQ(problem(R"({"file_path":"a","offset":-1})"), "'offset' must be at least 0");
  EXPECT_EQ(problem(R"({"file_path":"a","ratio":1.5})"), "'ratio' must be at most 1");
  EXPECT_EQ(problem(R"({"file_path":"a","mode":"cuont"})"), "'mode' must be one of: content, count; did you mean 'count'?");
}

TEST_F(SchemaTest, NamesAllProblemsTogether) {
  EXPECT_EQ(problem(R"({"offset":-1,"nonsense_word":1})"),
            "'file_path' is required; 'offset' must be at least 0; unknown argument 'nonsense_word'");
}

TEST_F(SchemaTest, NamesTheNestedPlace) {
  const auto text = problem(R"({"file_path":"a","items":[{"id":1},{}]})");
  EXPECT_NE(text.find("items[1]"), std::string::npos) << text;
  EXPECT_NE(text.find("Missing required property 'id'"), std::string::npos) << text;
}

TEST_F(SchemaTest, TakesStringsForBooleansAndNumbers) {
  EXPECT_EQ(accepted(R"({"file_path":"a","all":"true","offset":"12"})"), R"({"file_path":"a","all":true,"offset":12})");
  EXPECT_EQ(accepted(R"({"file_path":"a","all":"False","offset":" 7 "})"), R"({"file_path":"a","all":false,"offset":7})");
  EXPECT_EQ(accepted(R"({"file_path":"a","all":0,"offset":3.0})"), R"({"file_path":"a","all":false,"offset":3})");
  EXPECT_EQ(accepted(R"({"file_path":"a","ratio":"0.5"})"), R"({"file_path":"a","ratio":0.5})");
  // A string stays one where a string is meant.
  EXPECT_EQ(accepted(R"({"file_path":"12","pattern":"true"})"), R"({"file_path":"12","pattern":"true"})");
}

TEST_F(SchemaTest, TakesJsonTextForObjectsAndArrays) {
  EXPECT_EQ(accepted(R"({"file_path":"a","options":"{\"x\":1}"})"), R"({"file_path":"a","options":{"x":1}})");
  EXPECT_EQ(accepted(R"({"file_path":"a","items":"[{\"id\":1}]"})"), R"({"file_path":"a","items":[{"id":1}]})");
  EXPECT_EQ(accepted(R"("{\"file_path\":\"a\"}")"), R"({"file_path":"a"})");
  EXPECT_EQ(problem(R"({"file_path":"a","options":"[1]"})"), "'options' must be an object, not a string");
}

TEST_F(SchemaTest, TakesNullForNotGiven) {
  EXPECT_EQ(accepted(R"({"file_path":"a","offset":null,"either":null})"), R"({"file_path":"a","either":null})");
  EXPECT_EQ(problem(R"({"file_path":null})"), "'file_path' must be a string, not null");
}

TEST_F(SchemaTest, TakesOtherNamesOfAParameter) {
  EXPECT_EQ(accepted(R"({"path":"a"})"), R"({"file_path":"a"})");
  EXPECT_EQ(accepted(R"({"filePath":"a"})"), R"({"file_path":"a"})");
  EXPECT_EQ(accepted(R"({"file-path":"a"})"), R"({"file_path":"a"})");
  EXPECT_EQ(accepted(R"({"path":"a","file_path":"a"})"), R"({"file_path":"a"})");
  // Two different values are not ours to decide between.
  EXPECT_EQ(problem(R"({"path":"a","file_path":"b"})"), "'path' and 'file_path' are the same argument: give one of them");
}

TEST_F(SchemaTest, DoesNotRunRegularExpressionsOfSchemas) {
  const std::string word(200'000, 'a');
  EXPECT_EQ(problem(R"({"file_path":"a","pattern":")" + word + "b\"}"), "");
}

TEST_F(SchemaTest, RefusesWhatIsNoObject) {
  EXPECT_EQ(problem("[1]"), "the arguments must be a JSON object, not an array");
  EXPECT_EQ(problem("3"), "the arguments must be a JSON object, not an integer");
  EXPECT_EQ(problem("\"x\""), "the arguments must be a JSON object, not a string");
  EXPECT_TRUE(problem("{\"file_path\":").starts_with("the arguments are not valid JSON: "));
  EXPECT_TRUE(problem(std::string(base::limits::kToolArgumentBytesMax + 1, ' ')).starts_with("the arguments are too long: "));
}

TEST_F(SchemaTest, RefusesSchemasThatCannotBeUsed) {
  EXPECT_FALSE(Schema::compile("{"));
  EXPECT_FALSE(Schema::compile("[]"));
  EXPECT_FALSE(Schema::compile(R"({"type":"string"})"));
  EXPECT_FALSE(Schema::compile(R"({"type":"object","properties":{"a":{"$ref":"http://example.invalid/x"}}})"));
  EXPECT_FALSE(Schema::compile(R"({"type":"object","patternProperties":{"a":{}}})"));
  EXPECT_FALSE(Schema::compile(R"({"type":"object","properties":7})"));
}

TEST_F(SchemaTest, OpenSchemasKeepUnknownArguments) {
  const auto open = Schema::compile(R"({"type":"object","properties":{"file_path":{"type":"string"}}})").value();
  const auto result = accept_arguments(R"({"path":"a","more":1})", open);
  ASSERT_TRUE(result);
  EXPECT_EQ(base::to_text(*result), R"({"path":"a","more":1})");
}

}  // namespace
}  // namespace tool
