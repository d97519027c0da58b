#include "handlers/fallback_handler.hpp"

#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/deadline.hpp"

namespace faultline {
namespace detail {

fallback_handler::fallback_handler(handler_ptr first, handler_ptr second, fallback_options options,
                                   const system_calls& calls)
    : first_(required(std::move(first), "first")), second_(required(std::move(second), "second")),
      retry_interval_(options.retry_interval), calls_(calls) {
  if (first_ == second_) throw configuration_error("second", "first", "a handler cannot stand in for itself");
  if (options.retry_interval.count() < 0 || options.retry_interval > longest_retry_interval)
    throw configuration_error("retry_interval", std::to_string(options.retry_interval.count()) + " ms",
                              "zero to one day");
}

void fallback_handler::write(const batch& records) {
  if (may_use_first() && try_first(records)) return;
  forward(*second_, records);
}

bool fallback_handler::may_use_first() const {
  return state_ == state::healthy || (state_ == state::resting && calls_.monotonic_now() >= retry_at_);
}

/// What the first one loses of this batch is not lost while there is a second one; what it drops of earlier
/// ones is.
bool fallback_handler::try_first(const batch& records) {
  const std::uint64_t lost_before = first_->lost();
  const std::uint64_t dropped_before = first_->dropped();
  std::string failure;
  try {
    handler_access::write(*first_, records);
  } catch (const std::exception& e) {
    failure = e.what();
    if (failure.empty()) failure = "the first handler threw";
  } catch (...) {
    failure = "the first handler threw something that is no std::exception";
  }
  const std::uint64_t dropped = first_->dropped() - dropped_before;
  const std::uint64_t lost = first_->lost() - lost_before - dropped;
  report_dropped(dropped);
  if (lost > records.size()) report_dropped(lost - records.size()); // of earlier batches
  const bool is_taken = failure.empty() && lost == 0;
  if (is_taken && dropped == 0)
    state_ = state::healthy;
  else
    begin_failure(failure.empty() ? "the first handler loses records" : failure.c_str());
  return is_taken;
}

void fallback_handler::begin_failure(const char* what) {
  const bool is_new = state_ == state::healthy;
  state_ = first_->pending() ? state::draining : state::resting;
  retry_at_ = calls_.monotonic_now() + retry_interval_;
  if (is_new) report_ = std::make_unique<std::string>(std::string("the second handler takes over: ") + what);
}

void fallback_handler::flush_first(void (handler::*how)()) {
  const std::uint64_t before = lost();
  try {
    forward(*first_, [&] { (*first_.*how)(); });
  } catch (const std::exception& e) {
    return begin_failure(e.what());
  } catch (...) {
    return begin_failure("the first handler threw something that is no std::exception");
  }
  if (lost() != before) return begin_failure("the first handler loses records");
  if (state_ == state::draining && !first_->pending()) state_ = state::healthy;
}

void fallback_handler::flush_both(void (handler::*how)()) {
  flush_first(how);
  forward(*second_, [&] { (*second_.*how)(); }); // its error, too, is the flusher's to report
  if (report_) throw std::runtime_error(*std::exchange(report_, nullptr));
}

void fallback_handler::last_flush(std::chrono::steady_clock::time_point until) {
  std::exception_ptr failure;
  try {
    if (first_->pending()) forward(*first_, [&] { first_->last_flush(end_of_share(until, 2)); });
  } catch (...) {
    failure = std::current_exception();
  }
  if (second_->pending()) forward(*second_, [&] { second_->last_flush(until); });
  if (failure) std::rethrow_exception(failure);
}

bool fallback_handler::pending() const noexcept {
  return first_->pending() || second_->pending() || report_ != nullptr;
}

void fallback_handler::reopen() {
  std::exception_ptr failure;
  try {
    forward(*first_, [this] { first_->reopen(); });
    retry_at_ = {}; // it may be well again
  } catch (...) {
    failure = std::current_exception();
  }
  forward(*second_, [this] { second_->reopen(); });
  if (failure) std::rethrow_exception(failure);
}

void fallback_handler::after_fork() {
  // The parent reports, and its flusher may have been in the middle of that: the text is not touched.
  static auto* const abandoned = new std::vector<std::string*>; // reachable, and never looked at
  abandoned->push_back(report_.release());
  state_ = state::healthy;
  handler_access::after_fork(*first_);
  handler_access::after_fork(*second_);
}

} // namespace detail

handler_ptr make_fallback_handler(handler_ptr first, handler_ptr second, fallback_options options) {
  return std::make_shared<detail::fallback_handler>(std::move(first), std::move(second), options,
                                                    detail::real_system_calls());
}

} // namespace faultline
