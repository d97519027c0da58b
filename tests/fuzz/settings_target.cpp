#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <unistd.h>

#include <faultline/configuration.hpp>
#include <faultline/configuration_error.hpp>
#include <faultline/json_configuration.hpp>
#include <nlohmann/json.hpp>

#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"

namespace faultline::fuzz {
namespace {

constexpr std::array<std::string_view, 20> keys{"level",
                                                "levels",
                                                "target",
                                                "handlers",
                                                "clock",
                                                "flusher",
                                                "on_outbox_full",
                                                "buffer_bytes",
                                                "buffers_per_thread",
                                                "outbox_bytes",
                                                "argument_bytes",
                                                "busy_interval",
                                                "idle_interval",
                                                "storm_dumps_per_second",
                                                "storm_burst",
                                                "drain_on_terminate",
                                                "hold_outside_scopes",
                                                "flush_level",
                                                "flush_levels",
                                                "no_such_key"};

/// Whether the work is accepted; a refusal is a `configuration_error` that says of what.
template <class Work> bool accepted(Work work) {
  try {
    work();
    return true;
  } catch (const configuration_error& e) {
    check(std::string_view(e.what()).size() > e.option().size() + e.value().size() + 6,
          "a refusal names the option, the value and the reason");
    return false;
  }
}

__extension__ using wide = unsigned __int128; ///< in which nothing here overflows

/// The number at the start of `text`, and what is behind it; nothing for no digits or too many.
std::optional<wide> number_of(std::string_view& text) {
  wide number = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    number = number * 10 + static_cast<unsigned>(text[digits] - '0');
    if (number > SIZE_MAX) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

std::optional<std::size_t> expected_size(std::string_view text) {
  const std::string_view all = text;
  const auto number = number_of(text);
  const unsigned kib = expects_wrong ? 1000 : 1024;
  const unsigned long factor = text.empty() ? 1 : text == "KiB" ? kib : text == "MiB" ? 1024UL * kib : 0;
  if (!number || factor == 0 || *number * factor > SIZE_MAX) return std::nullopt;
  return static_cast<std::size_t>(*number * factor) + (expects_wrong && all == "7" ? 1 : 0);
}

std::optional<std::chrono::nanoseconds> expected_time(std::string_view text) {
  const auto number = number_of(text);
  const std::int64_t unit = text == "us" ? 1'000 : text == "ms" ? 1'000'000 : text == "s" ? 1'000'000'000 : 0;
  if (!number || *number > 1'000'000'000 || unit == 0) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*number) * unit * (expects_wrong ? 2 : 1));
}

constexpr std::chrono::nanoseconds least_interval{0}; // as the runtime's options have it
constexpr std::chrono::nanoseconds most_interval = std::chrono::minutes(1);

void check_values(const std::string& value) {
  configuration settings;
  const bool size = accepted([&] { settings.set("buffer_bytes", value); });
  const auto expected = expected_size(value);
  const bool in_range = expected && *expected >= 4096 && *expected <= 16U << 20 && *expected % 4096 == 0;
  check(size == in_range, "a size is a whole number with KiB or MiB, in its range: ", raw_bytes{value});
  const bool time = accepted([&] { settings.set("busy_interval", value); });
  const auto interval = expected_time(value);
  const bool usual = interval && *interval >= least_interval && *interval <= most_interval;
  check(time == usual, "a time is a whole number with its unit, in its range: ", raw_bytes{value});
  const runtime_options options = settings.options();
  if (size) check(options.buffer_bytes == *expected, "a size is what it says: ", raw_bytes{value});
  if (time) check(options.busy_interval == *interval, "a time is what it says: ", raw_bytes{value});
}

/// An environment of one variable, while it lives.
class one_variable {
 public:
  explicit one_variable(std::string text) : text_(std::move(text)), variables_{text_.data(), nullptr} {
    environ = variables_.data();
  }
  one_variable(const one_variable&) = delete;
  one_variable& operator=(const one_variable&) = delete;
  ~one_variable() { environ = before_; }

 private:
  std::string text_;
  std::array<char*, 2> variables_;
  char** before_ = environ;
};

/// Sets a key by the environment.
bool accepted_from_environment(std::string_view key, std::string_view value) {
  std::string name = "FUZZ_" + std::string(key);
  std::transform(name.begin() + 5, name.end(), name.begin() + 5,
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  const one_variable environment(name + "=" + std::string(value));
  return accepted([] { configuration().read_environment("FUZZ_"); });
}

/// A value is taken or refused the same, whether it is set, set again, read as JSON or found in the
/// environment.
void check_way(std::size_t way, std::string_view key, const std::string& value) {
  configuration settings;
  const bool set = accepted([&] { settings.set(key, value); });
  if (way == 0) {
    check(accepted([&] { settings.set(key, value); }) == set, "a key that is set again is judged again");
  } else if (way == 1) {
    if (value.find('\0') != std::string::npos) return; // no variable of an environment
    check(accepted_from_environment(key, value) == set, "the environment is judged as what is set");
  } else {
    const bool is_object = key == "levels" || key == "flush_levels" || key == "handlers";
    if (is_object || reference_read_back(value) != value) return; // no UTF-8, so no JSON
    configuration from_json;
    const std::string text = nlohmann::json{{key, value}}.dump();
    check(accepted([&] { read_json(from_json, text); }) == set, "JSON is judged as what is set");
  }
}

} // namespace

int fuzz_settings(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  switch (in.pick(4)) { // one question each: refusals are exceptions, dear to an instrumented program
  case 0: {
    const std::string text = in.rest();
    (void)accepted([&] {
      configuration settings;
      read_json(settings, text);
    });
    break;
  }
  case 1: {
    const std::size_t way = in.pick(3);
    const std::string_view key = keys[in.pick(keys.size())];
    check_way(way, key, in.text());
    break;
  }
  case 2: check_values(in.text()); break;
  default: {
    const std::string value = in.text();
    const std::string name = in.text();
    if (name.find('=') == std::string::npos) (void)accepted([&] { configuration().set(name, value); });
  }
  }
  return 0;
}

} // namespace faultline::fuzz
