// Two plug-ins and an executable log through one library. Built twice: with the shared library, and with an
// executable that links the static one and lends its symbols.
#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <faultline/configuration_error.hpp>

#include "plugins/loaded_plugin.hpp"
#include "stress/child.hpp"
#include "stress/scale.hpp"
#include "support/catch.hpp"
#include "support/manual_runtime.hpp"

namespace faultline::test {
namespace {

TEST_CASE("a thread has one cursor, whichever library asks") {
  const loaded_plugin first(PLUGIN_FIRST);
  const loaded_plugin second(PLUGIN_SECOND);
  std::set<const void*> cursors;
  std::vector<std::thread> threads;
  std::mutex mutex;
  int disagree = 0;
  std::atomic<int> arrived{0}; // the threads live at one time, so that none takes over another's memory
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const void* const own = &detail::current_cursor;
      ++arrived;
      while (arrived < 4) std::this_thread::yield();
      const std::lock_guard lock(mutex);
      cursors.insert(own);
      if (first->cursor_address() != own || second->cursor_address() != own) ++disagree;
    });
  for (std::thread& t : threads) t.join();
  CHECK(disagree == 0);
  CHECK(cursors.size() == 4);
}

TEST_CASE("records of two plug-ins and the executable stand in one dump, in the order they were logged") {
  manual_runtime rt;
  const logger lg = rt.get("host");
  const loaded_plugin first(PLUGIN_FIRST);
  const loaded_plugin second(PLUGIN_SECOND);
  {
    const error_scope scope(lg, {.name = "both"});
    first->hold(rt.get("host.first"), 1, "three");
    FAULTLINE_DEBUG(lg, "the executable held 2");
    second->hold(rt.get("host.second"), 3, "three");
    first->fail(rt.get("host.first"));
  }
  CHECK(rt.messages() ==
        strings{"first held 1 of three", "the executable held 2", "second held 3 of three", "first failed"});
  REQUIRE(rt.dumps().size() == 1);
  CHECK(rt.dumps()[0].scope == "both");
  CHECK(rt.stats().threads == 1);
  CHECK(closes(rt.stats()));
}

TEST_CASE("a scope of a plug-in is one of the thread's scopes") {
  manual_runtime rt;
  const loaded_plugin first(PLUGIN_FIRST);
  {
    const error_scope scope(rt.get(), {.name = "outer"});
    first->trip(rt.get("inner"));
  }
  REQUIRE(rt.dumps().size() == 1);
  CHECK(rt.dumps()[0].scope == "first scope");
  CHECK(rt.dumps()[0].reason == "first asked");
  CHECK(rt.messages() == strings{"first inside"});
}

TEST_CASE("what an unloaded plug-in logged is written after it went") {
  manual_runtime rt;
  rt.target->set_formatter(
      make_text_formatter("{level} {logger} {file} {function} {scope} {fields} {message}"));
  logger lg = rt.get("host");
  lg.add_handler(rt.target); // the error of the second scope goes by the outbox, too
  rt.target->set_level(level::error);
  loaded_plugin first(PLUGIN_FIRST);
  loaded_plugin second(PLUGIN_SECOND);
  {
    error_scope scope(lg, {.name = "unloading"});
    std::string text = "a text";
    first->hold(lg, 1, text.c_str());
    text = "another";
    first->add_field(scope);
    CHECK(first.is_mapped());
    first.unload();
    CHECK_FALSE(first.is_mapped());
    FAULTLINE_ERROR(lg, "the executable failed");
  }
  second->fail(lg); // in the outbox, not formatted yet
  second.unload();
  CHECK_FALSE(second.is_mapped());
  rt.write_all();
  CHECK_THAT(rt.target->text(),
             contains("DEBUG host plugin.cpp hold unloading plugin=first first held 1 of a text\n"));
  CHECK_THAT(rt.target->text(), contains("ERROR host plugin.cpp fail"));
  CHECK_THAT(rt.target->text(), contains("second failed\n"));
  CHECK(closes(rt.stats()));
}

TEST_CASE("what began the runtime is told by name though the plug-in that it was in has gone") {
  CHECK(stress::in_child([] {
          loaded_plugin first(PLUGIN_FIRST);
          first->hold(get_logger("plugged"), 1, "three");
          first.unload();
          try {
            start({.flusher = flusher_mode::manual});
          } catch (const configuration_error& e) {
            const std::string text = e.what();
            return text.find("the statement at ") != std::string::npos &&
                           text.find("plugin.cpp:") != std::string::npos &&
                           text.ends_with("in hold, \"first held {} of {}\"")
                       ? 0
                       : 1;
          }
          return 2;
        }) == 0);
}

#if defined(PLUGIN_PINNED) && !defined(__clang__)
TEST_CASE("a plug-in that stays when it is closed is seen to stay") {
  loaded_plugin pinned(PLUGIN_PINNED);
  pinned.unload();
  CHECK(pinned.is_mapped());
}
#endif

TEST_CASE("a plug-in that is loaded again logs again, a hundred times and more") {
  manual_runtime rt;
  const logger lg = rt.get("host");
  strings expected;
  const int times = static_cast<int>(stress::scaled(100));
  for (int i = 0; i < times; ++i) {
    {
      const loaded_plugin first(PLUGIN_FIRST);
      const error_scope scope(lg, {});
      first->hold(lg, i, "many");
      first->fail(lg);
    }
    rt.write_all();
    expected.push_back("first held " + std::to_string(i) + " of many");
    expected.emplace_back("first failed");
  }
  CHECK(rt.messages() == expected);
}

TEST_CASE("an exception of the library's class is caught by it across libraries") {
  const loaded_plugin first(PLUGIN_FIRST);
  try {
    first->throw_error();
    FAIL("nothing was thrown");
  } catch (const configuration_error& e) {
    CHECK(e.value() == "first");
  }
}

TEST_CASE("a handler's class is the same in each library") {
  const loaded_plugin first(PLUGIN_FIRST);
  CHECK(first->is_memory_handler(make_memory_handler().get()));
  CHECK_FALSE(first->is_memory_handler(make_null_handler().get()));
}

} // namespace
} // namespace faultline::test
