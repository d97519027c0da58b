#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <faultline/handlers.hpp>

namespace faultline {
namespace {

stored_record store(const record_view& r) {
  std::vector<std::pair<std::string, std::string>> arguments;
  for (const named_argument& a : r.arguments) arguments.emplace_back(a.name, a.text);
  const bool has_scope = r.scope != nullptr;
  return {.level = r.level,
          .logger = std::string(r.logger),
          .time = r.time,
          .time_is_exact = r.time_is_exact,
          .thread_id = r.thread_id,
          .message = std::string(r.message()),
          .exception = std::string(r.exception()),
          .file = std::string(r.site != nullptr ? r.site->file : std::string_view()),
          .line = r.site != nullptr ? r.site->line : 0,
          .scope = std::string(has_scope ? r.scope->name : std::string_view()),
          .trace_id = std::string(has_scope ? r.scope->trace_id : std::string_view()),
          .dump_id = r.dump_id,
          .arguments = std::move(arguments),
          .thread_name = std::string(r.thread_name)};
}

stored_dump store(const dump_envelope& d) {
  return {.id = d.id,
          .scope = std::string(d.scope.name),
          .logger = std::string(d.logger),
          .trigger = d.trigger,
          .reason = std::string(d.reason),
          .records = d.records,
          .forgotten = d.forgotten,
          .truncated = d.truncated,
          .lost_contexts = d.lost_contexts,
          .duration = d.duration};
}

} // namespace

void memory_handler::write(const batch& records) {
  // Copies and text are made before the lock is taken, so that a formatter that throws keeps nothing.
  std::vector<stored_record> copies;
  copies.reserve(records.size());
  for (const record_view& r : records) copies.push_back(store(r));
  std::vector<stored_dump> dumps;
  if (records.envelope() != nullptr) dumps.push_back(store(*records.envelope()));
  std::string text;
  current_formatter().format(records, text);

  const std::lock_guard lock(mutex_);
  text_ += text;
  std::move(copies.begin(), copies.end(), std::back_inserter(records_));
  std::move(dumps.begin(), dumps.end(), std::back_inserter(dumps_));
  ++writes_;
}

void memory_handler::after_fork() {
  // The parent's flusher may have been in the middle of a write: what it left is neither read nor freed.
  new (&mutex_) std::mutex;
  new (&records_) std::vector<stored_record>;
  new (&dumps_) std::vector<stored_dump>;
  new (&text_) std::string;
  writes_ = 0;
}

std::vector<stored_record> memory_handler::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

std::vector<stored_dump> memory_handler::dumps() const {
  const std::lock_guard lock(mutex_);
  return dumps_;
}

std::vector<std::string> memory_handler::messages() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> result;
  result.reserve(records_.size());
  for (const stored_record& r : records_) result.push_back(r.message);
  return result;
}

std::string memory_handler::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::size_t memory_handler::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

void memory_handler::clear() {
  const std::lock_guard lock(mutex_);
  records_.clear();
  dumps_.clear();
  text_.clear();
  writes_ = 0;
}

std::shared_ptr<memory_handler> make_memory_handler() { return std::make_shared<memory_handler>(); }

} // namespace faultline
