#include "app/yaml.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/limits.h"
#include "base/text.h"

namespace app {
namespace {

class YamlTest : public testing::Test {
 protected:
  Node parse(std::string_view text) {
    auto node = parse_yaml(text, problems);
    EXPECT_TRUE(node) << (problems.empty() ? "" : problems.error().message);
    return node ? *node : Node();
  }
  // The problems of a text that must have some.
  std::string problem(std::string_view text) {
    Problems own("f.yaml");
    parse_yaml(text, own);
    return own.empty() ? "" : own.error().message;
  }
  static std::string at(const Node& node, std::string_view key) {
    const auto* found = node.find(key);
    return found ? found->text : "(none)";
  }

  Problems problems{"f.yaml"};
};

TEST_F(YamlTest, ReadsScalarsListsAndMaps) {
  const auto root = parse("a: 1\nb: [x, 'y', \"z\"]\nc: {d: e}\nf: |\n  two\n  lines\n");
  EXPECT_EQ(at(root, "a"), "1");
  ASSERT_EQ(root.find("b")->items.size(), 3u);
  EXPECT_EQ(root.find("b")->items[2].text, "z");
  EXPECT_EQ(at(*root.find("c"), "d"), "e");
  EXPECT_EQ(at(root, "f"), "two\nlines\n");
}

TEST_F(YamlTest, KnowsWhereThingsStand) {
  const auto root = parse("a:\n  - x\n  - key: value\n");
  const auto& item = root.find("a")->items[1];
  EXPECT_EQ(item.mark.line, 3);
  EXPECT_EQ(item.members[0].mark.column, 5);
  EXPECT_EQ(item.find("key")->mark.line, 3);
  EXPECT_EQ(item.find("key")->mark.column, 10);
  Problems own("f");
  EXPECT_EQ(parse_yaml("a: 1\n", own, 10)->find("a")->mark.line, 10);
}

TEST_F(YamlTest, NullsAreAbsent) {
  const auto root = parse("a:\nb: ~\nc: null\nd: ''\ne: 'null'\n");
  for (const auto* key : {"a", "b", "c", "z"}) EXPECT_EQ(root.find(key), nullptr) << key;
  EXPECT_EQ(at(root, "d"), "");
  EXPECT_EQ(at(root, "e"), "null");
  EXPECT_TRUE(parse("").is_null());
  EXPECT_TRUE(parse("# only a comment\n").is_null());
  EXPECT_TRUE(parse("---\n").is_null());
}

TEST_F(YamlTest, ReadsValues) {
  const auto root = parse("yes: Yes\nno: 'off'\nint: -12\nfloat: 1.5e2\ntext: abc\nnan: .nan\nlist: []\n");
  EXPECT_EQ(as_bool(*root.find("yes")), true);
  EXPECT_EQ(as_bool(*root.find("no")), false);
  EXPECT_EQ(as_bool(*root.find("text")), std::nullopt);
  EXPECT_EQ(as_int(*root.find("int")), -12);
  EXPECT_EQ(as_int(*root.find("float")), std::nullopt);
  EXPECT_EQ(as_number(*root.find("float")), 150);
  EXPECT_EQ(as_number(*root.find("nan")), std::nullopt);
  EXPECT_EQ(as_text(*root.find("list")), std::nullopt);
}

TEST_F(YamlTest, ExpandsAliasesAndMerges) {
  const auto root = parse("base: &b {x: 1, y: 2}\ncopy: *b\nmerged:\n  <<: *b\n  y: 3\nboth: {<<: [*b, {z: 4}]}\n");
  EXPECT_EQ(at(*root.find("copy"), "y"), "2");
  EXPECT_EQ(at(*root.find("merged"), "x"), "1");
  EXPECT_EQ(at(*root.find("merged"), "y"), "3");
  EXPECT_EQ(at(*root.find("both"), "z"), "4");
  EXPECT_EQ(problem("a: {<<: 1}"), "a: '<<' takes a map or a list of maps (f.yaml:1:9, DGT-E0003)");
}

TEST_F(YamlTest, ReportsDuplicateKeys) {
  EXPECT_EQ(problem("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n"),
            "b.c: this key stands here twice, first in line 3 (f.yaml:5:3, DGT-E0002)");
  EXPECT_EQ(problem("x: [{a: 1, a: 2}]\n"), "x[0].a: this key stands here twice, first in line 1 (f.yaml:1:12, DGT-E0002)");
  EXPECT_EQ(problem("a: 1\nb: 2\na: 3\nb: 4\n"),
            "a: this key stands here twice, first in line 1 (f.yaml:3:1, DGT-E0002)\n"
            "b: this key stands here twice, first in line 2 (f.yaml:4:1, DGT-E0002)");
}

TEST_F(YamlTest, ReportsSyntaxWithItsPlace) {
  const auto text = problem("a: [1, 2\nb: }\n");
  EXPECT_TRUE(base::valid_utf8(problem("a: \"\\\xd5\x96\"")));  // the parser quotes half a character
  EXPECT_TRUE(text.starts_with("not valid YAML: ")) << text;
  EXPECT_NE(text.find("(f.yaml:2:"), std::string::npos) << text;
  EXPECT_NE(text.find("DGT-E0001"), std::string::npos) << text;
  EXPECT_NE(problem("a: \xff"), "");
  EXPECT_NE(problem(std::string_view("a: \0", 4)), "");
  EXPECT_NE(problem("a: 1\n---\nb: 2\n").find("more than one YAML document"), std::string::npos);
  EXPECT_NE(problem("a: *nothing\n"), "");
  EXPECT_NE(problem("a: &x [*x]\n").find("part of"), std::string::npos);
  EXPECT_NE(problem("a: !python/object x\n").find("is not supported"), std::string::npos);
}

TEST_F(YamlTest, KeysArePlainText) {
  EXPECT_NE(problem("{[a]: 1}\n").find("a key must be plain text"), std::string::npos);
  EXPECT_NE(problem("key: {{env.X}}\n").find("{{template}} not in quotes?"), std::string::npos) << problem("key: {{env.X}}\n");
  EXPECT_NE(problem("a: &x [1]\nb: {*x : 1}\n"), "");
  EXPECT_EQ(problem("on: 1\ntrue: 2\n1: 3\n"), "");
}

// yaml-cpp 0.7 accepts these.
TEST_F(YamlTest, QuotesThatAreNotClosedAreErrors) {
  for (const std::string text : {"a: 'x\nb: 1\n", "a: \"x\nb: 1\n", "a: 'x\n", "a: &k 'it''s\n", "a: \"x\\\"\n",
                                 "é: é\na: 'x\nb: 1\n", "a: 1\r\nb: 'x\r\n",
                                 "\xEF\xBB\xBF"
                                 "a: 'x\n"})
    EXPECT_NE(problem(text).find("the quoted text that begins here is not closed"), std::string::npos) << text << problem(text);
  EXPECT_EQ(problem("a: 'x\nb: 1\n"), "a: the quoted text that begins here is not closed (f.yaml:1:4, DGT-E0001)");
  for (const std::string text : {"a: 'it''s'\nb: \"q\\\"\"\n", "é: 'é'\nb: \"é\\\\\"\n", "a: &x 'y'\nb: !!str 'z'\nc: *x\n",
                                 "a: 'two\n  lines'\n", "a: ''\nb: \"\"\n", "a: '\r\n  b'\r\n", "{\"a\": 'b', 'c': \"d\"}",
                                 "# don't\na: 'x' # it's\n", "a: don't\nb: |\n  isn't\n", "'k': v\n"})
    EXPECT_EQ(problem(text), "") << text;
}

TEST_F(YamlTest, BoundsDepth) {
  std::string deep(10'000, '[');
  EXPECT_NE(problem(deep), "");
  deep += std::string(10'000, ']');
  EXPECT_NE(problem(deep).find("nested deeper than 64 levels"), std::string::npos) << problem(deep).substr(0, 200);
  std::string block;
  for (int i = 0; i < 2'000; ++i) block += "- ";
  EXPECT_NE(problem(block + "x").find("nested deeper than 64 levels"), std::string::npos);
  std::string keys;
  for (int i = 0; i < 2'000; ++i) keys += "? ";
  EXPECT_NE(problem(keys + "x"), "");
}

TEST_F(YamlTest, BoundsAliasBombs) {
  const auto began = std::chrono::steady_clock::now();
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto name = std::to_string(i);
    bomb += "a" + name + ": &a" + name + " [";
    for (int k = 0; k < 10; ++k) bomb += (k ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(problem(bomb).find("more than 100000 nodes, aliases expanded"), std::string::npos) << problem(bomb);
  // One big scalar, used again and again.
  std::string heavy = "a: &a '" + std::string(1 << 20, 'x') + "'\nb: [";
  for (int i = 0; i < 1'000; ++i) heavy += "*a, ";
  EXPECT_NE(problem(heavy + "]").find("bytes of text, aliases expanded"), std::string::npos);
  // Nested by aliases beyond the depth of any single piece.
  std::string tower = "a0: &a0 [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]\n";
  for (int i = 1; i < 8; ++i)
    tower += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[[[[[[[[[[[[[*a" + std::to_string(i - 1) +
             "]]]]]]]]]]]]]]]]\n";
  EXPECT_NE(problem(tower).find("nested deeper"), std::string::npos) << problem(tower);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(YamlTest, BoundsSizeAndNodes) {
  EXPECT_NE(problem(std::string(base::limits::kConfigBytesMax + 1, '#')).find("too big"), std::string::npos);
  std::string many = "[";
  for (int i = 0; i < 150'000; ++i) many += "x,";
  EXPECT_NE(problem(many + "]").find("more than 100000 nodes"), std::string::npos);
}

TEST_F(YamlTest, ManyDuplicateKeysStayCheap) {
  const auto began = std::chrono::steady_clock::now();
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  for (int i = 0; i < 20'000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  EXPECT_NE(problem(text).find("... and 19900 more problems"), std::string::npos) << problem(text).substr(0, 300);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

}  // namespace
}  // namespace app
