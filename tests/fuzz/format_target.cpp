#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <fmt/args.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <faultline/detail/site.hpp>
#include <faultline/detail/statement.hpp>
#include <faultline/kv.hpp>

#include "base/whole_characters.hpp"
#include "format/message_plan.hpp"
#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "fuzz/written_arguments.hpp"

namespace faultline::fuzz {

/// A type that only its own formatter can write, where it is logged.
struct formattable {
  std::string text;
};
enum class choice : std::uint8_t { zero, one, two };

} // namespace faultline::fuzz

template <> struct fmt::formatter<faultline::fuzz::formattable> : fmt::formatter<std::string_view> {
  template <class Context> auto format(const faultline::fuzz::formattable& f, Context& context) const {
    return fmt::formatter<std::string_view>::format(f.text, context);
  }
};

namespace faultline::fuzz {
namespace {

using namespace detail;
using std::chrono::system_clock;

constexpr std::array names{"a", "b1", "_c", "Dd", "e", "f", "g", "h"};
constexpr std::size_t most_values = names.size();

using value = std::variant<bool, char, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t,
                           std::uint32_t, std::uint64_t, float, double, long double, const void*, std::string,
                           std::chrono::nanoseconds, std::chrono::microseconds, std::chrono::milliseconds,
                           std::chrono::seconds, std::chrono::minutes, std::chrono::hours,
                           std::chrono::time_point<system_clock, std::chrono::nanoseconds>, choice,
                           outer_fields, formattable>;

template <class T>
constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>;
template <class T> constexpr bool is_time = raw_duration<T> || raw_time_point<T>;

/// Few bits, many, or a limit.
template <class T> T some_number(input& in) {
  const auto raw = in.number<T>();
  if constexpr (std::is_integral_v<T>) {
    switch (in.pick(4)) {
    case 0: return static_cast<T>(in.number<std::uint8_t>() % 40U);
    case 1: return std::numeric_limits<T>::min();
    case 2: return std::numeric_limits<T>::max();
    default: return raw;
    }
  } else {
    switch (in.pick(10)) {
    case 0: return std::numeric_limits<T>::infinity();
    case 1: return -std::numeric_limits<T>::quiet_NaN();
    case 2: return std::numeric_limits<T>::denorm_min();
    case 3: return -std::numeric_limits<T>::max();
    case 4: return static_cast<T>(in.number<std::int32_t>()) / 100;
    case 5: return static_cast<T>(in.number<std::int64_t>()) / 10'000;
    case 6: return static_cast<T>(in.number<double>());
    default: return std::is_same_v<T, long double> ? static_cast<T>(in.number<double>()) * 3 : raw;
    }
  }
}

template <std::size_t Index = 0> value some_value(std::size_t kind, input& in) {
  if constexpr (Index == std::variant_size_v<value>) {
    return value();
  } else {
    using T = std::variant_alternative_t<Index, value>;
    if (kind != Index) return some_value<Index + 1>(kind, in);
    if constexpr (std::is_same_v<T, bool>)
      return in.flag();
    else if constexpr (std::is_same_v<T, std::string>)
      return in.text();
    else if constexpr (std::is_same_v<T, formattable>)
      return formattable{in.text()};
    else if constexpr (std::is_same_v<T, choice>)
      return static_cast<choice>(in.pick(3));
    else if constexpr (std::is_same_v<T, outer_fields>)
      return outer_fields{in.number<std::int32_t>(),
                          some_number<double>(in),
                          {in.number<char>(), std::chrono::milliseconds(in.number<std::int64_t>())},
                          in.flag()};
    else if constexpr (raw_duration<T>)
      return T(some_number<std::int64_t>(in));
    else if constexpr (raw_time_point<T>)
      return T(std::chrono::nanoseconds(some_number<std::int64_t>(in)));
    else if constexpr (std::is_same_v<T, const void*>)
      return in.number<const void*>(); // never followed
    else
      return some_number<T>(in);
  }
}

/// The specifications that a value's type may have, and now and then one that it may not: then both refuse.
class format_maker {
 public:
  format_maker(const std::vector<value>& values, input& in) : values_(values), in_(in), mode_(in.pick(3)) {}

  std::string make();
  [[nodiscard]] bool named() const noexcept { return mode_ == 2; }

 private:
  void add_field();
  void add_specification(const value& v);
  void add_number(std::size_t most, bool may_be_dynamic);
  [[nodiscard]] bool bounded(std::size_t index) const;
  std::size_t take_index() { return mode_ == 0 ? next_++ : in_.pick(values_.size()); }
  void add_id(std::size_t index);

