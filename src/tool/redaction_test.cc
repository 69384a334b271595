#include "tool/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace tool {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string redact(std::string_view text, const std::vector<std::string>& patterns = {}) {
  return Redactor(patterns).redact(text);
}

// Letters that make no secret that a scanner of this repository would take for one.
std::string letters(std::size_t n) {
  std::string text;
  for (std::size_t i = 0; i < n; ++i) text += "aB3dE6gH9k"[i % 10];
  return text;
}

TEST(Redaction, WellKnownTokens) {
  for (const auto& token :
       {"AKIA" + std::string("IOSFODNN7EXAMPLE"), "ghp_" + letters(36), "github_pat_" + letters(40), "glpat-" + letters(20),
        "xoxb-" + letters(30), "xapp-1-" + letters(20), "sk-" + letters(48), "sk-ant-api03-" + letters(60),
        "sk-proj-" + letters(40), "rk_live_" + letters(24), "AIza" + letters(35), "ya29." + letters(40), "npm_" + letters(36),
        "hf_" + letters(34), "pypi-" + letters(60), "eyJ" + letters(20) + ".eyJ" + letters(30) + "." + letters(20)})
    EXPECT_EQ(redact("before " + token + " after\n"), "before [REDACTED] after\n") << token;
  EXPECT_EQ(redact("https://hooks.slack.com/services/T0/B0/" + letters(24)), "https://hooks.slack.com/services/[REDACTED]");
}

TEST(Redaction, PrivateKeys) {
  const auto body = letters(64) + "\n" + letters(64) + "\n" + letters(20) + "==\n";
  for (const auto* kind : {"RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"}) {
    const auto begin = "-----BEGIN " + std::string(kind) + "-----\n", end = "-----END " + std::string(kind) + "-----";
    EXPECT_EQ(redact("a\n" + begin + body + end + "\nb\n"), "a\n[REDACTED]\nb\n") << kind;
  }
  EXPECT_EQ(redact("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n" + body +
                   "-----END RSA PRIVATE KEY-----"),
            "[REDACTED]");
  EXPECT_EQ(redact("a -----BEGIN PRIVATE KEY-----\n" + body + "then a line of prose\n"), "a [REDACTED]\nthen a line of prose\n")
      << "no end";
  EXPECT_EQ(redact(R"({"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END PRIVATE KEY-----\n"})"),
            R"({"key":"[REDACTED]\n"})");
  const auto certificate = "-----BEGIN CERTIFICATE-----\n" + body + "-----END CERTIFICATE-----\n";
  EXPECT_EQ(redact(certificate), certificate);
}

