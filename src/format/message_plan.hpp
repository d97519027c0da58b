// A site's format string, parsed once, and the messages made with it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <faultline/record.hpp>

#include "format/fixed_text.hpp"
#include "record/decoder.hpp"

namespace faultline::detail {

/// What an appended message turned out to be.
struct message_outcome {
  bool cut = false;    ///< an argument had been cut to a bound
  bool failed = false; ///< the arguments did not fit the format; the message says so
  bool plain = false;  ///< all of it is printable ASCII; false may be either
};

/// Formats records of one site. Flusher thread only.
class message_plan {
 public:
  message_plan(std::string_view format, std::string_view types);

  /// Appends the message for a record's argument bytes. Never throws but for memory; a record whose bytes do
  /// not match its codes becomes a message that says so.
  message_outcome append_message(const std::byte* data, std::size_t bytes, fmt::memory_buffer& out) const;

  /// For formats whose fields are all "{}" and in order, of plain values and strings: how much room
  /// `write_message` needs. 0 for the others, which take `append_message`.
  [[nodiscard]] std::size_t most_bytes(std::size_t record_bytes) const noexcept {
    return straight_.empty() ? 0 : straight_bytes_ + record_bytes;
  }
  /// Writes the message and returns its end; null when the bytes do not match the codes.
  char* write_message(char* at, const std::byte* data, std::size_t bytes, message_outcome& outcome) const;

  /// Whether records of the site may describe an escaped exception.
  [[nodiscard]] bool tells_exception() const noexcept { return tells_exception_; }

  /// The names that the arguments of the site have, one for each, empty where it has none; no names at all
  /// where none has one.
  [[nodiscard]] std::span<const std::string> argument_names() const noexcept { return names_; }
  /// The arguments' codes, without names.
  [[nodiscard]] std::string_view types() const noexcept { return types_; }

  /// Appends the description of an escaped exception, if the record has one: the text of its `x` argument,
  /// whose parts are a mangled type name, a zero byte, what() and a zero byte, for each exception from the
  /// outermost in.
  static void append_exception(std::string_view types, const std::byte* data, std::size_t bytes,
                               fmt::memory_buffer& out);

 private:
  struct piece {
    std::string literal;
    bool is_literal = false;
    int index = -1;
    int next_index = 0;
    bool dynamic = false;
    std::string field; ///< "{:specification}", or empty for "{}"; the specification alone where it is dynamic
  };

  /// A literal and the argument behind it.
  struct step {
    fixed_text literal;
    char code = 0; ///< of the argument, or 0 where none follows
  };

  void find_straight_plan();
  [[nodiscard]] bool matches(const std::byte* data, std::size_t bytes) const noexcept;
  void append_pieces(std::span<const argument> arguments, fmt::memory_buffer& out) const;

  std::string format_;
  std::string types_;
  std::vector<std::string> names_;
  bool tells_exception_ = false;
  std::vector<piece> pieces_;
  /// For formats whose fields are all "{}" and in order, of plain values and strings: no decoding beforehand,
  /// no dispatch through fmt. Empty for others.
  std::vector<step> straight_;
  std::size_t straight_bytes_ = 0; ///< what it writes at most, strings' own bytes apart
  std::size_t fixed_bytes_ = 0;    ///< of the arguments, strings' own bytes apart
  bool has_strings_ = false;
  bool is_plain_ = true; ///< as `message_outcome::plain`, but for strings
};

/// Appends one value as "{}" formats it.
void append_value(const argument& value, fmt::memory_buffer& out);

/// What JSON can make of the value's text.
[[nodiscard]] argument_kind kind_of(const argument& value) noexcept;

} // namespace faultline::detail