  const std::vector<value>& values_;
  input& in_;
  std::size_t mode_; // automatic, numbered, named
  std::size_t next_ = 0;
  std::string out_;
};

std::string format_maker::make() {
  const std::size_t pieces = 1 + in_.pick(6);
  for (std::size_t i = 0; i < pieces; ++i) {
    for (const char c : in_.text())
      if (c != '\0') out_.append(c == '{' || c == '}' ? 2 : 1, c); // a site's format ends at a null character
    if (mode_ != 0 || next_ < values_.size()) add_field();
  }
  return out_;
}

void format_maker::add_id(std::size_t index) {
  if (mode_ == 1) out_ += std::to_string(index);
  if (mode_ == 2) out_ += names[index];
}

void format_maker::add_field() {
  const std::size_t index = take_index();
  out_ += '{';
  add_id(index);
  // A value that is formatted where it is logged has one specification, wherever else it appears.
  const bool may_specify = mode_ == 0 || !std::holds_alternative<formattable>(values_[index]);
  if (may_specify && in_.flag()) {
    out_ += ':';
    add_specification(values_[index]);
    if (out_.ends_with(':')) out_.pop_back(); // behind "{:}" a "<" would make a fill of the brace
  }
  out_ += '}';
}

/// Whether the value may give a width: one in the millions would only show that memory is finite.
bool format_maker::bounded(std::size_t index) const {
  return index < values_.size() && std::visit(
                                       [](const auto& v) {
                                         using T = std::decay_t<decltype(v)>;
                                         if constexpr (is_integer<T>)
                                           return v < static_cast<T>(100);
                                         else
                                           return true;
                                       },
                                       values_[index]);
}

void format_maker::add_number(std::size_t most, bool may_be_dynamic) {
  const std::size_t before = next_;
  const bool dynamic = may_be_dynamic && in_.pick(3) == 0;
  const std::size_t index = dynamic ? take_index() : 0;
  if (dynamic && bounded(index)) {
    out_ += '{';
    add_id(index);
    out_ += '}';
  } else {
    next_ = before;
    out_ += std::to_string(1 + in_.pick(most));
  }
}

void format_maker::add_specification(const value& v) {
  const bool time = std::visit([](const auto& x) { return is_time<std::decay_t<decltype(x)>>; }, v);
  const bool own = std::holds_alternative<formattable>(v);
  // fmt 9 gives times of day no width: it refuses a dynamic one, and takes a static one for text.
  const bool may_be_dynamic =
      !std::holds_alternative<std::chrono::time_point<system_clock, std::chrono::nanoseconds>>(v);
  constexpr std::array<std::string_view, 7> fills{"", "*", " ", "\xC3\xA9", "<", "0", "\n"};
  if (in_.flag()) {
    out_ += fills[in_.pick(fills.size())];
    out_ += "<>^"[in_.pick(3)];
  }
  if (!time && !own) {
    if (in_.pick(4) == 0) out_ += "+- "[in_.pick(3)];
    if (in_.pick(4) == 0) out_ += '#';
    if (in_.pick(4) == 0) out_ += '0';
  }
  if (own) {
    if (in_.flag()) out_ += std::to_string(1 + in_.pick(40)); // what it is logged with is fixed there
    return;
  }
  if (in_.flag()) add_number(60, may_be_dynamic);
  if (in_.pick(3) == 0) {
    out_ += '.';
    add_number(40, may_be_dynamic);
  }
  if (time) {
    constexpr std::array<std::string_view, 10> times{"",   "%H:%M:%S", "%Q%q", "%T",       "%Y-%m-%d",
                                                     "%j", "%I %p",    "%%%n", "%a %b %e", "%c"};
    out_ += times[in_.pick(times.size())];
  } else if (in_.flag()) {
    constexpr std::string_view letters = "dxXobBcaAeEfFgGspL?";
    out_ += letters[in_.pick(letters.size())];
  }
}

/// The value as fmt gets it where the text is made at once.
class direct_arguments {
 public:
  direct_arguments(std::size_t argument_bytes, bool named) : argument_bytes_(argument_bytes), named_(named) {}

  template <class T> void add(const T& v, std::size_t index) {
    if constexpr (std::is_same_v<T, choice>)
      add(static_cast<std::uint8_t>(v), index);
    else if constexpr (std::is_same_v<T, outer_fields>)
      push(fmt::format("{{number={}, fraction={}, inner={{letter={}, time={}}}, yes={}}}", v.number,
                       v.fraction, v.inner.letter, v.inner.time, v.yes),
           index);
    else if constexpr (std::is_same_v<T, std::string>)
      push(kept(v), index);
    else
      push(v, index);
  }
  [[nodiscard]] std::optional<std::string> format(std::string_view format) const {
    try {
      return fmt::vformat(format, store_);
    } catch (const fmt::format_error&) {
      return std::nullopt;
    }
  }
  [[nodiscard]] bool cut() const noexcept { return cut_; }

