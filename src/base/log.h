#pragma once
// Operational logging (stderr, text on a terminal, else JSON lines): a constant message and key=value fields. Secrets never get here.
#include <initializer_list>
#include <string>
#include <string_view>

namespace base::log {

enum class Level { debug, info, warning, error, off };
enum class Format { text, json };

struct Field {
  std::string_view key;
  std::string value;
};

// Once, in main, before threads start; before that only errors are written.
void configure(Level level, Format format);

// error = we failed a request; warning = unusual but handled.
void debug(std::string_view message, std::initializer_list<Field> fields = {});
void info(std::string_view message, std::initializer_list<Field> fields = {});
void warning(std::string_view message, std::initializer_list<Field> fields = {});
void error(std::string_view message, std::initializer_list<Field> fields = {});

}  // namespace base::log
