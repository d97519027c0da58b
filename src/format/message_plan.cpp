#include "format/message_plan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <cxxabi.h>
#include <fmt/chrono.h>
#include <fmt/compile.h>

#include <faultline/kv.hpp>

#include "base/whole_characters.hpp"
#include "format/decimal.hpp"
#include "format/escape.hpp"
#include "format/hex_dump.hpp"
#include "format/replacement_fields.hpp"

namespace faultline::detail {
namespace {

constexpr std::string_view cut_mark = "[...]";

void append(fmt::memory_buffer& out, std::string_view s) { out.append(s.data(), s.data() + s.size()); }

/// Calls `use` with the argument's value in the type that the call site had. Strings that were cut and
/// structures arrive as text.
template <class Use> void with_value(const argument& a, Use&& use) {
  switch (a.code) {
  case 'b': return use(a.as<std::uint8_t>() != 0);
  case 'c': return use(a.as<char>());
  case 'i': return use(a.as<std::int32_t>());
  case 'I': return use(a.as<std::int64_t>());
  case 'u': return use(a.as<std::uint32_t>());
  case 'U': return use(a.as<std::uint64_t>());
  case 'f': return use(a.as<float>());
  case 'd': return use(a.as<double>());
  case 'L': return use(a.as<long double>());
  case 'p': return use(a.as<const void*>());
  case 'T':
    return use(std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>(
        std::chrono::nanoseconds(a.as<std::int64_t>())));
  case 'D': {
    const auto count = a.as<std::int64_t>();
    switch (a.unit) {
    case 'n': return use(std::chrono::nanoseconds(count));
    case 'u': return use(std::chrono::microseconds(count));
    case 'm': return use(std::chrono::milliseconds(count));
    case 's': return use(std::chrono::seconds(count));
    case 'M': return use(std::chrono::duration<std::int64_t, std::ratio<60>>(count));
    default: return use(std::chrono::duration<std::int64_t, std::ratio<3600>>(count));
    }
  }
  default: {
    if (a.code != '{' && !a.cut) return use(a.text());
    fmt::memory_buffer text;
    append_value(a, text);
    return use(std::string_view(text.data(), text.size()));
  }
  }
}

void append_bytes(const argument& value, std::string_view specification, fmt::memory_buffer& out) {
  append_hex(value.text(), specification, out);
  if (value.cut) append(out, cut_mark);
}

void append_structure(const argument& value, fmt::memory_buffer& out) {
  argument_reader reader(value.structure(), value.data, SIZE_MAX); // `decode` has checked the bounds
  argument field;
  append(out, "{");
  for (bool first = true;; first = false) {
    const std::string_view name = reader.take_name();
    if (name.empty() || !reader.next(field)) break;
    if (!first) append(out, ", ");
    append(out, name);
    append(out, "=");
    append_value(field, out);
  }
  append(out, "}");
}

std::string demangled(const char* name) {
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, nullptr),
                                                    &std::free);
  return text ? text.get() : name;
}

} // namespace

void append_value(const argument& value, fmt::memory_buffer& out) {
  if (value.code == '{') return append_structure(value, out);
  if (value.code == 'r') return append(out, "[redacted]");
  if (value.code == 'h') return append_bytes(value, {}, out);
  if (value.code == 's' || value.code == 't' || value.code == 'x') {
    append(out, value.text());
    if (value.cut) append(out, cut_mark);
    return;
  }
  with_value(value, [&out](const auto& v) { fmt::format_to(fmt::appender(out), FMT_COMPILE("{}"), v); });
}

argument_kind kind_of(const argument& value) noexcept {
  const auto finite = [](bool is) { return is ? argument_kind::number : argument_kind::text; };
  switch (value.code) {
  case 'b': return argument_kind::boolean;
  case 'i':
  case 'I':
  case 'u':
  case 'U': return argument_kind::number;
  case 'f': return finite(std::isfinite(value.as<float>()));
  case 'd': return finite(std::isfinite(value.as<double>()));
  case 'L': return finite(std::isfinite(value.as<long double>()));
  default: return argument_kind::text;
  }
}

