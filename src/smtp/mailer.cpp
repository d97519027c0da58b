#include "smtp/mailer.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <unistd.h>

#include "smtp/mail_text.hpp"
#include "smtp/options.hpp"
#include "smtp/session.hpp"

namespace faultline::detail {
namespace {

/// What one round of the flusher may spend here while answers come at once.
constexpr std::chrono::milliseconds round_budget(2);

void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t n) noexcept {
  counter.fetch_add(n, std::memory_order_relaxed);
}

std::uint64_t random_number() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

} // namespace

const mail_clock& real_mail_clock() noexcept {
  static constexpr mail_clock clock = {
      .monotonic_now =
          [] { return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()); },
      .wall_now = [] { return std::chrono::system_clock::now(); },
  };
  return clock;
}

mailer::mailer(smtp_options options, transport_maker make_transport, const mail_clock& clock)
    : options_(std::move(options)), subject_(make_text_formatter(options_.subject, {.envelope = false})),
      make_transport_(std::move(make_transport)), clock_(clock),
      domain_(options_.sender.substr(options_.sender.rfind('@') + 1)), owner_process_(::getpid()),
      work_(std::make_unique<work>(options_.mails_per_hour)) {
  work_->transport = make_transport_();
}

mailer::~mailer() {
  if (::getpid() != owner_process_) { // a child that exits without having logged
    abandon_work();
    return;
  }
  try {
    mailer::last_flush(std::chrono::steady_clock::time_point::max());
  } catch (...) { // no memory: what is left is counted below
  }
  while (!work_->queue.empty()) drop_front(unfinished_);
}

void mailer::write(const batch& records) {
  if (records.empty()) return;
  work_->in_hand = 0;
  if (records.envelope() != nullptr) return add_dump(records);
  // Records of the pass path are divided to the number.
  for (std::size_t at = 0; at < records.size();) {
    const std::size_t count =
        std::min<std::size_t>(options_.records_per_mail - work_->group.records(), records.size() - at);
    add(batch(records.records().subspan(at, count)));
    if (work_->group.records() >= options_.records_per_mail) close_group();
    at += count;
  }
}

/// A dump is never divided.
void mailer::add_dump(const batch& records) {
  if (options_.one_mail_per_dump) close_group();
  add(records);
  if (options_.one_mail_per_dump || work_->group.records() >= options_.records_per_mail) close_group();
}

/// Takes the batch, or counts it as lost. It does not throw: parts of what the flusher gave may be on their
/// way.
void mailer::add(const batch& records) {
  add_to(taken_, records.size());
  work& w = *work_;
  const std::size_t waiting = w.queued_bytes + w.group.text().size();
  const bool has_room = waiting < options_.spool_bytes;
  try {
    if (has_room) w.group.add(records, current_formatter(), *subject_, now());
  } catch (const std::exception& e) {
    lose(records.size(), given_up_, records.size());
    return report(std::string("records that cannot be formatted: ") + e.what());
  } catch (...) { // a formatter may throw anything
    lose(records.size(), given_up_, records.size());
    return report("records that cannot be formatted");
  }
  w.in_hand += records.size();
  // An empty spool takes a dump of any size.
  if (has_room && (waiting == 0 || w.queued_bytes + w.group.text().size() <= options_.spool_bytes)) return;
  if (has_room) w.group.undo();
  w.in_hand -= records.size();
  lose(records.size(), spool_full_, records.size());
  if (!std::exchange(w.holding, true)) report("spool_bytes is reached: records are lost");
}

