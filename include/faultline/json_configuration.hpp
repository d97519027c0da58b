// Settings from a JSON file (component faultline::settings).
#pragma once

#include <string_view>

#include <faultline/configuration.hpp>
#include <faultline/export.hpp>

namespace faultline {

/// Sets each member of the object in the file: the keys of `configuration`, with strings, numbers or booleans
/// as values. `levels` is an object of loggers and levels, `handlers` one of loggers and targets, each target
/// a string or several in an array. Comments as in C are allowed.
///
///   {"level": "info", "levels": {"app.db": "debug"}, "clock": "scope",
///    "target": "file:/var/log/app/errors.log",
///    "handlers": {"root": ["stderr?level=warning", "rotating:/var/log/app/app.log?format=json"]}}
///
/// Throws `std::system_error` when the file cannot be read, and `configuration_error`, each with the path:
/// for text that is no JSON, saying where, otherwise with the key, the value and what would be allowed. Then
/// nothing is set.
FAULTLINE_API void read_json_file(configuration& settings, std::string_view path);

/// The same for text; `name` stands for it in errors.
FAULTLINE_API void read_json(configuration& settings, std::string_view text, std::string_view name = "JSON");

} // namespace faultline
