#include "handlers/background_handler.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include <faultline/configuration_error.hpp>

#include "handlers/claim.hpp"

namespace faultline {
namespace detail {
namespace {

const background_options& checked(const background_options& o) {
  if (o.spool_bytes < background_handler::least_spool_bytes ||
      o.spool_bytes > background_handler::most_spool_bytes)
    throw configuration_error("spool_bytes", std::to_string(o.spool_bytes), "4 KiB to 1 GiB");
  if (o.finish_limit.count() < 0 || o.finish_limit > background_handler::longest_finish_limit)
    throw configuration_error("finish_limit", std::to_string(o.finish_limit.count()) + " ms",
                              "zero to one minute");
  return o;
}

} // namespace

background_handler::background_handler(handler_ptr inner, const background_options& options)
    : inner_(required(std::move(inner), "inner")), options_(checked(options)), background_(make_background()),
      owner_process_(::getpid()) {
  claim(*inner_, this);
}

background_handler::~background_handler() {
  if (::getpid() != owner_process_) { // a child that exits without having logged
    abandon_copy();
    return;
  }
  if (background_->thread.joinable()) {
    const auto until = background_worker::clock::now() + options_.finish_limit;
    if (!background_->worker->finish(until, true)) {
      background_->thread.detach();
      leave_to_its_thread(*inner_, this);
      return;
    }
    background_->thread.join();
  }
  give_back(*inner_, this);
}

std::unique_ptr<background_handler::background> background_handler::make_background() const {
  auto made = std::make_unique<background>();
  made->worker = std::make_shared<background_worker>(inner_, options_.spool_bytes);
  return made;
}

void background_handler::start_thread() {
  if (background_->thread.joinable()) return;
  ::sigset_t all;
  ::sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before); // signals are for the program's threads
  try {
    background_->thread = std::thread([worker = background_->worker] { worker->run(); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  (void)::pthread_setname_np(background_->thread.native_handle(), "faultline-back");
}

void background_handler::write(const batch& records) {
  if (records.empty()) return;
  start_thread();
  // A full spool refuses before the work of copying.
  if (background_->worker->is_full() || !background_->worker->add(std::make_unique<batch_copy>(records)))
    refuse(records.size());
}

void background_handler::refuse(std::size_t records) noexcept {
  report_lost(records);
  if (!std::exchange(is_refusing_, true)) refusal_unreported_ = true;
}

void background_handler::pass_on(bool all) {
  background_worker& worker = *background_->worker;
  worker.flush(all);
  report_dropped(worker.take_lost());
  if (worker.is_idle()) is_refusing_ = false;
  throw_unreported();
}

void background_handler::throw_unreported() {
  std::string text = background_->worker->take_error();
  if (std::exchange(refusal_unreported_, false)) {
    if (!text.empty()) text += "; ";
    text += "spool_bytes is reached: batches are refused";
  }
  if (!text.empty()) throw std::runtime_error("background: " + text);
}

void background_handler::last_flush(std::chrono::steady_clock::time_point until) {
  background_worker& worker = *background_->worker;
  const bool has_finished = worker.finish(std::min<background_worker::clock::time_point>(
                                              until, background_worker::clock::now() + options_.finish_limit),
                                          false);
  const std::uint64_t lost = worker.take_lost();
  report_dropped(lost);
  if (!has_finished)
    throw std::runtime_error("background: the inner handler has not finished in time: " +
                             std::to_string(lost) + " records are lost");
  throw_unreported();
}

bool background_handler::pending() const noexcept {
  // In this order: an idle thread has no news to come.
  return refusal_unreported_ || !background_->worker->is_idle() || background_->worker->has_news();
}

void background_handler::reopen() {
  start_thread();
  background_->worker->reopen();
}

void background_handler::abandon_copy() {
  static auto* const abandoned = new std::vector<background*>; // reachable, and never looked at
  abandoned->push_back(background_.release());
}

void background_handler::after_fork() {
  abandon_copy();
  background_ = make_background();
  owner_process_ = ::getpid();
  is_refusing_ = refusal_unreported_ = false;
  handler_access::after_fork(*inner_); // there is no thread yet that could call it as well
}

} // namespace detail

handler_ptr make_background_handler(handler_ptr inner, background_options options) {
  return std::make_shared<detail::background_handler>(std::move(inner), options);
}

} // namespace faultline
