#include "record/decoder.hpp"

#include <algorithm>

#include <faultline/detail/codec.hpp>

#include "base/whole_characters.hpp"

namespace faultline::detail {
namespace {

/// Where the brace that closes the one at the start stands, or npos.
std::size_t closing_brace(std::string_view codes) noexcept {
  int depth = 0;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] == '{') ++depth;
    if (codes[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

} // namespace

std::size_t plain_bytes(char code) noexcept {
  switch (code) {
  case 'b':
  case 'c': return 1;
  case 'i':
  case 'u':
  case 'f': return 4;
  case 'I':
  case 'U':
  case 'd':
  case 'p':
  case 'D':
  case 'T':
  case 'n': return 8;
  case 'L': return sizeof(long double);
  default: return 0;
  }
}

bool argument_reader::take(argument& out, std::size_t bytes) noexcept {
  if (bytes > left_) return false;
  out.data = at_;
  at_ += bytes;
  left_ -= bytes;
  return true;
}

bool argument_reader::take_text(argument& out) noexcept {
  if (!take(out, sizeof(std::uint32_t))) return false;
  const auto length = out.as<std::uint32_t>();
  out.cut = (length & cut_bit) != 0;
  const std::size_t size = length & ~cut_bit;
  if (!take(out, size)) return false;
  const std::string_view all(reinterpret_cast<const char*>(out.data), size);
  const std::string_view text = out.cut && out.code != 'h' ? whole_characters(all) : all;
  out.text_data = text.data();
  out.text_size = text.size();
  return true;
}

std::string_view argument_reader::take_name() noexcept {
  if (types_.starts_with(',')) types_.remove_prefix(1);
  const std::size_t colon = types_.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view name = types_.substr(0, colon);
  types_.remove_prefix(colon + 1);
  return name;
}

bool argument_reader::take_structure(argument& out, unsigned depth) noexcept {
  const std::size_t close = closing_brace(types_);
  if (close == std::string_view::npos || depth == deepest_structure) return false;
  out.structure_data = types_.data() + 1;
  out.structure_size = close - 1;
  argument_reader inner(out.structure(), at_, left_);
  argument field;
  while (!inner.types_.empty()) {
    if (inner.take_name().empty() || !inner.next_at(field, depth + 1)) return false;
  }
  types_.remove_prefix(close + 1);
  return take(out, static_cast<std::size_t>(inner.at_ - at_));
}

bool argument_reader::next_at(argument& out, unsigned depth) noexcept {
  out = argument{};
  if (types_.starts_with('=')) (void)take_name();
  if (types_.empty()) return false;
  out.code = types_.front();
  bool good = false;
  if (out.code == '{') {
    good = take_structure(out, depth);
  } else {
    types_.remove_prefix(1);
    if (out.code == 'D' && !types_.empty()) {
      out.unit = types_.front();
      types_.remove_prefix(1);
    }
    if (out.code == 's' || out.code == 't' || out.code == 'x' || out.code == 'h')
      good = take_text(out);
    else if (out.code == 'r')
      good = take(out, 0);
    else if (const std::size_t bytes = plain_bytes(out.code); bytes != 0)
      good = take(out, bytes);
  }
  damaged_ = damaged_ || !good;
  return good;
}

named_types::named_types(std::string_view types) {
  while (!types.empty()) {
    std::string_view name;
    if (const std::size_t colon = types.find(':'); types.front() == '=' && colon != std::string_view::npos) {
      name = types.substr(1, colon - 1);
      types.remove_prefix(colon + 1);
      any = true;
    }
    const std::size_t close = types.starts_with('{') ? closing_brace(types) : std::string_view::npos;
    const std::size_t size = close != std::string_view::npos ? close + 1 : types.starts_with('D') ? 2 : 1;
    codes += types.substr(0, size);
    names.emplace_back(name);
    types.remove_prefix(std::min(size, types.size()));
  }
}

bool argument_reader::next(argument& out) noexcept { return next_at(out, 0); }

int decode(std::string_view types, const std::byte* data, std::size_t bytes,
           std::span<argument, most_arguments> out) noexcept {
  argument_reader reader(types, data, bytes);
  int count = 0;
  while (count < static_cast<int>(most_arguments) && reader.next(out[static_cast<std::size_t>(count)]))
    ++count;
  return reader.damaged() ? -1 : count;
}

} // namespace faultline::detail
