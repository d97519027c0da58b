#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/whole_characters.hpp"
#include "buffer/context_block.hpp"
#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/reference_text.hpp"
#include "fuzz/targets.hpp"
#include "fuzz/written_arguments.hpp"
#include "record/decoder.hpp"
#include "record/layout.hpp"

namespace faultline::fuzz {
namespace {

using namespace detail;
using expectation = std::function<bool(const argument&)>;

bool same_bytes(const void* a, const void* b, std::size_t size) {
  return std::string_view(static_cast<const char*>(a), size) ==
         std::string_view(static_cast<const char*>(b), size);
}

class round_trip {
 public:
  explicit round_trip(input& in) : in_(in), bound_(in.pick(80)), written_(bound_) {
    expected_.reserve(most_written);
  }

  static constexpr std::size_t most_written = 20;
  void add_argument();
  void check_decoded() const;
  [[nodiscard]] std::size_t count() const { return expected_.size(); }

 private:
  template <class T> void add_number(char code, char unit = 0) {
    using wire = wire_t<T>;
    const T value = in_.number<T>();
    written_.add(value);
    wire stored = to_wire(value);
    if (expects_wrong) reinterpret_cast<unsigned char&>(stored) ^= 1U; // a flipped digit
    expected_.emplace_back([=](const argument& a) {
      return a.code == code && a.unit == unit && !a.cut && same_bytes(a.data, &stored, sizeof stored);
    });
  }
  void add_text();
  void add_structure();

  input& in_;
  std::size_t bound_;
  written_arguments written_;
  std::vector<expectation> expected_;
};

void round_trip::add_text() {
  const std::string text = in_.text();
  const bool as_hex = in_.flag();
  if (as_hex)
    written_.add(hex(text));
  else
    written_.add(text);
  const bool cut = text.size() > bound_;
  const std::string kept = doctored(text.substr(0, bound_));
  expected_.emplace_back([=, bound = bound_](const argument& a) {
    if (a.code != (as_hex ? 'h' : 's') || a.cut != cut) return false;
    if (!cut || as_hex) return a.text() == kept;
    // Without its rest, what is not UTF-8 can look like the beginning of a character.
    const std::string_view whole = reference_cut(text, bound);
    return a.text() == whole || (whole == kept && a.text() == whole_characters(kept));
  });
}

void round_trip::add_structure() {
  const outer_fields value{in_.number<std::int32_t>(),
                           in_.number<double>(),
                           {in_.number<char>(), std::chrono::milliseconds(in_.number<std::int64_t>())},
                           in_.flag()};
  written_.add(value);
  expected_.emplace_back([=](const argument& a) {
    argument_reader fields(a.structure(), a.data, 22);
    argument field;
    const bool number = fields.take_name() == "number" && fields.next(field) &&
                        field.as<std::int32_t>() == (expects_wrong ? ~value.number : value.number);
    const bool fraction = fields.take_name() == "fraction" && fields.next(field) &&
                          same_bytes(field.data, &value.fraction, sizeof(double));
    const bool inner =
        fields.take_name() == "inner" && fields.next(field) && field.structure() == "letter:c,time:Dm";
    const bool yes =
        fields.take_name() == "yes" && fields.next(field) && field.as<std::uint8_t>() == (value.yes ? 1 : 0);
    return a.code == '{' && number && fraction && inner && yes && fields.take_name().empty();
  });
}

void round_trip::add_argument() {
  switch (in_.pick(18)) {
  case 0: return add_number<std::int8_t>('i');
  case 1: return add_number<std::uint16_t>('u');
  case 2: return add_number<std::int32_t>('i');
  case 3: return add_number<std::uint32_t>('u');
  case 4: return add_number<std::int64_t>('I');
  case 5: return add_number<std::uint64_t>('U');
  case 6: return add_number<float>('f');
  case 7: return add_number<double>('d');
  case 8: return add_number<char>('c');
  case 9: return add_number<const void*>('p');
  case 10: return add_number<std::chrono::nanoseconds>('D', 'n');
  case 11: return add_number<std::chrono::minutes>('D', 'M');
  case 12: return add_number<std::chrono::hours>('D', 'h');
  case 13: return add_number<std::chrono::system_clock::time_point>('T');
  case 14: return add_structure();
  case 15:
    written_.add(secret(in_.number<int>()));
    expected_.emplace_back([](const argument& a) { return a.code == 'r'; });
    return;
  default: return add_text();
  }
}

void round_trip::check_decoded() const {
  const exact_copy<std::byte> bytes(written_.bytes().data(), written_.bytes().size());
  std::array<argument, most_arguments> out;
  const int count = decode(written_.types(), bytes.data(), bytes.size(), out);
  check(count == static_cast<int>(expected_.size()), "as many arguments are decoded as were written");
  for (std::size_t i = 0; i < expected_.size(); ++i)
    check(expected_[i](out[i]), "argument ", i, " of ", written_.types(), " is what was written");
  if (bytes.size() == 0) return;
  const std::size_t shorter = in_.number<std::uint16_t>() % bytes.size();
  const exact_copy<std::byte> truncated(bytes.data(), shorter);
  check(decode(written_.types(), truncated.data(), shorter, out) == -1, "missing bytes are noticed");
}

/// A scope's name is the one text of a context that is cut.
void check_context(std::string_view name) {
  context_block context;
  context.reset(name);
  check_equal(doctored(std::string(context.name())), reference_cut(name, context_block::longest_name),
              "a name is cut between characters");
  check(context.cut() == (name.size() > context_block::longest_name), "a name that is cut is told");
}

void check_header(input& in) {
  std::array<std::byte, header_bytes> bytes{};
  for (std::byte& b : bytes) b = in.number<std::byte>();
  const auto before = bytes;
  record_reader record(bytes.data());
  const auto time = in.number<std::uint64_t>();
  const auto targets = in.number<std::uint8_t>();
  const std::uint8_t had_targets = record.targets();
  const std::uint8_t had_flags = record.flags();
  record.set_time(time);
  record.set_flags(record_exact);
  record.set_targets(targets);
  const record_reader again(bytes.data());
  const record_reader first(const_cast<std::byte*>(before.data())); // only reads
  check(again.time() == (expects_wrong ? ~time : time) && again.targets() == (had_targets | targets) &&
            again.flags() == (had_flags | record_exact),
        "a header holds what was set");
  check(again.site() == first.site() && again.bytes() == first.bytes() && again.logger() == first.logger() &&
            again.level() == first.level() && again.level() <= level::off,
        "setting one part of a header leaves the others");
}

} // namespace

int fuzz_codec(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  round_trip trip(in);
  while (!in.empty() && trip.count() < round_trip::most_written) trip.add_argument();
  trip.check_decoded();
  check_context({reinterpret_cast<const char*>(data), size});
  input header(data, size);
  check_header(header);
  return 0;
}

} // namespace faultline::fuzz
