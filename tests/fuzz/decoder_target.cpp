#include <array>
#include <string>

#include <fmt/format.h>

#include "format/escape.hpp"
#include "format/message_plan.hpp"
#include "fuzz/check.hpp"
#include "fuzz/input.hpp"
#include "fuzz/targets.hpp"
#include "record/decoder.hpp"

namespace faultline::fuzz {
namespace {

using namespace detail;

/// Random bytes are hardly ever codes: half of the inputs have each of theirs taken from these.
std::string likely_codes(std::string codes) {
  constexpr std::string_view alphabet = "bciIuUfdLpstxhnrDnDuDmDsDMDhT=a:=b:{x:i,y:s}{},:";
  for (char& c : codes) c = alphabet[static_cast<unsigned char>(c) % alphabet.size()];
  return codes;
}

bool lies_in(const void* inner, std::size_t size, const void* outer, std::size_t outer_size) {
  const auto begin = reinterpret_cast<std::uintptr_t>(inner);
  const auto outer_begin = reinterpret_cast<std::uintptr_t>(outer);
  return begin >= outer_begin && begin - outer_begin + size <= outer_size;
}

void check_arguments(std::string_view types, const std::byte* data, std::size_t size) {
  std::array<argument, most_arguments> out;
  const int count = decode(types, data, size, out);
  check(count >= -1 && count <= static_cast<int>(most_arguments), "a count of arguments");
  const std::size_t seen = expects_wrong && size > 0 ? size - 1 : size; // the control's record is one shorter
  for (int i = 0; i < count; ++i) {
    const argument& a = out[static_cast<std::size_t>(i)];
    const bool is_text = a.code == 's' || a.code == 't' || a.code == 'x' || a.code == 'h';
    const std::size_t bytes = is_text ? a.text_size : plain_bytes(a.code);
    check(lies_in(is_text ? a.text_data : static_cast<const void*>(a.data), bytes, data, seen),
          "an argument lies in its record");
    if (a.code == '{')
      check(lies_in(a.structure_data, a.structure_size, types.data(), types.size()),
            "a structure's codes lie in the record's codes");
    fmt::memory_buffer text;
    append_value(a, text);
    (void)kind_of(a);
  }
}

void check_message(const message_plan& plan, std::size_t format_bytes, const std::byte* data,
                   std::size_t size) {
  constexpr std::size_t most_of_a_field = 4 * std::size_t{65'536}; // the widest, with a fill of four bytes

  fmt::memory_buffer message;
  const message_outcome outcome = plan.append_message(data, size, message);
  check(!outcome.plain || is_plain_ascii({message.data(), message.size()}),
        "a message that is called plain holds printable ASCII");
  check(message.size() <= (format_bytes + 1) * most_of_a_field + 8 * size, "no field asks for all memory");
  const std::size_t room = plan.most_bytes(size);
  if (room == 0) return;
  const std::unique_ptr<char[]> exact(new char[room]);
  message_outcome straight;
  if (const char* const end = plan.write_message(exact.get(), data, size, straight))
    check_equal({exact.get(), static_cast<std::size_t>(end - exact.get())}, {message.data(), message.size()},
                "both ways to a message give the same one");
}

} // namespace

int fuzz_decoder(const std::uint8_t* data, std::size_t size) {
  input in(data, size);
  const bool likely = in.flag();
  const std::string format = in.text();
  std::string codes = in.text().substr(0, 512); // no statement has more
  if (likely) codes = likely_codes(codes);
  const std::string rest = in.rest();
  const exact_copy<std::byte> bytes(reinterpret_cast<const std::byte*>(rest.data()), rest.size());
  const exact_copy<char> types(codes.data(), codes.size());

  const message_plan plan(format, {types.data(), types.size()});
  check_message(plan, format.size(), bytes.data(), bytes.size());
  check_arguments({types.data(), types.size()}, bytes.data(), bytes.size());
  check_arguments(plan.types(), bytes.data(), bytes.size());
  fmt::memory_buffer exception;
  message_plan::append_exception(plan.types(), bytes.data(), bytes.size(), exception);
  return 0;
}

} // namespace faultline::fuzz
