#include "recorder.hpp"

#include <charconv>

namespace faultline::stress {
namespace {

/// "w3 n57 ..." is number 57 of worker 3.
struct tag {
  std::size_t worker = 0;
  std::uint64_t number = delivery::no_number;
};

bool take(std::string_view& text, std::string_view prefix, std::uint64_t& value) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data() + prefix.size(), end, value);
  if (result.ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(result.ptr - text.data()));
  return true;
}

bool parse(std::string_view message, tag& out) {
  std::uint64_t worker = 0;
  if (!take(message, "w", worker) || !take(message, " n", out.number)) return false;
  out.worker = worker;
  return true;
}

bool is_failure(const record_view& r) { return r.message() == "call failed"; }
bool is_storm(const record_view& r) { return r.logger == "faultline"; }

} // namespace

void recorder::receive(std::size_t handler, const batch& records) {
  if (records.empty()) {
    ++malformed_;
    return;
  }
  if (records.envelope() != nullptr)
    receive_dump(handler, records);
  else
    receive_passed(handler, records);
}

void recorder::receive_dump(std::size_t handler, const batch& records) {
  ++dumps_;
  const dump_envelope& facts = *records.envelope();
  const record_view& last = records.records().back();
  const bool by_record = facts.trigger == trigger::level || facts.trigger == trigger::exception;
  const auto key = by_record ? std::pair(facts.thread_id, last.time) : decltype(group_key_){};
  if (!by_record || key != group_key_) {
    finished_ += group_.size();
    group_.clear();
    group_key_ = key;
  }
  delivery d;
  d.handler = handler;
  d.dump = true;
  tag t;
  for (const record_view& r : records) {
    if (r.dump_id != facts.id || r.thread_id != facts.thread_id) ++malformed_;
    group_.emplace(r.message(), r.time);
    if (is_failure(r)) continue;
    if (!parse(r.message(), t) || (!d.numbers.empty() && t.worker != d.thread)) ++malformed_;
    d.thread = t.worker;
    d.life = t.number / per_life_;
    d.numbers.push_back(t.number);
  }
  if (!by_record) {
    finished_ += group_.size();
    group_.clear();
    group_key_ = {};
  }
  if (d.numbers.empty()) return;
  std::string_view reason = facts.reason;
  std::uint64_t at = 0;
  if (facts.trigger == trigger::level && !is_failure(last))
    d.tripped_at = d.numbers.back();
  else if (facts.trigger == trigger::call && take(reason, "at ", at))
    d.tripped_at = at;
  checker_.receive(d);
}

void recorder::receive_passed(std::size_t handler, const batch& records) {
  tag t;
  for (const record_view& r : records) {
    if (is_storm(r)) continue;
    if (r.dump_id != 0) ++malformed_;
    if (is_failure(r)) {
      passed_without_number_ += failures_passed_.emplace(r.thread_id, r.time).second ? 1 : 0;
      continue;
    }
    if (!parse(r.message(), t)) {
      ++malformed_;
      continue;
    }
    passed_.emplace(t.worker, t.number);
    delivery d;
    d.handler = handler;
    d.thread = t.worker;
    d.life = t.number / per_life_;
    d.numbers.push_back(t.number);
    checker_.receive(d);
  }
}

} // namespace faultline::stress
