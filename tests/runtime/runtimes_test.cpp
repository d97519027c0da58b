#include <memory>
#include <thread>

#include <pthread.h>
#include <sys/prctl.h>

#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

using namespace faultline;
using faultline::test::closes;
using faultline::test::contains;
using faultline::test::manual_runtime;
using faultline::test::strings;

TEST_CASE("a thread logs to several runtimes in turn, and scopes of one are no matter of the other") {
  manual_runtime a;
  manual_runtime b;
  {
    const error_scope in_a(a.get());
    const error_scope in_b(b.get());
    for (int i = 0; i < 3; ++i) {
      FAULTLINE_DEBUG(a.get(), "a{}", i);
      FAULTLINE_DEBUG(b.get(), "b{}", i);
    }
    FAULTLINE_ERROR(b.get(), "error");
  }
  CHECK(a.messages().empty());
  CHECK(b.messages() == strings{"b0", "b1", "b2", "error"});
  CHECK(closes(a.stats()));
  CHECK(closes(b.stats()));
}

TEST_CASE("a runtime's memory outlives its last attached thread, and a new one at its place is another") {
  std::thread lasting;
  std::atomic<int> step{0};
  for (int i = 0; i < 20; ++i) {
    auto rt = std::make_unique<manual_runtime>();
    step = 0;
    lasting = std::thread([&, lg = rt->get()] {
      FAULTLINE_INFO(lg, "attached");
      step = 1;
      while (step != 2) std::this_thread::yield();
    });
    while (step != 1) std::this_thread::yield();
    rt.reset();
    manual_runtime next;
    FAULTLINE_INFO(next.get(), "{}", i);
    CHECK(next.stats().logged == 1);
    step = 2;
    lasting.join();
  }
}

TEST_CASE("a thread that ends returns its slot for the next") {
  manual_runtime rt;
  const logger lg = rt.get();
  std::uint64_t memory = 0;
  for (int i = 0; i < 100; ++i) {
    std::thread([&] {
      const error_scope scope(lg);
      FAULTLINE_ERROR(lg, "{}", i);
    }).join();
    if (i == 0) memory = rt.stats().thread_memory_bytes;
    rt.write_all();
  }
  CHECK(rt.stats().thread_memory_bytes == memory);
  CHECK(rt.stats().threads == 0);
  CHECK(rt.messages().size() == 100);
  CHECK(closes(rt.stats()));
}

TEST_CASE("every record tells the thread that logged it, though threads share a slot one after the other") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(rt.target);
  std::uint32_t ids[2]{};
  for (auto& id : ids)
    std::thread([&] {
      id = static_cast<std::uint32_t>(::gettid());
      FAULTLINE_INFO(lg, "from a thread");
    }).join();
  rt.write_all();
  const auto records = rt.target->records();
  REQUIRE(records.size() == 2);
  CHECK(records[0].thread_id == ids[0]);
  CHECK(records[1].thread_id == ids[1]);
}

TEST_CASE("a thread's records show the name that it had when it logged them") {
  manual_runtime rt;
  rt.target->set_formatter(make_text_formatter("{thread_name:>9} {message}", {.envelope = false}));
  logger lg = rt.get();
  lg.add_handler(rt.target);
  std::thread([&] {
    FAULTLINE_INFO(lg, "the program's name is none");
    rt.get_runtime().attach_thread("worker 7");
    FAULTLINE_INFO(lg, "passed");
    {
      const error_scope scope(lg, {.target = rt.target});
      FAULTLINE_DEBUG(lg, "held");
      FAULTLINE_ERROR(lg, "failed");
    }
    rt.get_runtime().attach_thread("worker 8");
    FAULTLINE_INFO(lg, "renamed");
  }).join();
  std::thread([&] {
    ::pthread_setname_np(::pthread_self(), "of system");
    FAULTLINE_INFO(lg, "the next thread in that slot");
    ::pthread_setname_np(::pthread_self(), "later");
    FAULTLINE_INFO(lg, "attached before");
  }).join();
  rt.write_all();
  CHECK(rt.target->text() == "          the program's name is none\n"
                             " worker 7 passed\n"
                             " worker 7 held\n"
                             " worker 7 failed\n"
                             " worker 8 renamed\n"
                             "of system the next thread in that slot\n"
                             "of system attached before\n");
  CHECK(rt.target->records()[1].thread_name == "worker 7");
}

