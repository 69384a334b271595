#include "run/team_mail.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "run/spec.h"

namespace run {
namespace {

namespace limits = base::limits;
using Names = std::vector<std::string>;

TEST(TeamMail, NamesAreTrimmedAndBounded) {
  EXPECT_EQ(*member_name("  critic "), "critic");
  EXPECT_EQ(*team_name("all"), "all");
  const std::string most(limits::kTeamNameBytesMax, 'x');
  EXPECT_TRUE(member_name(most));
  for (const auto& wrong : {most + "x", std::string(), std::string(" \n "), std::string("a\nb"), std::string("a\x1b[2J"),
                            std::string("\xff"), std::string("a\0b", 3)}) {
    EXPECT_EQ(member_name(wrong).error().code, base::Errc::invalid_argument) << wrong;
    EXPECT_EQ(team_name(wrong).error().code, base::Errc::invalid_argument) << wrong;
  }
  for (const auto* nobody : {"all", " ALL ", "*"}) EXPECT_FALSE(member_name(nobody)) << nobody;
}

TEST(TeamMail, ListsOfNamesHaveEachOnce) {
  EXPECT_EQ(*member_names({"a", " b", "", "a"}), (Names{"a", "b"}));
  EXPECT_FALSE(member_names({}));
  EXPECT_FALSE(member_names({" ", ""}));
  EXPECT_FALSE(member_names({"a", "All"}));
  Names many;
  for (std::size_t i = 0; i <= limits::kTeamMembersMax; ++i) many.push_back(std::to_string(i));
  EXPECT_FALSE(member_names(many));
  EXPECT_EQ(*recipients({"a", "ALL"}), Names{"*"});
  EXPECT_EQ(*recipients({"*"}), Names{"*"});
  EXPECT_EQ(*recipients({"b", "a"}), (Names{"b", "a"}));
  EXPECT_EQ(outsiders({"a", "x", "*"}, {"a", "b"}), Names{"x"});
}

TEST(TeamMail, OnlyAMessageIsAMessage) {
  EXPECT_TRUE(check_mail({.content = "x", .from_op = "o1", .kind = "done", .artifacts = "[]"}));
  EXPECT_FALSE(check_mail({.content = " \n"}));
  EXPECT_FALSE(check_mail({.content = "\xff"}));
  EXPECT_FALSE(check_mail({.content = std::string(limits::kTeamMailBytesMax + 1, 'x')}));
  EXPECT_FALSE(check_mail({.content = "x", .from_op = "o\n1"}));
  EXPECT_FALSE(check_mail({.content = "x", .kind = "rumour"}));
  for (const auto* artifacts : {"{}", "[", "x"}) EXPECT_FALSE(check_mail({.content = "x", .artifacts = artifacts})) << artifacts;
}

TEST(TeamMail, ASeatTravelsWithTheSpec) {
  Spec spec;
  EXPECT_FALSE(decode_spec(encode(spec))->seat);
  spec.seat = TeamSeat{"7fa0d9abbf5b", "critic"};
  const auto decoded = decode_spec(encode(spec));
  ASSERT_TRUE(decoded && decoded->seat);
  EXPECT_EQ(decoded->seat->team + decoded->seat->member, "7fa0d9abbf5bcritic");
  EXPECT_FALSE(decode_spec(R"({"seat":7})")->seat);
  EXPECT_TRUE(decode_spec(R"({"seat":{"later":1}})")->seat);
}

}  // namespace
}  // namespace run
