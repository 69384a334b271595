#include "api/agentos/launch_form.h"

#include <gtest/gtest.h>

#include "api/agentos/recording_fixture.h"

namespace api::agentos {

namespace {

class CountingRandom final : public base::Random {
 public:
  std::uint64_t next() override { return ++count_ * 0x9E3779B97F4A7C15u; }

 private:
  std::uint64_t count_ = 0;
};

app::Agent agent() {
  app::Agent made;
  made.id = made.name = "a1";
  made.brain.provider = "openai";
  made.brain.model = "gpt";
  made.brain.effort = "high";
  made.brain.endpoint.base_url = "http://127.0.0.1:1/v1";
  made.brain.temperature = 0.5;
  made.system_prompt = "Be brief.";
  made.tools = {{"Read"}, {"Edit", app::Gate::approve}, {"Write", app::Gate::deny}};
  return made;
}

using Read = std::expected<LaunchForm, net::HttpResponse>;

Read read(const net::HttpRequest& http) {
  Request request;
  request.http = http;
  CountingRandom random;
  return read_launch_form(request, agent(), "/work", random);
}

Read read(std::string body, std::vector<net::HttpHeader> headers = {}) {
  net::HttpRequest http;
  http.body = std::move(body);
  http.headers = std::move(headers);
  http.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  return read(http);
}

std::string body_of(const Read& result) {
  return result ? "accepted" : std::to_string(result.error().status) + " " + result.error().body;
}

std::string digest(const std::string& body) {
  const auto form = read(body);
  EXPECT_TRUE(form) << body;
  return form ? form->launch.request_digest : "";
}

// The refusals of form-coercion, word for word.
TEST(LaunchForm, RefusesAsRecorded) {
  int refusals = 0;
  for (const auto& exchange : recording("form-coercion")) {
    if (exchange.request.target != "/agents/a1/runs") continue;
    const auto form = read(exchange.request);
    if (exchange.status != 422) {
      EXPECT_TRUE(form) << exchange.request.body << body_of(form);
      continue;
    }
    ++refusals;
    ASSERT_FALSE(form) << exchange.request.body;
    EXPECT_EQ(form.error().status, 422);
    EXPECT_EQ(form.error().body, exchange.body) << exchange.request.body;
  }
  EXPECT_EQ(refusals, 6);
}

TEST(LaunchForm, MultipartIsTheSameForm) {
  const auto form = read(recording("agent-multipart-form").at(0).request);
  ASSERT_TRUE(form) << body_of(form);
  EXPECT_EQ(form->launch.spec.input, "hi N=1");
  EXPECT_EQ(form->launch.session_id, "S14m");
  EXPECT_FALSE(form->stream);
  EXPECT_TRUE(form->background);
}

TEST(LaunchForm, Defaults) {
  const auto form = read("message=hi");
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->stream);
  EXPECT_FALSE(form->background);
  EXPECT_TRUE(form->stream_events);
  EXPECT_EQ(form->launch.run_id, "");
  EXPECT_EQ(form->launch.launch_key, "");
  EXPECT_EQ(form->launch.session_id.size(), 36u) << "a UUID is made";
  EXPECT_EQ(form->launch.session_id[14], '4');
  EXPECT_EQ(form->launch.session_name, "hi");
  EXPECT_EQ(form->launch.component_id, "a1");
}

TEST(LaunchForm, TheSpecIsTheAgents) {
  const auto form = read("message=do+it&timeout_seconds=7");
  ASSERT_TRUE(form);
  const auto& spec = form->launch.spec;
  EXPECT_EQ(spec.input, "do it");
  EXPECT_EQ(spec.provider, "openai");
  EXPECT_EQ(spec.model, "gpt");
  EXPECT_EQ(spec.base_url, "http://127.0.0.1:1/v1");
  EXPECT_EQ(spec.system_prompt, "Be brief.");
  EXPECT_EQ(spec.work_directory, "/work");
  EXPECT_EQ(spec.temperature, 0.5);
  EXPECT_EQ(spec.limits.timeout_ms, 7000);
  ASSERT_EQ(spec.tools.size(), 2u) << "a denied tool is not granted";
  EXPECT_EQ(spec.tools[0].gate, run::Gate::allow);
  EXPECT_EQ(spec.tools[1].gate, run::Gate::approve);
}

TEST(LaunchForm, TimeoutIsAPositiveInteger) {
  EXPECT_TRUE(body_of(read("message=a&timeout_seconds=0")).contains("greater_than_equal"));
  EXPECT_TRUE(body_of(read("message=a&timeout_seconds=1.5")).contains("int_parsing"));
  const auto huge = read("message=a&timeout_seconds=99999999999999999999");
  ASSERT_TRUE(huge);
  EXPECT_GT(huge->launch.spec.limits.timeout_ms, 0) << "no overflow";
}

TEST(LaunchForm, Ids) {
  for (const auto* id : {"r1", "0c2f1c1e-0000-4000-8000-000000000001", "A.b_c-9"}) {
    const auto form = read(std::string("message=a&run_id=") + id);
    ASSERT_TRUE(form) << id;
    EXPECT_EQ(form->launch.run_id, id);
  }
  for (const auto* id : {"a%2Fb", "a%20b", "..", "%C3%BC", "a%00b"})
    EXPECT_TRUE(body_of(read(std::string("message=a&run_id=") + id)).starts_with("422")) << id;
  EXPECT_TRUE(body_of(read("message=a&run_id=" + std::string(65, 'x'))).starts_with("422"));
  EXPECT_TRUE(read("message=a&session_id=S%C3%BC+%E2%82%AC"));
  EXPECT_TRUE(body_of(read("message=a&session_id=a%0Ab")).starts_with("422"));
  EXPECT_TRUE(body_of(read("message=a&session_id=" + std::string(257, 's'))).starts_with("422"));
  EXPECT_TRUE(body_of(read("message=a&user_id=" + std::string(1025, 'u'))).starts_with("422"));
}

TEST(LaunchForm, IdempotencyKey) {
  EXPECT_EQ(read("message=a", {{"idempotency-key", ""}})->launch.launch_key, "") << "empty is none";
  EXPECT_EQ(body_of(read("message=a", {{"idempotency-key", std::string(513, 'x')}})),
            R"(422 {"detail":"Idempotency-Key must be at most 512 characters"})");
  EXPECT_TRUE(read("message=a", {{"idempotency-key", std::string(512, 'x')}}));
  const auto one = read("message=a", {{"idempotency-key", "k"}}), other = read("message=a&user_id=u", {{"idempotency-key", "k"}});
  EXPECT_NE(one->launch.launch_key, other->launch.launch_key) << "a key belongs to its user";
}

TEST(LaunchForm, TheDigestIsOfWhatShapesTheRun) {
  const auto plain = digest("message=a&session_id=s");
  EXPECT_EQ(digest("session_id=s&message=a"), plain) << "order";
  EXPECT_EQ(digest("message=a&session_id=s&stream=false&background=true&stream_events=false&whatever="), plain)
      << "how it is delivered";
  EXPECT_NE(digest("message=b&session_id=s"), plain);
  EXPECT_NE(digest("message=a&session_id=t"), plain);
  EXPECT_NE(digest("message=a&session_id=s&user_id=u"), plain);
  EXPECT_NE(digest("message=a&session_id=s&dependencies=%7B%7D"), plain);
  EXPECT_NE(digest("message=a&x=bc&y="), digest("message=a&x=b&y=c"));
}

TEST(LaunchForm, JsonFields) {
  EXPECT_EQ(body_of(read("message=a&metadata=%5B1%5D")),
            R"(400 {"detail":"Invalid metadata parameter: expected a JSON object"})");
  for (const auto* body :
       {"message=a&metadata=%7B%7D", "message=a&metadata=%7Bbad", "message=a&metadata=null", "message=a&metadata=none",
        "message=a&images=%5B%5D", "message=a&images=%7Bbad", "message=a&session_state=5", "message=a&factory_input=x&version=3"})
    EXPECT_TRUE(read(body)) << body;
  EXPECT_TRUE(body_of(read("message=a&images=%7B%7D")).contains(R"("loc":["body","images"])"));
  EXPECT_TRUE(body_of(read("message=a&audio=%5B%7B%7D%5D")).starts_with("400")) << "what would be lost is refused";
}

TEST(LaunchForm, Files) {
  const auto with_file = [](const std::string& content) {
    net::HttpRequest http;
    http.headers = {{"content-type", "multipart/form-data; boundary=X"}};
    http.body =
        "--X\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n"
        "--X\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n" +
        content + "\r\n--X--\r\n";
    return read(http);
  };
  EXPECT_TRUE(with_file("")) << "empty files are skipped";
  EXPECT_TRUE(body_of(with_file("data")).starts_with(R"(400 {"detail":"Unsupported file type)"));
}

TEST(LaunchForm, MalformedMultipartIsTold) {
  net::HttpRequest http;
  http.headers = {{"content-type", "multipart/form-data; boundary=X"}};
  http.body = "--X\r\nnonsense";
  EXPECT_TRUE(body_of(read(http)).starts_with("400"));
}

TEST(LaunchForm, InvalidUtf8BecomesText) {
  const auto form = read("message=%FF%FE");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->launch.spec.input, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(LaunchForm, TheSessionNameIsCutAtACodePoint) {
  std::string message;
  for (int i = 0; i < 150; ++i) message += "%C3%BC";
  const auto form = read("message=" + message);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->launch.session_name.size(), 200u);
  EXPECT_TRUE(base::valid_utf8(form->launch.session_name));
}

}  // namespace

}  // namespace api::agentos