namespace {

const argument& at(std::span<const argument> arguments, int index) {
  if (index < 0 || static_cast<std::size_t>(index) >= arguments.size())
    throw fmt::format_error("argument not found");
  return arguments[static_cast<std::size_t>(index)];
}

/// A width or precision that another argument gives. As in fmt, an integer that is not negative; bounded,
/// since the bytes may be anything.
int width_of(const argument& a) {
  constexpr std::int64_t most = 4096;
  std::int64_t value = -1;
  with_value(a, [&value](const auto& v) {
    using type = std::decay_t<decltype(v)>;
    if constexpr (std::is_integral_v<type> && !std::is_same_v<type, bool> && !std::is_same_v<type, char>)
      value = v > most ? most : static_cast<std::int64_t>(v);
  });
  if (value < 0) throw fmt::format_error("a width or precision is no number of characters");
  return static_cast<int>(value);
}

} // namespace

namespace {

/// The format with the arguments' numbers for their names; as it is where it names what there is not.
std::string numbered(std::string_view format, std::span<const std::string> names) {
  std::string out;
  const auto index_of = [names](std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found != names.end() ? static_cast<int>(found - names.begin()) : -1;
  };
  const char* const wrong = number_fields(format, index_of, [&out](char c) { out += c; });
  return wrong == nullptr ? out : std::string(format);
}

/// A width in the millions, which only a damaged format has, would cost as much memory.
bool asks_too_much(std::string_view specification) noexcept {
  std::size_t number = 0;
  return std::any_of(specification.begin(), specification.end(), [&number](char c) {
    number = c >= '0' && c <= '9' ? number * 10 + static_cast<std::size_t>(c - '0') : 0;
    return number > longest_argument;
  });
}

} // namespace

message_plan::message_plan(std::string_view format, std::string_view types) : format_(format) {
  named_types apart(types);
  types_ = std::move(apart.codes);
  tells_exception_ = types_.find('x') != std::string_view::npos;
  std::string pieces_of = format_;
  if (apart.any) {
    names_ = std::move(apart.names);
    pieces_of = numbered(format_, names_);
  }
  format_pieces all(pieces_of);
  while (const auto found = all.next()) {
    if (found->is_literal && !pieces_.empty() && pieces_.back().is_literal) {
      pieces_.back().literal += found->literal; // escaped braces split a literal
      continue;
    }
    piece& added = pieces_.emplace_back();
    added.is_literal = found->is_literal;
    added.literal = found->literal;
    added.index = found->index;
    added.next_index = found->next_index;
    added.dynamic = found->dynamic;
    added.too_wide = asks_too_much(found->specification);
    if (found->dynamic)
      added.field = found->specification;
    else if (!found->specification.empty())
      added.field = fmt::format("{{:{}}}", found->specification);
  }
  find_straight_plan();
}

