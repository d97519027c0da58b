// A program with a logger of its own gains error scopes at the one place where that logger writes: its
// statements stay as they are.
#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include <faultline/bridge.hpp>
#include <faultline/faultline.hpp>

// --- the logger of one's own, as it was but for one line ---

enum class severity : std::uint8_t { verbose, debug, info, warning, error };

#define LOG_DEBUG(...) log_line(severity::debug, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define LOG_ERROR(...) log_line(severity::error, __FILE__, __LINE__, __func__, __VA_ARGS__)

namespace {

const faultline::logger logger = faultline::get_logger("shop");

faultline::level level_of(severity s) {
  switch (s) {
  case severity::verbose: return faultline::level::trace;
  case severity::debug: return faultline::level::debug;
  case severity::info: return faultline::level::info;
  case severity::warning: return faultline::level::warning;
  default: return faultline::level::error;
  }
}

[[gnu::format(printf, 5, 6)]] void log_line(severity s, const char* file, unsigned line, const char* function,
                                            const char* format, ...) {
  if (!logger.enabled(level_of(s))) return; // what is off is not formatted
  char text[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  faultline::log_text(logger, level_of(s), text, {file, line, function}); // was: fputs(text, log_file)
}

// --- the program ---

void handle(int order, bool good) {
  FAULTLINE_SCOPE(logger, .name = "order"); // the one new line
  LOG_DEBUG("order %d: looking", order);
  if (!good) LOG_ERROR("order %d failed", order);
}

} // namespace

int main() {
  const auto out = faultline::make_stream_handler(stdout);
  out->set_formatter(
      faultline::make_text_formatter("{level:<5} {file}:{line} {function}: {message}", {.envelope = false}));
  faultline::start({.default_target = out});

  handle(1, true);
  handle(2, false);
}

// Outputs:
// DEBUG own_logger.cpp:46 handle: order 2: looking
// ERROR own_logger.cpp:47 handle: order 2 failed