 private:
  template <class T> void push(const T& v, std::size_t index) {
    if (named_)
      store_.push_back(fmt::arg(names[index], v));
    else
      store_.push_back(v);
  }
  /// A string, cut as a record cuts it.
  std::string kept(const std::string& text) {
    if (text.size() <= argument_bytes_) return text;
    cut_ = true;
    return std::string(whole_characters(std::string_view(text).substr(0, argument_bytes_))) + "[...]";
  }

  std::size_t argument_bytes_;
  bool named_;
  bool cut_ = false;
  fmt::dynamic_format_arg_store<fmt::format_context> store_;
};

/// Writes a value that is formatted where it is logged; true where its text is cut.
bool write_formatted(const formattable& v, const std::string& format, std::size_t index, bool named,
                     written_arguments& written) {
  const site where{{}, format.c_str(), "", "", "", 0, level::info};
  const std::string_view name = named ? names[index] : "";
  std::array<char, scratch_bytes> scratch{};
  const std::size_t size = format_named_argument(where, static_cast<unsigned>(index), name, scratch.data(),
                                                 scratch.size(), fmt::make_format_args(v));
  formatted_text wire;
  wire.data = scratch.data();
  wire.size = std::min(size, scratch.size());
  written.add_wire(wire, name);
  return size > scratch.size();
}

/// To fmt, a volatile scalar is what it reads.
template <class T>
void add_argument(const T& v, std::string_view name, bool is_volatile, written_arguments& written) {
  if constexpr (std::is_scalar_v<T>) {
    const volatile T same = v;
    if (is_volatile) return written.add(same, name);
  }
  written.add(v, name);
}

struct message {
  std::string text;
  message_outcome outcome;
};

message deferred(const std::string& format, const written_arguments& written) {
  const exact_copy<std::byte> bytes(written.bytes().data(), written.bytes().size());
  fmt::memory_buffer out;
  const message_outcome outcome =
      message_plan(format, written.types()).append_message(bytes.data(), bytes.size(), out);
  return {fmt::to_string(out), outcome};
}

void compare(const std::string& format, const written_arguments& written, const direct_arguments& arguments,
             bool well_formed) {
  const std::optional<std::string> direct = arguments.format(format);
  const message made = deferred(format, written);
  const std::string& types = written.types();
  if (!direct) {
    check(!well_formed || made.outcome.failed, "what fmt refuses is refused for ", raw_bytes{format}, " of ",
          raw_bytes{types});
    return;
  }
  check(!made.outcome.failed, "what fmt formats is formatted for ", raw_bytes{format}, " of ",
        raw_bytes{types}, ": ", raw_bytes{made.text});
  check_equal(made.text, doctored(*direct), "deferred formatting gives what fmt gives for ",
              raw_bytes{format}, " of ", raw_bytes{types});
  check(made.outcome.cut == arguments.cut(), "a cut argument is told for ", raw_bytes{format}, " of ",
        raw_bytes{types});
}

/// A format of any bytes. What the compiler would refuse need only be survived.
void compare_any(input& in) {
  const std::string format = in.text();
  if (format.find(":}") != std::string::npos) return; // may be a fill, which deferred formats do not have
  std::size_t digits = 0;
  for (const char c : format) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 3) return; // a width that only takes memory
  }
  written_arguments written(longest_argument);
  direct_arguments arguments(longest_argument, false);
  const auto add = [&](const auto& v) {
    written.add(v);
    arguments.add(v, 0);
  };
  add(in.text());
  add(static_cast<std::int32_t>(in.pick(100)));
  add(some_number<double>(in));
  add(static_cast<std::int32_t>(in.pick(20)));
  compare(format, written, arguments, false);
}

} // namespace

int fuzz_format(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  if (in.pick(4) == 0) {
    compare_any(in);
    return 0;
  }
  std::vector<value> values;
  const std::size_t count = 1 + in.pick(most_values);
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(some_value(in.pick(std::variant_size_v<value>), in));
  const std::size_t argument_bytes = in.flag() ? longest_argument : in.pick(20);
  format_maker maker(values, in);
  const std::string format = maker.make();

  const bool is_volatile = in.flag();
  written_arguments written(argument_bytes);
  direct_arguments arguments(argument_bytes, maker.named());
  for (std::size_t i = 0; i < count; ++i) {
    const bool whole = std::visit(
        [&](const auto& v) {
          arguments.add(v, i);
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, formattable>) {
            return !write_formatted(v, format, i, maker.named(), written) &&
                   v.text.size() + 40 < argument_bytes;
          } else {
            add_argument(v, maker.named() ? names[i] : "", is_volatile, written);
            return true;
          }
        },
        values[i]);
    if (!whole) return 0; // a text that is cut after its specification was applied
  }
  compare(format, written, arguments, true);
  return 0;
}

} // namespace faultline::fuzz
