// A runtime whose flusher runs when the test says so, and a memory handler as its default target.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <faultline/faultline.hpp>

namespace faultline::test {

/// Whether the record is one of the flusher's own lines that tell of losses.
[[nodiscard]] inline bool tells_of_losses(const stored_record& r) {
  return r.logger == "faultline" && !std::string_view(r.message).starts_with("storm: ");
}

/// What the handler received, without those.
[[nodiscard]] inline std::vector<std::string> messages_of(const memory_handler& h) {
  std::vector<std::string> texts;
  for (const stored_record& r : h.records())
    if (!tells_of_losses(r)) texts.push_back(r.message);
  return texts;
}

/// In front of a handler that is not to have them.
[[nodiscard]] inline handler_ptr without_losses(handler_ptr inner) {
  return make_filter_handler(std::move(inner), [](const record_view& r) { return r.logger != "faultline"; });
}

class manual_runtime {
 public:
  explicit manual_runtime(runtime_options options = {}) : runtime_(with_target(std::move(options))) {}

  [[nodiscard]] logger get(std::string_view name = {}) { return runtime_.get_logger(name); }
  /// Everything handed over and passed is written when it returns.
  void write_all() { (void)runtime_.flush(); }
  /// Without the lines that tell of losses, which have tests of their own.
  [[nodiscard]] std::vector<std::string> messages() {
    write_all();
    return messages_of(*target);
  }
  /// Those lines alone.
  [[nodiscard]] std::vector<std::string> losses() {
    write_all();
    std::vector<std::string> texts;
    for (const stored_record& r : target->records())
      if (tells_of_losses(r)) texts.push_back(r.message);
    return texts;
  }
  [[nodiscard]] std::vector<stored_dump> dumps() {
    write_all();
    return target->dumps();
  }
  [[nodiscard]] runtime_stats stats() const { return runtime_.stats(); }
  [[nodiscard]] runtime& get_runtime() { return runtime_; }

  const std::shared_ptr<memory_handler> target = make_memory_handler();

 private:
  runtime_options with_target(runtime_options options) {
    options.flusher = flusher_mode::manual;
    if (!options.default_target) options.default_target = target;
    return options;
  }
  runtime runtime_;
};

/// Both ledgers close: see runtime_stats.
[[nodiscard]] inline bool closes(const runtime_stats& s) {
  return s.logged == s.handed_over + s.passed_only + s.discarded + s.lost &&
         s.taken == s.written + s.suppressed + s.skipped + s.flusher_lost && s.in_flight == 0;
}

using strings = std::vector<std::string>;

} // namespace faultline::test