namespace {

/// What a straight plan writes at most for one argument, a string's own bytes apart.
constexpr std::size_t most_argument_bytes = 32;

/// Writes a number, a bool or a character as fmt's "{}" does.
template <class T> char* write_value(char* at, const std::byte*& data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  data += sizeof value;
  if constexpr (std::is_integral_v<T>)
    return std::to_chars(at, at + most_argument_bytes, value).ptr;
  else if constexpr (std::is_same_v<T, double>)
    return write_double(at, value);
  else
    return fmt::format_to(at, FMT_COMPILE("{}"), value);
}

char* write_text(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* write_string(char* at, const std::byte*& data, message_outcome& outcome) {
  std::uint32_t length = 0;
  std::memcpy(&length, data, sizeof length);
  const std::string_view text(reinterpret_cast<const char*>(data + sizeof length), length & ~cut_bit);
  data += sizeof length + text.size();
  outcome.plain = outcome.plain && is_plain_ascii(text);
  if ((length & cut_bit) == 0) return write_text(at, text);
  outcome.cut = true;
  return write_text(write_text(at, whole_characters(text)), cut_mark);
}

} // namespace

void message_plan::find_straight_plan() {
  constexpr std::string_view straight_codes = "bciIuUfds";
  std::size_t next = 0;
  std::vector<step> steps;
  straight_bytes_ = fixed_text::margin;
  for (const piece& p : pieces_) {
    if (p.is_literal) {
      steps.push_back({fixed_text(p.literal), 0}); // two literals never follow each other
      straight_bytes_ += p.literal.size();
      is_plain_ = is_plain_ && is_plain_ascii(p.literal);
      continue;
    }
    const bool in_order = !p.dynamic && p.field.empty() && p.index == static_cast<int>(next);
    if (!in_order || next >= types_.size() || straight_codes.find(types_[next]) == std::string_view::npos)
      return;
    const char code = types_[next++];
    if (steps.empty() || steps.back().code != 0) steps.emplace_back();
    steps.back().code = code;
    fixed_bytes_ += code == 's' ? sizeof(std::uint32_t) : plain_bytes(code);
    straight_bytes_ += most_argument_bytes;
    has_strings_ = has_strings_ || code == 's';
    is_plain_ = is_plain_ && code != 'c'; // any character
  }
  if (next == types_.size()) straight_ = std::move(steps);
}

/// Whether the bytes are what the codes say, so that writing need not look.
bool message_plan::matches(const std::byte* data, std::size_t bytes) const noexcept {
  if (bytes < fixed_bytes_) return false;
  if (!has_strings_) return true;
  std::size_t left = bytes - fixed_bytes_; // for strings
  for (const step& s : straight_) {
    if (s.code == 0) continue;
    if (s.code != 's') {
      data += plain_bytes(s.code);
      continue;
    }
    std::uint32_t length = 0;
    std::memcpy(&length, data, sizeof length);
    length &= ~cut_bit;
    if (length > left) return false;
    left -= length;
    data += sizeof length + length;
  }
  return true;
}

char* message_plan::write_message(char* at, const std::byte* data, std::size_t bytes,
                                  message_outcome& outcome) const {
  if (!matches(data, bytes)) return nullptr;
  outcome.plain = is_plain_;
  for (const step& s : straight_) {
    at = s.literal.write(at);
    switch (s.code) {
    case 'b': at = write_text(at, *data++ != std::byte{0} ? "true" : "false"); break;
    case 'c': *at++ = static_cast<char>(*data++); break;
    case 'i': at = write_value<std::int32_t>(at, data); break;
    case 'I': at = write_value<std::int64_t>(at, data); break;
    case 'u': at = write_value<std::uint32_t>(at, data); break;
    case 'U': at = write_value<std::uint64_t>(at, data); break;
    case 'f': at = write_value<float>(at, data); break;
    case 'd': at = write_value<double>(at, data); break;
    case 's': at = write_string(at, data, outcome); break;
    default: break; // the literal at the end
    }
  }
  return at;
}

void message_plan::append_pieces(std::span<const argument> arguments, fmt::memory_buffer& out) const {
  for (const piece& p : pieces_) {
    if (p.is_literal) {
      append(out, p.literal);
      continue;
    }
    const argument& value = at(arguments, p.index);
    if (p.field.empty() || value.code == 't' || value.code == 'r') {
      // text formatted at the call has its specification behind it, a secret takes none
      append_value(value, out);
      continue;
    }
    if (value.code == 'h') {
      append_bytes(value, p.field, out);
      continue;
    }
    std::string resolved;
    if (p.dynamic)
      resolved =
          "{:" + resolve(p.field, p.next_index, [&](int i) { return width_of(at(arguments, i)); }) + "}";
    // In a damaged format, numbers may stand side by side and make a larger one: "{:8{}{}}".
    if (p.too_wide || asks_too_much(resolved)) throw fmt::format_error("a width or precision above 65535");
    with_value(value, [&](const auto& v) {
      fmt::vformat_to(fmt::appender(out), p.dynamic ? resolved : p.field, fmt::make_format_args(v));
    });
  }
  if (arguments.empty() || arguments.back().code != 'n') return;
  if (const auto count = arguments.back().as<std::uint64_t>(); count != 0)
    fmt::format_to(fmt::appender(out), FMT_COMPILE(" [{} suppressed]"), count);
}

message_outcome message_plan::append_message(const std::byte* data, std::size_t bytes,
                                             fmt::memory_buffer& out) const {
  message_outcome outcome;
  const std::size_t start = out.size();
  if (const std::size_t room = most_bytes(bytes); room != 0) {
    out.try_reserve(start + room);
    if (char* const end = write_message(out.data() + start, data, bytes, outcome)) {
      out.try_resize(static_cast<std::size_t>(end - out.data()));
      return outcome;
    }
    outcome = {};
  }
  std::array<argument, most_arguments> arguments;
  const int count = decode(types_, data, bytes, arguments);
  if (count < 0) {
    append(out, "[damaged record of \"");
    append(out, format_);
    append(out, "\"]");
    outcome.failed = true;
    return outcome;
  }
  const std::span<const argument> decoded(arguments.data(), static_cast<std::size_t>(count));
  for (const argument& a : decoded) outcome.cut = outcome.cut || a.cut;
  try {
    append_pieces(decoded, out);
  } catch (const std::exception& e) {
    out.resize(start);
    fmt::format_to(fmt::appender(out), "[{} in \"{}\"]", e.what(), format_);
    outcome.failed = true;
  }
  return outcome;
}

void message_plan::append_exception(std::string_view types, const std::byte* data, std::size_t bytes,
                                    fmt::memory_buffer& out) {
  if (types.find('x') == std::string_view::npos) return;
  std::array<argument, most_arguments> arguments;
  const int count = decode(types, data, bytes, arguments);
  for (int i = 0; i < count; ++i) {
    const argument& a = arguments[static_cast<std::size_t>(i)];
    if (a.code != 'x') continue;
    std::string_view rest = a.text();
    for (bool first = true; !rest.empty(); first = false) {
      const std::string name(rest.substr(0, rest.find('\0')));
      rest.remove_prefix(std::min(rest.size(), name.size() + 1));
      const std::string_view what = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(rest.size(), what.size() + 1));
      if (!first) append(out, "; caused by ");
      append(out, demangled(name.c_str()));
      if (!what.empty()) append(out, ": ");
      append(out, what);
    }
    if (a.cut) append(out, cut_mark);
  }
}

std::size_t format_argument(const site& where, unsigned index, char* out, std::size_t size,
                            fmt::format_args argument) noexcept {
  return format_named_argument(where, index, {}, out, size, argument);
}

std::size_t format_named_argument(const site& where, unsigned index, std::string_view name, char* out,
                                  std::size_t size, fmt::format_args argument) noexcept {
  try {
    std::array<char, 264> field{'{', '}'};
    std::size_t length = 2;
    const std::string_view specification = specification_of(where.format, static_cast<int>(index), name);
    if (!specification.empty() && specification.size() + 3 < field.size())
      length = static_cast<std::size_t>(
          fmt::format_to_n(field.data(), field.size(), FMT_COMPILE("{{:{}}}"), specification).size);
    return fmt::vformat_to_n(out, size, {field.data(), length}, argument).size;
  } catch (const std::exception& e) {
    return fmt::format_to_n(out, size, "[{}]", e.what()).size;
  } catch (...) {
    return fmt::format_to_n(out, size, "[formatter failed]").size;
  }
}

} // namespace faultline::detail
