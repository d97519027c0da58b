#include "handlers/text_handler.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "base/sigpipe_guard.hpp"

namespace faultline::detail {
namespace {

/// Interruptions in a row after which a write counts as failed. The flusher blocks signals, so one is rare.
constexpr int max_interruptions = 1000;

bool is_busy(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

} // namespace

text_handler::text_handler(std::string name, std::size_t spool_bytes, const system_calls& calls,
                           std::size_t records_an_entry)
    : calls_(calls), name_(std::move(name)), spool_bytes_(spool_bytes), records_an_entry_(records_an_entry),
      owner_process_(::getpid()) {}

void text_handler::write(const batch& records) {
  if (records.empty()) return;
  // A full spool of a failing target refuses before the work of formatting.
  if (spool_->unwritten().size() >= spool_bytes_ && !(may_write() && drain())) return refuse(records.size());
  try {
    format(records);
    if (!fits() && may_write()) drain();
    if (!fits()) {
      spool_->roll_back();
      return refuse(records.size());
    }
    spool_->commit();
  } catch (...) { // the formatter's, or memory is short: the flusher counts the batch as lost
    spool_->roll_back();
    throw;
  }
  if (spool_->unwritten().size() > write_bytes && may_write()) drain();
}

void text_handler::format(const batch& records) {
  const formatter& text = current_formatter();
  if (records.envelope() != nullptr || records.size() <= records_an_entry_) {
    text.format(records, spool_->text());
    return spool_->end_entry(records.size());
  }
  for (auto rest = records.records(); !rest.empty();) {
    const auto part = rest.first(std::min(records_an_entry_, rest.size()));
    text.format(batch(part), spool_->text());
    spool_->end_entry(part.size());
    rest = rest.subspan(part.size());
  }
}

void text_handler::flush() {
  if (!spool_->empty() && may_write()) drain();
  if (const int error = std::exchange(unreported_error_, 0); error != 0)
    throw std::system_error(error, std::generic_category(), name_ + ": cannot write");
}

void text_handler::last_flush(std::chrono::steady_clock::time_point until) {
  using clock = std::chrono::steady_clock;
  const auto end = std::min(until, clock::now() + longest_finish);
  auto patience = clock::now() + finish_limit;
  retry_now(); // one attempt more, whatever the pause
  while (!spool_->empty()) {
    const std::size_t before = spool_->unwritten().size();
    if (may_write()) drain();
    if (spool_->unwritten().size() < before) patience = clock::now() + finish_limit;
    if (spool_->empty() || clock::now() >= std::min(patience, end)) break;
    if (spool_->unwritten().size() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (const std::uint64_t records = spool_->clear(); records != 0) {
    report_dropped(records);
    unreported_error_ = 0;
    throw std::system_error(error_, std::generic_category(),
                            name_ + ": " + std::to_string(records) + " records are lost at the end");
  }
  flush();
}

void text_handler::after_fork() {
  // The parent's flusher may have been in the middle of an append: the copy is not touched again, not even to
  // free it.
  static auto* const abandoned = new std::vector<spool*>; // reachable, and never looked at
  abandoned->push_back(spool_.release());
  spool_ = std::make_unique<spool>();
  error_ = unreported_error_ = 0;
  reported_ = refusal_reported_ = false;
  owner_process_ = ::getpid();
}

void text_handler::finish() noexcept {
  // A child that exits without having logged destroys copies of the parent's handlers: what they hold is the
  // parent's to write.
  if (::getpid() != owner_process_) return;
  const sigpipe_guard guard;
  try {
    if (!spool_->empty()) drain();
  } catch (...) { // only a derived prepare_write throws; what is left is counted below
  }
  report_dropped(spool_->clear());
}

/// Whether what is being added may stay beside what waits already.
bool text_handler::fits() const noexcept {
  return spool_->empty() || spool_->unwritten().size() + spool_->uncommitted_bytes() <= spool_bytes_;
}

/// Writes until the spool is empty or the descriptor refuses; true when it is empty.
bool text_handler::drain() {
  int interruptions = 0;
  while (!spool_->empty()) {
    const std::size_t most = prepare_write();
    const std::string_view text = spool_->unwritten().substr(0, most);
    if (text.empty() && spool_->empty()) break; // prepare_write dropped the entry that it was about
    if (text.empty()) {                         // it has no file for it at the moment, and says so itself
      begin_failure(EAGAIN);
      return false;
    }
    const ::ssize_t count = calls_.write(descriptor_, text.data(), text.size());
    if (count > 0) {
      spool_->consume(static_cast<std::size_t>(count));
      interruptions = 0;
      continue;
    }
    const int error = count < 0 ? errno : EIO; // nothing written and no error: not to be tried for ever
    if (error == EINTR && ++interruptions < max_interruptions) continue;
    begin_failure(error);
    return false;
  }
  error_ = 0;
  reported_ = refusal_reported_ = false;
  return true;
}

void text_handler::begin_failure(int error) {
  error_ = error;
  retry_at_ = calls_.monotonic_now() + (is_busy(error) ? busy_interval : retry_interval);
  if (reported_ || is_busy(error)) return;
  unreported_error_ = error;
  reported_ = true;
}

void text_handler::refuse(std::size_t records) noexcept {
  report_lost(records);
  if (reported_ || std::exchange(refusal_reported_, true)) return; // for a failing target, that says it
  unreported_error_ = error_;
}

} // namespace faultline::detail
