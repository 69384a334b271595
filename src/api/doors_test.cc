#include "api/doors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "api/agentos/recording_fixture.h"

namespace api {

namespace {

using agentos::recording;

ServerOptions open_server() {
  return {.os_id = "os1", .name = "OS", .security_key = "", .cors_origins = {"http://localhost:3000", "https://agno.com"}};
}

ServerOptions locked_server() {
  auto options = open_server();
  options.security_key = "sekret";
  return options;
}

net::HttpRequest request(std::string method, std::string target, std::vector<net::HttpHeader> headers = {}) {
  net::HttpRequest made;
  made.method = std::move(method);
  made.target = std::move(target);
  made.headers = std::move(headers);
  return made;
}

int status_of(const ServerOptions& options, const net::HttpRequest& http) {
  const auto refused = refuse(options, http, *net::parse_target(http.target));
  return refused ? refused->status : 0;
}

std::vector<std::pair<std::string, std::string>> sorted(const std::vector<net::HttpHeader>& headers) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& header : headers)
    if (!header.name.starts_with("content-")) pairs.emplace_back(header.name, header.value);
  std::ranges::sort(pairs);
  return pairs;
}

TEST(Cors, AsRecorded) {
  int preflights = 0;
  const auto exchanges = recording("cors");
  ASSERT_EQ(exchanges.size(), 4u);
  for (const auto& exchange : exchanges) {
    const auto answer = preflight(open_server(), exchange.request);
    if (exchange.request.method == "OPTIONS") {
      ++preflights;
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, exchange.status);
      EXPECT_EQ(answer->body, exchange.body);
      EXPECT_EQ(answer->content_type, "text/plain; charset=utf-8");
      EXPECT_EQ(sorted(answer->headers), sorted(exchange.headers));
    } else {
      EXPECT_FALSE(answer);
      EXPECT_EQ(sorted(cors_headers(open_server(), exchange.request)), sorted(exchange.headers));
    }
  }
  EXPECT_EQ(preflights, 2);
}

TEST(Cors, AskedHeadersAreAllowed) {
  const auto answer = preflight(open_server(), request("OPTIONS", "/agents",
                                                       {{"origin", "https://agno.com"},
                                                        {"access-control-request-method", "POST"},
                                                        {"access-control-request-headers", "authorization, idempotency-key"}}));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(std::ranges::any_of(answer->headers, [](const net::HttpHeader& h) {
    return h.name == "access-control-allow-headers" && h.value == "authorization, idempotency-key";
  }));
}

TEST(Cors, NoOriginNoHeaders) {
  EXPECT_TRUE(cors_headers(open_server(), request("GET", "/health")).empty());
  EXPECT_FALSE(preflight(open_server(), request("OPTIONS", "/health")));
  EXPECT_FALSE(preflight(open_server(), request("OPTIONS", "/health", {{"origin", "https://agno.com"}})));
}

TEST(Key, AsRecorded) {
  const auto exchanges = recording("auth-security-key");
  ASSERT_GT(exchanges.size(), 10u);
  for (const auto& exchange : exchanges) {
    const auto refused = refuse(locked_server(), exchange.request, *net::parse_target(exchange.request.target));
    if (exchange.status == 401) {
      ASSERT_TRUE(refused) << exchange.request.target;
      EXPECT_EQ(refused->status, 401);
      EXPECT_EQ(refused->body, exchange.body);
      EXPECT_TRUE(refused->headers.empty()) << "no WWW-Authenticate";
    } else {
      EXPECT_FALSE(refused) << exchange.request.target;
    }
  }
}

TEST(Key, OddAuthorizations) {
  for (const auto* value :
       {"", "Bearer", "Bearer ", "sekret", "Bearer sekre", "Bearer sekrett", "Bearer SEKRET", "Bearersekret", "Token sekret"})
    EXPECT_EQ(status_of(locked_server(), request("GET", "/agents", {{"authorization", value}})), 401) << value;
  for (const auto* value : {"Bearer sekret", "BEARER sekret", "bearer   sekret "})
    EXPECT_EQ(status_of(locked_server(), request("GET", "/agents", {{"authorization", value}})), 0) << value;
}

