#include "api/router.h"

#include <gtest/gtest.h>

namespace api {

namespace {

aio::Task<> list(Context&, Request, net::HttpReply&) { co_return; }
aio::Task<> make(Context&, Request, net::HttpReply&) { co_return; }
aio::Task<> one(Context&, Request, net::HttpReply&) { co_return; }
aio::Task<> root(Context&, Request, net::HttpReply&) { co_return; }

const std::vector<Route> kRoutes = {{"GET", "/", root},
                                    {"GET", "/agents", list},
                                    {"GET", "/agents/{}/runs", list},
                                    {"POST", "/agents/{}/runs", make},
                                    {"GET", "/agents/{}/runs/{}", one}};

Match route(std::string_view method, const std::vector<std::string>& segments) { return find_route(kRoutes, method, segments); }

TEST(Router, FindsByMethodAndSegments) {
  EXPECT_EQ(route("GET", {}).handler, root);
  EXPECT_EQ(route("GET", {"agents"}).handler, list);
  EXPECT_EQ(route("GET", {"agents", "a", "runs"}).handler, list);
  EXPECT_EQ(route("POST", {"agents", "a", "runs"}).handler, make);
  EXPECT_EQ(route("GET", {"agents", "a", "runs", "r"}).params, (std::vector<std::string>{"a", "r"}));
}

TEST(Router, ASegmentMayHoldAnything) {
  // Segments are decoded before: a slash that was encoded stays inside its segment.
  EXPECT_EQ(route("GET", {"agents", "a/b", "runs", "{}"}).params, (std::vector<std::string>{"a/b", "{}"}));
  EXPECT_EQ(route("GET", {"agents", "", "runs"}).params, (std::vector<std::string>{""}));
}

TEST(Router, AnUnknownPathHasNoMethods) {
  for (const auto& segments :
       std::vector<std::vector<std::string>>{{"nope"}, {"agents", "a"}, {"agents", "a", "runs", "r", "x"}, {"Agents"}}) {
    const auto match = route("GET", segments);
    EXPECT_EQ(match.handler, nullptr);
    EXPECT_EQ(match.allow, "");
  }
}

TEST(Router, AWrongMethodNamesTheRightOnes) {
  EXPECT_EQ(route("PUT", {"agents"}).allow, "GET");
  EXPECT_EQ(route("DELETE", {"agents", "a", "runs"}).allow, "GET, POST");
  EXPECT_EQ(route("HEAD", {}).allow, "GET");
  EXPECT_EQ(route("get", {"agents"}).handler, nullptr);
}

}  // namespace

}  // namespace api
