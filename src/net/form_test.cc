#include "net/form.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "base/text.h"

namespace net {

// gtest prints fields of a failed comparison by this.
void PrintTo(const FormField& field, std::ostream* out) {
  *out << '{' << field.name << '=' << field.value << " file=" << field.filename << " type=" << field.content_type << '}';
}

namespace {

FormField text(std::string name, std::string content) { return {std::move(name), std::move(content), "", ""}; }

TEST(PercentDecode, DecodesEscapesAndKeepsMalformedOnes) {
  const struct {
    std::string_view in, keep, space;
  } cases[] = {
      {"", "", ""},
      {"%41+b", "A+b", "A b"},
      {"%e4%F6", "\xE4\xF6", "\xE4\xF6"},
      {"%", "%", "%"},
      {"%4", "%4", "%4"},
      {"%zz", "%zz", "%zz"},
      {"%%41", "%A", "%A"},
      {"%4%41", "%4A", "%4A"},
      {"%2B", "+", "+"},
      {"a%00b", {"a\0b", 3}, {"a\0b", 3}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(percent_decode(c.in, Plus::keep), c.keep) << c.in;
    EXPECT_EQ(percent_decode(c.in, Plus::space), c.space) << c.in;
  }
}

TEST(ParseQuery, SplitsPairs) {
  EXPECT_EQ(parse_query(""), Form{});
  EXPECT_EQ(parse_query("a=1&b=2"), (Form{text("a", "1"), text("b", "2")}));
  EXPECT_EQ(parse_query("&&a=1&"), (Form{text("a", "1")}));
  EXPECT_EQ(parse_query("a&b=&=c"), (Form{text("a", ""), text("b", ""), text("", "c")}));
  EXPECT_EQ(parse_query("a=b=c&x%3D=%26+"), (Form{text("a", "b=c"), text("x=", "& ")}));
  EXPECT_EQ(parse_query("a=%C3%BC&b=%FF"), (Form{text("a", "ü"), text("b", "\xEF\xBF\xBD")}));
}

TEST(ParseQuery, DropsFieldsBeyondTheLimit) {
  std::string query;
  for (std::size_t i = 0; i < base::limits::kFormFieldsMax + 10; ++i) query += "a=" + std::to_string(i) + '&';
  const auto form = parse_query(query);
  ASSERT_EQ(form.size(), base::limits::kFormFieldsMax);
  EXPECT_EQ(form.back().value, std::to_string(base::limits::kFormFieldsMax - 1));
}

TEST(FormValue, IsTheLastOneThatIsNoFileAndEmptyMeansAbsent) {
  const Form form{text("a", "1"), text("a", "2"), {"a", "bytes", "f.txt", "text/plain"}, text("b", "x"), text("b", "")};
  EXPECT_EQ(value(form, "a"), "2");
  EXPECT_EQ(value(form, "b"), std::nullopt);
  EXPECT_EQ(value(form, "c"), std::nullopt);
  EXPECT_EQ(value({}, "a"), std::nullopt);
}

TEST(ParseForm, ChoosesByContentType) {
  const Form expected{text("a", "1 2")};
  EXPECT_EQ(parse_form("application/x-www-form-urlencoded", "a=1+2").value(), expected);
  EXPECT_EQ(parse_form("Application/X-WWW-Form-Urlencoded ; charset=utf-8", "a=1+2").value(), expected);
  EXPECT_EQ(parse_form("application/json", R"({"a":1})").value(), Form{});
  EXPECT_EQ(parse_form("", "a=1").value(), Form{});
  EXPECT_EQ(parse_form("text/plain; x=\"unended", "a=1").value(), Form{});
}

TEST(ParseForm, RefusesTooManyFields) {
  std::string body, parts;
  for (std::size_t i = 0; i <= base::limits::kFormFieldsMax; ++i) {
    body += "a=1&";
    parts += "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n";
  }
  const auto urlencoded = parse_form("application/x-www-form-urlencoded", body);
  ASSERT_FALSE(urlencoded);
  EXPECT_EQ(urlencoded.error().code, base::Errc::invalid_argument);
  const auto multipart = parse_form("multipart/form-data; boundary=b", parts + "--b--");
  ASSERT_FALSE(multipart);
  EXPECT_EQ(multipart.error().code, base::Errc::invalid_argument);
}

// As `curl -F message=hi -F 'files=@a.txt'` sends it.
TEST(ParseMultipart, ReadsWhatCurlSends) {
  const auto form = parse_form("multipart/form-data; boundary=------------------------d74496d66958873e",
                               "--------------------------d74496d66958873e\r\n"
                               "Content-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n"
                               "--------------------------d74496d66958873e\r\n"
                               "Content-Disposition: form-data; name=\"files\"; filename=\"a \\\"1\\\".txt\"\r\n"
                               "Content-Type: text/plain\r\n\r\nline\r\n\r\n\xFF\r\n"
                               "--------------------------d74496d66958873e--\r\n");
  ASSERT_TRUE(form) << form.error().message;
  EXPECT_EQ(*form, (Form{text("message", "hi"), {"files", "line\r\n\r\n\xFF", "a \"1\".txt", "text/plain"}}));
}

// As python's requests and httpx send it: no content-type on texts, boundary of 32 hex digits.
TEST(ParseMultipart, ReadsWhatPythonSends) {
  const auto form = parse_form("multipart/form-data; boundary=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
                               "--0f1e2d3c4b5a69788796a5b4c3d2e1f0\r\n"
                               "Content-Disposition: form-data; name=\"stream\"\r\n\r\nfalse\r\n"
                               "--0f1e2d3c4b5a69788796a5b4c3d2e1f0\r\n"
                               "Content-Disposition: form-data; name=\"files\"; filename*=utf-8''%C3%BC.bin\r\n\r\n\r\n"
                               "--0f1e2d3c4b5a69788796a5b4c3d2e1f0--\r\n");
  ASSERT_TRUE(form) << form.error().message;
  EXPECT_EQ(*form, (Form{text("stream", "false"), {"files", "", "ü.bin", ""}}));
}

// As browsers send it: backslashes unescaped, an empty file input with an empty name and a type.
TEST(ParseMultipart, ReadsWhatBrowsersSend) {
  const auto form = parse_form("multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                               "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
                               "Content-Disposition: form-data; name=\"files\"; filename=\"\"\r\n"
                               "Content-Type: application/octet-stream\r\n\r\n\r\n"
                               "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
                               "Content-Disposition: form-data; name=\"files\"; filename=\"C:\\x\\ü;=.txt\"\r\n"
                               "Content-Type: text/plain\r\n\r\nab\r\n"
                               "------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n");
  ASSERT_TRUE(form) << form.error().message;
  EXPECT_EQ(*form, (Form{{"files", "", "", "application/octet-stream"}, {"files", "ab", "C:\\x\\ü;=.txt", "text/plain"}}));
}

TEST(ParseMultipart, ToleratesWhatTheRfcAllows) {
  const std::string part = "Content-Disposition: form-data; name=a\r\n\r\n";
  const struct {
    std::string_view why;
    std::string type, body;
    Form form;
  } cases[] = {
      {"no fields", "boundary=b", "--b--\r\n", {}},
      {"no body at all", "boundary=b", "", {}},
      {"preamble and epilogue", "boundary=b", "hello\r\n--b\r\n" + part + "1\r\n--b--\r\nbye --b", {text("a", "1")}},
      {"blanks behind the boundary", "boundary=b", "--b \t\r\n" + part + "1\r\n--b--", {text("a", "1")}},
      {"a quoted boundary", "charset=x; Boundary=\"b c\"", "--b c\r\n" + part + "1\r\n--b c--", {text("a", "1")}},
      {"a content that looks like a boundary",
       "boundary=b",
       "--b\r\n" + part + "\r\n--bc\r\n --b\r\n--b--",
       {text("a", "\r\n--bc\r\n --b")}},
      {"an empty content", "boundary=b", "--b\r\n" + part + "\r\n--b--", {text("a", "")}},
      {"not even an empty content", "boundary=b", "--b\r\n" + part + "--b--", {text("a", "")}},
      {"header names in any case",
       "boundary=b",
       "--b\r\nX-Y: z\r\ncontent-DISPOSITION:Form-Data ; NAME = a \r\n\r\n1\r\n--b--",
       {text("a", "1")}},
      {"text that is not UTF-8", "boundary=b", "--b\r\n" + part + "\xFF\r\n--b--", {text("a", "\xEF\xBF\xBD")}},
      {"a boundary of 70", "boundary=" + std::string(70, 'b'), "--" + std::string(70, 'b') + "--", {}},
      {"a boundary of 200", "boundary=" + std::string(200, 'b'), "--" + std::string(200, 'b') + "--", {}},
  };
  for (const auto& c : cases) {
    const auto form = parse_form("multipart/form-data; " + c.type, c.body);
    ASSERT_TRUE(form) << c.why << ": " << form.error().message;
    EXPECT_EQ(*form, c.form) << c.why;
  }
}

TEST(ParseMultipart, RefusesWhatIsMalformed) {
  const std::string part = "Content-Disposition: form-data; name=a\r\n\r\n";
  const struct {
    std::string_view why;
    std::string type, body;
  } cases[] = {
      {"no boundary", "", "--b--"},
      {"an empty boundary", "boundary=", "----"},
      {"a boundary of 201", "boundary=" + std::string(201, 'b'), "--" + std::string(201, 'b') + "--"},
      {"a line break in the boundary", "boundary=\"b\r\nc\"", "--b\r\nc--"},
      {"a boundary that does not end", "boundary=\"b", "--b--"},
      {"another boundary in the body", "boundary=b", "--c\r\n" + part + "1\r\n--c--"},
      {"no end", "boundary=b", "--b\r\n" + part + "1"},
      {"an end cut short", "boundary=b", "--b\r\n" + part + "1\r\n--b-"},
      {"a header that does not end", "boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n--b--"},
      {"a header too long", "boundary=b", "--b\r\nX: " + std::string(9'000, 'x') + "\r\n" + part + "1\r\n--b--"},
      {"no header", "boundary=b", "--b\r\n\r\n1\r\n--b--"},
      {"no name", "boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--"},
      {"a name that does not end", "boundary=b", "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--b--"},
      {"a part that is no form-data", "boundary=b", "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--"},
      {"a header line without colon", "boundary=b", "--b\r\nnonsense\r\n" + part + "1\r\n--b--"},
      {"bare line feeds", "boundary=b", "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--"},
  };
  for (const auto& c : cases) {
    const auto form = parse_form("multipart/form-data; " + c.type, c.body);
    ASSERT_FALSE(form) << c.why;
    EXPECT_EQ(form.error().code, base::Errc::invalid_argument) << c.why;
    EXPECT_TRUE(base::valid_utf8(form.error().message)) << c.why;
  }
}

TEST(ParseTarget, SplitsAndDecodes) {
  const struct {
    std::string_view in, path;
    std::vector<std::string> segments;
    Form query = {};
  } cases[] = {
      {"/", "/", {}},
      {"//", "/", {}},
      {"/?", "/", {}},
      {"/a", "/a", {"a"}},
      {"/a/", "/a", {"a"}},
      {"/a//", "/a/", {"a", ""}},
      {"//a", "//a", {"", "a"}},
      {"/a%20b+c/%c3%bc", "/a b+c/ü", {"a b+c", "ü"}},
      {"/a%2Fb/c%2f", "/a/b/c/", {"a/b", "c/"}},
      {"/..%2f../x?session_id=%00", "/../../x", {"../..", "x"}, {text("session_id", {"\0", 1})}},
      {"/a/?b=1&c=%3F?/",
       "/a",
       {"a"},
       {text("b", "1"), text("c",
                             "?"
                             "?/")}},
      {"/%FF%zz", "/\xEF\xBF\xBD%zz", {"\xEF\xBF\xBD%zz"}},
  };
  for (const auto& c : cases) {
    const auto target = parse_target(c.in);
    ASSERT_TRUE(target) << c.in;
    EXPECT_EQ(target->path, c.path) << c.in;
    EXPECT_EQ(target->segments, c.segments) << c.in;
    EXPECT_EQ(target->query, c.query) << c.in;
  }
}

TEST(ParseTarget, Refuses) {
  const std::string long_one = "/" + std::string(base::limits::kHttpTargetBytesMax, 'a');
  for (const std::string_view target : {std::string_view(""), std::string_view("a"), std::string_view("*"),
                                        std::string_view("http://h/a"), std::string_view("/a%00"), std::string_view("/%0a/b"),
                                        std::string_view("/a%7F"), std::string_view("/a\tb"), std::string_view(long_one)}) {
    const auto parsed = parse_target(target);
    ASSERT_FALSE(parsed) << target.substr(0, 20);
    EXPECT_EQ(parsed.error().code, base::Errc::invalid_argument);
  }
  EXPECT_TRUE(parse_target(std::string_view(long_one).substr(0, base::limits::kHttpTargetBytesMax)));
}

std::string percent_encode(std::string_view plain) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string in_quotes(std::string_view plain) {
  std::string out = "\"";
  for (const char c : plain) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out += '"';
}

// Any bytes as content of files; texts and names are UTF-8, names without control characters.
Form any_form() {
  const auto words = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab\"\\;=&%+-. \t")));
  const auto bytes = rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab-\r\n\xFF\0", 7)));
  const auto count = *rc::gen::inRange<std::size_t>(0, 6);
  Form form;
  for (std::size_t i = 0; i < count; ++i) {
    FormField field;
    field.name = *words;
    if (*rc::gen::arbitrary<bool>()) field.filename = "f" + *words;
    if (*rc::gen::arbitrary<bool>()) field.content_type = "text/x";
    const std::string content = *bytes;
    field.value = field.filename.empty() ? base::utf8_lossy(content) : content;
    form.push_back(std::move(field));
  }
  return form;
}

TEST(FormProperty, MultipartRoundTrips) {
  EXPECT_TRUE(rc::check([] {
    const auto form = any_form();
    const std::string boundary = "xyz";  // no content has these letters
    std::string body;
    for (const auto& field : form) {
      body += "--" + boundary + "\r\nContent-Disposition: form-data; name=" + in_quotes(field.name);
      if (!field.filename.empty()) body += "; filename=" + in_quotes(field.filename);
      if (!field.content_type.empty()) body += "\r\nContent-Type: " + field.content_type;
      body += "\r\n\r\n" + field.value + "\r\n";
    }
    const auto parsed = parse_form("multipart/form-data; boundary=" + boundary, body + "--" + boundary + "--\r\n");
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == form);
  }));
}

TEST(FormProperty, QueriesAndTargetsRoundTrip) {
  EXPECT_TRUE(rc::check([] {
    auto form = any_form();
    std::string query;
    for (auto& field : form) {
      field = text(field.name, base::utf8_lossy(field.value));
      query += (query.empty() ? "" : "&") + percent_encode(field.name) + '=' + percent_encode(field.value);
    }
    RC_ASSERT(parse_query(query) == form);

    std::vector<std::string> segments(*rc::gen::inRange<std::size_t>(0, 5));
    for (auto& segment : segments)
      segment = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("a/%?+ ."))));
    std::string target;
    for (const auto& segment : segments) target += '/' + percent_encode(segment);
    RC_PRE(target.size() + query.size() < base::limits::kHttpTargetBytesMax);
    const auto parsed = parse_target((segments.empty() ? "/" : target) + "?" + query);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(parsed->segments == segments);
    RC_ASSERT(parsed->query == form);
  }));
}

}  // namespace
}  // namespace net
