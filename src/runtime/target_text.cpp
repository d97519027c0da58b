#include "runtime/target_text.hpp"

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <faultline/configuration_error.hpp>
#include <faultline/handlers.hpp>

#include "handlers/compress_file.hpp"
#include "handlers/rotating_file_handler.hpp"
#include "runtime/setting_text.hpp"

namespace faultline::detail {
namespace {

enum class target_kind : std::uint8_t { standard_error, standard_output, console, null, file, rotating };

/// A target's text, taken apart.
struct target {
  target_kind kind{};
  std::string path;
  std::optional<level> threshold;
  bool json = false;
  bool background = false;
  std::string pattern;
  file_options file;
  rotating_file_options rotating;
};

void check_pattern(std::string_view key, std::string_view pattern) {
  try {
    (void)make_text_formatter(pattern);
  } catch (const configuration_error& e) {
    throw configuration_error(key, pattern, e.what());
  }
}

std::chrono::seconds parse_seconds(std::string_view key, std::string_view text) {
  const std::chrono::nanoseconds time = parse_time(key, text);
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  if (whole != time) throw configuration_error(key, text, "whole seconds");
  return whole;
}

/// An option of the target; throws when its kind has none of that name.
void set_option(std::string_view key, std::string_view name, std::string_view value, target& t) {
  const bool any_file = t.kind == target_kind::file || t.kind == target_kind::rotating;
  const std::string full = std::string(key) + " " + std::string(name);
  if (name == "level") {
    t.threshold = parse_level(full, value);
  } else if (name == "format") {
    t.json = parse_choice<bool>(full, value, {{"text", false}, {"json", true}});
  } else if (name == "background") {
    t.background = parse_bool(full, value);
  } else if (name == "pattern") {
    t.pattern = value;
    check_pattern(full, value);
  } else if (any_file && name == "mode") {
    t.file.mode = t.rotating.mode = parse_mode(full, value);
  } else if (any_file && name == "spool_bytes") {
    t.file.spool_bytes = t.rotating.spool_bytes = parse_size(full, value);
    if (t.file.spool_bytes == 0) throw configuration_error(full, value, "at least one byte is needed");
  } else if (t.kind == target_kind::file && name == "append") {
    t.file.append = parse_bool(full, value);
  } else if (t.kind == target_kind::rotating && name == "max_bytes") {
    t.rotating.max_bytes = parse_size(full, value);
  } else if (t.kind == target_kind::rotating && name == "interval") {
    t.rotating.interval = parse_seconds(full, value);
  } else if (t.kind == target_kind::rotating && name == "keep") {
    t.rotating.keep = parse_size(full, value);
    if (t.rotating.keep < 1 || t.rotating.keep > rotating_file_handler::most_kept)
      throw configuration_error(full, value, "1 to 1000 old files");
  } else if (t.kind == target_kind::rotating && name == "compress") {
    t.rotating.compress = parse_bool(full, value);
    if (t.rotating.compress && !can_compress())
      throw configuration_error(full, value, "this faultline was built without zstd");
  } else {
    throw configuration_error(key, name,
                              "no option of this target; its options are level, format, background, " +
                                  std::string(any_file ? "mode, spool_bytes, " : "") +
                                  (t.kind == target_kind::file       ? "append, "
                                   : t.kind == target_kind::rotating ? "max_bytes, interval, keep, compress, "
                                                                     : "") +
                                  "pattern");
  }
}

void set_options(std::string_view key, std::string_view options, target& t) {
  while (!options.empty()) {
    const bool takes_rest = options.starts_with("pattern=");
    const std::string_view one = takes_rest ? options : options.substr(0, options.find('&'));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      throw configuration_error(key, one, "an option of a target reads NAME=VALUE");
    set_option(key, one.substr(0, equals), one.substr(equals + 1), t);
    options.remove_prefix(std::min(options.size(), one.size() + 1));
  }
  if (t.json && !t.pattern.empty())
    throw configuration_error(key, "pattern", "is for the format text; this target's is json");
  if (t.kind == target_kind::rotating && t.rotating.max_bytes == 0 && t.rotating.interval.count() == 0)
    throw configuration_error(std::string(key) + " max_bytes", "0",
                              "without an interval the file would never be rotated");
}

target take_apart(std::string_view key, std::string_view text) {
  const std::string_view place = text.substr(0, text.find('?'));
  const std::string_view name = place.substr(0, place.find(':'));
  target t;
  t.path = place.substr(std::min(place.size(), name.size() + 1));
  t.kind = parse_choice<target_kind>(key, name,
                                     {{"stderr", target_kind::standard_error},
                                      {"stdout", target_kind::standard_output},
                                      {"console", target_kind::console},
                                      {"null", target_kind::null},
                                      {"file", target_kind::file},
                                      {"rotating", target_kind::rotating}});
  const bool any_file = t.kind == target_kind::file || t.kind == target_kind::rotating;
  if (any_file && t.path.empty())
    throw configuration_error(key, text, "a path follows, as in file:/var/log/app.log");
  if (!any_file && place.size() != name.size())
    throw configuration_error(key, text, "nothing follows " + std::string(name) + " but options");
  set_options(key, text.substr(std::min(text.size(), place.size() + 1)), t);
  return t;
}

handler_ptr make(const target& t) {
  switch (t.kind) {
  case target_kind::standard_output: return make_stream_handler(stdout);
  case target_kind::console: {
    console_options options;
    if (!t.pattern.empty()) options.pattern = t.pattern;
    return make_console_handler(options);
  }
  case target_kind::null: return make_null_handler();
  case target_kind::file: return make_file_handler(t.path, t.file);
  case target_kind::rotating: return make_rotating_file_handler(t.path, t.rotating);
  default: return make_stream_handler(stderr);
  }
}

} // namespace

std::string checked_target(std::string_view key, std::string_view text) {
  const target t = take_apart(key, text);
  std::string result(text);
  if (t.path.empty()) return result;
  std::error_code unknown; // where no working directory can be told, or has a '?', opening decides
  const std::string path = std::filesystem::absolute(t.path, unknown).string();
  if (!unknown && path.find('?') == std::string::npos)
    result.replace(text.find(':') + 1, t.path.size(), path);
  return result;
}

bool writes_to_standard_error(std::string_view text) {
  const target_kind kind = take_apart("target", text).kind;
  return kind == target_kind::standard_error || kind == target_kind::console;
}

handler_ptr open_target(std::string_view key, std::string_view text) {
  const target t = take_apart(key, text);
  handler_ptr made = make(t);
  if (t.background) made = make_background_handler(std::move(made));
  if (t.threshold) made->set_level(*t.threshold);
  if (t.json) made->set_formatter(make_json_formatter());
  if (!t.pattern.empty() && t.kind != target_kind::console)
    made->set_formatter(make_text_formatter(t.pattern));
  return made;
}

} // namespace faultline::detail
