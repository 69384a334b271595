#include "llm/wire_error.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/text.h"

namespace llm {
namespace {

using base::Errc;

constexpr std::int64_t kNowMs = 784'111'770'000;  // Sun, 06 Nov 1994 08:49:30 GMT

RefusedAnswer answer(int status, std::string_view body = "") {
  return {.status = status, .body = body, .retry_after = {}, .retry_after_ms = {}, .should_retry = {}, .location = {}};
}

TEST(WireErrorTest, StatusDecides) {
  struct Row {
    int status;
    Errc code;
    bool retryable;
  };
  constexpr Row kRows[] = {
      {301, Errc::provider_request, false}, {307, Errc::provider_request, false}, {400, Errc::provider_request, false},
      {401, Errc::provider_auth, false},    {402, Errc::provider_limited, false}, {403, Errc::provider_auth, false},
      {404, Errc::provider_request, false}, {405, Errc::provider_request, false}, {407, Errc::network, false},
      {408, Errc::provider_failed, true},   {409, Errc::provider_failed, true},   {413, Errc::provider_request, false},
      {422, Errc::provider_request, false}, {425, Errc::provider_failed, true},   {429, Errc::provider_limited, true},
      {500, Errc::provider_failed, true},   {502, Errc::provider_failed, true},   {503, Errc::provider_failed, true},
      {529, Errc::provider_failed, true},
  };
  for (const auto& row : kRows) {
    const auto error = http_error("openai", answer(row.status), kNowMs);
    EXPECT_EQ(error.code, row.code) << row.status;
    EXPECT_EQ(error.retryable, row.retryable) << row.status;
    EXPECT_TRUE(error.message.starts_with("openai answered " + std::to_string(row.status))) << error.message;
  }
}

TEST(WireErrorTest, MessageIsFoundInEveryShape) {
  const auto said = [](std::string_view body) { return http_error("p", answer(400, body), kNowMs).message; };
  EXPECT_EQ(said(R"({"error":{"message":"m","type":"invalid_request_error","code":null}})"), "p answered 400: m");
  EXPECT_EQ(said(R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})"), "p answered 400: m");
  EXPECT_EQ(said(R"([{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}])"), "p answered 400: m");
  EXPECT_EQ(said(R"({"error":"m"})"), "p answered 400: m");
  EXPECT_EQ(said(R"({"object":"error","message":"m","code":400})"), "p answered 400: m");
  EXPECT_EQ(said(R"({"message":"m","request_id":"1"})"), "p answered 400: m");
  EXPECT_EQ(said(R"({"detail":"m"})"), "p answered 400: m");
  EXPECT_EQ(said(R"({"detail":[{"loc":["body"],"msg":"m"}]})"), R"(p answered 400: [{"loc":["body"],"msg":"m"}])");
  EXPECT_EQ(said("plain m\n"), "p answered 400: plain m");
  EXPECT_EQ(said("<html><body>x"), "p answered 400: bad request");
  EXPECT_EQ(said(""), "p answered 400: bad request");
  EXPECT_EQ(said(R"({"error":{"error":{"error":{"error":{"message":"deep"}}}}})"), "p answered 400: bad request");
}

TEST(WireErrorTest, MessageIsBoundedAndValidText) {
  const auto error = http_error("p", answer(500, "\xFF" + std::string(100'000, 'x')), kNowMs);
  EXPECT_LT(error.message.size(), kProviderMessageBytesMax + 64);
  EXPECT_TRUE(base::valid_utf8(error.message));
}

TEST(WireErrorTest, UsedUpQuotaIsNotTriedAgain) {
  for (const auto* body :
       {R"({"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}})",
        R"({"error":{"message":"m","type":"requests","code":"insufficient_quota"}})"}) {
    const auto error = http_error("openai", answer(429, body), kNowMs);
    EXPECT_EQ(error.code, Errc::provider_limited);
    EXPECT_FALSE(error.retryable);
  }
  const auto credit = http_error(
      "anthropic",
      answer(400,
             R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access"}})"),
      kNowMs);
  EXPECT_EQ(credit.code, Errc::provider_limited);
  EXPECT_FALSE(credit.retryable);
}

TEST(WireErrorTest, RetryAfterIsHonoured) {
  const auto delay = [](std::optional<std::string_view> seconds, std::optional<std::string_view> ms) {
    auto limited = answer(429);
    limited.retry_after = seconds;
    limited.retry_after_ms = ms;
    return http_error("p", limited, kNowMs).retry_after_ms;
  };
  EXPECT_EQ(delay("2", {}), 2'000);
  EXPECT_EQ(delay("0", {}), 0);
  EXPECT_EQ(delay("1.5", {}), 1'500);
  EXPECT_EQ(delay("2", "150"), 150);
  EXPECT_EQ(delay("2", "soon"), 2'000);
  EXPECT_EQ(delay("Sun, 06 Nov 1994 08:49:37 GMT", {}), 7'000);
  EXPECT_EQ(delay("Sun, 06 Nov 1994 08:49:00 GMT", {}), 0);
  EXPECT_EQ(delay("99999999999999", {}), 24 * 3'600'000);
  EXPECT_EQ(delay("-1", {}), std::nullopt);
  EXPECT_EQ(delay("nan", {}), std::nullopt);
  EXPECT_EQ(delay("tomorrow", {}), std::nullopt);
  EXPECT_EQ(delay({}, {}), std::nullopt);
}

TEST(WireErrorTest, ProviderMayForbidTheRetry) {
  auto failed = answer(500);
  failed.should_retry = "false";
  EXPECT_FALSE(http_error("p", failed, kNowMs).retryable);
}

TEST(WireErrorTest, RedirectNamesTheTarget) {
  auto moved = answer(308);
  moved.location = "https://api.example.com/v1";
  const auto error = http_error("p", moved, kNowMs);
  EXPECT_FALSE(error.retryable);
  EXPECT_NE(error.message.find("https://api.example.com/v1"), std::string::npos);
}

TEST(WireErrorTest, ErrorsInsideAStream) {
  const auto read = [](std::string_view json) { return stream_error("p", base::parse_json(json).value()); };
  struct Row {
    std::string_view json;
    Errc code;
    bool retryable;
  };
  constexpr Row kRows[] = {
      {R"({"type":"overloaded_error","message":"Overloaded"})", Errc::provider_failed, true},
      {R"({"type":"rate_limit_error","message":"m"})", Errc::provider_limited, true},
      {R"({"type":"authentication_error","message":"m"})", Errc::provider_auth, false},
      {R"({"type":"invalid_request_error","message":"m"})", Errc::provider_request, false},
      {R"({"message":"m","code":502})", Errc::provider_failed, true},
      {R"({"message":"m","code":"429"})", Errc::provider_limited, true},
      {R"({"message":"m","code":402})", Errc::provider_limited, false},
      {R"({"message":"m","code":"insufficient_quota"})", Errc::provider_limited, false},
      {R"("text")", Errc::provider_failed, true},
      {R"({})", Errc::provider_failed, true},
  };
  for (const auto& row : kRows) {
    const auto error = read(row.json);
    EXPECT_EQ(error.code, row.code) << row.json;
    EXPECT_EQ(error.retryable, row.retryable) << row.json;
  }
  EXPECT_EQ(read(kRows[0].json).message, "p failed while it answered: Overloaded (overloaded_error)");
  EXPECT_EQ(read(R"({})").message, "p failed while it answered: no reason given");
}

TEST(WireErrorTest, Deadlines) {
  EXPECT_EQ(deadline_error("p", Deadline::first_token, 120'000).message, "p sent nothing within 120 s");
  EXPECT_TRUE(deadline_error("p", Deadline::idle, 1).retryable);
  EXPECT_FALSE(deadline_error("p", Deadline::whole, 1'500).retryable);
  EXPECT_EQ(deadline_error("p", Deadline::whole, 1'500).message, "p did not finish within the timeout of 1500 ms");
  EXPECT_EQ(deadline_error("p", Deadline::idle, 1).code, Errc::timed_out);
}

TEST(WireErrorTest, RedactReplacesEveryOccurrence) {
  EXPECT_EQ(redact("a sk-1234 b sk-1234", "sk-1234"), "a [key] b [key]");
  EXPECT_EQ(redact("[key][key]", "[key]"), "[key][key]");
  EXPECT_EQ(redact("a b", "a"), "a b");
  EXPECT_EQ(redact("text", ""), "text");
}

TEST(WireErrorTest, HttpDates) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777'000);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT x"), std::nullopt);
  EXPECT_EQ(parse_http_date(""), std::nullopt);
}

}  // namespace
}  // namespace llm
