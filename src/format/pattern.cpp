#include "format/pattern.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

#include <faultline/configuration_error.hpp>
#include <faultline/level.hpp>

#include "format/escape.hpp"

namespace faultline::detail {
namespace {

constexpr std::array<std::string_view, 17> field_names = {
    "time",    "level",     "logger", "thread",   "process", "file",   "path",    "line",       "function",
    "message", "exception", "scope",  "trace_id", "span_id", "fields", "dump_id", "thread_name"};

std::string list_of_fields() {
  std::string list;
  for (const std::string_view name : field_names) {
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

/// A mere width such as "8", "<8" or ">12", which is padded without fmt.
void recognise_padding(pattern_piece& piece, std::string_view specification) {
  char padding = is_integer(piece.kind) ? '>' : '<';
  if (specification.front() == '<' || specification.front() == '>') {
    padding = specification.front();
    specification.remove_prefix(1);
  }
  std::size_t width = 0;
  const char* const end = specification.data() + specification.size();
  if (specification.empty() || specification.front() == '0') return; // zeros ask for padding with zeros
  if (const auto [stop, error] = std::from_chars(specification.data(), end, width);
      error != std::errc() || stop != end)
    return;
  piece.padding = padding;
  piece.width = width;
}

/// There are so few levels that their texts are made beforehand.
void render_levels(pattern_piece& piece) {
  for (auto l = level::trace; l <= level::off; l = static_cast<level>(static_cast<int>(l) + 1)) {
    const std::string_view name = to_string(l);
    piece.levels.push_back(piece.has_specification() ? fmt::format(fmt::runtime(piece.text), name)
                                                     : std::string(name));
  }
}

/// Joins literals with the level's texts beside them: fewer steps for each record.
std::vector<pattern_piece> join_literals(std::vector<pattern_piece> pieces) {
  std::vector<pattern_piece> joined;
  for (pattern_piece& piece : pieces) {
    pattern_piece* const before = joined.empty() ? nullptr : &joined.back();
    if (before != nullptr && before->kind == field::level && piece.kind == field::literal) {
      for (std::string& text : before->levels) text += piece.text;
    } else if (before != nullptr && before->kind == field::literal && piece.kind == field::level) {
      for (std::string& text : piece.levels) text.insert(0, before->text);
      *before = std::move(piece);
    } else {
      joined.push_back(std::move(piece));
    }
  }
  return joined;
}

class parser {
 public:
  explicit parser(std::string_view text) : text_(text) {}

  std::vector<pattern_piece> parse();

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view reason) const;
  void check_characters() const;
  void parse_field();
  field parse_name(std::string_view name) const;
  void set_specification(pattern_piece& piece, std::string_view specification, std::size_t at) const;
  void check_widths(std::string_view specification, std::size_t at) const;
  void finish_literal();

  std::string_view text_;
  std::size_t at_ = 0;
  std::string literal_;
  std::vector<pattern_piece> pieces_;
};

void parser::fail(std::size_t at, std::string_view reason) const {
  const auto characters =
      std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  throw configuration_error("pattern", text_,
                            "column " + std::to_string(characters + 1) + ": " + std::string(reason));
}

/// What the pattern itself says goes out unescaped, so it must not break the formatter's promise. The tab and
/// the escape character cannot end a line and are what columns and colours are made of.
void parser::check_characters() const {
  if (text_.empty()) fail(0, "the pattern is empty");
  std::size_t at = 0;
  while ((at += plain_prefix(text_.substr(at))) < text_.size()) {
    if (text_[at] != '\t' && text_[at] != '\x1b')
      fail(at, "a control character or invalid UTF-8; one record is one line");
    ++at;
  }
}

std::vector<pattern_piece> parser::parse() {
  check_characters();
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool doubled = at_ + 1 < text_.size() && text_[at_ + 1] == c;
    if (c == '{' && !doubled) {
      parse_field();
    } else if (c == '}' && !doubled) {
      fail(at_, "'}' without '{'; a brace as text is written '}}'");
    } else {
      literal_ += c;
      at_ += c == '{' || c == '}' ? 2 : 1;
    }
  }
  finish_literal();
  return join_literals(std::move(pieces_));
}

void parser::parse_field() {
  const std::size_t begin = at_ + 1;
  const std::size_t end = text_.find_first_of("{}", begin);
  if (end == std::string_view::npos) fail(at_, "'{' without '}'; a brace as text is written '{{'");
  if (text_[end] == '{') fail(end, "'{' inside a field");
  const std::string_view body = text_.substr(begin, end - begin);
  const std::size_t colon = body.find(':');
  finish_literal();
  pattern_piece piece;
  piece.kind = parse_name(body.substr(0, colon));
  const bool specified = colon != std::string_view::npos && colon + 1 < body.size();
  set_specification(piece, specified ? body.substr(colon + 1) : std::string_view(), begin + colon + 1);
  pieces_.push_back(std::move(piece));
  at_ = end + 1;
}

field parser::parse_name(std::string_view name) const {
  const auto* const found = std::find(field_names.begin(), field_names.end(), name);
  if (found == field_names.end()) {
    std::string reason = "unknown field '";
    append_escaped(name, reason);
    fail(at_, reason + "'; the fields are " + list_of_fields());
  }
  return static_cast<field>(found - field_names.begin() + 1);
}

void parser::set_specification(pattern_piece& piece, std::string_view specification, std::size_t at) const {
  try {
    if (!specification.empty()) {
      if (piece.kind == field::time) {
        piece.time.emplace(specification);
        return;
      }
      check_widths(specification, at);
      piece.text = "{:" + std::string(specification) + "}";
      recognise_padding(piece, specification);
      // Formatting a sample is the check: fmt parses with the type that the field has.
      if (is_integer(piece.kind))
        (void)fmt::format(fmt::runtime(piece.text), std::uint64_t{1});
      else
        (void)fmt::format(fmt::runtime(piece.text), std::string_view("x"));
    }
    if (piece.kind == field::level) render_levels(piece);
  } catch (const configuration_error&) {
    throw;
  } catch (const fmt::format_error& e) {
    fail(at, e.what());
  } catch (const std::invalid_argument& e) {
    fail(at, e.what());
  }
}

/// A width in the millions is a mistake that would cost gigabytes at the first record.
void parser::check_widths(std::string_view specification, std::size_t at) const {
  std::size_t number = 0;
  for (const char c : specification) {
    number = c >= '0' && c <= '9' ? number * 10 + static_cast<std::size_t>(c - '0') : 0;
    if (number > pattern::max_width)
      fail(at, "a width or precision above " + std::to_string(pattern::max_width));
  }
}

void parser::finish_literal() {
  if (literal_.empty()) return;
  pattern_piece piece;
  piece.text = std::move(literal_);
  literal_.clear();
  pieces_.push_back(std::move(piece));
}

} // namespace

pattern::pattern(std::string_view text) : pieces_(parser(text).parse()) {
  for (pattern_piece& piece : pieces_) {
    if (piece.kind == field::literal) piece.ready.emplace_back(piece.text);
    for (const std::string& level : piece.levels) piece.ready.emplace_back(level);
  }
}

bool pattern::has(field kind) const noexcept {
  return std::any_of(pieces_.begin(), pieces_.end(), [=](const pattern_piece& p) { return p.kind == kind; });
}

} // namespace faultline::detail
