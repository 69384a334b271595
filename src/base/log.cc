#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/json.h"

namespace base::log {

namespace {

struct Sink {
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>("outlast", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  Format format = Format::text;
  Level level = Level::error;
  Sink() {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
  }
};

// The one process-wide object of the project: a front for the process-wide stderr.
Sink& sink() {
  static Sink instance;
  return instance;
}

std::string_view name(Level level) {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
    case Level::off: break;
  }
  return "off";
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  auto& out = sink();
  if (level < out.level) return;
  const auto now = SystemClock().wall_ms();
  std::string line;
  if (out.format == Format::json) {
    line = R"({"time":")" + iso_utc_ms(now) + R"(","level":")" + std::string(name(level)) + R"(","message":)";
    append_json_string(line, message);
    for (const auto& field : fields) {
      line += ',';
      append_json_string(line, field.key);
      line += ':';
      append_json_string(line, field.value);
    }
    line += '}';
  } else {
    line = iso_utc_ms(now) + " " + std::string(name(level)) + " " + std::string(message);
    for (const auto& field : fields) {
      line += " " + std::string(field.key) + "=";
      if (field.value.find_first_of(" \"\n\t\x1b") == std::string::npos)
        line += field.value;
      else
        append_json_string(line, field.value);
    }
  }
  out.logger->log(spdlog::level::info, line);
}

}  // namespace

void configure(Level level, Format format) {
  sink().level = level;
  sink().format = format;
}

void debug(std::string_view message, std::initializer_list<Field> fields) { write(Level::debug, message, fields); }
void info(std::string_view message, std::initializer_list<Field> fields) { write(Level::info, message, fields); }
void warning(std::string_view message, std::initializer_list<Field> fields) { write(Level::warning, message, fields); }
void error(std::string_view message, std::initializer_list<Field> fields) { write(Level::error, message, fields); }

}  // namespace base::log
