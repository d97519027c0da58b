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

[[noreturn]] void fail(int error, const std::string& words) {
  throw std::system_error(error, std::generic_category(), words);
}

} // namespace

failure_report failure_report::of(const std::exception& e) {
  failure_report result{0, e.what()};
  if (const auto* const known = dynamic_cast<const std::system_error*>(&e)) {
    result.error = known->code().value();
    const std::string own = ": " + known->code().message();
    if (result.words.ends_with(own)) result.words.resize(result.words.size() - own.size());
  }
  return result;
}

text_handler::text_handler(std::string name, std::size_t spool_bytes, const system_calls& calls,
                           std::size_t records_an_entry)
    : calls_(calls), name_(std::move(name)), spool_bytes_(spool_bytes), records_an_entry_(records_an_entry),
      owner_process_(::getpid()) {}

void text_handler::write(const batch& records) {
  if (records.empty()) return;
  if (is_absent_ && !(may_write() && is_back())) return refuse(records.size());
  // A full spool of a failing target refuses before the work of formatting.
  if (kept_->text.unwritten().size() >= spool_bytes_ && !(may_write() && drain()))
    return refuse(records.size());
  try {
    format(records);
    if (!fits() && may_write()) drain();
    if (!fits()) {
      kept_->text.roll_back();
      return refuse(records.size());
    }
    kept_->text.commit();
  } catch (...) { // the formatter's, or memory is short: the flusher counts the batch as lost
    kept_->text.roll_back();
    throw;
  }
  if (kept_->text.unwritten().size() > write_bytes && may_write()) drain();
}

void text_handler::format(const batch& records) {
  const formatter& text = current_formatter();
  if (records.envelope() != nullptr || records.size() <= records_an_entry_) {
    text.format(records, kept_->text.text());
    return kept_->text.end_entry(records.size());
  }
  for (auto rest = records.records(); !rest.empty();) {
    const auto part = rest.first(std::min(records_an_entry_, rest.size()));
    text.format(batch(part), kept_->text.text());
    kept_->text.end_entry(part.size());
    rest = rest.subspan(part.size());
  }
}

void text_handler::flush() {
  if (!kept_->text.empty() && may_write()) drain();
  if (const failure_report notice = std::exchange(kept_->notice, {}); notice.error != 0)
    fail(notice.error, notice.words);
  if (const failure_report failure = std::exchange(kept_->unreported, {}); failure.error != 0)
    fail(failure.error, failure.words.empty() ? name_ + ": cannot write" : failure.words);
}

void text_handler::last_flush(std::chrono::steady_clock::time_point until) {
  using clock = std::chrono::steady_clock;
  const auto end = std::min(until, clock::now() + longest_finish);
  auto patience = clock::now() + finish_limit;
  retry_now(); // one attempt more, whatever the pause
  while (!kept_->text.empty()) {
    const std::size_t before = kept_->text.unwritten().size();
    if (may_write()) drain();
    if (kept_->text.unwritten().size() < before) patience = clock::now() + finish_limit;
    if (kept_->text.empty() || clock::now() >= std::min(patience, end)) break;
    if (kept_->text.unwritten().size() == before) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (const std::uint64_t records = kept_->text.clear(); records != 0) {
    report_dropped(records);
    kept_->unreported = {};
    std::string words = name_ + ": " + std::to_string(records) + " records are lost at the end";
    const failure_report& cause = kept_->cause;
    if (!cause.words.empty()) words += ": " + cause.words;
    fail(cause.error != 0 ? cause.error : error_, words);
  }
  flush();
}

void text_handler::after_fork() {
  // The parent's flusher may have been in the middle of an append: the copy is not touched again, not even to
  // free it.
  static auto* const abandoned = new std::vector<changing_state*>; // reachable, and never looked at
  abandoned->push_back(kept_.release());
  kept_ = std::make_unique<changing_state>();
  error_ = 0;
  is_absent_ = reported_ = refusal_reported_ = false;
  owner_process_ = ::getpid();
}

void text_handler::finish() noexcept {
  // A child that exits without having logged destroys copies of the parent's handlers: what they hold is the
  // parent's to write.
  if (::getpid() != owner_process_) return;
  const write_signals_guard guard;
  try {
    if (!kept_->text.empty()) drain();
  } catch (...) { // only a derived prepare_write throws; what is left is counted below
  }
  report_dropped(kept_->text.clear());
}

/// Whether what is being added may stay beside what waits already.
bool text_handler::fits() const noexcept {
  return kept_->text.empty() ||
         kept_->text.unwritten().size() + kept_->text.uncommitted_bytes() <= spool_bytes_;
}

bool text_handler::find_target(struct ::stat& facts) {
  if (descriptor_.number >= 0 && calls_.fstat(descriptor_.number, &facts) == 0) {
    if (descriptor_.identity == descriptor_identity(facts)) return true;
  } else if (descriptor_.number >= 0 && errno != EBADF) { // perhaps it is what it was
    begin_failure(errno);
    return false;
  } else {
    facts = {};
  }
  return regain_target(facts);
}

/// Of a target that was lost.
bool text_handler::is_back() {
  struct ::stat facts {};
  if (!find_target(facts)) return false;
  end_absence();
  return true;
}

void text_handler::lose_text() {
  report_dropped(kept_->text.clear());
  is_absent_ = true;
  begin_failure(EBADF, {EBADF, name_ + ": it was closed, or is open on something else"});
}

/// Writes until the spool is empty or the descriptor refuses; true when it is empty.
bool text_handler::drain() {
  int interruptions = 0;
  while (!kept_->text.empty()) {
    struct ::stat facts {};
    if (!find_target(facts)) return false;
    const std::size_t most = prepare_write(facts);
    const std::string_view text = kept_->text.unwritten().substr(0, most);
    if (text.empty() && kept_->text.empty()) break; // the entry that it was about was dropped
    if (text.empty()) return false;                 // there is no file for it at the moment
    const ::ssize_t count = calls_.write(descriptor_.number, text.data(), text.size());
    if (count > 0) {
      kept_->text.consume(static_cast<std::size_t>(count));
      interruptions = 0;
      continue;
    }
    const int error = count < 0 ? errno : EIO; // nothing written and no error: not to be tried for ever
    if (error == EINTR && ++interruptions < max_interruptions) continue;
    begin_failure(error);
    return false;
  }
  error_ = 0;
  is_absent_ = reported_ = refusal_reported_ = false;
  kept_->cause = {};
  return true;
}

void text_handler::begin_failure(int error, failure_report cause) {
  error_ = error;
  retry_at_ = calls_.monotonic_now() + (is_busy(error) ? busy_interval : retry_interval);
  kept_->cause = std::move(cause);
  if (reported_ || is_busy(error)) return;
  kept_->unreported = {error, kept_->cause.words};
  reported_ = true;
}

void text_handler::refuse(std::size_t records) noexcept {
  report_lost(records);
  if (reported_ || std::exchange(refusal_reported_, true)) return; // for a failing target, that says it
  kept_->unreported = {error_, {}};
}

} // namespace faultline::detail
