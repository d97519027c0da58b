#include "spdlog/spdlog_handler.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/details/log_msg.h>

#include <faultline/configuration_error.hpp>

namespace faultline {
namespace detail {
namespace {

spdlog::level::level_enum level_of(level l) noexcept {
  switch (l) {
  case level::trace: return spdlog::level::trace;
  case level::debug: return spdlog::level::debug;
  case level::info: return spdlog::level::info;
  case level::warning: return spdlog::level::warn;
  case level::error: return spdlog::level::err;
  default: return spdlog::level::critical;
  }
}

} // namespace

spdlog_handler::spdlog_handler(std::shared_ptr<spdlog::sinks::sink> sink,
                               const spdlog_handler_options& options)
    : sink_(std::move(sink)), envelope_(options.envelope) {
  if (!sink_) throw configuration_error("sink", "null", "a spdlog sink is needed");
  set_formatter(make_text_formatter("{message}", {.envelope = false}));
}

spdlog_handler::~spdlog_handler() {
  // At work and destroyed: a copy in a child that exits without having logged.
  if (at_work_.load()) spdlog_handler::after_fork();
}

const char* spdlog_handler::name(std::string_view text) {
  auto found = texts_->names.find(text);
  if (found == texts_->names.end()) found = texts_->names.emplace(text).first;
  return found->c_str();
}

void spdlog_handler::write_envelope(const batch& records) {
  const dump_envelope& dump = *records.envelope();
  const auto gravest =
      std::max_element(records.begin(), records.end(),
                       [](const record_view& a, const record_view& b) { return a.level < b.level; });
  // As a record's text, so that a scope's name is escaped as a message would be.
  std::string facts = fmt::format("dump {}", dump.id);
  if (!dump.scope.name.empty()) facts += fmt::format(" of {}", dump.scope.name);
  facts += fmt::format(": {} records, {} forgotten, trigger {}", dump.records, dump.forgotten,
                       to_string(dump.trigger));
  if (!dump.reason.empty()) facts += fmt::format(" ({})", dump.reason);
  static constexpr site_facts nowhere{};
  record_view r;
  r.level = gravest->level;
  r.logger = dump.logger;
  r.time = dump.start;
  r.thread_id = dump.thread_id;
  r.site = &nowhere;
  r.dump_id = dump.id;
  r.text = facts;
  write_one(r);
}

void spdlog_handler::write_one(const record_view& r) {
  const spdlog::level::level_enum l = level_of(r.level);
  if (!sink_->should_log(l)) return;
  std::string& text = texts_->text;
  text.clear();
  current_formatter().format(batch({&r, 1}), text);
  if (text.ends_with('\n')) text.pop_back();
  spdlog::source_loc place;
  if (r.site->line != 0) place = {name(r.site->file), static_cast<int>(r.site->line), name(r.site->function)};
  spdlog::details::log_msg message(r.time, place, {r.logger.data(), r.logger.size()}, l,
                                   {text.data(), text.size()});
  message.thread_id = r.thread_id;
  sink_->log(message);
}

void spdlog_handler::write(const batch& records) {
  if (records.empty()) return;
  if (abandoned_) return report_lost(records.size());
  at_work_.store(true);
  const auto guarded = [this](auto&& call) {
    try {
      call();
      return true;
    } catch (...) { // the other records are not the worse for it
      if (!first_error_) first_error_ = std::current_exception();
      return false;
    }
  };
  if (envelope_ && records.envelope() != nullptr) (void)guarded([&] { write_envelope(records); });
  for (const record_view& r : records)
    if (!guarded([&] { write_one(r); })) report_lost(1);
  at_work_.store(false);
}

void spdlog_handler::flush() {
  if (abandoned_) return;
  at_work_.store(true);
  try {
    sink_->flush();
  } catch (...) {
    if (!first_error_) first_error_ = std::current_exception();
  }
  at_work_.store(false);
  if (first_error_) std::rethrow_exception(std::exchange(first_error_, nullptr));
}

void spdlog_handler::after_fork() {
  if (!at_work_.exchange(false)) return;
  abandoned_ = true;
  // Not touched again, not even to free them: a sink's destructor would take its lock.
  struct copies {
    texts* names_and_text;
    std::shared_ptr<spdlog::sinks::sink> sink;
  };
  static auto* const abandoned = new std::vector<copies>; // reachable, and never looked at
  abandoned->push_back({texts_.release(), sink_});
  texts_ = std::make_unique<texts>();
}

} // namespace detail

handler_ptr make_spdlog_sink_handler(std::shared_ptr<spdlog::sinks::sink> sink,
                                     spdlog_handler_options options) {
  return std::make_shared<detail::spdlog_handler>(std::move(sink), options);
}

} // namespace faultline
