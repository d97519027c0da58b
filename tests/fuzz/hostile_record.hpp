// A record and a dump whose every text and number an input chooses.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include <faultline/record.hpp>

#include "format/escape.hpp"
#include "fuzz/input.hpp"

namespace faultline::fuzz {

/// Holds what its views refer to; not copied.
class hostile_record {
 public:
  explicit hostile_record(input& in);
  hostile_record(const hostile_record&) = delete;
  hostile_record& operator=(const hostile_record&) = delete;

  [[nodiscard]] const record_view& view() const noexcept { return view_; }
  [[nodiscard]] const dump_envelope& dump() const noexcept { return dump_; }

 private:
  static std::chrono::system_clock::time_point time_of(input& in);

  std::array<std::string, 9> texts_;
  std::vector<context_field> fields_;
  site_facts site_;
  scope_context scope_;
  record_view view_;
  dump_envelope dump_;
};

/// Any time at all, and often the first or the last there is.
inline std::chrono::system_clock::time_point hostile_record::time_of(input& in) {
  using time_point = std::chrono::system_clock::time_point;
  switch (in.pick(8)) {
  case 0: return time_point::min() + std::chrono::nanoseconds(in.number<std::uint16_t>());
  case 1: return time_point::max() - std::chrono::nanoseconds(in.number<std::uint16_t>());
  case 2: return time_point(std::chrono::nanoseconds(in.number<std::int64_t>()));
  default: return time_point(std::chrono::nanoseconds(in.number<std::int32_t>()));
  }
}

inline hostile_record::hostile_record(input& in) {
  for (std::string& text : texts_) text = in.text();
  if (in.flag()) fields_ = {{texts_[4], texts_[5]}, {texts_[5], texts_[6]}, {"", ""}};
  site_ = {.format = texts_[0],
           .file = texts_[2],
           .function = texts_[3],
           .argument_names = "",
           .line = in.number<std::uint32_t>()};
  scope_ = {.name = texts_[7], .trace_id = texts_[8], .span_id = texts_[8], .fields = fields_};
  view_.level = static_cast<level>(in.pick(6));
  view_.logger = texts_[1];
  view_.time = time_of(in);
  view_.time_is_exact = in.flag();
  view_.thread_id = in.number<std::uint32_t>();
  view_.site = &site_;
  view_.scope = in.flag() ? &scope_ : nullptr;
  view_.dump_id = in.number<std::uint8_t>();
  view_.text = texts_[0];
  view_.text_is_plain = detail::is_plain_ascii(texts_[0]) && in.flag();
  if (in.flag()) view_.exception_text = texts_[6];
  dump_.id = view_.dump_id;
  dump_.scope = scope_;
  dump_.logger = texts_[1];
  dump_.thread_id = view_.thread_id;
  dump_.start = time_of(in);
  dump_.duration = std::chrono::nanoseconds(in.number<std::int64_t>());
  dump_.trigger = static_cast<trigger>(in.pick(6));
  dump_.reason = texts_[5];
  dump_.records = 1;
  dump_.forgotten = in.number<std::uint64_t>();
  dump_.truncated = in.number<std::uint64_t>();
  dump_.lost_contexts = in.number<std::uint8_t>();
}

} // namespace faultline::fuzz
