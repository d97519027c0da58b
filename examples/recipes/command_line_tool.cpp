// A command-line tool that is silent while all goes well, tells everything when it fails, and with -v tells
// everything as it happens. One scope holds the whole run.
#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <faultline/faultline.hpp>

namespace {

const faultline::logger logger = faultline::get_logger("sum");

int number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("'{}' is no number", text));
  return value;
}

int sum(int count, char** words) {
  int total = 0;
  for (int i = 0; i < count; ++i) {
    total += number(words[i]);
    FAULTLINE_DEBUG(logger, "{} makes {}", words[i], total);
  }
  return total;
}

} // namespace

int main(int argc, char** argv) {
  const bool verbose = argc > 1 && std::string_view(argv[1]) == "-v";
  const auto err = faultline::make_console_handler({.pattern = "{level:<5} {message}", .envelope = false});
  faultline::start({.default_target = err});
  if (verbose)
    faultline::get_logger("sum").add_handler(err); // what was told as it happened is left out of the dump
  try {
    const faultline::error_scope scope(logger, {.name = "sum", .capacity = 1000});
    const int total = sum(argc - 1 - verbose, argv + 1 + verbose);
    fmt::print("{}\n", total);
    return 0;
  } catch (const std::exception& e) {
    faultline::flush(); // the story first, then the last word
    fmt::print(stderr, "sum: {}\n", e.what());
    return 1;
  }
}

// Exits with 1
// Outputs:
// DEBUG 3 makes 3
// DEBUG 4 makes 7
// ERROR call failed
// sum: 'x' is no number
