// A target as text: "file:/var/log/app.log?level=warning&format=json".
#pragma once

#include <string>
#include <string_view>

#include <faultline/handler.hpp>

namespace faultline::detail {

/// The text with its path made absolute, so that it names the same file after a chdir. Throws
/// `configuration_error` for `key` when it is no target's. Opens nothing.
[[nodiscard]] std::string checked_target(std::string_view key, std::string_view text);

/// Whether the text, which checked_target has accepted, names a target that writes to standard error.
[[nodiscard]] bool writes_to_standard_error(std::string_view text);

/// Makes the handler. Throws as `checked_target`, and `std::system_error` for a file that cannot be opened.
[[nodiscard]] handler_ptr open_target(std::string_view key, std::string_view text);

} // namespace faultline::detail
