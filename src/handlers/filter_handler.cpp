#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <faultline/handlers.hpp>

#include "handlers/wrapping_handler.hpp"

namespace faultline {
namespace detail {
namespace {

/// Keeps nothing between two calls, so a fork finds nothing half made.
class filter_handler final : public wrapping_handler {
 public:
  filter_handler(handler_ptr inner, record_predicate accepts, filter_options options)
      : inner_(required(std::move(inner), "inner")), accepts_(std::move(accepts)), options_(options) {
    if (!accepts_) throw configuration_error("predicate", "empty", "there is nothing to ask");
  }

  void set_formatter(formatter_ptr replacement) override { inner_->set_formatter(std::move(replacement)); }
  void write(const batch& records) override;
  void flush() override {
    forward(*inner_, [this] { inner_->flush(); });
  }
  void flush_all() override {
    forward(*inner_, [this] { inner_->flush_all(); });
  }
  void last_flush(std::chrono::steady_clock::time_point until) override {
    forward(*inner_, [&] { inner_->last_flush(until); });
  }
  [[nodiscard]] bool pending() const noexcept override { return inner_->pending(); }
  void reopen() override {
    forward(*inner_, [this] { inner_->reopen(); });
  }
  void after_fork() override { handler_access::after_fork(*inner_); }
  [[nodiscard]] std::array<handler*, 2> same_thread() const noexcept override { return {inner_.get()}; }

 private:
  void write_accepted(const batch& records);
  void pass(const batch& records) { forward(*inner_, records); }

  const handler_ptr inner_;
  const record_predicate accepts_;
  const filter_options options_;
};

void filter_handler::write(const batch& records) {
  if (records.envelope() == nullptr || options_.dumps == dump_filter::each_record)
    return write_accepted(records);
  if (options_.dumps == dump_filter::pass_all ||
      std::any_of(records.begin(), records.end(), [this](const record_view& r) { return accepts_(r); }))
    pass(records);
}

/// The predicate is asked once for each record: it may count or draw lots.
void filter_handler::write_accepted(const batch& records) {
  const auto asked = [this](const record_view& r) { return accepts_(r); };
  const auto refused = std::find_if_not(records.begin(), records.end(), asked);
  if (refused == records.end()) return pass(records); // the usual case, without a copy
  std::vector<record_view> accepted(records.begin(), refused);
  std::copy_if(std::next(refused), records.end(), std::back_inserter(accepted), asked);
  if (accepted.empty()) return;
  if (records.envelope() == nullptr) return pass(batch(accepted));
  dump_envelope envelope = *records.envelope();
  envelope.records = accepted.size();
  pass(batch(accepted, &envelope));
}

} // namespace
} // namespace detail

handler_ptr make_filter_handler(handler_ptr inner, record_predicate predicate, filter_options options) {
  return std::make_shared<detail::filter_handler>(std::move(inner), std::move(predicate), options);
}

} // namespace faultline