TEST_CASE("a thread's name that the system cut within a character is shown without the rest of it") {
  manual_runtime rt;
  logger lg = rt.get();
  lg.add_handler(rt.target);
  for (const char* name : {"worker K\u00f6ln \u65e5", "in twelve...\u65e5\u65e5"})
    std::thread([&] {
      ::prctl(PR_SET_NAME, name); // the kernel keeps 15 bytes
      FAULTLINE_INFO(lg, "named");
    }).join();
  rt.write_all();
  CHECK(rt.target->records().at(0).thread_name == "worker K\u00f6ln ");
  CHECK(rt.target->records().at(1).thread_name == "in twelve...\u65e5");
}

TEST_CASE("the default runtime is configured once, before its first use") {
  const auto target = make_memory_handler();
  start({.default_target = target, .flusher = flusher_mode::manual});
  CHECK_THROWS_WITH(start({}), test::contains("call start once"));
  const logger lg = get_logger("app");
  {
    FAULTLINE_SCOPE(lg, .name = "default");
    FAULTLINE_ERROR(lg, "error");
  }
  CHECK(flush());
  CHECK(target->messages() == strings{"error"});
  CHECK(closes(stats()));
  CHECK(stop());
}

TEST_CASE("reopen reaches every handler once") {
  struct counting : handler {
    int reopened = 0;
    void write(const batch&) override {}
    void reopen() override { ++reopened; }
  };
  const auto h = std::make_shared<counting>();
  manual_runtime rt;
  rt.get().add_handler(h);
  FAULTLINE_INFO(rt.get(), "begun");
  rt.get_runtime().reopen();
  rt.write_all();
  CHECK(h->reopened == 1);
}

TEST_CASE("a handler belongs to one runtime until that is destroyed") {
  const auto lines = make_memory_handler();
  const auto other = std::make_unique<runtime>(runtime_options{.default_target = make_null_handler()});
  const logger of_other = other->get_logger("other");
  {
    runtime first({.default_target = lines});
    const std::string refusal = "handler: 'in other hands': one runtime or one background handler calls a "
                                "handler: make one for each";
    CHECK_THROWS_WITH(runtime({.default_target = lines}), refusal);
    CHECK_THROWS_WITH(of_other.add_handler(lines), refusal);
    CHECK_THROWS_WITH(error_scope(of_other, {.target = lines}), refusal);
    const logger lg = first.get_logger("first");
    lg.add_handler(lines); // its own is welcome again
    FAULTLINE_INFO(lg, "of the first");
  }
  of_other.add_handler(lines);
  FAULTLINE_INFO(of_other, "of the other");
  CHECK(other->flush());
  CHECK(lines->messages() == strings{"of the first", "of the other"});
}

TEST_CASE("a handler inside another one is called by the same runtime, or by one background handler, alone") {
  const auto all = [](const record_view&) { return true; };
  const auto shared = make_memory_handler();
  const std::string refusal = "in other hands";
  const auto other = std::make_unique<runtime>(runtime_options{.default_target = make_null_handler()});
  {
    runtime first({.default_target = make_filter_handler(shared, all)});
    const logger lg = first.get_logger();
    // One thread may come to it by several ways.
    lg.add_handler(make_filter_handler(shared, all));
    lg.add_handler(make_fallback_handler(make_null_handler(), shared));
    lg.add_handler(shared);
    CHECK_THROWS_WITH(other->get_logger().add_handler(shared), contains(refusal));
    CHECK_THROWS_WITH(other->get_logger().add_handler(make_filter_handler(shared, all)), contains(refusal));
    CHECK_THROWS_WITH(make_background_handler(shared), contains(refusal));
    CHECK_THROWS_WITH(make_background_handler(make_filter_handler(shared, all)), contains(refusal));
  }
  const handler_ptr outer = make_fallback_handler(make_null_handler(), make_memory_handler());
  {
    const handler_ptr background = make_background_handler(make_fallback_handler(outer, shared));
    CHECK_THROWS_WITH(make_background_handler(shared), contains(refusal));
    CHECK_THROWS_WITH(other->get_logger().add_handler(outer), contains(refusal));
    CHECK_THROWS_WITH(other->get_logger().add_handler(make_filter_handler(outer, all)), contains(refusal));
    other->get_logger().add_handler(background);
    CHECK_NOTHROW(make_fallback_handler(outer, shared)); // refused where it is put to use
  }
  CHECK_THROWS_WITH(other->get_logger().add_handler(shared), contains(refusal)); // the runtime has it still
}

TEST_CASE("a background handler that is gone has given its inner handler back") {
  const auto inner = make_memory_handler();
  (void)make_background_handler(inner);
  runtime r({.default_target = inner});
  CHECK(r.stop());
}
