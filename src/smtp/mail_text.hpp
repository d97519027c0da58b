// The text of a mail: header fields (RFC 5322), encoded words (RFC 2047), a body in quoted-printable (RFC
// 2045). All line ends are CRLF, no line is longer than 78 octets where it can be folded and never longer
// than 998.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace faultline::detail {

/// A subject is cut to so many characters, that is code points.
inline constexpr std::size_t subject_characters = 200;

/// What a subject may be: the first line of `text`, cut to `subject_characters`, each control character or
/// byte of invalid UTF-8 replaced by '?', without white space at its ends.
[[nodiscard]] std::string clean_subject(std::string_view text);

/// Appends "NAME: VALUE\r\n", folded. A value that is not printable ASCII, or that could be mistaken for
/// encoded words, becomes encoded words in UTF-8. `value` is valid UTF-8 without control characters (see
/// clean_subject).
void append_header(std::string_view name, std::string_view value, std::string& out);

/// Appends "NAME: a, b, c\r\n", one address to a line where they do not fit.
void append_address_header(std::string_view name, const std::vector<std::string>& addresses,
                           std::string& out);

/// "Sun, 22 Nov 2026 07:43:38 +0000" (RFC 5322 section 3.3), in English whatever the locale.
[[nodiscard]] std::string date_text(std::chrono::system_clock::time_point t);

/// Appends text in quoted-printable: line ends of either kind become CRLF, lines are at most 76 octets, and
/// the text ends with a CRLF. Any bytes are allowed.
void append_quoted_printable(std::string_view text, std::string& out);

/// The mail as DATA sends it: each line that begins with a dot gets another one (RFC 5321 section 4.5.2), and
/// the dot that ends it follows. `mail` ends with CRLF.
[[nodiscard]] std::string as_data(std::string_view mail);

/// What a mail is made of.
struct mail_parts {
  std::chrono::system_clock::time_point date;
  std::string_view sender;
  const std::vector<std::string>& recipients;
  std::string_view subject; ///< as clean_subject returns it
  std::string_view id;      ///< the Message-ID without its angle brackets
  std::string_view body;    ///< UTF-8 text
};

/// The whole mail, header and body.
[[nodiscard]] std::string make_mail(const mail_parts& parts);

} // namespace faultline::detail