TEST(Redaction, WhatIsAssigned) {
  const std::pair<const char*, const char*> kTable[] = {
      {"DB_PASSWORD=correcthorse", "DB_PASSWORD=[REDACTED]"},
      {"OPENAI_API_KEY=abcdef", "OPENAI_API_KEY=[REDACTED]"},
      {"export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "export AWS_SECRET_ACCESS_KEY=[REDACTED]"},
      {"POSTGRES_PASSWORD: correcthorse", "POSTGRES_PASSWORD: [REDACTED]"},
      {"DB_PWD=hunter22", "DB_PWD=[REDACTED]"},
      {"password=correcthorse", "password=[REDACTED]"},
      {"a=b&password=hunter2&c=d", "a=b&password=[REDACTED]&c=d"},
      {"password: hunter2", "password: [REDACTED]"},
      {"Password: hunter2", "Password: [REDACTED]"},
      {"client_secret = abc123def", "client_secret = [REDACTED]"},
      {"{\"api_key\": \"hunter\", \"x\": 1}", "{\"api_key\": \"[REDACTED]\", \"x\": 1}"},
      {"{'token':'hunter'}", "{'token':'[REDACTED]'}"},
      {"api-key => 'hunter'", "api-key => '[REDACTED]'"},
      {"mysql --password hunter22 -u x", "mysql --password [REDACTED] -u x"},
      {"curl --api-key=hunter22", "curl --api-key=[REDACTED]"},
      {"Authorization: Bearer abcdefgh", "Authorization: Bearer [REDACTED]"},
      {"authorization: Basic dXNlcjpwYXNz", "authorization: Basic [REDACTED]"},
      {"-H 'Authorization: token abcdefgh'", "-H 'Authorization: token [REDACTED]'"},
      {"\"Authorization\": \"Bearer abcdefgh\"", "\"Authorization\": \"Bearer [REDACTED]\""},
      {"uses bearer abcdefgh12345678", "uses bearer [REDACTED]"},
      {"X-Api-Key: abcdefgh", "X-Api-Key: [REDACTED]"},
      {"postgres://user:hunter@host/db", "postgres://user:[REDACTED]@host/db"},
      {"https://:hunter@host", "https://:[REDACTED]@host"},
      {"TOKEN=abcdefg\nPASSWORD=hijklmn\n", "TOKEN=[REDACTED]\nPASSWORD=[REDACTED]\n"},
      {"password=$x TOKEN=abcdefg", "password=$x TOKEN=[REDACTED]"},
  };
  for (const auto& [text, shown] : kTable) EXPECT_EQ(redact(text), shown) << text;
}

TEST(Redaction, NothingElse) {
  for (const auto* text : {"PWD=/work/src",
                           "OLDPWD=/work",
                           "max_tokens: 300",
                           "MAX_TOKENS=4096",
                           "total_token: 300",
                           "token: str",
                           "token: string,",
                           "password: Optional[str] = None",
                           "password=None",
                           "password=password)",
                           "login(user, password=user.password2)",
                           "api_key=os.environ[\"KEY\"]",
                           "api_key = get_api_key()",
                           "token = next_token(x)",
                           "secret: true",
                           "PASSWORD=${PASSWORD}",
                           "TOKEN=$TOKEN",
                           "api_key: \"{{env.KEY}}\"",
                           "password: <your-password>",
                           "password=********",
                           "--password PASSWORD  the password",
                           "--token string   a token",
                           "Enter password: ",
                           "no password was given",
                           "tokens=12",
                           "task-0123456789abcdefghijkl",
                           "disk-0123456789abcdefghij",
                           "sk-folding-cube-container-large",
                           "eyJhbGciOiJIUzI1NiJ9",
                           "http://localhost:8080/a@b",
                           "git@github.com:a/b.git",
                           "commit 0123456789abcdef0123456789abcdef01234567",
                           "the bearer of this letter",
                           "secrets/values.yaml",
                           "-----BEGIN PUBLIC KEY-----",
                           "[REDACTED]",
                           "password: [REDACTED]",
                           ""})
    EXPECT_EQ(redact(text), text);
}

TEST(Redaction, OwnPatternsTakeTheWholeMatch) {
  EXPECT_EQ(redact("order ORD-(1)17 and ORD-(2)18", {R"(ORD-\((\d)\)\d+)"}), "order [REDACTED] and [REDACTED]");
  EXPECT_EQ(redact("a\nbegin\nx\nend\nb", {"(?s)begin.*end"}), "a\n[REDACTED]\nb");
  EXPECT_EQ(redact("gr\xc3\xbc\xc3\x9f", {"\xc3\xbc"}), "gr[REDACTED]\xc3\x9f");
  EXPECT_EQ(redact("abc", {"("}), "abc") << "none at all";
  EXPECT_TRUE(check_sensitive_pattern("a+"));
  for (const auto* pattern : {"(", "a*", "", "(?!x)", "a{2000}"}) EXPECT_FALSE(check_sensitive_pattern(pattern)) << pattern;
  EXPECT_FALSE(check_sensitive_pattern(std::string(2'000, 'a')));
}

TEST(Redaction, APieceNeverShowsAPartOfASecret) {
  const std::string text = "one TOKEN=abcdefgh two";
  const Redactor redactor({});
  const auto secrets = redactor.find(text);
  ASSERT_EQ(secrets.size(), 1u);
  EXPECT_EQ(redacted_piece(text, secrets, 0, 12), "one TOKEN=[REDACTED]");
  EXPECT_EQ(redacted_piece(text, secrets, 14, text.size()), "[REDACTED] two");
  EXPECT_EQ(redacted_piece(text, secrets, 0, 4), "one ");
  for (std::size_t from = 0; from < text.size(); ++from)
    for (std::size_t to = from; to <= text.size(); ++to)
      for (const auto* part : {"abc", "cde", "fgh"}) EXPECT_THAT(redacted_piece(text, secrets, from, to), Not(HasSubstr(part)));
}

TEST(Redaction, HostileTextsCostLittleAndHideRatherThanShow) {
  std::string many, nested, begins;
  for (int i = 0; i < 20'000; ++i)
    many += "TOKEN=abcdefg" + std::to_string(i) + "\n", nested += "pwd_token=$", begins += "-----BEGIN PRIVATE KEY-----";
  for (const auto* text : {&many, &nested, &begins}) {
    const auto started = std::chrono::steady_clock::now();
    const auto shown = redact(*text, {"ab.*z|a"});
    EXPECT_THAT(shown, Not(HasSubstr("abcdefg")));
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
  }
}

}  // namespace
}  // namespace tool
