// What may stand in the options of the mail handler.
#pragma once

#include <string>
#include <string_view>

#include <faultline/smtp.hpp>

namespace faultline::detail {

/// Why `address` cannot be one, or empty where it can: "local@domain" in plain ASCII without quoting,
/// comments or white space, so that nothing in it can end a header field or a command (RFC 5321
/// section 4.1.2).
[[nodiscard]] std::string_view wrong_in_address(std::string_view address) noexcept;

/// The options with `port` filled in. Throws as make_smtp_handler says.
[[nodiscard]] smtp_options checked_options(smtp_options options);

} // namespace faultline::detail
