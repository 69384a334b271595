#include <gtest/gtest.h>

#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <cmath>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/text.h"

namespace base {
namespace {

// Counts up: what a test draws is known.
class Counting final : public Random {
 public:
  std::uint64_t next() override { return ++value_; }

 private:
  std::uint64_t value_ = 0;
};

class Fixed final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1795231286123; }
  std::int64_t steady_ms() const override { return 0; }
};

TEST(Utf8, ValidSequencesOnly) {
  for (const auto* good : {"", "a", "\u00fc", "\u20ac", "\U0001F600", "\u0800", "\uFFFF", "\U0010FFFF"})
    EXPECT_TRUE(valid_utf8(good)) << good;
  for (const auto* bad : {"\x80", "\xC0\xAF", "\xC1\x81", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                          "\xF5", "\xE2\x82", "a\xFF"})
    EXPECT_FALSE(valid_utf8(bad)) << bad;
}

TEST(Utf8, CutsNeverSplitACodePoint) {
  const std::string text = "a\u20acb";
  EXPECT_EQ(utf8_prefix(text, 3), "a");
  EXPECT_EQ(utf8_prefix(text, 4), "a\u20ac");
  EXPECT_EQ(utf8_suffix(text, 3), "b");
  EXPECT_EQ(utf8_suffix(text, 4), "\u20acb");
}

RC_GTEST_PROP(Utf8Property, LossyIsValidAndKeepsWhatWasValid, (const std::string& bytes)) {
  const auto text = utf8_lossy(bytes);
  RC_ASSERT(valid_utf8(text));
  RC_ASSERT(!valid_utf8(bytes) || text == bytes);
}

RC_GTEST_PROP(JsonProperty, AnyTextComesBackThroughBothWriters, (const std::string& bytes)) {
  const auto text = utf8_lossy(bytes);
  for (const auto write : {append_json_string, append_json_ascii}) {
    std::string out;
    write(out, text);
    const auto value = parse_json(out);
    RC_ASSERT(value.has_value());
    RC_ASSERT(std::string_view(value->get_string()) == text);
    RC_ASSERT(out.find('\n') == std::string::npos);
  }
}

TEST(Json, AsciiWriterEscapesAsAgentOsDoes) {
  std::string out;
  append_json_ascii(out, "\u00fc \U0001F600 \x01\n");
  EXPECT_EQ(out, R"("\u00fc \ud83d\ude00 \u0001\n")");
}

TEST(Json, ValuesAreWrittenAsPeopleReadThem) {
  const auto again = [](const char* text) { return to_text(*parse_json(text)); };
  for (const auto* text : {"null", "true", "false", "0", "-7", "18446744073709551615", "-9223372036854775808", "0.5", "0.004",
                           "-1.25", "1.0", "\"\"", "[]", "{}", R"({"a":[1,{"b":"x\ny\"\\"}],"":null,"\u00fc":[[]]})"})
    EXPECT_EQ(to_text(*parse_json(again(text))), again(text)) << text;
  EXPECT_EQ(again("4e-3"), "0.004");
  EXPECT_EQ(again("1.0"), "1.0") << "a float stays one";
  EXPECT_EQ(again("1e300"), "1e+300");
  EXPECT_EQ(again("[ 1 , { \"a\" : \"\\u00fc\" } ]"), "[1,{\"a\":\"\u00fc\"}]");
}

RC_GTEST_PROP(JsonProperty, AnyNumberComesBack, (const double value)) {
  const auto again = parse_json(to_text(value));
  RC_ASSERT(again && again->is_double());
  // Boost 1.81 reads a double to about one unit in the last place.
  RC_ASSERT(std::abs(again->get_double() - value) <= std::abs(value) * 1e-15);
}

TEST(Json, DeepNestingIsRefused) {
  EXPECT_FALSE(parse_json(std::string(100'000, '[')));
  EXPECT_FALSE(parse_json("{\"a\":1} x"));
}

TEST(Json, FieldsAreStrictAboutTypeAndForgivingAboutPresence) {
  const auto value = parse_json(R"({"i":7,"f":7.0,"h":7.5,"s":"x","b":true,"n":null,"big":18446744073709551615})");
  const auto& o = value->as_object();
  EXPECT_EQ(int_field(o, "i"), 7);
  EXPECT_EQ(int_field(o, "f"), 7);
  EXPECT_EQ(int_field(o, "h"), std::nullopt);
  EXPECT_EQ(int_field(o, "big"), std::nullopt);
  EXPECT_EQ(int_field(o, "s"), std::nullopt);
  EXPECT_EQ(string_field(o, "s"), "x");
  EXPECT_EQ(string_field(o, "n"), std::nullopt);
  EXPECT_EQ(bool_field(o, "b"), true);
  EXPECT_EQ(number_field(o, "h"), 7.5);
}

TEST(Ids, RunIdsSortByTimeAndAreDirectoryNames) {
  Counting random;
  const auto id = new_run_id(Fixed(), random);
  EXPECT_EQ(id.substr(0, 16), "20261121T032126-");
  EXPECT_EQ(id.size(), 28u);
  EXPECT_TRUE(valid_run_id(id));
  for (const auto* bad : {"", ".", "..", "a/b", "a b", "\u00fc", "a\n"}) EXPECT_FALSE(valid_run_id(bad)) << bad;
  EXPECT_FALSE(valid_run_id(std::string(65, 'a')));
}

TEST(Ids, SessionIdsAreVersion4Uuids) {
  Counting random;
  const auto id = new_uuid(random);
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
  EXPECT_TRUE(valid_session_id("S\u00fc \u20ac"));
  EXPECT_FALSE(valid_session_id("a\x01"));
  EXPECT_FALSE(valid_session_id(""));
}

TEST(Text, NearestFindsWhatWasMeant) {
  EXPECT_EQ(nearest("modle", {"model", "provider"}), "model");
  EXPECT_EQ(nearest("zzzzzz", {"model", "provider"}), std::nullopt);
}

TEST(Text, IntegersAreWholeTexts) {
  EXPECT_EQ(parse_int("-12"), -12);
  for (const auto* bad : {"", "1x", " 1", "9223372036854775808", "+1"}) EXPECT_EQ(parse_int(bad), std::nullopt) << bad;
}

TEST(Clock, IsoTimesAreUtc) {
  EXPECT_EQ(iso_utc(1795231286123), "2026-11-21T03:21:26Z");
  EXPECT_EQ(iso_utc_ms(1795231286123), "2026-11-21T03:21:26.123Z");
}

}  // namespace
}  // namespace base
