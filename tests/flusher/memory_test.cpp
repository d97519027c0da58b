// A flusher without memory loses what it was at, and goes on.
#include <new>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a handler out of memory costs its batch, and the thread's later records are written") {
  int calls = 0;
  manual_runtime rt({.on_error = [](const error_report&) {}});
  logger lg = rt.get();
  lg.add_handler(make_callback_handler([&](const batch&) {
    if (++calls == 1) throw std::bad_alloc();
  }));
  for (int i = 0; i < 3; ++i) {
    {
      const error_scope scope(lg);
      FAULTLINE_DEBUG(lg, "context");
      FAULTLINE_ERROR(lg, "error {}", i);
    }
    rt.write_all();
  }
  CHECK(calls >= 3);
  CHECK(rt.dumps().size() == 3);
  CHECK(closes(rt.stats()));
}

TEST_CASE(
    "a handler that flushes or stops its runtime from inside a manual round gets false, not a deadlock") {
  runtime* self = nullptr;
  bool flushed = true;
  bool stopped = true;
  runtime rt({.default_target = make_callback_handler([&](const batch&) {
                flushed = self->flush();
                stopped = self->stop();
              }),
              .flusher = flusher_mode::manual});
  self = &rt;
  {
    const error_scope scope(rt.get_logger());
    FAULTLINE_ERROR(rt.get_logger(), "error");
  }
  CHECK(rt.run_once());
  CHECK_FALSE(flushed);
  CHECK_FALSE(stopped);
}

TEST_CASE("many threads that attach at once delay no dump") {
  manual_runtime rt;
  const logger lg = rt.get();
  std::vector<std::thread> threads;
  for (int i = 0; i < 20; ++i) threads.emplace_back([&] { rt.get_runtime().attach_thread(); });
  for (auto& t : threads) t.join();
  {
    const error_scope scope(lg);
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(rt.get_runtime().run_once());
  CHECK(rt.target->messages() == strings{"error"});
}