/// Makes a mail of the group, or counts it as lost.
void mailer::close_group() noexcept {
  work& w = *work_;
  if (w.group.empty()) return;
  try {
    if (w.queue.size() >= options_.spool_mails) {
      lose(w.group.records(), spool_full_, w.in_hand);
      if (!std::exchange(w.holding, true)) report("spool_mails is reached: records are lost");
    } else if (!w.rate.allow(now())) {
      lose(w.group.records(), held_back_, w.in_hand);
      if (!std::exchange(w.holding, true)) report("mails_per_hour is reached: records are lost");
    } else {
      queue_group();
      w.holding = false;
    }
  } catch (...) { // no memory for the mail
    lose(w.group.records(), given_up_, w.in_hand);
  }
  w.group.clear();
  w.in_hand = 0;
}

void mailer::queue_group() {
  work& w = *work_;
  const auto wall = clock_.wall_now();
  const std::string id = fmt::format("{:x}.{:x}.{:x}@{}", wall.time_since_epoch().count(), random_number(),
                                     ++mails_made_, domain_);
  const std::string body = body_of_group();
  mail m{.text = make_mail({.date = wall,
                            .sender = options_.sender,
                            .recipients = options_.recipients,
                            .subject = w.group.subject(),
                            .id = id,
                            .body = body}),
         .records = w.group.records(),
         .made = now(),
         .told = w.untold};
  const std::size_t bytes = m.text.size();
  w.queue.push_back(std::move(m));
  w.queued_bytes += bytes;
  w.untold = {};
}

/// The text, after a line about what is missing before it.
std::string mailer::body_of_group() const {
  const auto [held_back, other] = work_->untold;
  std::string result;
  if (held_back + other > 0)
    result = fmt::format(
        "--- {} records before this mail were not sent: {} by the limit of {} mails an hour, {} for "
        "other reasons\n",
        held_back + other, held_back, options_.mails_per_hour, other);
  return result + work_->group.text();
}

void mailer::flush() {
  work_->in_hand = 0;
  if (!work_->group.empty() && options_.digest.count() > 0 && now() - work_->group.begin() >= options_.digest)
    close_group();
  pump();
  throw_unreported();
}

void mailer::flush_all() {
  work_->in_hand = 0;
  // While mails wait for a dead server, the rounds that somebody waits for must not make many small ones.
  if (work_->queue.empty()) close_group();
  pump();
  throw_unreported();
}

/// Sends as long as the server takes mails, within the budget of one round.
void mailer::pump() {
  work& w = *work_;
  const auto until = mail_transport::clock::now() + round_budget;
  while (true) {
    if (!w.sending && !w.queue.empty() && now() >= w.retry_at) {
      w.transport->begin(w.queue.front().text);
      w.sending = true;
    } else if (!w.sending) {
      if (!w.transport->open()) return;
      w.transport->quit();
    }
    const attempt result = w.transport->drive(until);
    if (result == attempt::none || result == attempt::busy) return;
    take_result(result);
    if (result != attempt::sent || mail_transport::clock::now() >= until) return;
  }
}

void mailer::take_result(attempt result) {
  work& w = *work_;
  w.sending = false;
  if (result == attempt::sent) {
    add_to(sent_, w.queue.front().records);
    add_to(mails_, 1);
    w.queued_bytes -= w.queue.front().text.size();
    w.queue.pop_front();
    w.pause = w.retry_at = {};
    w.failing = w.barred = false;
    if (!w.transport->complaint().empty()) report(w.transport->complaint());
    return;
  }
  add_to(failures_, 1);
  if (!std::exchange(w.failing, true) || result == attempt::refused) report(w.transport->failure());
  if (result == attempt::refused) return drop_front(refused_);
  // A login that is tried again and again would be locked: at once to the longest pause.
  w.barred = result == attempt::barred;
  w.pause = w.barred ? options_.retry_longest
                     : std::clamp(2 * w.pause, options_.retry_first, options_.retry_longest);
  w.retry_at = now() + w.pause;
  drop_old();
}

/// After a failure: mails are in the order of their age.
void mailer::drop_old() {
  work& w = *work_;
  while (!w.queue.empty() && now() - w.queue.front().made >= options_.give_up_after) drop_front(given_up_);
}

