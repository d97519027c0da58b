// Records made by hand, for tests of formatters and handlers.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <faultline/formatter.hpp>
#include <faultline/record.hpp>

namespace faultline::test {

/// 2024-05-01T12:34:56.000789Z and 999 ns, which are rounded off.
inline std::chrono::system_clock::time_point sample_time() {
  using namespace std::chrono;
  return system_clock::time_point(
      duration_cast<system_clock::duration>(seconds(1'714'566'896) + nanoseconds(789'999)));
}

inline constexpr site_facts sample_site{
    .format = "{}", .file = "/src/shop/order.cpp", .function = "reserve", .argument_names = "n", .line = 42};

/// A record with a message; `text` must outlive it.
inline record_view sample_record(std::string_view text, level l = level::debug) {
  record_view r;
  r.level = l;
  r.logger = "shop.order";
  r.time = sample_time();
  r.thread_id = 123;
  r.site = &sample_site;
  r.text = text;
  return r;
}

/// The formatter's text for one record, its newline included.
inline std::string format_one(const formatter_ptr& f, const record_view& r,
                              const dump_envelope* envelope = nullptr) {
  std::string out;
  f->format(batch({&r, 1}, envelope), out);
  return out;
}

/// Records with messages of their own, each "record N" padded to a length of its own.
class numbered_records {
 public:
  explicit numbered_records(std::size_t count, std::size_t first = 0) {
    for (std::size_t i = first; i < first + count; ++i) {
      messages_.push_back("record " + std::to_string(i) + std::string(i % 7, '.'));
      records_.push_back(sample_record(messages_.back()));
      text_ += messages_.back() + '\n';
    }
  }

  [[nodiscard]] batch all(const dump_envelope* envelope = nullptr) const { return batch(records_, envelope); }
  [[nodiscard]] batch one(std::size_t i) const { return batch({&records_[i], 1}); }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  /// What the pattern "{message}" makes of them.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::deque<std::string> messages_; // a deque does not move what the views point at
  std::vector<record_view> records_;
  std::string text_;
};

} // namespace faultline::test
