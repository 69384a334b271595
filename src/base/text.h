#pragma once
// Text from outside: UTF-8 checks and cuts, digests, numbers.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

bool valid_utf8(std::string_view text);
// The text with every invalid sequence replaced by U+FFFD.
std::string utf8_lossy(std::string_view text);
// The longest prefix of at most `bytes` bytes that does not cut a code point.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);
std::string_view utf8_suffix(std::string_view text, std::size_t bytes);

std::string sha256_hex(std::string_view bytes);
std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

// The whole text as a decimal integer, else nothing.
std::optional<std::int64_t> parse_int(std::string_view text);

// Millionths of a US dollar for people: "$12.40", and below a dollar what counts of it, "$0.0042".
std::string dollars(std::int64_t micros);

// The candidate nearest to `word` by edit distance, if it is near enough to be meant ("did you mean").
std::optional<std::string_view> nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace base