TEST(Key, OpenPlaces) {
  for (const auto* path : {"/", "/health", "/health/", "/info", "/docs", "/openapi.json"})
    EXPECT_EQ(status_of(locked_server(), request("GET", path)), 0) << path;
  for (const auto* path : {"/metrics", "/config", "/runs", "/healthz", "/health/x", "//health"})
    EXPECT_EQ(status_of(locked_server(), request("GET", path)), 401) << path;
}

// X3: an EventSource cannot send headers; the key then comes in the query or as a cookie, for reading a stream and nothing else.
TEST(Key, OfAnEventSource) {
  const std::string path = "/agents/a1/runs/r1/resume";
  EXPECT_EQ(status_of(locked_server(), request("GET", path)), 401);
  EXPECT_EQ(status_of(locked_server(), request("GET", path + "?access_token=sekret")), 0);
  EXPECT_EQ(status_of(locked_server(), request("GET", path + "?token=sekret&last_event_index=3")), 0);
  EXPECT_EQ(status_of(locked_server(), request("GET", path + "?access_token=wrong")), 401);
  EXPECT_EQ(status_of(locked_server(), request("GET", path, {{"cookie", "a=b; access_token=sekret"}})), 0);
  EXPECT_EQ(status_of(locked_server(), request("GET", path, {{"cookie", "access_token=wrong"}})), 401);
  EXPECT_EQ(status_of(locked_server(), request("GET", path, {{"cookie", "xaccess_token=sekret; access_tokenx=sekret"}})), 401);
  EXPECT_EQ(status_of(locked_server(), request("POST", path + "?access_token=sekret")), 401);
  EXPECT_EQ(status_of(locked_server(), request("GET", "/agents/a1/runs/r1?access_token=sekret")), 401);
  EXPECT_EQ(status_of(locked_server(), request("POST", "/agents/a1/runs/r1/cancel", {{"cookie", "access_token=sekret"}})), 401);
  // A header that is there decides.
  EXPECT_EQ(status_of(locked_server(), request("GET", path + "?token=sekret", {{"authorization", "Bearer wrong"}})), 401);
}

TEST(Host, MustBeThisMachineWithoutAKey) {
  for (const auto* host : {"localhost", "localhost:7777", "LOCALHOST", "127.0.0.1:7777", "127.1.2.3", "[::1]:7777", "[::1]",
                           "app.localhost:1", "outlast"})
    EXPECT_EQ(status_of(open_server(), request("GET", "/agents", {{"host", host}})), 0) << host;
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example", "127.evil.example:7777", "127.0.0.1.nip.io",
                           "localhost.evil.example", "192.168.1.7", "127.0.0.1.", "127.0.0.x", "127.0.0.0001"})
    EXPECT_EQ(status_of(open_server(), request("GET", "/agents", {{"host", host}})), 403) << host;
  EXPECT_EQ(status_of(open_server(), request("GET", "/agents")), 0) << "no browser leaves it out";
}

TEST(Host, AnyWithAKey) {
  EXPECT_EQ(
      status_of(locked_server(), request("GET", "/agents", {{"host", "outlast.example"}, {"authorization", "Bearer sekret"}})),
      0);
}

TEST(Origin, OfAForeignPageMayChangeNothing) {
  for (const auto* origin : {"https://evil.example", "null", "http://127.0.0.1.evil.example",
                             "https://localhost.evil.example:3000", "http://agno.com"}) {
    for (const auto* method : {"POST", "DELETE", "PATCH", "PUT"})
      EXPECT_EQ(status_of(open_server(), request(method, "/agents/a/runs", {{"origin", origin}})), 403) << origin;
    EXPECT_EQ(status_of(open_server(), request("GET", "/agents", {{"origin", origin}})), 0) << origin;
  }
  for (const auto* origin :
       {"http://localhost:3000", "https://agno.com", "http://127.0.0.1:8080", "http://[::1]:5173", "http://app.localhost"})
    EXPECT_EQ(status_of(open_server(), request("POST", "/agents/a/runs", {{"origin", origin}})), 0) << origin;
}

}  // namespace

}  // namespace api
