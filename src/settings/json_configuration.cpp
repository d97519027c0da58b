#include <faultline/json_configuration.hpp>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <faultline/configuration_error.hpp>

#include "base/whole_characters.hpp"

namespace faultline {
namespace {

using nlohmann::json;

/// A scalar as text; throws for anything else.
std::string text_of(const std::string& key, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number_integer()) return value.dump();
  throw configuration_error(key, value.dump(), "a string, a whole number, true or false");
}

const json& object_of(const std::string& key, const json& value) {
  if (!value.is_object()) throw configuration_error(key, value.dump(), "an object whose members are loggers");
  return value;
}

void set_member(configuration& settings, const std::string& key, const json& value) {
  if (key == "levels") {
    settings.set(key, "");
    for (const auto& [logger, level] : object_of(key, value).items())
      settings.set_level(logger, text_of("level of " + logger, level));
  } else if (key == "flush_levels") {
    settings.set(key, "");
    for (const auto& [logger, level] : object_of(key, value).items())
      settings.set_flush_level(logger, text_of("flush level of " + logger, level));
  } else if (key == "handlers") {
    settings.set(key, "");
    for (const auto& [logger, targets] : object_of(key, value).items())
      for (const json& target : targets.is_array() ? targets : json::array({targets}))
        settings.add_handler(logger, text_of("handler of " + logger, target));
  } else {
    settings.set(key, text_of(key, value));
  }
}

} // namespace

void read_json(configuration& settings, std::string_view text, std::string_view name) {
  json read;
  try {
    read = json::parse(text, nullptr, true, true);
  } catch (const json::exception& e) {
    throw configuration_error(name, "", e.what());
  }
  if (!read.is_object())
    throw configuration_error(name, detail::whole_characters(read.dump(), 40), "an object");
  configuration changed = settings;
  try {
    for (const auto& [key, value] : read.items()) set_member(changed, key, value);
  } catch (const configuration_error& e) {
    throw configuration_error(name, e.value(), e.what());
  }
  settings = std::move(changed);
}

void read_json_file(configuration& settings, std::string_view path) {
  const std::string name(path);
  std::ifstream file(name, std::ios::binary);
  std::string text;
  for (std::array<char, 4096> block{}; file;) { // an iterator would throw for a directory, without its path
    file.read(block.data(), block.size());
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.eof()) throw std::system_error(errno, std::generic_category(), "cannot read \"" + name + '"');
  read_json(settings, text, name);
}

} // namespace faultline
