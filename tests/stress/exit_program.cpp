// Ends in the way that its first argument names, after failures whose records must be in the file that the
// second names. Started by exit_test.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <pthread.h>
#include <unistd.h>

#include <faultline/faultline.hpp>

namespace {

using faultline::error_scope;

void fail(std::string_view what, int number) {
  const faultline::logger lg = faultline::get_logger("exit");
  const error_scope scope(lg);
  FAULTLINE_DEBUG(lg, "held {} {}", what, number);
  FAULTLINE_ERROR(lg, "failed {} {}", what, number);
}

/// Made before the default runtime, so destroyed after the runtime's stop.
struct outlives_the_runtime {
  bool armed = false;
  ~outlives_the_runtime() {
    if (!armed) return;
    fail("after stop", 0);
    const faultline::runtime_stats s = faultline::stats();
    if (s.after_stop == 1 && s.logged == s.handed_over + s.passed_only + s.discarded + s.lost) return;
    std::fprintf(stderr, "after stop: %llu counted\n", static_cast<unsigned long long>(s.after_stop));
    ::_exit(3);
  }
};
outlives_the_runtime first_made;

struct logs_when_it_ends {
  std::string_view what;
  bool armed = false;
  ~logs_when_it_ends() {
    if (armed) fail(what, 0);
  }
};
thread_local logs_when_it_ends ends_with_thread{"thread_local"};

void fail_in_threads() {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int n = 0; n < 2; ++n) fail("thread", t * 2 + n);
    });
  for (std::thread& t : threads) t.join();
}

/// A key's destructor may run after faultline's own.
void log_in_key_destructor() {
  static pthread_key_t early;
  static pthread_key_t late;
  pthread_key_create(&early, [](void*) { fail("key", 0); });
  std::thread([] {
    pthread_setspecific(early, &early);
    fail("key", 1); // attaches, which makes faultline's key
    pthread_key_create(&late, [](void*) { fail("key", 2); });
    pthread_setspecific(late, &late);
  }).join();
}

/// Threads that log on while the process ends beneath them.
void log_for_ever() {
  static std::atomic<int> begun{0};
  for (int t = 0; t < 4; ++t)
    std::thread([t] {
      for (int n = 0;; ++n) {
        fail("for ever", t);
        if (n == 10) begun.fetch_add(1);
      }
    }).detach();
  while (begun.load() < 4) std::this_thread::yield();
}

int run(std::string_view how) {
  if (how == "static destructor") {
    first_made.armed = true;
    fail("main", 0);
    static logs_when_it_ends last{"static", true};
    return 0;
  }
  if (how == "thread_local destructor") {
    std::thread([] { ends_with_thread.armed = true; }).join();
    ends_with_thread.armed = true;
    return 0;
  }
  if (how == "key destructor") {
    log_in_key_destructor();
    return 0;
  }
  if (how == "after a stop that gave up") {
    const auto hangs = faultline::make_callback_handler([](const faultline::batch&) { ::pause(); });
    {
      const error_scope scope(faultline::get_logger("exit"), {.target = hangs});
      FAULTLINE_ERROR(faultline::get_logger("exit"), "hangs");
    }
    return faultline::stop(std::chrono::milliseconds(50)) ? 4 : 0;
  }
  fail_in_threads();
  if (how == "return") return 0;
  if (how == "exit") std::exit(0);
  if (how == "exit in a thread") std::thread([] { std::exit(0); }).join();
  if (how == "exit in a scope") {
    const error_scope scope(faultline::get_logger("exit"));
    std::exit(0);
  }
  if (how == "terminate") std::terminate();
  if (how == "threads that go on") log_for_ever();
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view how = argv[1];
  const auto file = faultline::make_file_handler(argv[2]);
  file->set_formatter(faultline::make_text_formatter("{message}", {.envelope = false}));
  faultline::runtime_options options;
  options.default_target = file;
  options.buffers_per_thread = 16;
  options.storm_dumps_per_second = 0;
  options.drain_on_terminate = how == "terminate";
  faultline::start(options);
  return run(how);
}
