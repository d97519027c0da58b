// Text that may stand in a syslog message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace faultline::detail {

/// Appends `text` with control characters (C0, C1, DEL, U+2028, U+2029) and invalid UTF-8 as `\n`, `\r`, `\t`
/// or `\xNN`, as the text formatter does; what that has escaped stays as it is.
void append_clean(std::string_view text, std::string& out);

/// Appends a PARAM-VALUE (RFC 5424, 6.3.3): clean text with a backslash before `"`, `\` and `]`.
void append_parameter_value(std::string_view text, std::string& out);

/// Appends at most `most` characters of a header field or an SD-NAME: printable ASCII, anything else, and
/// what is in `forbidden`, as an underscore; "-" where `text` is empty.
void append_name(std::string_view text, std::size_t most, std::string_view forbidden, std::string& out);

/// The characters that no SD-NAME has.
inline constexpr std::string_view forbidden_in_names = "=]\"";

} // namespace faultline::detail
