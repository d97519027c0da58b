#include "smtp/mail_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace faultline::detail {
namespace {

constexpr std::size_t folded_line = 78;  // RFC 5322 section 2.1.1
constexpr std::size_t encoded_word = 75; // RFC 2047 section 2

unsigned byte(char c) noexcept { return static_cast<unsigned char>(c); }
bool is_printable(char c) noexcept { return c >= 0x20 && c <= 0x7E; }

/// The octets of the character at the beginning of `text`; 0 for invalid UTF-8 (RFC 3629).
std::size_t character_bytes(std::string_view text) noexcept {
  const unsigned first = byte(text[0]);
  const std::size_t size = first < 0x80                     ? 1
                           : first >= 0xC2 && first <= 0xDF ? 2
                           : first >= 0xE0 && first <= 0xEF ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(text[i]) & 0xC0U) != 0x80) return 0;
  if (size < 3) return size;
  const unsigned second = byte(text[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : size;
}

/// C0, DEL, C1, and the line ends of Unicode.
bool is_control(std::string_view character) noexcept {
  if (character.size() == 1) return !is_printable(character[0]);
  return (character.size() == 2 && byte(character[0]) == 0xC2 && byte(character[1]) < 0xA0) ||
         character == "\xE2\x80\xA8" || character == "\xE2\x80\xA9";
}

void append_base64(std::string_view bytes, std::string& out) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = byte(bytes[i]) << 16;
    if (left > 1) group |= byte(bytes[i + 1]) << 8;
    if (left > 2) group |= byte(bytes[i + 2]);
    for (std::size_t k = 0; k < 4; ++k) out += k <= left ? digits[(group >> (18 - 6 * k)) & 63U] : '=';
  }
}

/// Encoded words, each of whole characters and one to a line (RFC 2047 sections 2 and 5).
void append_encoded_words(std::string_view name, std::string_view value, std::string& out) {
  constexpr std::string_view begin = "=?UTF-8?B?";
  constexpr std::string_view end = "?=";
  std::size_t column = name.size() + 2;
  while (!value.empty()) {
    const std::size_t line = std::min(encoded_word, folded_line - 2 - std::min<std::size_t>(column, 40));
    const std::size_t most = (line - begin.size() - end.size()) / 4 * 3;
    std::size_t size = 0;
    while (size < value.size()) {
      const std::size_t next = std::max<std::size_t>(1, character_bytes(value.substr(size)));
      if (size + next > most) break;
      size += next;
    }
    out += begin;
    append_base64(value.substr(0, size), out);
    out += end;
    value.remove_prefix(size);
    if (!value.empty()) out += "\r\n ";
    column = 1;
  }
}

/// Folded before white space where a line would become too long; all of it is kept as it is.
void append_folded(std::string_view name, std::string_view value, std::string& out) {
  std::size_t column = name.size() + 2;
  while (!value.empty()) {
    // One word with the white space before it.
    const std::size_t word = std::min(value.find_first_not_of(' '), value.size());
    const std::size_t end = std::min(value.find(' ', word), value.size());
    if (column + end > folded_line && word > 0 && word < value.size()) {
      out += "\r\n";
      column = 0;
    }
    out.append(value.substr(0, end));
    column += end;
    value.remove_prefix(end);
  }
}

} // namespace

std::string clean_subject(std::string_view text) {
  text = text.substr(0, text.find_first_of("\r\n"));
  std::string result;
  std::size_t characters = 0;
  while (!text.empty()) {
    if (++characters > subject_characters) {
      result += "...";
      break;
    }
    const std::size_t size = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0 || is_control(character))
      result += '?';
    else
      result += character;
    text.remove_prefix(character.size());
  }
  const std::size_t first = result.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return result.substr(first, result.find_last_not_of(' ') + 1 - first);
}

void append_header(std::string_view name, std::string_view value, std::string& out) {
  out += name;
  out += ": ";
  const bool plain =
      std::all_of(value.begin(), value.end(), is_printable) && value.find("=?") == std::string_view::npos;
  plain ? append_folded(name, value, out) : append_encoded_words(name, value, out);
  out += "\r\n";
}

void append_address_header(std::string_view name, const std::vector<std::string>& addresses,
                           std::string& out) {
  out += name;
  out += ':';
  std::size_t column = name.size() + 1;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const bool last = i + 1 == addresses.size();
    if (i > 0 && column + 1 + addresses[i].size() + (last ? 0 : 1) > folded_line) {
      out += "\r\n";
      column = 0;
    }
    out += ' ';
    out += addresses[i];
    if (!last) out += ',';
    column += addresses[i].size() + 2;
  }
  out += "\r\n";
}

std::string date_text(std::chrono::system_clock::time_point t) {
  constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) parts = {};
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d +0000",
                                 days[static_cast<std::size_t>(parts.tm_wday)], std::max(parts.tm_mday, 1),
                                 months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                 parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

void append_quoted_printable(std::string_view text, std::string& out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::size_t longest = 75; // and the "=" of a soft line break
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool ends_with_cr = c == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (ends_with_cr) continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    // White space at the end of a line would be lost on the way (RFC 2045 section 6.7, rule 3).
    const bool before_end = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool literal =
        (is_printable(c) && c != '=' && c != ' ') || ((c == ' ' || c == '\t') && !before_end);
    const std::size_t size = literal ? 1 : 3;
    if (column + size > longest) {
      out += "=\r\n";
      column = 0;
    }
    if (literal) {
      out += c;
    } else {
      out += '=';
      out += digits[byte(c) >> 4];
      out += digits[byte(c) & 15U];
    }
    column += size;
  }
  if (column > 0) out += "\r\n";
}

std::string as_data(std::string_view mail) {
  std::string result;
  result.reserve(mail.size() + mail.size() / 64 + 8);
  while (!mail.empty()) {
    const std::size_t end = mail.find("\r\n");
    const std::size_t size = end == std::string_view::npos ? mail.size() : end + 2;
    if (mail.front() == '.') result += '.';
    result += mail.substr(0, size);
    mail.remove_prefix(size);
  }
  result += ".\r\n";
  return result;
}

std::string make_mail(const mail_parts& parts) {
  std::string out;
  out.reserve(parts.body.size() + parts.body.size() / 16 + 1024);
  append_header("Date", date_text(parts.date), out);
  append_address_header("From", {std::string(parts.sender)}, out);
  append_address_header("To", parts.recipients, out);
  append_header("Subject", parts.subject, out);
  out += "Message-ID: <";
  out += parts.id;
  out += ">\r\n"
         "Auto-Submitted: auto-generated\r\n" // RFC 3834: no holiday notes, please
         "MIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: quoted-printable\r\n"
         "\r\n";
  append_quoted_printable(parts.body, out);
  return out;
}

} // namespace faultline::detail