void mailer::drop_front(counter& reason) noexcept {
  work& w = *work_;
  const mail& m = w.queue.front();
  lose(m.records, reason);
  w.untold[0] += m.told[0]; // to be told by another one
  w.untold[1] += m.told[1];
  w.queued_bytes -= m.text.size();
  w.queue.pop_front();
}

/// `in_hand`: how many of them the present `write` brought; a fallback handler has those to give to another.
void mailer::lose(std::uint64_t records, counter& reason, std::uint64_t in_hand) noexcept {
  add_to(reason, records);
  report_lost(in_hand);
  report_dropped(records - in_hand);
  work_->untold[&reason == &held_back_ ? 0 : 1] += records;
}

void mailer::report(std::string_view what) noexcept {
  constexpr std::size_t most_bytes = 1000;
  std::string& text = work_->unreported;
  try {
    if (text.empty())
      text = what;
    else if (text.size() + what.size() < most_bytes)
      text.append("; ").append(what);
  } catch (...) { // no memory: it is counted, not told
  }
}

void mailer::throw_unreported() {
  if (work_->unreported.empty()) return;
  throw std::runtime_error(fmt::format("mail to {}:{}: {}", options_.host, options_.port,
                                       std::exchange(work_->unreported, std::string())));
}

bool mailer::pending() const noexcept {
  const work& w = *work_;
  return !w.group.empty() || !w.queue.empty() || w.transport->open() || !w.unreported.empty();
}

void mailer::last_flush(std::chrono::steady_clock::time_point until) {
  work& w = *work_;
  w.in_hand = 0;
  close_group();
  using clock = std::chrono::steady_clock;
  const auto end = std::min<clock::time_point>(until, clock::now() + options_.finish_limit);
  const auto rest = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
  // One attempt more, whatever the pause, unless waiting does not help.
  if (!w.barred) w.retry_at = {};
  while (!w.queue.empty() && (w.sending || now() >= w.retry_at) && clock::now() < end) {
    pump();
    rest();
  }
  while (!w.queue.empty()) drop_front(unfinished_);
  while (!w.sending && w.transport->open() && clock::now() < end) {
    pump(); // says goodbye
    rest();
  }
  w.sending = false;
  w.transport->close();
  throw_unreported();
}

void mailer::after_fork() {
  auto fresh = std::make_unique<work>(options_.mails_per_hour);
  fresh->transport = make_transport_();
  abandon_work();
  work_ = std::move(fresh);
  owner_process_ = ::getpid();
  for (counter* c :
       {&taken_, &sent_, &held_back_, &spool_full_, &refused_, &given_up_, &unfinished_, &mails_, &failures_})
    c->store(0, std::memory_order_relaxed); // what the parent took is the parent's to count
}

/// The parent's flusher may have been in the middle of anything: the child's copy is not touched again, not
/// even to free it, but for its sockets, which would keep the parent's connection open.
void mailer::abandon_work() {
  static auto* const abandoned = new std::vector<work*>; // reachable, and never looked at
  work_->transport->abandon();
  abandoned->push_back(work_.get());
  (void)work_.release();
}

smtp_counts mailer::counts() const noexcept {
  const auto read = [](const counter& c) { return c.load(std::memory_order_relaxed); };
  return {.taken = read(taken_),
          .sent = read(sent_),
          .held_back = read(held_back_),
          .spool_full = read(spool_full_),
          .refused = read(refused_),
          .given_up = read(given_up_),
          .unfinished = read(unfinished_),
          .mails = read(mails_),
          .failures = read(failures_)};
}

} // namespace faultline::detail

namespace faultline {

std::shared_ptr<smtp_handler> make_smtp_handler(smtp_options options) {
  options = detail::checked_options(std::move(options));
  const auto make_session = [options] { return std::make_unique<detail::smtp_session>(options); };
  return std::make_shared<detail::mailer>(options, make_session);
}

} // namespace faultline
